package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"rigor/harness/compare"
	"rigor/harness/profile"
	"rigor/harness/record"
	"rigor/harness/rig"
)

// question is an experiment on a board, of which there is a profile.
type question struct{ suite, experiment, board string }

func (q question) String() string {
	return fmt.Sprintf("%s/%s on %s", q.suite, q.experiment, q.board)
}

// place is where the cycles of a question went otherwise.
type place struct {
	question
	intervals [2]int
	changes   []profile.Change
	doubt     string // why they may not be the reason of the change
}

// most is how many functions are named of a figure.
const most = 10

// places finds the functions in which the figures of c that changed have changed, and notes them in
// its rows. It takes the profiles of the bundles, or replays them to make some.
func places(ctx context.Context, old, now *record.Run, c *compare.Comparison) ([]place, error) {
	asked := changed(c)
	if len(asked) == 0 {
		return nil, nil
	}
	before, err := profiled(ctx, old, asked)
	if err != nil {
		return nil, err
	}
	after, err := profiled(ctx, now, asked)
	if err != nil {
		return nil, err
	}
	var all []place
	for _, q := range asked {
		all = append(all, locate(q, before[q], after[q]))
	}
	for i := range c.Rows {
		r := &c.Rows[i]
		if n := slices.IndexFunc(all, func(p place) bool { return r.Changed() && p.question == questionOf(r) }); n >= 0 {
			r.Where = all[n].changes[:min(most, len(all[n].changes))]
		}
	}
	return all, nil
}

func questionOf(r *compare.Row) question { return question{r.Suite, r.Experiment, r.Board} }

// changed are the questions whose figures changed.
func changed(c *compare.Comparison) (all []question) {
	for i := range c.Rows {
		if r := &c.Rows[i]; r.Changed() && !slices.Contains(all, questionOf(r)) {
			all = append(all, questionOf(r))
		}
	}
	return all
}

// sight is a profile, and whether what was measured meanwhile is what was compared.
type sight struct {
	*profile.Profile
	repeated bool
}

// profiled gives the profiles of a run's questions, those that there are: its own or, unless it has all,
// those of a replay.
func profiled(ctx context.Context, run *record.Run, asked []question) (map[question]sight, error) {
	if run.Rig.Kind != string(rig.Virtual) {
		return nil, fmt.Errorf("tell where run %s changed: rig %s is of real boards, of which nobody knows where their cycles go", run.Name(), run.Rig.Name)
	}
	own, err := profilesOf(run, run, asked)
	if err != nil || len(own) == len(asked) {
		return own, err
	}
	temp, err := os.MkdirTemp("", "rigor-where-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(temp)
	o := replayOptions{Out: filepath.Join(temp, run.Name()), Profile: true}
	for _, q := range asked {
		o.Suites, o.Boards = append(o.Suites, q.suite), append(o.Boards, q.board)
	}
	dir, err := replay(ctx, run.Dir(), o)
	if err != nil {
		return nil, err
	}
	again, err := record.Load(dir)
	if err != nil {
		return nil, err
	}
	return profilesOf(run, again, asked)
}

// profilesOf reads the profiles of run, or of the one that repeats it.
func profilesOf(run, again *record.Run, asked []question) (map[question]sight, error) {
	all := map[question]sight{}
	for _, e := range again.Experiments {
		q := question{e.Suite, e.Name, e.Board}
		if _, known := all[q]; known || e.Profile == "" || !slices.Contains(asked, q) {
			continue
		}
		p, err := profile.Load(filepath.Join(again.Dir(), e.Profile))
		if err != nil {
			return nil, err
		}
		all[q] = sight{p, run == again || slices.Equal(sampled(run, q), sampled(again, q))}
	}
	return all, nil
}

// sampled are the digests of a question's figures.
func sampled(run *record.Run, q question) (all []string) {
	for _, f := range run.Figures() {
		if (question{f.Suite, f.Experiment, f.Board}) == q {
			all = append(all, f.Digest)
		}
	}
	return all
}

// locate compares two profiles. What a core slept while another one worked is no reason.
func locate(q question, old, now sight) place {
	p := place{question: q}
	if old.Profile == nil || now.Profile == nil {
		p.doubt = "no profile: the experiment failed when it was asked again"
		return p
	}
	p.intervals = [2]int{old.Intervals, now.Intervals}
	p.changes = slices.DeleteFunc(profile.Diff(old.Profile, now.Profile), func(c profile.Change) bool { return c.Name == profile.Sleep && c.Core > 0 })
	switch {
	case !old.repeated || !now.repeated:
		p.doubt = "asked again by this rigor, the samples are not those recorded: the harness has a part in the change"
	case len(p.changes) == 0:
		p.doubt = "no cycle differs"
	}
	return p
}

// tellWhere prints the places.
func tellWhere(w io.Writer, places []place) error {
	var errs []error
	for _, p := range places {
		fmt.Fprintf(w, "\nwhere: %s, cycles %s\n", p.question, p.counted())
		if len(p.changes) > 0 {
			errs = append(errs, profile.Table(w, p.changes, most))
		}
		if p.doubt != "" {
			fmt.Fprintf(w, "  %s\n", p.doubt)
		}
	}
	return errors.Join(errs...)
}

// counted says which cycles are.
func (p *place) counted() string {
	switch old, now := p.intervals[0], p.intervals[1]; {
	case cmp.Or(old, now) == 0:
		return "of the whole experiment"
	case old == now:
		return fmt.Sprintf("of %d measured intervals", now)
	default:
		return fmt.Sprintf("of %d measured intervals, now %d", old, now)
	}
}
