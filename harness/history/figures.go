package history

import (
	"context"
	"database/sql"
	"fmt"
	"path"
	"slices"
	"time"

	"rigor/harness/judge"
	"rigor/harness/judge/change"
	"rigor/harness/measure"
	"rigor/harness/record"
	"rigor/harness/timebase"
)

// Key names a figure among those of a rig.
type Key = judge.Key

// Figure is one measurement that runs make again and again: what makes a
// series. Of two clocks that it was counted by each gives a figure.
type Figure struct {
	ID  int64      `json:"-"` // until the index is made anew
	Rig record.Rig `json:"rig"`
	Key
	Unit    measure.Unit  `json:"unit"`
	ClockHz timebase.Rate `json:"clock_hz,omitempty"`

	Runs  int       `json:"runs"` // that measured it; replays and trials don't count
	First time.Time `json:"first"`
	Last  time.Time `json:"last"`
}

// Pattern chooses figures. An empty field fits all; the others are as path.Match
// has them: * and ? and [classes].
type Pattern struct {
	Rig, Suite, Experiment, Board, Quantity string
	Source                                  measure.Source
	CoreHz                                  timebase.Rate
}

func (p Pattern) fits(f Figure) bool {
	fits := func(pattern, text string) bool {
		ok, _ := path.Match(pattern, text)
		return ok || pattern == "" || pattern == text
	}
	return fits(p.Rig, f.Rig.Name) && fits(p.Suite, f.Suite) && fits(p.Experiment, f.Experiment) && fits(p.Board, f.Board) &&
		fits(p.Quantity, f.Quantity) && fits(string(p.Source), string(f.Source)) && (p.CoreHz == 0 || p.CoreHz == f.CoreHz)
}

// Figures lists the figures that fit, by rig and key.
func (x *Index) Figures(ctx context.Context, p Pattern) (all []Figure, err error) {
	err = x.read(ctx, func(tx *sql.Tx) error {
		all = nil
		return query(ctx, tx, func(scan scanner) error {
			var f Figure
			var first, last int64
			err := scan(&f.ID, &f.Rig.Name, &f.Rig.Kind, &f.Suite, &f.Experiment, &f.Board, &f.Quantity, &f.Source, &f.CoreHz,
				&f.Unit, &f.ClockHz, &f.Runs, &first, &last)
			if f.First, f.Last = moment(first), moment(last); f.Runs > 0 && p.fits(f) {
				all = append(all, f)
			}
			return err
		}, `SELECT f.id, f.rig, f.kind, f.suite, f.experiment, f.board, f.quantity, f.source, f.core_hz, f.unit, f.clock_hz,
				(SELECT count(*) FROM value v INDEXED BY value_figure WHERE v.figure = f.id AND v.repeat = 0),
				coalesce((SELECT min(v.run) FROM value v WHERE v.figure = f.id), 0), coalesce((SELECT max(v.run) FROM value v WHERE v.figure = f.id), 0)
			FROM figure f
			ORDER BY f.rig, f.suite, f.experiment, f.board, f.quantity, f.source, f.core_hz, f.clock_hz`)
	})
	return all, err
}

// Point is a figure in one run.
type Point struct {
	Run      string         `json:"run"`
	Status   record.Status  `json:"status"`
	Time     time.Time      `json:"time"` // when the run began
	Value    int64          `json:"value"`
	Lo       int64          `json:"lo"` // the interval that holds the true value, see measure.Estimate
	Hi       int64          `json:"hi"`
	Repeats  []int64        `json:"repeats,omitempty"` // of an experiment asked more than once; Value is their median
	N        int            `json:"n"`                 // values in all samples
	Outcome  string         `json:"outcome,omitempty"` // pass, fail or unset: the worst of its limits'; "" without any
	Change   change.Verdict `json:"change,omitempty"`  // against the baseline of its day; "" without one
	Doubt    string         `json:"doubt,omitempty"`   // why nothing may rest on it: in no judgement
	Harness  string         `json:"harness"`
	Firmware string         `json:"firmware"` // digest of the image
}

