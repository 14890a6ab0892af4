package history

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"rigor/harness/judge"
	"rigor/harness/judge/change"
	"rigor/harness/record"
)

// Synced says what a look at the bundles found.
type Synced struct {
	Added, Updated, Removed int
	Unreadable              []Problem // all there are now
}

// Problem is a bundle that cannot be read.
type Problem struct {
	Name   string `json:"name"`
	Reason string `json:"reason"`
}

// Sync takes into the index what changed among the bundles below runs since it
// was last asked. A runs folder that does not exist is an empty one.
func (x *Index) Sync(ctx context.Context, runs string) (s Synced, err error) {
	err = x.write(ctx, func(tx *sql.Tx) error {
		s = Synced{}
		return s.sync(ctx, tx, runs)
	})
	return s, err
}

// Rebuild empties the index and reads all bundles below runs.
func (x *Index) Rebuild(ctx context.Context, runs string) (s Synced, err error) {
	err = x.write(ctx, func(tx *sql.Tx) error {
		for _, table := range []string{"run", "unreadable", "figure"} {
			if _, err := tx.ExecContext(ctx, "DELETE FROM "+table); err != nil {
				return fmt.Errorf("empty the index of runs: %w", err)
			}
		}
		s = Synced{}
		return s.sync(ctx, tx, runs)
	})
	return s, err
}

func (s *Synced) sync(ctx context.Context, tx *sql.Tx, runs string) error {
	there, err := stamps(runs)
	if err != nil {
		return err
	}
	known, err := knownStamps(ctx, tx)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(known)) {
		if _, ok := there[name]; !ok {
			s.Removed++
		}
		if there[name].text != known[name] {
			if err := forget(ctx, tx, name); err != nil {
				return err
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(there)) {
		was, ok := known[name]
		if ok && was == there[name].text {
			continue
		}
		if err := take(ctx, tx, runs, name, there[name]); err != nil {
			return err
		}
		if ok {
			s.Updated++
		} else {
			s.Added++
		}
	}
	s.Unreadable, err = problems(ctx, tx)
	return err
}

// stamp tells one state of a run.json from another. They are renamed into
// place, so that each state is a file of its own.
type stamp struct {
	text    string
	written time.Time
}

// stamps looks at every bundle below runs, and reads none.
func stamps(runs string) (map[string]stamp, error) {
	entries, err := os.ReadDir(runs)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("find runs: %w", err)
	}
	all := map[string]stamp{}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			continue // half removed, or on its way in
		}
		info, err := os.Stat(filepath.Join(runs, e.Name(), record.RunFile))
		if err != nil || !info.Mode().IsRegular() {
			continue // no bundle, or gone since
		}
		inode := uint64(0)
		if st, ok := info.Sys().(*syscall.Stat_t); ok {
			inode = st.Ino
		}
		text := fmt.Sprintf("%d %d %d", info.Size(), info.ModTime().UnixNano(), inode)
		all[e.Name()] = stamp{text, info.ModTime()}
	}
	return all, nil
}

// knownStamps gives the stamps of what the index holds.
func knownStamps(ctx context.Context, tx *sql.Tx) (map[string]string, error) {
	all := map[string]string{}
	err := query(ctx, tx, func(scan scanner) error {
		var name, text string
		err := scan(&name, &text)
		all[name] = text
		return err
	}, "SELECT name, stamp FROM run UNION ALL SELECT name, stamp FROM unreadable")
	return all, err
}

func forget(ctx context.Context, tx *sql.Tx, name string) error {
	for _, table := range []string{"run", "unreadable"} {
		if _, err := tx.ExecContext(ctx, "DELETE FROM "+table+" WHERE name = ?", name); err != nil {
			return fmt.Errorf("forget run %s: %w", name, err)
		}
	}
	return nil
}

// take indexes a bundle, or the reason why it cannot be read.
func take(ctx context.Context, tx *sql.Tx, runs, name string, st stamp) error {
	r, err := record.Load(filepath.Join(runs, name))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil // removed just now
	case err != nil:
		_, err = tx.ExecContext(ctx, "INSERT INTO unreadable VALUES (?, ?, ?)", name, st.text, err.Error())
	default:
		t := taker{ctx: ctx, tx: tx}
		t.run(r, name, st)
		err = t.err
	}
	if err != nil {
		return fmt.Errorf("index run %s: %w", name, err)
	}
	return nil
}

// taker puts a run into the index, up to the first error.
type taker struct {
	ctx context.Context
	tx  *sql.Tx
	err error
}

// insert adds a row to a table and gives its id.
func (t *taker) insert(table string, columns string, values ...any) int64 {
	if t.err != nil {
		return 0
	}
	marks := ""
	for range values {
		marks += ", ?"
	}
	res, err := t.tx.ExecContext(t.ctx, "INSERT INTO "+table+" ("+columns+") VALUES ("+marks[2:]+")", values...)
	if err != nil {
		t.err = err
		return 0
	}
	id, err := res.LastInsertId()
	t.err = err
	return id
}

