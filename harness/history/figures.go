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
			if f.First, f.Last = moment(first), moment(last); p.fits(f) {
				all = append(all, f)
			}
			return err
		}, `SELECT f.id, f.rig, f.kind, f.suite, f.experiment, f.board, f.quantity, f.source, f.core_hz, f.unit, f.clock_hz,
				count(DISTINCT v.run), min(run.started), max(run.started)
			FROM figure f JOIN value v ON v.figure = f.id JOIN run ON run.id = v.run
			WHERE NOT run.aside
			GROUP BY f.id
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
	Digest   string         `json:"digest"`   // of the first sample
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
		all = make([][]Point, len(fs))
		for i, f := range fs {
			if all[i], err = points(ctx, tx, f, st); err != nil {
				return err
			}
		}
		return nil
	})
	return all, err
}

func points(ctx context.Context, tx *sql.Tx, f Figure, st measure.Statistic) (all []Point, err error) {
	err = query(ctx, tx, func(scan scanner) error {
		p, err := scanPoint(scan)
		if n := len(all); n > 0 && all[n-1].Run == p.Run {
			all[n-1].repeat(p)
		} else {
			all = append(all, p)
		}
		return err
	}, `SELECT run.name, run.status, run.started, run.harness, e.firmware, `+columns[st]+`, v.n, v.outcome, v.change, v.doubt, v.digest
		FROM value v JOIN run ON run.id = v.run JOIN experiment e ON e.id = v.experiment
		WHERE v.figure = ? AND NOT run.aside ORDER BY run.started, run.name, v.rowid`, f.ID)
	return all, err
}

func scanPoint(scan scanner) (p Point, err error) {
	var started int64
	err = scan(&p.Run, &p.Status, &started, &p.Harness, &p.Firmware, &p.Value, &p.Lo, &p.Hi, &p.N, &p.Outcome, &p.Change, &p.Doubt, &p.Digest)
	p.Time = moment(started)
	return p, err
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
