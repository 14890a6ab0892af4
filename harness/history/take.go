package history

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"rigor/harness/judge"
	"rigor/harness/judge/change"
	"rigor/harness/record"
	"rigor/harness/timebase"
)

// taker puts bundles into the index. Statements are prepared once, since that
// takes longer than to carry them out.
type taker struct {
	ctx      context.Context
	tx       *sql.Tx
	prepared map[string]*sql.Stmt
	ids      map[any]int64 // of figures and images
	err      error         // the first one; after it nothing is done
}

func newTaker(ctx context.Context, tx *sql.Tx) *taker {
	return &taker{ctx: ctx, tx: tx, prepared: map[string]*sql.Stmt{}, ids: map[any]int64{}}
}

func (t *taker) close() {
	for _, s := range t.prepared {
		s.Close()
	}
}

// take indexes a bundle, or the reason why it cannot be read. What a bundle holds
// that the index cannot take is such a reason, too.
func (t *taker) take(runs, name string, st stamp) error {
	r, err := record.Load(filepath.Join(runs, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // removed just now
	}
	if err == nil {
		err = t.try(func() { t.run(r, name, st) })
	}
	if err != nil && t.ctx.Err() == nil && !unusable(err) {
		err = t.try(func() { t.insert("unreadable", name, st.text, err.Error()) })
	}
	if err != nil {
		return fmt.Errorf("index run %s: %w", name, err)
	}
	return nil
}

// try does something wholly or not at all.
func (t *taker) try(do func()) error {
	if _, err := t.tx.ExecContext(t.ctx, "SAVEPOINT one"); err != nil {
		return err
	}
	do()
	end, failed := "RELEASE one", t.err
	if failed != nil {
		end, t.err = "ROLLBACK TO one; RELEASE one", nil
		clear(t.ids)
	}
	_, err := t.tx.ExecContext(t.ctx, end)
	return errors.Join(failed, err)
}

// statement prepares a statement once.
func (t *taker) statement(text string) (*sql.Stmt, error) {
	if s := t.prepared[text]; s != nil {
		return s, nil
	}
	s, err := t.tx.PrepareContext(t.ctx, text)
	t.prepared[text] = s
	if err != nil {
		delete(t.prepared, text)
	}
	return s, err
}

// insert adds a row to a table and gives its id.
func (t *taker) insert(table string, values ...any) (id int64) {
	if t.err != nil {
		return 0
	}
	s, err := t.statement("INSERT INTO " + table + " VALUES (?" + strings.Repeat(", ?", len(values)-1) + ")")
	if err == nil {
		var res sql.Result
		if res, err = s.ExecContext(t.ctx, values...); err == nil {
			id, err = res.LastInsertId()
		}
	}
	t.err = err
	return id
}

// find asks for a number, and reports whether there is one.
func (t *taker) find(text string, values ...any) (n int64, ok bool) {
	if t.err != nil {
		return 0, false
	}
	s, err := t.statement(text)
	if err == nil {
		err = s.QueryRowContext(t.ctx, values...).Scan(&n)
	}
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false
	}
	t.err = err
	return n, err == nil
}

// json writes what the database only keeps.
func (t *taker) json(v any) string {
	text, err := json.Marshal(v)
	if t.err == nil {
		t.err = err
	}
	return string(text)
}

func (t *taker) run(r *record.Run, name string, st stamp) {
	entry := entryOf(r, name, st)
	id := t.freeID(nanos(r.Started))
	t.insert("run", id, name, st.text, r.Rig.Name, r.Rig.Kind, string(r.Status), r.Harness, nanos(r.Started), t.json(entry))
	for i, b := range r.Boards {
		if !slices.ContainsFunc(r.Boards[:i], func(o record.Board) bool { return o.Name == b.Name }) { // the first rigors named some twice
			t.insert("board", id, b.Name, t.json(boardIn(r, b)))
		}
	}
	asked := map[Key]int{}
	for _, e := range r.Experiments {
		k := Key{Suite: e.Suite, Experiment: e.Name, Board: e.Board}
		t.insert("experiment", id, e.Suite, e.Name, e.Board, asked[k], string(e.Outcome()), len(e.Attempts))
		asked[k]++
	}
	if !entry.Aside {
		t.values(id, r)
	}
}

// freeID is the time at which a run began, or the next that no other run has: that of a copy.
func (t *taker) freeID(began int64) int64 {
	for {
		if _, taken := t.find("SELECT id FROM run WHERE id = ?", began); !taken {
			return began
		}
		began++
	}
}

func (t *taker) values(run int64, r *record.Run) {
	repeats := map[int64]int{}
	for _, e := range r.Experiments {
		for _, m := range e.Measurements {
			if m.Summary.N == 0 {
				continue
			}
			f := t.figure(r, e, m)
			t.value(f, run, repeats[f], e, m)
			repeats[f]++
		}
	}
}

// hertz is a rate as the database takes it.
func (t *taker) hertz(r timebase.Rate) int64 {
	if r > math.MaxInt64 && t.err == nil {
		t.err = fmt.Errorf("no clock runs at %d Hz", uint64(r))
	}
	return int64(r)
}

func (t *taker) value(figure, run int64, repeat int, e record.Experiment, m record.Measurement) {
	s := m.Summary
	image := t.id(e.Firmware, "image", "digest", e.Firmware)
	t.insert("value", figure, run, repeat, image, s.N, s.Min, s.Median.Value, s.Median.Lo, s.Median.Hi, s.P95.Value, s.P95.Lo, s.P95.Hi,
		s.P99.Value, s.P99.Lo, s.P99.Hi, s.Max, worst(m.Verdicts), string(changed(m)), doubt(e, m))
}

// figure finds the figure of a measurement, or adds it.
func (t *taker) figure(r *record.Run, e record.Experiment, m record.Measurement) int64 {
	f := Figure{Rig: r.Rig, Key: Key{Suite: e.Suite, Experiment: e.Name, Board: e.Board, Quantity: m.Quantity, Source: m.Source, CoreHz: m.CoreHz},
		Unit: m.Unit, ClockHz: m.ClockHz}
	return t.id(f, "figure", "rig, kind, suite, experiment, board, quantity, source, core_hz, unit, clock_hz",
		r.Rig.Name, r.Rig.Kind, e.Suite, e.Name, e.Board, m.Quantity, string(m.Source), t.hertz(m.CoreHz), string(m.Unit), t.hertz(m.ClockHz))
}

// id finds the id of the row with the values in the columns, or adds it. What stands for it in
// Go is looked up but once.
func (t *taker) id(what any, table, columns string, values ...any) int64 {
	if id, ok := t.ids[what]; ok {
		return id
	}
	marks := "?" + strings.Repeat(", ?", len(values)-1)
	id, ok := t.find("SELECT id FROM "+table+" WHERE ("+columns+") = ("+marks+")", values...)
	if !ok {
		id = t.insert(table, append([]any{nil}, values...)...)
	}
	t.ids[what] = id
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
func changed(m record.Measurement) change.Verdict {
	if m.Change == nil {
		return ""
	}
	return m.Change.Verdict
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
