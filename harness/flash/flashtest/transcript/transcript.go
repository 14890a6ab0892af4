// Package transcript plays the part of a boot loader in tests: by the transcript of an
// exchange, or by saying anything. Its clock moves only when told.
//
// A line of a transcript is bytes in hexadecimal digits, with > before what the host
// sends and < before what the part does; or it is ~ and a time that passes, or ~ silence
// up to the host's deadline. Empty lines and those with # say nothing.
package transcript

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rigor/harness/port"
)

// Clock is the rig's.
type Clock struct{ now time.Time }

// NewClock begins at 1970.
func NewClock() *Clock { return &Clock{time.Unix(0, 0)} }

// Now is what the clock was moved to.
func (c *Clock) Now() time.Time { return c.now }

// Sleep moves it.
func (c *Clock) Sleep(ctx context.Context, d time.Duration) error {
	c.now = c.now.Add(max(d, 0))
	return ctx.Err()
}

// line is a line of a transcript.
type line struct {
	kind  byte
	data  []byte
	delay time.Duration // of ~; negative: silence
	at    int           // line number
}

// Player is a part that says what a transcript says, when it is asked what the
// transcript says it was asked.
type Player struct {
	Clock *Clock
	Mode  port.Mode // of the line

	t        testing.TB
	lines    []line
	deadline time.Time
}

var _ port.Port = (*Player)(nil)

// Play begins a transcript, which must be used up when the test ends.
func Play(t testing.TB, text string) *Player {
	t.Helper()
	p := &Player{t: t, Clock: NewClock()}
	p.Then(text)
	t.Cleanup(func() {
		if len(p.lines) > 0 && !t.Failed() {
			t.Errorf("transcript is not used up: line %d is next", p.lines[0].at)
		}
	})
	return p
}

// PlayFile plays one below testdata.
func PlayFile(t testing.TB, name string) *Player {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return Play(t, string(text))
}

// Then adds to the transcript.
func (p *Player) Then(text string) {
	p.t.Helper()
	for i, s := range strings.Split(text, "\n") {
		if s = strings.TrimSpace(s); s == "" || s[0] == '#' {
			continue
		}
		l, err := parse(s)
		if err != nil {
			p.t.Fatalf("transcript line %d: %v", i+1, err)
		}
		l.at = i + 1
		p.lines = append(p.lines, l)
	}
}

func parse(s string) (l line, err error) {
	l.kind = s[0]
	rest := strings.ReplaceAll(s[1:], " ", "")
	switch {
	case l.kind == '~' && rest == "silence":
		l.delay = -1
	case l.kind == '~':
		l.delay, err = time.ParseDuration(rest)
	case l.kind == '>' || l.kind == '<':
		l.data, err = hex.DecodeString(rest)
	default:
		err = fmt.Errorf("%q is none of > < ~", s[:1])
	}
	return l, err
}

// Write is what the host sends.
func (p *Player) Write(b []byte) (int, error) {
	p.t.Helper()
	if len(p.lines) == 0 {
		p.t.Fatalf("host sent % X after the transcript's end", b)
	}
	if l := p.lines[0]; l.kind != '>' || !bytes.Equal(b, l.data) {
		p.t.Fatalf("host sent % X; transcript line %d is %c % X", b, l.at, l.kind, l.data)
	}
	p.lines = p.lines[1:]
	return len(b), nil
}

// Read is what the part says.
func (p *Player) Read(b []byte) (int, error) {
	for len(p.lines) > 0 && p.lines[0].kind == '~' {
		d := p.lines[0].delay
		if d < 0 || p.Clock.now.Add(d).After(p.deadline) {
			p.lines = p.lines[1:]
			return p.timeout()
		}
		p.Clock.now = p.Clock.now.Add(d)
		p.lines = p.lines[1:]
	}
	if len(p.lines) == 0 || p.lines[0].kind == '>' {
		return p.timeout()
	}
	l := &p.lines[0]
	n := copy(b, l.data)
	if l.data = l.data[n:]; len(l.data) == 0 {
		p.lines = p.lines[1:]
	}
	return n, nil
}

func (p *Player) timeout() (int, error) {
	if p.deadline.IsZero() {
		p.t.Fatal("host reads without a deadline")
	}
	p.Clock.now = p.deadline
	return 0, os.ErrDeadlineExceeded
}

// DiscardInput drops what the part said unasked.
func (p *Player) DiscardInput() error {
	for len(p.lines) > 0 && p.lines[0].kind == '<' {
		p.lines = p.lines[1:]
	}
	return nil
}

// SetReadDeadline is the host's.
func (p *Player) SetReadDeadline(t time.Time) error { p.deadline = t; return nil }

// SetMode keeps the mode to be looked at.
func (p *Player) SetMode(m port.Mode) error { p.Mode = m; return nil }

// SetLines does nothing.
func (p *Player) SetLines(port.Lines) error { return nil }

// Close does nothing.
func (p *Player) Close() error { return nil }
