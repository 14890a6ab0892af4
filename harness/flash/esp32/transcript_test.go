package esp32

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

// rigClock is a clock that moves only when told.
type rigClock struct{ now time.Time }

func newClock() *rigClock { return &rigClock{time.Unix(0, 0)} }

func (c *rigClock) Now() time.Time { return c.now }

func (c *rigClock) Sleep(ctx context.Context, d time.Duration) error {
	c.now = c.now.Add(max(d, 0))
	return ctx.Err()
}

// line is a line of a transcript.
type line struct {
	kind  byte // '>' host to part, '<' part to host, '~' time passes
	data  []byte
	delay time.Duration // of ~; negative: silence up to the host's deadline
	at    int           // line number
}

// playback is a part that says what a transcript says, when it is asked what
// the transcript says it was asked.
type playback struct {
	t        *testing.T
	clock    *rigClock
	lines    []line
	deadline time.Time
	mode     port.Mode
}

func parseTranscript(t *testing.T, text string) []line {
	t.Helper()
	var out []line
	for i, s := range strings.Split(text, "\n") {
		if s = strings.TrimSpace(s); s == "" || s[0] == '#' {
			continue
		}
		l, err := parseLine(s)
		if err != nil {
			t.Fatalf("transcript line %d: %v", i+1, err)
		}
		l.at = i + 1
		out = append(out, l)
	}
	return out
}

func parseLine(s string) (l line, err error) {
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

func play(t *testing.T, transcript string) *playback {
	p := &playback{t: t, clock: newClock(), lines: parseTranscript(t, transcript)}
	t.Cleanup(func() {
		if len(p.lines) > 0 && !t.Failed() {
			t.Errorf("transcript is not used up: line %d is next", p.lines[0].at)
		}
	})
	return p
}

func (p *playback) Write(b []byte) (int, error) {
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

func (p *playback) Read(b []byte) (int, error) {
	for len(p.lines) > 0 && p.lines[0].kind == '~' {
		d := p.lines[0].delay
		if d < 0 || p.clock.now.Add(d).After(p.deadline) {
			p.lines = p.lines[1:]
			return p.timeout()
		}
		p.clock.now = p.clock.now.Add(d)
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

func (p *playback) timeout() (int, error) {
	if p.deadline.IsZero() {
		p.t.Fatal("host reads without a deadline")
	}
	p.clock.now = p.deadline
	return 0, os.ErrDeadlineExceeded
}

// DiscardInput drops what the part said unasked.
func (p *playback) DiscardInput() error {
	for len(p.lines) > 0 && p.lines[0].kind == '<' {
		p.lines = p.lines[1:]
	}
	return nil
}

func (p *playback) SetReadDeadline(t time.Time) error { p.deadline = t; return nil }
func (p *playback) SetMode(m port.Mode) error         { p.mode = m; return nil }
func (p *playback) SetLines(port.Lines) error         { return nil }
func (p *playback) Close() error                      { return nil }

func playFile(t *testing.T, name string) *playback {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return play(t, string(text))
}

func connect(t *testing.T, p *playback) *Loader {
	t.Helper()
	l, err := Connect(context.Background(), p, p.clock, Baud)
	if err != nil {
		t.Fatal(err)
	}
	return l
}
