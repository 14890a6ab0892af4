// Package porttest is the conformance test of a port.Port, for real, pseudo and
// simulated lines alike. It moves by the rig's clock only.
package porttest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"testing"
	"time"

	"rigor/harness/port"
	"rigor/harness/timebase"
)

// Pair is a port under test and the other end of its line.
type Pair struct {
	Port  port.Port
	Clock timebase.Clock
	// Send sends from the peer to the port; it need not wait for the port to
	// read. Received gives all that the peer has received so far.
	Send     func(p []byte) error
	Received func() []byte
	// Modes are settings that the line can carry, and Mode is the peer's view of
	// the setting.
	Modes []port.Mode
	Mode  func() (port.Mode, error)
	// Lines gives all states that the peer saw the two lines in, as they
	// changed; nil if this line has none.
	Lines func() []port.Lines
	// Break tells whether the peer sees a break on the line, beginning or ending;
	// nil if the port, or this line, has none.
	Break func() bool
	// Late is by how much a Read may pass its deadline; 0 does not check, which
	// is right for a host's clock.
	Late time.Duration
	// Concurrent says that a Read may block while another goroutine closes the
	// port; a passive backend, whose time only moves in Read, cannot.
	Concurrent bool
}

const (
	soon    = 100 * time.Millisecond // enough for a few bytes to cross
	patient = 30 * time.Second       // a bound for what is expected to happen
)

// Run tests ports; open gives a fresh pair each time and closes it by t.Cleanup.
func Run(t *testing.T, open func(t *testing.T) Pair) {
	for _, c := range []struct {
		name string
		test func(*line)
	}{
		{"read ends at its deadline", (*line).deadline},
		{"a deadline that has passed ends a read at once", (*line).pastDeadline},
		{"a port is usable after a time-out", (*line).afterTimeout},
		{"io.ReadFull ends at the deadline", (*line).readFull},
		{"read returns what there is", (*line).partial},
		{"a short buffer loses nothing", (*line).shortBuffer},
		{"an empty read returns at once", (*line).emptyRead},
		{"an empty write is nothing", (*line).emptyWrite},
		{"every byte passes unchanged", (*line).transparent},
		{"write takes all", (*line).largeWrite},
		{"large input is not lost", (*line).largeRead},
		{"nothing is echoed", (*line).noEcho},
		{"discard drops what was received, not what comes", (*line).discard},
		{"mode reaches the peer", (*line).setMode},
		{"a mode without a rate is refused", (*line).badMode},
		{"lines change together and in order", (*line).setLines},
		{"a break lasts until it is ended, and harms nothing", (*line).setBreak},
		{"close ends the port", (*line).afterClose},
		{"close ends a read", (*line).closeUnblocks},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(&line{t, open(t)}) })
	}
}

// line is one pair under test.
type line struct {
	*testing.T
	Pair
}

func (l *line) must(what string, err error) {
	l.Helper()
	if err != nil {
		l.Fatalf("%s: %v", what, err)
	}
}

func (l *line) sleep(d time.Duration) {
	l.Helper()
	l.must("sleep", l.Clock.Sleep(context.Background(), d))
}

// within sets the read deadline and returns it.
func (l *line) within(d time.Duration) time.Time {
	l.Helper()
	end := l.Clock.Now().Add(d)
	l.must("set the deadline", l.Port.SetReadDeadline(end))
	return end
}

// expect reads exactly what the peer sent.
func (l *line) expect(want []byte) {
	l.Helper()
	l.within(patient)
	got := make([]byte, len(want))
	if n, err := io.ReadFull(l.Port, got); err != nil {
		l.Fatalf("read %d of %d bytes: %v", n, len(want), err)
	}
	l.same(got, want)
}

func (l *line) same(got, want []byte) {
	l.Helper()
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			l.Fatalf("byte %d is %#02x, want %#02x", i, got[i], want[i])
		}
	}
	if len(got) != len(want) {
		l.Fatalf("got %d bytes, want %d", len(got), len(want))
	}
}

// arrived waits for what the port wrote to be at the peer, and no more.
func (l *line) arrived(want []byte) {
	l.Helper()
	end := l.Clock.Now().Add(patient)
	for len(l.Received()) < len(want) && l.Clock.Now().Before(end) {
		l.sleep(time.Millisecond)
	}
	l.sleep(soon)
	l.same(l.Received(), want)
}

// silent checks that a read times out.
func (l *line) silent() {
	l.Helper()
	l.within(soon)
	var b [8]byte
	if n, err := l.Port.Read(b[:]); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		l.Fatalf("read gave % X, %v, want no bytes and %v", b[:n], err, os.ErrDeadlineExceeded)
	}
}

