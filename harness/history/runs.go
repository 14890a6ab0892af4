package history

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"rigor/harness/judge"
	"rigor/harness/judge/change"
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
}

// entryOf is what the index keeps of a run.
func entryOf(r *record.Run, name string, st stamp) Run {
	e := Run{Name: name, Rig: r.Rig, Host: r.Host, Harness: r.Harness, Status: r.Status, Started: r.Started, Ended: r.Ended, Written: st.written.UTC(),
		SamplesDigest: r.SamplesDigest, Boards: r.Boards, Firmware: r.Firmware, Blocking: r.Blocking()}
	if i := r.Invocation; i != nil {
		e.ReplayOf, e.Aside = i.ReplayOf, i.ReplayOf != "" || i.Trial
	}
	var c Counts
	for _, x := range r.Experiments {
		c.add(x)
		for _, m := range x.Measurements {
			e.count(m)
		}
	}
	e.Answered, e.Broken, e.Skipped, e.Flaky = c.Answered, c.Broken, c.Skipped, c.Flaky
	return e
}

// count counts verdicts and change of a measurement.
func (r *Run) count(m record.Measurement) {
	for _, v := range m.Verdicts {
		switch {
		case v.Reason == judge.NoLimit:
			r.Unlimited++
		case v.Outcome == judge.Pass:
			r.Pass++
		case v.Outcome == judge.Fail:
			r.Fail++
		default:
			r.Unset++
		}
	}
	switch changed(m) {
	case change.Better:
		r.Better++
	case change.Worse:
		r.Worse++
	case change.Different:
		r.Different++
	}
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
	limit := f.Limit
	if limit <= 0 {
		limit = -1 // SQLite's none
	}
	err = x.read(ctx, func(tx *sql.Tx) error {
		all, err = entries(ctx, tx, where+" ORDER BY run.id DESC LIMIT ? OFFSET ?", append(values, limit, f.Offset)...)
		return err
	})
	return all, err
}

// entries reads what there is of runs.
func entries(ctx context.Context, tx *sql.Tx, rest string, values ...any) (all []Run, err error) {
	err = query(ctx, tx, func(scan scanner) error {
		var text []byte
		if err := scan(&text); err != nil {
			return err
		}
		all = append(all, Run{})
		return json.Unmarshal(text, &all[len(all)-1])
	}, "SELECT run.entry FROM run"+rest, values...)
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
		all, err = entries(ctx, tx, " WHERE run.name = ?", name)
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
