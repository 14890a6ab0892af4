package web

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"rigor/harness/history"
	"rigor/harness/judge"
	"rigor/harness/measure"
	"rigor/harness/report"
	"rigor/harness/timebase"
)

// trendPage is one figure over time.
type trendPage struct {
	history.Figure
	Help       string // what it is
	Query      url.Values
	Statistics []measure.Statistic // to choose from
	Statistic  measure.Statistic   // chosen
	Charts     []chart
	Shifts     []shiftView
	Points     []history.Point // the newest first
	Earlier    int             // points that the table leaves out
	Others     []otherClock    // the same counted by other clocks
}

// otherClock is a figure with the same key in other units.
type otherClock struct{ Link, Text string }

// shiftView is a change point.
type shiftView struct {
	history.Change
	Relative, Look string
	Before, After  string
	Compare        string // the two runs about it
}

// rowsOfTrend is how many runs the table below a chart has.
const rowsOfTrend = 100

func (s *site) trend(w http.ResponseWriter, req *http.Request) error {
	ctx := req.Context()
	if err := s.sync(ctx); err != nil {
		return err
	}
	page := trendPage{Query: req.URL.Query(), Statistics: measure.Statistics, Statistic: measure.Median}
	if st := page.Query.Get("statistic"); st != "" {
		page.Statistic = measure.Statistic(st)
	}
	if !slices.Contains(measure.Statistics, page.Statistic) {
		return badRequest{fmt.Errorf("there is no statistic %q", page.Statistic)}
	}
	figures, err := s.History.Figures(ctx, history.Pattern{})
	if err != nil {
		return err
	}
	if err := page.choose(figures); err != nil {
		return err
	}
	points, err := s.History.Series(ctx, page.Figure, page.Statistic)
	if err != nil {
		return err
	}
	page.fill(points)
	return s.show(w, http.StatusOK, "trend.html", frame{page.Quantity + " on " + page.Board, "trends", page})
}

// choose finds the figure that a link names; of those that differ in the clock that they are
// counted by alone, the one that was measured last.
func (p *trendPage) choose(all []history.Figure) error {
	hz := func(name string) timebase.Rate {
		n, _ := strconv.ParseUint(p.Query.Get(name), 10, 64) // what is no number is no clock
		return timebase.Rate(n)
	}
	key := history.Key{Suite: p.Query.Get("suite"), Experiment: p.Query.Get("experiment"), Board: p.Query.Get("board"),
		Quantity: p.Query.Get("quantity"), Source: measure.Source(p.Query.Get("source")), CoreHz: hz("core")}
	all = slices.DeleteFunc(all, func(f history.Figure) bool { return f.Key != key || f.Rig.Name != p.Query.Get("rig") })
	if len(all) == 0 {
		return errNotFound
	}
	slices.SortStableFunc(all, func(a, b history.Figure) int { return b.Last.Compare(a.Last) })
	chosen := 0
	if p.Query.Has("clock") {
		chosen = max(0, slices.IndexFunc(all, func(f history.Figure) bool { return f.ClockHz == hz("clock") }))
	}
	p.Figure = all[chosen]
	for i, f := range all {
		if i != chosen {
			p.Others = append(p.Others, otherClock{figureLink(f.Rig.Name, judge.Key(f.Key)) + fmt.Sprintf("&clock=%d", uint64(f.ClockHz)), counted(f)})
		}
	}
	return nil
}

// counted says what a figure's values are counts of.
func counted(f history.Figure) string {
	if f.ClockHz == 0 {
		return string(f.Unit)
	}
	return fmt.Sprintf("%s of %v", f.Unit, f.ClockHz)
}

func (p *trendPage) fill(points []history.Point) {
	q, _ := measure.Describe(p.Quantity)
	p.Help = q.Help
	changes := changesOf(p.Figure, p.Statistic, points)
	p.Charts = charts(p.Quantity+" on "+p.Board+", run by run", drawn(points), shifts(changes))
	for _, c := range slices.Backward(changes) {
		p.Shifts = append(p.Shifts, shiftOf(c))
	}
	p.Points = slices.Clone(points)
	slices.Reverse(p.Points)
	if p.Earlier = max(0, len(points)-rowsOfTrend); p.Earlier > 0 {
		p.Points = p.Points[:rowsOfTrend]
	}
}

// Hidden are the parts of the query that name the figure, for the form.
func (p trendPage) Hidden() url.Values {
	rest := url.Values{}
	for name, values := range p.Query {
		if name != "statistic" {
			rest[name] = values
		}
	}
	return rest
}

// Time writes a value as a time, if it is one.
func (p trendPage) Time(v int64) string {
	t, ok := measure.Seconds(v, p.Unit, p.ClockHz)
	if !ok {
		return ""
	}
	return report.Time(t)
}

// shifts are changes as charts take them.
func shifts(all []history.Change) (out []shift) {
	for _, c := range all {
		out = append(out, shift{c.At, c.Before, c.After, moved(c)})
	}
	return out
}

// moved writes by how much a change is. Of exact values a single cycle may be one, which in per cent
// could be nothing.
func moved(c history.Change) string {
	if c.Exact {
		return exactly(int64(c.Before), int64(c.After))
	}
	return relative(c.Before, c.After)
}

func shiftOf(c history.Change) shiftView {
	return shiftView{Change: c, Relative: moved(c), Look: changeLooks[c.Verdict],
		Before: mean(c.Before), After: mean(c.After), Compare: link("/compare", "a", c.LastRun, "b", c.Run)}
}

// mean writes a mean with a digit after the point where it is small.
func mean(v float64) string {
	if v == float64(int64(v)) || v >= 1000 || v <= -1000 {
		return grouped(int64(v))
	}
	return fmt.Sprintf("%.1f", v)
}
