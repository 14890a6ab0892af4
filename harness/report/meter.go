package report

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

// Kind is what an event is of.
type Kind byte

// The kinds of events.
const (
	Begun   Kind = '>' // an experiment
	Step    Kind = '~' // of something under way, as Display.Show takes it
	Ended   Kind = '=' // an experiment, with what came of it
	Trouble Kind = '!' // why a suite ends early
)

// Event is a piece of progress on its way from a suite to a Meter.
type Event struct {
	Kind Kind
	Text string
}

// eventMark begins the line of an event among whatever else a suite writes: RS
// of ECMA-48 8.3.
const eventMark = "\x1e"

// String is the event as a line, for ParseEvent.
func (e Event) String() string {
	return eventMark + string(rune(e.Kind)) + strings.ReplaceAll(e.Text, "\n", "; ")
}

// ParseEvent reads a line; ok is false if it is something else.
func ParseEvent(line string) (e Event, ok bool) {
	text, ok := strings.CutPrefix(line, eventMark)
	if !ok || text == "" || !strings.ContainsRune(">~=!", rune(text[0])) {
		return Event{}, false
	}
	return Event{Kind(text[0]), text[1:]}, true
}

// Meter shows the progress of a run: it numbers the experiments of all boards as
// they end, and estimates how long the rest will take. Several goroutines may
// use it.
type Meter struct {
	mu     sync.Mutex
	show   *Display
	now    func() time.Time
	boards map[string]*course
}

// course is how far a board is.
type course struct {
	show        *Display
	total, done int
	began       time.Time
}

// NewMeter shows progress on d.
func NewMeter(d *Display, now func() time.Time) *Meter {
	return &Meter{show: d, now: now, boards: map[string]*course{}}
}

// Expect announces n more experiments of a board; fewer than none if they will
// not come to be.
func (m *Meter) Expect(board string, n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.course(board).total += n
}

// Line shows a line that stays.
func (m *Meter) Line(text string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.show.Line(text)
}

// Tell shows an event of a board.
func (m *Meter) Tell(board string, e Event) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.course(board)
	switch e.Kind {
	case Begun:
		if c.began.IsZero() {
			c.began = m.now()
		}
		c.show.Underway(m.position(1) + " " + e.Text + m.left())
	case Ended:
		c.done++
		c.show.Line(m.position(0) + " " + e.Text)
	case Step:
		c.show.Show(e.Text)
	case Trouble:
		c.show.Line(e.Text)
	}
}

func (m *Meter) course(board string) *course {
	c := m.boards[board]
	if c == nil {
		c = &course{show: m.show.Beside()}
		m.boards[board] = c
	}
	return c
}

// position is [ 3/40], if as many experiments more than now had ended.
func (m *Meter) position(more int) string {
	total := 0
	for _, c := range m.boards {
		total += c.total
		more += c.done
	}
	return fmt.Sprintf("[%*d/%d]", len(fmt.Sprint(total)), more, total)
}

// Left tells how long the rest will take, as ", about 12 s left", or nothing as
// long as there is nothing to tell it from.
func (m *Meter) Left() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.left()
}

// left takes the board that needs longest, at the rate that it has gone so far.
func (m *Meter) left() string {
	var most time.Duration
	for _, c := range m.boards {
		if c.done > 0 {
			most = max(most, m.now().Sub(c.began)*time.Duration(c.total-c.done)/time.Duration(c.done))
		}
	}
	if most <= 0 {
		return ""
	}
	return ", about " + span(most) + " left"
}

// span is a time for people to plan with.
func span(d time.Duration) string {
	if s := max(1, int64(d.Round(time.Second)/time.Second)); s < 120 {
		return fmt.Sprintf("%d s", s)
	}
	return fmt.Sprintf("%d min", d.Round(time.Minute)/time.Minute)
}
