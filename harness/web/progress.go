package web

import (
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"rigor/harness/record"
)

// progress is how far a run is, by the events that it recorded.
type progress struct {
	Done, Total int
	Left        time.Duration
	Boards      []step         // what each board is at
	Log         []record.Event // the last things that ended or went wrong, newest first
}

// step is what a board is at.
type step struct{ Board, What, Detail string }

// lines is how much of the log is shown.
const lines = 12

// progress reads the events of a run that the index knows. A run without any has none.
func (s *site) progress(run string) (p progress) {
	events, err := record.Events(filepath.Join(s.Runs, run))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.Log.Print(err)
	}
	for _, e := range events {
		p.add(e)
	}
	slices.Reverse(p.Log)
	p.Boards = slices.DeleteFunc(p.Boards, func(b step) bool { return b.What == "" })
	return p
}

func (p *progress) add(e record.Event) {
	if e.Total > 0 {
		p.Done, p.Total, p.Left = e.Done, e.Total, e.Left
	}
	switch e.Kind {
	case record.Begun:
		*p.board(e.Board) = step{Board: e.Board, What: e.Suite + ": " + e.Experiment}
	case record.Step:
		p.board(e.Board).Detail = e.Text
	case record.Ended:
		*p.board(e.Board) = step{Board: e.Board}
		p.log(e)
	default:
		p.log(e)
	}
}

func (p *progress) board(name string) *step {
	i := slices.IndexFunc(p.Boards, func(s step) bool { return s.Board == name })
	if i < 0 {
		i, p.Boards = len(p.Boards), append(p.Boards, step{Board: name})
	}
	return &p.Boards[i]
}

func (p *progress) log(e record.Event) {
	p.Log = append(p.Log, e)
	p.Log = p.Log[max(0, len(p.Log)-lines):]
}
