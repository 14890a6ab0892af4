package history

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"rigor/harness/record"
)

// Run is a run as the index knows it. Its bundle is the folder Name.
type Run struct {
	Name          string            `json:"name"`
	Rig           record.Rig        `json:"rig"`
	Host          record.Host       `json:"host"`
	Harness       string            `json:"harness"`
	Status        record.Status     `json:"status"`
	Started       time.Time         `json:"started"`
	Ended         time.Time         `json:"ended,omitzero"`
	Written       time.Time         `json:"written"` // when run.json was, last
	SamplesDigest string            `json:"samples_digest"`
	Boards        []record.Board    `json:"boards"`
	Firmware      []record.Firmware `json:"firmware"`

	Answered int `json:"answered"` // experiments
	Broken   int `json:"failed"`
	Skipped  int `json:"skipped"`
	Flaky    int `json:"flaky"` // answered after a retry

	Blocking  int `json:"blocking"` // findings that fail the run, see record.Run.Blocking
	Pass      int `json:"pass"`     // verdicts
	Fail      int `json:"fail"`
	Unset     int `json:"unset"`
	Unlimited int `json:"unlimited"` // judged by no limit
	Better    int `json:"better"`    // figures, against the baseline
	Worse     int `json:"worse"`
	Different int `json:"different"` // and neither way is better

	ReplayOf string `json:"replay_of,omitempty"` // the bundle that the run repeats
	Aside    bool   `json:"aside,omitempty"`     // a replay, or one of the runs of an A/B comparison: in no series

	id int64
}

// The verdicts on a run.
const (
	Passed     = "pass"
	Failed     = "fail"
	Incomplete = "incomplete"
)

// Verdict is how the run ended, in a word.
func (r Run) Verdict() string {
	switch {
	case r.Blocking > 0 || r.Status == record.Failed:
		return Failed
	case r.Status != record.Complete:
		return Incomplete
	}
	return Passed
}

// Filter chooses runs; its zero value chooses all.
type Filter struct {
	Rig    string
	Board  string // that was on the rig
	Status record.Status
	Since  time.Time // began at this time or later
	Until  time.Time // began before
	Limit  int       // only so many of the newest; 0: all
	Offset int       // newer ones to pass over
}

func (f Filter) where() (string, []any) {
	var c clause
	c.equal("run.rig", f.Rig)
	c.equal("run.status", string(f.Status))
	if f.Board != "" {
		c.add("EXISTS (SELECT 1 FROM board WHERE board.run = run.id AND board.name = ?)", f.Board)
	}
	if !f.Since.IsZero() {
		c.add("run.started >= ?", f.Since.UnixNano())
	}
	if !f.Until.IsZero() {
		c.add("run.started < ?", f.Until.UnixNano())
	}
	return c.String(), c.values
}

// clause is a WHERE in the making.
type clause struct {
	terms  []string
	values []any
}

func (c *clause) add(term string, values ...any) {
	c.terms, c.values = append(c.terms, term), append(c.values, values...)
}

// equal asks for a column's value, unless any will do.
func (c *clause) equal(column, value string) {
	if value != "" {
		c.add(column+" = ?", value)
	}
}

func (c *clause) String() string {
	if c.terms == nil {
		return ""
	}
	return " WHERE " + strings.Join(c.terms, " AND ")
}

// Runs lists runs, the newest first.
func (x *Index) Runs(ctx context.Context, f Filter) (all []Run, err error) {
	where, values := f.where()
	err = x.read(ctx, func(tx *sql.Tx) error {
		all, err = selectRuns(ctx, tx, where+" ORDER BY run.started DESC, run.name DESC", values, f.Limit, f.Offset)
		return err
	})
	return all, err
}

// Count counts the runs that a filter chooses, whatever its limit and offset.
func (x *Index) Count(ctx context.Context, f Filter) (n int, err error) {
	where, values := f.where()
	err = x.read(ctx, func(tx *sql.Tx) error {
		return query(ctx, tx, func(scan scanner) error { return scan(&n) }, "SELECT count(*) FROM run"+where, values...)
	})
	return n, err
}

// Run finds a run by its name. One that there is not is fs.ErrNotExist.
func (x *Index) Run(ctx context.Context, name string) (Run, error) {
	var all []Run
	err := x.read(ctx, func(tx *sql.Tx) (err error) {
		all, err = selectRuns(ctx, tx, " WHERE run.name = ?", []any{name}, 1, 0)
		return err
	})
	if err == nil && len(all) == 0 {
		err = fmt.Errorf("run %s: %w", name, fs.ErrNotExist)
	}
	if err != nil {
		return Run{}, err
	}
	return all[0], nil
}

