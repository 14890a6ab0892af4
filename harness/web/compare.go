package web

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path/filepath"
	"slices"

	"rigor/harness/compare"
	"rigor/harness/history"
	"rigor/harness/judge"
	"rigor/harness/judge/change"
	"rigor/harness/measure"
	"rigor/harness/record"
)

// choices is how many runs there are to choose from.
const choices = 300

// comparePage holds two runs, or a run and the baseline, against each other.
type comparePage struct {
	Runs     []history.Run // to choose from
	A, B     string        // chosen
	All      bool          // figures that are the same, too
	Problem  string        // why there is nothing to compare
	Differs  []compare.Difference
	Counts   []count
	Rows     []changeRow
	OnlyHere []compare.Row // figures that one side alone has
	Look     string
}

// choice is a list of runs to choose one from.
type choice struct {
	Runs   []history.Run
	Chosen string
	Other  bool // the chosen one is older than those of the list
}

// ChooseA and ChooseB are the two lists.
func (p comparePage) ChooseA() choice { return p.choose(p.A) }
func (p comparePage) ChooseB() choice { return p.choose(p.B) }

func (p comparePage) choose(chosen string) choice {
	listed := slices.ContainsFunc(p.Runs, func(r history.Run) bool { return r.Name == chosen })
	return choice{p.Runs, chosen, !listed && chosen != compare.Baseline && chosen != ""}
}

// count is how many figures have a verdict.
type count struct {
	N       int
	Verdict change.Verdict
	Look    string
}

// changeRow is a figure in both states.
type changeRow struct {
	compare.Row
	Look, Old, New, By string
	Trend              string
}

func (s *site) compare(w http.ResponseWriter, req *http.Request) error {
	ctx, q := req.Context(), req.URL.Query()
	if err := s.sync(ctx); err != nil {
		return err
	}
	page := comparePage{A: q.Get("a"), B: q.Get("b"), All: q.Has("all")}
	var err error
	if page.Runs, err = s.History.Runs(ctx, history.Filter{Limit: choices}); err != nil {
		return err
	}
	page.preset()
	status := http.StatusOK
	switch err := s.fillComparison(&page); {
	case errors.Is(err, errNotFound):
		page.Problem, status = "There is no such run.", http.StatusNotFound
	case err != nil:
		return err
	}
	return s.show(w, status, "compare.html", frame{"Compare", "compare", page})
}

// preset chooses the two last runs of a rig where nothing is chosen.
func (p *comparePage) preset() {
	if p.B == "" && len(p.Runs) > 0 {
		p.B = p.Runs[0].Name
	}
	i := slices.IndexFunc(p.Runs, func(r history.Run) bool { return r.Name == p.B })
	if p.A != "" || i < 0 {
		return
	}
	rig := p.Runs[i].Rig
	if before := slices.IndexFunc(p.Runs[i+1:], func(r history.Run) bool { return r.Rig == rig }); before >= 0 {
		p.A = p.Runs[i+1+before].Name
	}
}

func (s *site) fillComparison(p *comparePage) error {
	if p.A == "" || p.B == "" {
		p.Problem = "There have to be two runs first."
		return nil
	}
	now, err := s.load(p.B)
	if err != nil {
		return err
	}
	old, err := s.side(p.A, now.Rig.Name)
	if errors.Is(err, errNoBaseline) {
		p.Problem = err.Error()
		return nil
	}
	if err != nil {
		return err
	}
	p.fill(compare.Compare(old, compare.OfRun(now)), now)
	return nil
}

var errNoBaseline = errors.New("there is no baseline")

// side is one of the two states: a run, or what was accepted for its rig.
func (s *site) side(name, rig string) (compare.Side, error) {
	if name == compare.Baseline {
		b, err := judge.LoadBaseline(filepath.Join(s.Baselines, rig+".json"))
		if errors.Is(err, fs.ErrNotExist) {
			return compare.Side{}, fmt.Errorf("%w of rig %s yet: rigor baseline accept RUN --why TEXT makes it", errNoBaseline, rig)
		}
		if err != nil {
			return compare.Side{}, err
		}
		return compare.OfBaseline(b), nil
	}
	r, err := s.load(name)
	if err != nil {
		return compare.Side{}, err
	}
	return compare.OfRun(r), nil
}

// load reads a run whose name came from a visitor.
func (s *site) load(name string) (*record.Run, error) {
	bundle, err := s.bundle(name)
	if err != nil {
		return nil, err
	}
	defer bundle.Close()
	r, err := record.Load(filepath.Join(s.Runs, name))
	return r, missingRun(err)
}

// severity orders verdicts: what matters most comes first.
var severity = []change.Verdict{change.Worse, change.Different, change.Better, change.CannotTell, change.Same}

var changeLooks = map[change.Verdict]string{change.Worse: "bad", change.Different: "warn", change.Better: "good"}

func (p *comparePage) fill(c compare.Comparison, now *record.Run) {
	p.Differs = c.Differs
	for _, v := range severity {
		if n := c.Count(v); n > 0 {
			p.Counts = append(p.Counts, count{n, v, changeLooks[v]})
			p.Look = cmp.Or(p.Look, changeLooks[v], "good")
		}
	}
	for _, r := range c.Rows {
		switch {
		case r.Only != "":
			p.OnlyHere = append(p.OnlyHere, r)
		case r.Changed() || p.All:
			p.Rows = append(p.Rows, changed(r, now))
		}
	}
	slices.SortStableFunc(p.Rows, func(a, b changeRow) int {
		return cmp.Compare(slices.Index(severity, a.Change.Verdict), slices.Index(severity, b.Change.Verdict))
	})
}

func changed(r compare.Row, now *record.Run) changeRow {
	c := r.Change
	o := changeRow{Row: r, Look: changeLooks[c.Verdict], Old: estimate(c.Old), New: estimate(c.New), Trend: figureLink(now.Rig.Name, r.Key)}
	switch {
	case c.Effect != nil:
		o.By = fmt.Sprintf("%+.2f %% (%+.2f to %+.2f)", 100*c.Effect.Relative, 100*c.Effect.Lo, 100*c.Effect.Hi)
	case c.Old.Value != c.New.Value:
		o.By = exactly(c.Old.Value, c.New.Value)
	}
	return o
}

// estimate writes a value, with the interval that holds the true one.
func estimate(e measure.Estimate) string {
	if e.Lo == e.Hi {
		return grouped(e.Value)
	}
	return fmt.Sprintf("%s (%s to %s)", grouped(e.Value), grouped(e.Lo), grouped(e.Hi))
}