func (l *line) deadline() {
	for _, d := range []time.Duration{time.Millisecond, 30 * time.Millisecond} {
		end := l.within(d)
		n, err := l.Port.Read(make([]byte, 8))
		now := l.Clock.Now()
		if n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			l.Fatalf("read gave %d bytes, %v, want 0 and %v", n, err, os.ErrDeadlineExceeded)
		}
		if now.Before(end) {
			l.Errorf("a read of %v ended %v early", d, end.Sub(now))
		}
		if l.Late > 0 && now.Sub(end) > l.Late {
			l.Errorf("a read of %v ended %v late", d, now.Sub(end))
		}
	}
}

func (l *line) pastDeadline() {
	l.within(-time.Second)
	if n, err := l.Port.Read(make([]byte, 8)); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		l.Errorf("read gave %d bytes, %v, want 0 and %v", n, err, os.ErrDeadlineExceeded)
	}
}

func (l *line) afterTimeout() {
	l.silent()
	l.must("send", l.Send([]byte("late")))
	l.expect([]byte("late"))
	l.must("send", l.Send([]byte("later")))
	l.sleep(soon)
	l.must("clear the deadline", l.Port.SetReadDeadline(time.Time{}))
	got := make([]byte, 5)
	if _, err := io.ReadFull(l.Port, got); err != nil || string(got) != "later" {
		l.Errorf("read without a deadline gave %q, %v", got, err)
	}
}

func (l *line) readFull() {
	l.must("send", l.Send([]byte{1}))
	l.within(soon)
	if n, err := io.ReadFull(l.Port, make([]byte, 2)); n != 1 || !errors.Is(err, os.ErrDeadlineExceeded) {
		l.Errorf("got %d bytes, %v, want 1 and %v", n, err, os.ErrDeadlineExceeded)
	}
}

func (l *line) partial() {
	l.must("send", l.Send([]byte{1, 2, 3}))
	var got []byte
	for len(got) < 3 {
		l.within(patient)
		b := make([]byte, 100)
		n, err := l.Port.Read(b)
		if n == 0 || err != nil {
			l.Fatalf("read gave %d bytes, %v", n, err)
		}
		got = append(got, b[:n]...)
	}
	l.same(got, []byte{1, 2, 3})
}

func (l *line) shortBuffer() {
	want := []byte("0123456789")
	l.must("send", l.Send(want))
	l.sleep(soon)
	for i := range want {
		l.expect(want[i : i+1])
	}
}

func (l *line) emptyRead() {
	l.must("send", l.Send([]byte{7}))
	l.sleep(soon)
	l.within(patient)
	if n, err := l.Port.Read(nil); n != 0 || err != nil {
		l.Errorf("read of nothing gave %d, %v", n, err)
	}
	l.expect([]byte{7})
}

func (l *line) emptyWrite() {
	if n, err := l.Port.Write(nil); n != 0 || err != nil {
		l.Errorf("write of nothing gave %d, %v", n, err)
	}
	l.write([]byte{7})
	l.arrived([]byte{7})
}

func (l *line) write(p []byte) {
	l.Helper()
	if n, err := l.Port.Write(p); n != len(p) || err != nil {
		l.Fatalf("write of %d bytes took %d, %v", len(p), n, err)
	}
}

func allBytes() []byte {
	p := make([]byte, 256)
	for i := range p {
		p[i] = byte(i)
	}
	return p
}

func (l *line) transparent() {
	want := allBytes()
	l.must("send", l.Send(want))
	l.expect(want)
	l.write(want)
	l.arrived(want)
}

// large is more than any buffer on the way: a pseudo terminal's is of 4 KB.
func large() []byte { return bytes.Repeat(allBytes(), 64) }

func (l *line) largeWrite() {
	l.write(large())
	l.arrived(large())
}

func (l *line) largeRead() {
	for chunk := range slices.Chunk(large(), 1000) {
		l.must("send", l.Send(chunk))
		l.expect(chunk)
	}
	l.silent()
}

func (l *line) noEcho() {
	l.must("send", l.Send([]byte("in\r\n")))
	l.expect([]byte("in\r\n"))
	l.write([]byte("out\r\n"))
	l.arrived([]byte("out\r\n"))
	l.silent()
}

func (l *line) discard() {
	l.must("send", l.Send([]byte("stale")))
	l.sleep(soon)
	l.must("discard", l.Port.DiscardInput())
	l.silent()
	l.must("send", l.Send([]byte("fresh")))
	l.expect([]byte("fresh"))
}