const runColumns = `run.id, run.name, run.rig, run.kind, run.host, run.harness, run.status, run.started, run.ended, run.written,
	run.samples_digest, run.blocking, run.pass, run.fail, run.unset, run.unlimited, run.better, run.worse, run.different, run.replay_of, run.aside,
	(SELECT count(*) FROM experiment e WHERE e.run = run.id AND e.outcome = 'answered'),
	(SELECT count(*) FROM experiment e WHERE e.run = run.id AND e.outcome = 'failed'),
	(SELECT count(*) FROM experiment e WHERE e.run = run.id AND e.outcome = 'skipped'),
	(SELECT count(*) FROM experiment e WHERE e.run = run.id AND e.outcome = 'answered' AND e.attempts > 1)`

func selectRuns(ctx context.Context, tx *sql.Tx, rest string, values []any, limit, offset int) ([]Run, error) {
	if limit <= 0 {
		limit = -1 // SQLite's none
	}
	var all []Run
	err := query(ctx, tx, func(scan scanner) error {
		r, err := scanRun(scan)
		all = append(all, r)
		return err
	}, "SELECT "+runColumns+" FROM run"+rest+" LIMIT ? OFFSET ?", append(values[:len(values):len(values)], limit, offset)...)
	if err != nil {
		return nil, err
	}
	return all, fill(ctx, tx, all)
}

func scanRun(scan scanner) (r Run, err error) {
	var host string
	var started, ended, written int64
	if err := scan(&r.id, &r.Name, &r.Rig.Name, &r.Rig.Kind, &host, &r.Harness, &r.Status, &started, &ended, &written,
		&r.SamplesDigest, &r.Blocking, &r.Pass, &r.Fail, &r.Unset, &r.Unlimited, &r.Better, &r.Worse, &r.Different, &r.ReplayOf, &r.Aside,
		&r.Answered, &r.Broken, &r.Skipped, &r.Flaky); err != nil {
		return r, err
	}
	r.Started, r.Ended, r.Written = moment(started), moment(ended), moment(written)
	return r, json.Unmarshal([]byte(host), &r.Host)
}

// fill adds the boards and images of runs.
func fill(ctx context.Context, tx *sql.Tx, runs []Run) error {
	at := map[int64]*Run{}
	var ids []int64
	for i := range runs {
		at[runs[i].id] = &runs[i]
		ids = append(ids, runs[i].id)
	}
	of, err := json.Marshal(ids)
	if err != nil {
		return fmt.Errorf("list runs: %w", err)
	}
	const these = " WHERE run IN (SELECT value FROM json_each(?)) ORDER BY rowid"
	err = query(ctx, tx, func(scan scanner) error {
		var run int64
		var b record.Board
		err := scan(&run, &b.Name, &b.Chip, &b.ID)
		at[run].Boards = append(at[run].Boards, b)
		return err
	}, "SELECT run, name, chip, chip_id FROM board"+these, string(of))
	if err != nil {
		return err
	}
	return query(ctx, tx, func(scan scanner) error {
		var run int64
		var f record.Firmware
		err := scan(&run, &f.Program, &f.Target, &f.Digest, &f.SourceDigest, &f.Toolchain)
		at[run].Firmware = append(at[run].Firmware, f)
		return err
	}, "SELECT run, program, target, digest, source_digest, toolchain FROM firmware"+these, string(of))
}

// Unreadable lists the bundles that cannot be read, by name.
func (x *Index) Unreadable(ctx context.Context) (all []Problem, err error) {
	err = x.read(ctx, func(tx *sql.Tx) error {
		all, err = problems(ctx, tx)
		return err
	})
	return all, err
}

func problems(ctx context.Context, tx *sql.Tx) (all []Problem, err error) {
	err = query(ctx, tx, func(scan scanner) error {
		var p Problem
		err := scan(&p.Name, &p.Reason)
		all = append(all, p)
		return err
	}, "SELECT name, reason FROM unreadable ORDER BY name")
	return all, err
}

func moment(nanos int64) time.Time {
	if nanos == 0 {
		return time.Time{}
	}
	return time.Unix(0, nanos).UTC()
}