// columns are the statistics in the database, each with its interval.
var columns = map[measure.Statistic]string{
	measure.Min:    "v.min, v.min, v.min",
	measure.Median: "v.p50, v.p50_lo, v.p50_hi",
	measure.P95:    "v.p95, v.p95_lo, v.p95_hi",
	measure.P99:    "v.p99, v.p99_lo, v.p99_hi",
	measure.Max:    "v.max, v.max, v.max",
}

// Series gives a statistic of a figure in every run that measured it, the
// oldest first.
func (x *Index) Series(ctx context.Context, f Figure, st measure.Statistic) ([]Point, error) {
	all, err := x.SeriesOf(ctx, []Figure{f}, st)
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

// SeriesOf gives the series of several figures, in their order.
func (x *Index) SeriesOf(ctx context.Context, fs []Figure, st measure.Statistic) (all [][]Point, err error) {
	if columns[st] == "" {
		return nil, fmt.Errorf("no statistic %q; there are %v", st, measure.Statistics)
	}
	err = x.read(ctx, func(tx *sql.Tx) error {
		of, err := readContext(ctx, tx)
		all = make([][]Point, len(fs))
		for i := 0; i < len(fs) && err == nil; i++ {
			all[i], err = of.points(ctx, tx, fs[i], st)
		}
		return err
	})
	return all, err
}

// pointContext is what points have in common.
type pointContext struct {
	runs   map[int64]Point // less what is measured
	images map[int64]string
}

func readContext(ctx context.Context, tx *sql.Tx) (c pointContext, err error) {
	c = pointContext{map[int64]Point{}, map[int64]string{}}
	err = query(ctx, tx, func(scan scanner) error {
		var id, started int64
		var p Point
		err := scan(&id, &p.Run, &p.Status, &started, &p.Harness)
		p.Time = moment(started)
		c.runs[id] = p
		return err
	}, "SELECT id, name, status, started, harness FROM run")
	if err != nil {
		return c, err
	}
	err = query(ctx, tx, func(scan scanner) error {
		var id int64
		var digest string
		err := scan(&id, &digest)
		c.images[id] = digest
		return err
	}, "SELECT id, digest FROM image")
	return c, err
}

func (c pointContext) points(ctx context.Context, tx *sql.Tx, f Figure, st measure.Statistic) (all []Point, err error) {
	err = query(ctx, tx, func(scan scanner) error {
		var run, image int64
		var p Point
		err := scan(&run, &image, &p.Value, &p.Lo, &p.Hi, &p.N, &p.Outcome, &p.Change, &p.Doubt)
		of := c.runs[run]
		p.Run, p.Status, p.Time, p.Harness, p.Firmware = of.Run, of.Status, of.Time, of.Harness, c.images[image]
		if n := len(all); n > 0 && all[n-1].Run == p.Run {
			all[n-1].repeat(p)
		} else {
			all = append(all, p)
		}
		return err
	}, "SELECT v.run, v.image, "+columns[st]+", v.n, v.outcome, v.change, v.doubt FROM value v WHERE v.figure = ? ORDER BY v.run, v.repeat", f.ID)
	return all, err
}

// repeat takes a further sample of the same run into the point.
func (p *Point) repeat(q Point) {
	if p.Repeats == nil {
		p.Repeats = []int64{p.Value}
	}
	p.Repeats = append(p.Repeats, q.Value)
	sorted := slices.Sorted(slices.Values(p.Repeats))
	p.Value = sorted[(len(sorted)-1)/2]
	p.Lo, p.Hi = min(p.Lo, q.Lo), max(p.Hi, q.Hi)
	p.N += q.N
	if p.Doubt == "" {
		p.Doubt = q.Doubt
	}
	p.Outcome = worse(p.Outcome, q.Outcome)
}
