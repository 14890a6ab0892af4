package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"rigor/harness/record"
)

// eventMark begins the line of an event among whatever else a suite writes: RS
// of ECMA-48 8.3, as RFC 7464 has it before JSON.
const eventMark = "\x1e"

// EventLine is the event as a line on its way from a suite to a Meter, for
// ParseEvent.
func EventLine(e record.Event) string {
	text, err := json.Marshal(e)
	if err != nil {
		panic(fmt.Sprintf("BUG: report: event: %v", err)) // it has no field that JSON lacks
	}
	return eventMark + string(text)
}

// ParseEvent reads a line; ok is false if it is something else.
func ParseEvent(line string) (e record.Event, ok bool) {
	text, ok := strings.CutPrefix(line, eventMark)
	if !ok || json.Unmarshal([]byte(text), &e) != nil || e.Kind == "" {
		return record.Event{}, false
	}
	return e, true
}

// Meter shows the progress of a run: it numbers the experiments of all boards as
// they end, and estimates how long the rest will take. What it shows it can log, too.
// Several goroutines may use it.
type Meter struct {
	mu     sync.Mutex
	show   *Display
	now    func() time.Time
	boards map[string]*course
	log    *record.EventLog // nil: none
	failed error            // to log
}

// course is how far a board is.
type course struct {
	show        *Display
	total, done int
	began       time.Time
	step        string // what the last step that was logged was of
	stepped     time.Time
}

// NewMeter shows progress on d.
func NewMeter(d *Display, now func() time.Time) *Meter {
	return &Meter{show: d, now: now, boards: map[string]*course{}}
}

// Log has all events from now on logged as well.
func (m *Meter) Log(l *record.EventLog) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.log = l
}

// Over logs how the run ended, and ends the log. Its error is that of whatever could not be
// logged.
func (m *Meter) Over(s record.Status) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.log == nil {
		return nil
	}
	m.write(record.Event{Kind: record.Over, Status: s, Text: "run " + string(s)})
	err := errors.Join(m.failed, m.log.Close())
	m.log = nil
	return err
}

// Expect announces n more experiments of a board; fewer than none if they will
// not come to be.
func (m *Meter) Expect(board string, n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.course(board).total += n
}

// Line shows a line that stays.
func (m *Meter) Line(text string) { m.Tell("", record.Event{Kind: record.Note, Text: text}) }

// Tell shows an event of a board, or of none. What was shown has been logged.
func (m *Meter) Tell(board string, e record.Event) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e.Board = board
	c := m.course(board)
	switch e.Kind {
	case record.Begun:
		if c.began.IsZero() {
			c.began = m.now()
		}
	case record.Ended:
		c.done++
	}
	if e.Kind != record.Step || c.news(e.Text, m.now()) {
		m.write(e)
	}
	switch e.Kind {
	case record.Begun:
		c.show.Underway(m.position(1) + " " + e.Text + m.leftText())
	case record.Ended:
		c.show.Line(m.position(0) + " " + upshot(e.Upshot, m.show.colour) + " " + e.Text)
	case record.Step:
		c.show.Show(e.Text)
	default:
		c.show.Line(e.Text)
	}
}

// news reports whether a step is worth a line of the log: it is of something else than the
// last, or a while has gone by.
func (c *course) news(text string, now time.Time) bool {
	what := stepOf(text)
	if what != "" && what == c.step && now.Sub(c.stepped) < time.Second {
		return false
	}
	c.step, c.stepped = what, now
	return true
}

// write logs an event. What fails is told in the end: it does not keep the run
// from measuring.
func (m *Meter) write(e record.Event) {
	if m.log == nil {
		return
	}
	e.Time, e.Left = m.now(), m.left()
	e.Done, e.Total = m.count()
	if err := m.log.Add(e); err != nil && m.failed == nil {
		m.failed = err
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
	done, total := m.count()
	return fmt.Sprintf("[%*d/%d]", len(fmt.Sprint(total)), done+more, total)
}

func (m *Meter) count() (done, total int) {
	for _, c := range m.boards {
		total += c.total
		done += c.done
	}
	return done, total
}

// Left tells how long the rest will take, as ", about 12 s left", or nothing as
// long as there is nothing to tell it from.
func (m *Meter) Left() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.leftText()
}

func (m *Meter) leftText() string {
	left := m.left()
	if left <= 0 {
		return ""
	}
	return ", about " + span(left) + " left"
}

// left takes the board that needs longest, at the rate that it has gone so far.
func (m *Meter) left() time.Duration {
	var most time.Duration
	for _, c := range m.boards {
		if c.done > 0 {
			most = max(most, m.now().Sub(c.began)*time.Duration(c.total-c.done)/time.Duration(c.done))
		}
	}
	return most
}

// span is a time for people to plan with.
func span(d time.Duration) string {
	if s := max(1, int64(d.Round(time.Second)/time.Second)); s < 120 {
		return fmt.Sprintf("%d s", s)
	}
	return fmt.Sprintf("%d min", d.Round(time.Minute)/time.Minute)
}