func (l *line) setMode() {
	if len(l.Modes) < 2 {
		l.Fatal("porttest needs two modes to tell one from the other")
	}
	for _, m := range l.Modes {
		l.must("set "+m.String(), l.Port.SetMode(m))
		if got, err := l.Mode(); err != nil || got != m {
			l.Errorf("peer sees %v, %v, want %v", got, err, m)
		}
	}
}

func (l *line) badMode() {
	for _, baud := range []int{0, -9600} {
		if err := l.Port.SetMode(port.Mode{Baud: baud}); err == nil {
			l.Errorf("%d baud is accepted", baud)
		}
	}
	if err := l.Port.SetMode(port.Mode{Baud: 9600, Parity: port.ParityOdd + 1}); err == nil {
		l.Error("an unknown parity is accepted")
	}
}

func (l *line) setLines() {
	if l.Lines == nil {
		if err := l.Port.SetLines(port.Lines{DTR: true}); !errors.Is(err, errors.ErrUnsupported) {
			l.Errorf("a port without lines says %v, want an error that is %v", err, errors.ErrUnsupported)
		}
		return
	}
	l.must("set lines", l.Port.SetLines(port.Lines{}))
	before := len(l.Lines())
	want := []port.Lines{{DTR: true, RTS: true}, {}, {DTR: true}, {RTS: true}, {}}
	for _, s := range want {
		l.must("set lines", l.Port.SetLines(s))
		l.sleep(time.Millisecond)
	}
	if got := l.Lines()[before:]; !slices.Equal(got, want) {
		l.Errorf("peer saw %v, want %v and nothing in between", got, want)
	}
}

// setBreak has bytes before and behind a break. What the peer's receiver made of
// it is one frame at most, all zeros.
func (l *line) setBreak() {
	b, ok := l.Port.(port.Breaker)
	switch {
	case !ok && l.Break != nil:
		l.Fatal("the port is no port.Breaker")
	case !ok:
		return
	case l.Break == nil:
		if err := b.SetBreak(true); err != nil && !errors.Is(err, errors.ErrUnsupported) {
			l.Errorf("a line without a break says %v, want an error that is %v, or none", err, errors.ErrUnsupported)
		}
		return
	}
	l.write([]byte("before"))
	for _, on := range []bool{true, true, false, false} {
		l.must("set the break", b.SetBreak(on))
		l.sleep(soon)
		if l.Break() != on {
			l.Errorf("the peer sees a break: %v, want %v", !on, on)
		}
	}
	l.write([]byte("behind"))
	l.sleep(soon)
	if got := bytes.ReplaceAll(l.Received(), []byte{0}, nil); string(got) != "beforebehind" {
		l.Errorf("the peer received %q", got)
	}
}

func (l *line) afterClose() {
	l.must("close", l.Port.Close())
	if b, ok := l.Port.(port.Breaker); ok {
		if err := b.SetBreak(true); !errors.Is(err, os.ErrClosed) {
			l.Errorf("SetBreak after Close: %v, want %v", err, os.ErrClosed)
		}
	}
	_, readErr := l.Port.Read(make([]byte, 1))
	_, writeErr := l.Port.Write([]byte{1})
	for name, err := range map[string]error{
		"Read":            readErr,
		"Write":           writeErr,
		"SetReadDeadline": l.Port.SetReadDeadline(l.Clock.Now()),
		"SetMode":         l.Port.SetMode(l.Modes[0]),
		"SetLines":        l.Port.SetLines(port.Lines{}),
		"DiscardInput":    l.Port.DiscardInput(),
	} {
		if !errors.Is(err, os.ErrClosed) {
			l.Errorf("%s after Close: %v, want %v", name, err, os.ErrClosed)
		}
	}
	if err := l.Port.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		l.Errorf("second Close: %v", err)
	}
}

func (l *line) closeUnblocks() {
	if !l.Concurrent {
		l.within(soon)
		l.must("close", l.Port.Close())
		if _, err := l.Port.Read(make([]byte, 1)); !errors.Is(err, os.ErrClosed) {
			l.Errorf("read of a closed port: %v, want %v", err, os.ErrClosed)
		}
		return
	}
	read := make(chan error)
	go func() {
		_, err := l.Port.Read(make([]byte, 1))
		read <- err
	}()
	l.sleep(soon)
	l.must("close", l.Port.Close())
	select {
	case err := <-read:
		if !errors.Is(err, os.ErrClosed) {
			l.Errorf("the read ended with %v, want %v", err, os.ErrClosed)
		}
	case <-time.After(patient): // a hang, not a measurement
		l.Fatal("close does not end a read")
	}
}
