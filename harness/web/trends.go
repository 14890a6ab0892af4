package web

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"rigor/harness/history"
	"rigor/harness/judge"
	"rigor/harness/measure"
)

// figureLink leads to the trend of a figure.
func figureLink(rig string, k judge.Key) string {
	core := ""
	if k.CoreHz != 0 {
		core = fmt.Sprint(uint64(k.CoreHz))
	}
	return link("/trend", "rig", rig, "suite", k.Suite, "experiment", k.Experiment, "board", k.Board, "quantity", k.Quantity,
		"source", string(k.Source), "core", core)
}

// trendsPage lists figures with their course.
type trendsPage struct {
	Rigs, Boards, Suites []string // to choose from
	Rig, Board, Suite    string   // chosen
	Text                 string   // that the figure's name holds
	Figures              []figureView
	From, To, Total      int    // the figures listed, counted from 1
	More                 string // the next page, if there is one
}

// figureView is a figure with its course.
type figureView struct {
	history.Figure
	Link  string
	Value string
	Spark *chart
	Shift *shiftView // the last one
}

// figuresPerPage is how many figures a page lists.
const figuresPerPage = 60

func (s *site) trends(w http.ResponseWriter, req *http.Request) error {
	ctx, q := req.Context(), req.URL.Query()
	if err := s.sync(ctx); err != nil {
		return err
	}
	page := trendsPage{Rig: q.Get("rig"), Board: q.Get("board"), Suite: q.Get("suite"), Text: q.Get("text")}
	all, err := s.History.Figures(ctx, history.Pattern{})
	if err != nil {
		return err
	}
	page.choices(all)
	all = slices.DeleteFunc(all, func(f history.Figure) bool { return !page.fits(f) })
	if err := page.cut(&all, q); err != nil {
		return err
	}
	if page.Figures, err = s.figureViews(ctx, all); err != nil {
		return err
	}
	return s.show(w, http.StatusOK, "trends.html", frame{"Trends", "trends", page})
}

// cut takes one page of the figures.
func (p *trendsPage) cut(all *[]history.Figure, q url.Values) error {
	from := 0
	if q.Has("from") {
		var err error
		if from, err = strconv.Atoi(q.Get("from")); err != nil || from < 0 {
			return badRequest{fmt.Errorf("%q is no place in a list", q.Get("from"))}
		}
	}
	p.Total = len(*all)
	from = min(from, p.Total)
	p.From, p.To = from+1, min(from+figuresPerPage, p.Total)
	*all = (*all)[from:p.To]
	if p.To < p.Total {
		q.Set("from", strconv.Itoa(p.To))
		p.More = "?" + q.Encode()
	}
	return nil
}

// choices are the rigs, boards and suites that there are.
func (p *trendsPage) choices(all []history.Figure) {
	for _, f := range all {
		p.Rigs, p.Boards, p.Suites = append(p.Rigs, f.Rig.Name), append(p.Boards, f.Board), append(p.Suites, f.Suite)
	}
	for _, names := range []*[]string{&p.Rigs, &p.Boards, &p.Suites} {
		slices.Sort(*names)
		*names = slices.Compact(*names)
	}
}

func (p *trendsPage) fits(f history.Figure) bool {
	one := func(want, is string) bool { return want == "" || want == is }
	return one(p.Rig, f.Rig.Name) && one(p.Board, f.Board) && one(p.Suite, f.Suite) &&
		strings.Contains(strings.ToLower(f.Quantity+" "+f.Experiment), strings.ToLower(p.Text))
}

func (s *site) figureViews(ctx context.Context, all []history.Figure) (views []figureView, err error) {
	series, err := s.History.SeriesOf(ctx, all, measure.Median)
	if err != nil {
		return nil, err
	}
	for i, f := range all {
		changes := changesOf(f, measure.Median, series[i])
		v := figureView{Figure: f, Link: figureLink(f.Rig.Name, judge.Key(f.Key)), Spark: spark(drawn(series[i]), shifts(changes))}
		if n := len(series[i]); n > 0 {
			v.Value = grouped(series[i][n-1].Value)
		}
		if n := len(changes); n > 0 {
			last := shiftOf(changes[n-1])
			v.Shift = &last
		}
		views = append(views, v)
	}
	return views, nil
}

// drawn are points as charts take them.
func drawn(points []history.Point) (all []point) {
	for _, p := range points {
		all = append(all, point{p.Run, p.Time, p.Value, p.Lo, p.Hi, p.Outcome == judge.Fail.String()})
	}
	return all
}
