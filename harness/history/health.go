package history

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"rigor/harness/record"
	"rigor/harness/rig"
)

// Board is the health of a board over a span of runs.
type Board struct {
	Rig  record.Rig `json:"rig"`
	Name string     `json:"name"`
	Chip string     `json:"chip"`
	ID   string     `json:"id,omitempty"` // as its loader gave it last

	Runs          int            `json:"runs"`               // that asked it something
	LastSeen      time.Time      `json:"last_seen,omitzero"` // the last experiment that was tried on it
	LastOK        time.Time      `json:"last_ok,omitzero"`   // the last that it answered
	LastRun       string         `json:"last_run"`           // the newest run with the board on its rig
	Failing       string         `json:"failing,omitempty"`  // why the last experiment failed, if it did
	Counts                       // of experiments and attempts
	Failures      []FailureCount `json:"failures,omitempty"` // attempts that failed, by class
	Flashes       int            `json:"flashes"`            // attempts that flashed it, to ask it something then
	FlashFailures int            `json:"flash_failures"`     // of them, those that failed doing so
	Recent        []Recent       `json:"recent,omitempty"`   // the newest runs that asked it something, oldest first
}

// recent is how many runs Board.Recent has at most.
const recent = 30

// Recent is what a run found of a board.
type Recent struct {
	Run   string `json:"run"`
	State State  `json:"state"`
}

// State is what became of a board's experiments in a run: the worst of them.
type State string

// The states, from the worst to the best.
const (
	StateFailed  State = "failed"
	StateFlaky   State = "flaky" // answered after a retry
	StateOK      State = "ok"
	StateSkipped State = "skipped" // all were
)

// Counts are what became of experiments.
type Counts struct {
	Asked    int `json:"asked"` // experiments, skipped ones not counted
	Answered int `json:"answered"`
	Broken   int `json:"failed"`
	Skipped  int `json:"skipped"`
	Flaky    int `json:"flaky"`    // answered after a retry
	Attempts int `json:"attempts"` // tries of all
}

// FlakeRate is the share of flaky ones among the answered; 0 if there are none.
func (c Counts) FlakeRate() float64 {
	if c.Answered == 0 {
		return 0
	}
	return float64(c.Flaky) / float64(c.Answered)
}

// FailureCount counts failed attempts of a class.
type FailureCount struct {
	Class rig.Class `json:"class"`
	N     int       `json:"n"`
}

// Failed counts failed attempts of a class.
func (b Board) Failed(class rig.Class) int {
	for _, f := range b.Failures {
		if f.Class == class {
			return f.N
		}
	}
	return 0
}

const countColumns = `sum(e.outcome <> 'skipped'), sum(e.outcome = 'answered'), sum(e.outcome = 'failed'), sum(e.outcome = 'skipped'),
	sum(e.outcome = 'answered' AND e.attempts > 1), sum(e.attempts)`

func (c *Counts) columns() []any {
	return []any{&c.Asked, &c.Answered, &c.Broken, &c.Skipped, &c.Flaky, &c.Attempts}
}

// Boards gives the health of every board in the runs that began at since or
// later, by rig and name; the zero time takes all runs.
func (x *Index) Boards(ctx context.Context, since time.Time) (all []Board, err error) {
	err = x.read(ctx, func(tx *sql.Tx) error {
		all, err = boards(ctx, tx, nanos(since))
		return err
	})
	return all, err
}

func boards(ctx context.Context, tx *sql.Tx, since int64) (all []Board, err error) {
	at := map[[3]string]int{}
	err = query(ctx, tx, func(scan scanner) error {
		var b Board
		if err := scan(&b.Rig.Name, &b.Rig.Kind, &b.Name, &b.Chip, &b.ID, &b.LastRun); err != nil {
			return err
		}
		key := [3]string{b.Rig.Name, b.Rig.Kind, b.Name}
		i, ok := at[key]
		if !ok {
			i = len(all)
			at[key], all = i, append(all, b)
		}
		if all[i].ID == "" {
			all[i].ID = b.ID
		}
		return nil
	}, `SELECT run.rig, run.kind, board.name, board.chip, board.chip_id, run.name FROM board JOIN run ON run.id = board.run
		WHERE run.started >= ? ORDER BY run.rig, run.kind, board.name, run.started DESC, run.name DESC`, since)
	if err != nil {
		return nil, err
	}
	for i := range all {
		if err := all[i].fill(ctx, tx, since); err != nil {
			return nil, fmt.Errorf("health of board %s: %w", all[i].Name, err)
		}
	}
	return all, nil
}