func (t *taker) run(r *record.Run, name string, st stamp) {
	host, err := json.Marshal(r.Host)
	if err != nil {
		t.err = err
		return
	}
	v, asked := verdicts(r), record.Invocation{}
	if r.Invocation != nil {
		asked = *r.Invocation
	}
	id := t.insert("run",
		"name, stamp, rig, kind, status, harness, host, started, ended, written, samples_digest, blocking, pass, fail, unset, unlimited, "+
			"better, worse, different, replay_of, aside",
		name, st.text, r.Rig.Name, r.Rig.Kind, string(r.Status), r.Harness, string(host), nanos(r.Started), nanos(r.Ended), nanos(st.written),
		r.SamplesDigest, r.Blocking(), v.pass, v.fail, v.unset, v.unlimited,
		v.changes[change.Better], v.changes[change.Worse], v.changes[change.Different], asked.ReplayOf, asked.ReplayOf != "" || asked.Trial)
	for _, b := range r.Boards {
		t.insert("board", "run, name, chip, chip_id", id, b.Name, b.Chip, b.ID)
	}
	for _, f := range r.Firmware {
		t.insert("firmware", "run, program, target, digest, source_digest, toolchain", id, f.Program, f.Target, f.Digest, f.SourceDigest, f.Toolchain)
	}
	for _, e := range r.Experiments {
		t.experiment(id, r, e)
	}
}

func (t *taker) experiment(run int64, r *record.Run, e record.Experiment) {
	id := t.insert("experiment", "run, suite, name, board, firmware, outcome, attempts",
		run, e.Suite, e.Name, e.Board, e.Firmware, string(e.Outcome()), len(e.Attempts))
	for _, a := range e.Attempts {
		var f record.Failure
		if a.Failure != nil {
			f = *a.Failure
		}
		flashed, last := phases(a)
		t.insert("attempt", "experiment, started, took, flashed, phase, class, message",
			id, nanos(a.Started), int64(a.Took), flashed, last, string(f.Class), f.Message)
	}
	for _, m := range e.Measurements {
		if m.Summary.N > 0 {
			t.value(run, id, r, e, m)
		}
	}
}

// phases tells whether an attempt flashed the board, and how far it got.
func phases(a record.Attempt) (flashed bool, last string) {
	for _, p := range a.Phases {
		flashed, last = flashed || p.Name == record.FlashPhase, p.Name
	}
	return flashed, last
}

func (t *taker) value(run, experiment int64, r *record.Run, e record.Experiment, m record.Measurement) {
	s := m.Summary
	t.insert("value", "figure, run, experiment, n, min, p50, p50_lo, p50_hi, p95, p95_lo, p95_hi, p99, p99_lo, p99_hi, max, "+
		"outcome, change, doubt, assumption, digest",
		t.figure(r, e, m), run, experiment, s.N, s.Min, s.Median.Value, s.Median.Lo, s.Median.Hi, s.P95.Value, s.P95.Lo, s.P95.Hi,
		s.P99.Value, s.P99.Lo, s.P99.Hi, s.Max, worst(m.Verdicts), changed(m), doubt(e, m), string(m.Assumption), m.Digest)
}

// figure finds the figure of a measurement, or adds it.
func (t *taker) figure(r *record.Run, e record.Experiment, m record.Measurement) (id int64) {
	if t.err != nil {
		return 0
	}
	const columns = "rig, kind, suite, experiment, board, quantity, source, core_hz, unit, clock_hz"
	values := []any{r.Rig.Name, r.Rig.Kind, e.Suite, e.Name, e.Board, m.Quantity, string(m.Source), int64(m.CoreHz), string(m.Unit), int64(m.ClockHz)}
	err := t.tx.QueryRowContext(t.ctx,
		"SELECT id FROM figure WHERE ("+columns+") = (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values...).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return t.insert("figure", columns, values...)
	}
	t.err = err
	return id
}

// doubt says why nothing may rest on a measurement, or nothing.
func doubt(e record.Experiment, m record.Measurement) string {
	switch {
	case e.Failed():
		return "the experiment failed: " + e.Attempts[len(e.Attempts)-1].Failure.Message
	case len(m.Doubts) > 0:
		return m.Doubts[0]
	}
	return ""
}

// changed is the verdict on a measurement against the baseline, or "".
func changed(m record.Measurement) string {
	if m.Change == nil {
		return ""
	}
	return string(m.Change.Verdict)
}

// tally counts verdicts.
type tally struct {
	pass, fail, unset, unlimited int
	changes                      map[change.Verdict]int
}

func verdicts(r *record.Run) tally {
	n := tally{changes: map[change.Verdict]int{}}
	for _, e := range r.Experiments {
		for _, m := range e.Measurements {
			for _, v := range m.Verdicts {
				n.count(v)
			}
			n.changes[change.Verdict(changed(m))]++
		}
	}
	return n
}

func (n *tally) count(v judge.Verdict) {
	switch {
	case v.Reason == judge.NoLimit:
		n.unlimited++
	case v.Outcome == judge.Pass:
		n.pass++
	case v.Outcome == judge.Fail:
		n.fail++
	default:
		n.unset++
	}
}

// worst is the worst outcome of those that have a limit, or "".
func worst(vs []judge.Verdict) (all string) {
	for _, v := range vs {
		if v.Reason != judge.NoLimit {
			all = worse(all, v.Outcome.String())
		}
	}
	return all
}

// worse is the worse of two outcomes.
func worse(a, b string) string {
	for _, o := range []string{judge.Fail.String(), judge.Unset.String(), judge.Pass.String()} {
		if a == o || b == o {
			return o
		}
	}
	return ""
}

func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}
