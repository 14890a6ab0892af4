package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"time"

	"rigor/harness/history"
	"rigor/harness/record"
)

// perPage is how many runs a page lists.
const perPage = 50

// runsPage lists runs, newest first.
type runsPage struct {
	Rigs, Boards []string // to choose from
	Statuses     []record.Status
	Rig, Board   string // chosen
	Status       record.Status
	Runs         []history.Run
	Earlier      string // the next page, if there is one
	Unreadable   []history.Problem
}

func (s *site) runs(w http.ResponseWriter, req *http.Request) error {
	ctx, q := req.Context(), req.URL.Query()
	if err := s.sync(ctx); err != nil {
		return err
	}
	page := runsPage{Rig: q.Get("rig"), Board: q.Get("board"), Status: record.Status(q.Get("status")),
		Statuses: []record.Status{record.Complete, record.Failed, record.Interrupted, record.Running}}
	f := history.Filter{Rig: page.Rig, Board: page.Board, Status: page.Status, Limit: perPage + 1}
	if before := q.Get("before"); before != "" {
		var err error
		if f.Until, err = time.Parse(time.RFC3339Nano, before); err != nil {
			return badRequest{err}
		}
	}
	var err error
	if page.Runs, err = s.History.Runs(ctx, f); err != nil {
		return err
	}
	if len(page.Runs) > perPage {
		page.Runs = page.Runs[:perPage]
		q.Set("before", page.Runs[perPage-1].Started.Format(time.RFC3339Nano))
		page.Earlier = "?" + q.Encode()
	}
	if page.Rigs, page.Boards, err = s.names(ctx); err != nil {
		return err
	}
	if page.Unreadable, err = s.History.Unreadable(ctx); err != nil {
		return err
	}
	return s.show(w, http.StatusOK, "runs.html", frame{"Runs", "runs", page})
}

// names are the rigs and boards that there ever were.
func (s *site) names(ctx context.Context) (rigs, boards []string, err error) {
	all, err := s.History.Boards(ctx, time.Time{})
	for _, b := range all {
		rigs, boards = append(rigs, b.Rig.Name), append(boards, b.Name)
	}
	slices.Sort(rigs)
	slices.Sort(boards)
	return slices.Compact(rigs), slices.Compact(boards), err
}

// link writes a path with a query.
func link(path string, pairs ...string) string {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	return path + "?" + q.Encode()
}