// What is asked of one board: its experiments, and their attempts.
const (
	experiments = " FROM experiment e" + onBoard
	attempts    = " FROM attempt a JOIN experiment e ON e.id = a.experiment" + onBoard
	onBoard     = " JOIN run ON run.id = e.run WHERE run.rig = ? AND run.kind = ? AND e.board = ? AND run.started >= ?"
)

// fill adds what experiments and attempts say of the board.
func (b *Board) fill(ctx context.Context, tx *sql.Tx, since int64) error {
	for _, ask := range []func(context.Context, *sql.Tx, []any) error{b.count, b.countFlashes, b.countFailures, b.listRecent, b.findLast} {
		if err := ask(ctx, tx, []any{b.Rig.Name, b.Rig.Kind, b.Name, since}); err != nil {
			return err
		}
	}
	return nil
}

func (b *Board) count(ctx context.Context, tx *sql.Tx, of []any) error {
	return query(ctx, tx, func(scan scanner) error { return scan(append([]any{&b.Runs}, b.columns()...)...) },
		"SELECT count(DISTINCT CASE WHEN e.attempts > 0 THEN e.run END), "+countColumns+experiments+" HAVING count(*) > 0", of...)
}

func (b *Board) countFlashes(ctx context.Context, tx *sql.Tx, of []any) error {
	return query(ctx, tx, func(scan scanner) error { return scan(&b.Flashes, &b.FlashFailures) },
		"SELECT coalesce(sum(a.flashed), 0), coalesce(sum(a.phase = '"+record.FlashPhase+"' AND a.class <> ''), 0)"+attempts, of...)
}

func (b *Board) countFailures(ctx context.Context, tx *sql.Tx, of []any) error {
	return query(ctx, tx, func(scan scanner) error {
		var f FailureCount
		err := scan(&f.Class, &f.N)
		b.Failures = append(b.Failures, f)
		return err
	}, "SELECT a.class, count(*)"+attempts+" AND a.class <> '' GROUP BY a.class ORDER BY a.class", of...)
}

func (b *Board) listRecent(ctx context.Context, tx *sql.Tx, of []any) error {
	defer func() { slices.Reverse(b.Recent) }()
	return query(ctx, tx, func(scan scanner) error {
		var r Recent
		err := scan(&r.Run, &r.State)
		b.Recent = append(b.Recent, r)
		return err
	}, `SELECT run.name, CASE WHEN sum(e.outcome = 'failed') > 0 THEN 'failed'
		WHEN sum(e.outcome = 'answered' AND e.attempts > 1) > 0 THEN 'flaky' WHEN sum(e.outcome = 'answered') > 0 THEN 'ok' ELSE 'skipped' END`+
		experiments+" GROUP BY run.id ORDER BY run.started DESC, run.name DESC LIMIT ?", append(of, recent)...)
}

// findLast finds the last attempt, and the last that went well.
func (b *Board) findLast(ctx context.Context, tx *sql.Tx, of []any) error {
	return query(ctx, tx, func(scan scanner) error {
		var seen, ok int64
		err := scan(&seen, &ok, &b.Failing)
		b.LastSeen, b.LastOK = moment(seen), moment(ok)
		return err
	}, "SELECT a.started, coalesce(max(CASE WHEN a.class = '' THEN a.started END) OVER (), 0), a.message"+
		attempts+" ORDER BY a.started DESC LIMIT 1", of...)
}

// Experiment is what became of an experiment over a span of runs.
type Experiment struct {
	Rig    record.Rig `json:"rig"`
	Suite  string     `json:"suite"`
	Name   string     `json:"name"`
	Board  string     `json:"board"`
	Runs   int        `json:"runs"`
	Counts            // of experiments and attempts
}

// Experiments lists the experiments of the runs that began at since or later,
// by rig, suite, name and board.
func (x *Index) Experiments(ctx context.Context, since time.Time) (all []Experiment, err error) {
	err = x.read(ctx, func(tx *sql.Tx) error {
		all = nil
		return query(ctx, tx, func(scan scanner) error {
			var e Experiment
			err := scan(append([]any{&e.Rig.Name, &e.Rig.Kind, &e.Suite, &e.Name, &e.Board, &e.Runs}, e.columns()...)...)
			all = append(all, e)
			return err
		}, `SELECT run.rig, run.kind, e.suite, e.name, e.board, count(DISTINCT e.run), `+countColumns+`
			FROM experiment e JOIN run ON run.id = e.run WHERE run.started >= ?
			GROUP BY run.rig, run.kind, e.suite, e.name, e.board ORDER BY 1, 2, 3, 4, 5`, nanos(since))
	})
	return all, err
}
