package history

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"maps"
	"slices"
	"strings"
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

// add counts an experiment.
func (c *Counts) add(e record.Experiment) {
	c.Attempts += len(e.Attempts)
	switch e.Outcome() {
	case record.Skipped:
		c.Skipped++
		return
	case record.Broken:
		c.Broken++
	case record.Answered:
		c.Answered++
		if len(e.Attempts) > 1 {
			c.Flaky++
		}
	}
	c.Asked++
}

// sum adds other counts.
func (c *Counts) sum(o Counts) {
	c.Asked += o.Asked
	c.Answered += o.Answered
	c.Broken += o.Broken
	c.Skipped += o.Skipped
	c.Flaky += o.Flaky
	c.Attempts += o.Attempts
}

// state is the worst that became of experiments.
func (c Counts) state() State {
	switch {
	case c.Broken > 0:
		return StateFailed
	case c.Flaky > 0:
		return StateFlaky
	case c.Answered > 0:
		return StateOK
	}
	return StateSkipped
}

// boardIn is the health of a board in one run.
func boardIn(r *record.Run, of record.Board) Board {
	b := Board{Name: of.Name, Chip: of.Chip, ID: of.ID}
	for _, e := range r.Experiments {
		if e.Board == of.Name {
			b.add(e)
			for _, a := range e.Attempts {
				b.addAttempt(a)
			}
		}
	}
	if b.Attempts > 0 {
		b.Runs = 1
	}
	return b
}

func (b *Board) addAttempt(a record.Attempt) {
	flashed, last := false, ""
	for _, p := range a.Phases {
		flashed, last = flashed || p.Name == record.FlashPhase, p.Name
	}
	message := ""
	if f := a.Failure; f == nil {
		b.LastOK = later(b.LastOK, a.Started)
	} else {
		message = f.Message
		b.addFailures(FailureCount{f.Class, 1})
		b.FlashFailures += one(last == record.FlashPhase)
	}
	b.Flashes += one(flashed)
	if !a.Started.Before(b.LastSeen) {
		b.LastSeen, b.Failing = a.Started, message
	}
}

// addFailures keeps the classes in order.
func (b *Board) addFailures(f FailureCount) {
	i, ok := slices.BinarySearchFunc(b.Failures, f, func(a, b FailureCount) int { return strings.Compare(string(a.Class), string(b.Class)) })
	if !ok {
		b.Failures = slices.Insert(b.Failures, i, FailureCount{Class: f.Class})
	}
	b.Failures[i].N += f.N
}

// follow takes a later run in.
func (b *Board) follow(run string, next Board) {
	b.Chip, b.LastRun = next.Chip, run
	if next.ID != "" {
		b.ID = next.ID
	}
	if next.Asked+next.Skipped > 0 {
		b.Recent = append(b.Recent, Recent{run, next.state()})
		b.Recent = b.Recent[max(0, len(b.Recent)-recent):]
	}
	b.Runs += next.Runs
	b.sum(next.Counts)
	for _, f := range next.Failures {
		b.addFailures(f)
	}
	b.Flashes += next.Flashes
	b.FlashFailures += next.FlashFailures
	b.LastOK = later(b.LastOK, next.LastOK)
	if next.Attempts > 0 && !next.LastSeen.Before(b.LastSeen) {
		b.LastSeen, b.Failing = next.LastSeen, next.Failing
	}
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

func one(is bool) int {
	if is {
		return 1
	}
	return 0
}

// Boards gives the health of every board in the runs that began at since or
// later, by rig and name; the zero time takes all runs.
func (x *Index) Boards(ctx context.Context, since time.Time) ([]Board, error) {
	var all map[boardKey]*Board
	err := x.read(ctx, func(tx *sql.Tx) error {
		all = map[boardKey]*Board{}
		return query(ctx, tx, func(scan scanner) error {
			var run string
			var text []byte
			var k boardKey
			var in Board
			if err := scan(&run, &k.rig.Name, &k.rig.Kind, &k.name, &text); err != nil {
				return err
			}
			if all[k] == nil {
				all[k] = &Board{Rig: k.rig, Name: k.name}
			}
			err := json.Unmarshal(text, &in)
			all[k].follow(run, in)
			return err
		}, `SELECT run.name, run.rig, run.kind, board.name, board.health FROM run JOIN board ON board.run = run.id
			WHERE run.started >= ? ORDER BY run.id`, nanos(since))
	})
	var boards []Board
	for _, k := range slices.SortedFunc(maps.Keys(all), boardKey.compare) {
		boards = append(boards, *all[k])
	}
	return boards, err
}

type boardKey struct {
	rig  record.Rig
	name string
}

func (k boardKey) compare(o boardKey) int {
	return cmp.Or(strings.Compare(k.rig.Name, o.rig.Name), strings.Compare(k.rig.Kind, o.rig.Kind), strings.Compare(k.name, o.name))
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
			err := scan(&e.Rig.Name, &e.Rig.Kind, &e.Suite, &e.Name, &e.Board, &e.Runs,
				&e.Asked, &e.Answered, &e.Broken, &e.Skipped, &e.Flaky, &e.Attempts)
			all = append(all, e)
			return err
		}, `SELECT run.rig, run.kind, e.suite, e.name, e.board, count(DISTINCT e.run),
				sum(e.outcome <> 'skipped'), sum(e.outcome = 'answered'), sum(e.outcome = 'failed'), sum(e.outcome = 'skipped'),
				sum(e.outcome = 'answered' AND e.attempts > 1), sum(e.attempts)
			FROM run JOIN experiment e ON e.run = run.id WHERE run.started >= ?
			GROUP BY run.rig, run.kind, e.suite, e.name, e.board ORDER BY 1, 2, 3, 4, 5`, nanos(since))
	})
	return all, err
}
