package rfc2217

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"rigor/harness/port"
	"rigor/harness/port/porttest"
	"rigor/harness/timebase"
)

var mode8N1 = port.Mode{Baud: 115200}

// wire is a line that remembers what was done to it.
type wire struct {
	mu     sync.Mutex
	got    []byte
	mode   port.Mode
	lines  []port.Lines
	server *Server
}

func (w *wire) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.got = append(w.got, p...)
	return len(p), nil
}

func (w *wire) SetMode(m port.Mode) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mode = m
	return nil
}

func (w *wire) SetLines(l port.Lines) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lines = append(w.lines, l)
	return nil
}

func (w *wire) DiscardInput() error { return nil }

func (w *wire) received() []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	return bytes.Clone(w.got)
}

// listen calls serve with the first client.
func listen(t *testing.T, serve func(net.Conn)) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		serve(conn)
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return l.Addr().String()
}

func dial(t *testing.T, addr string) port.Port {
	t.Helper()
	p, err := Dial(t.Context(), addr, mode8N1, timebase.Host{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

func TestClientOnServer(t *testing.T) {
	porttest.Run(t, func(t *testing.T) porttest.Pair {
		w := &wire{}
		ready := make(chan struct{})
		p := dial(t, listen(t, func(conn net.Conn) {
			w.server = NewServer(conn, w, mode8N1)
			close(ready)
			if err := w.server.Serve(); err != nil && !errors.Is(err, os.ErrClosed) {
				t.Log(err) // a reset by the client that closed with data unread
			}
		}))
		<-ready
		return porttest.Pair{
			Port: p, Clock: timebase.Host{}, Concurrent: true,
			Send:     func(p []byte) error { _, err := w.server.Write(p); return err },
			Received: w.received,
			Modes:    []port.Mode{{Baud: 9600}, {Baud: 115200, Parity: port.ParityEven}, {Baud: 1200, Parity: port.ParityOdd}},
			Mode: func() (port.Mode, error) {
				w.mu.Lock()
				defer w.mu.Unlock()
				return w.mode, nil
			},
			Lines: func() []port.Lines {
				w.mu.Lock()
				defer w.mu.Unlock()
				return append([]port.Lines(nil), w.lines...)
			},
		}
	})
}

// A client that goes leaves no line asserted.
func TestLinesHangUp(t *testing.T) {
	w := &wire{}
	served := make(chan error, 1)
	p := dial(t, listen(t, func(conn net.Conn) { served <- NewServer(conn, w, mode8N1).Serve() }))
	if err := p.SetLines(port.Lines{DTR: true}); err != nil {
		t.Fatal(err)
	}
	p.Close()
	if err := <-served; err != nil {
		t.Error(err)
	}
	if last := w.lines[len(w.lines)-1]; last != (port.Lines{}) {
		t.Errorf("the lines are left as %+v", last)
	}
}

// Servers that are none, or busy, are told apart.
func TestDialRefused(t *testing.T) {
	for name, c := range map[string]struct {
		serve func(net.Conn)
		want  string
	}{
		"busy":       {func(conn net.Conn) { Refuse(conn, "in use by 127.0.0.1:1234") }, `says "in use by 127.0.0.1:1234"`},
		"silent end": {func(conn net.Conn) { io.CopyN(io.Discard, conn, 15) }, "may be in use"},
		"telnet only": {func(conn net.Conn) {
			conn.Write([]byte{iac, dont, optComPort, iac, do, optBinary, iac, will, optBinary})
			io.Copy(io.Discard, conn)
		}, "it is no RFC 2217 server"},
		"seven bits": {func(conn net.Conn) {
			io.CopyN(io.Discard, conn, 5*3)
			conn.Write([]byte{iac, do, optComPort, iac, do, optBinary, iac, will, optBinary})
			io.CopyN(io.Discard, conn, 7)
			conn.Write(appendSetting(nil, cmdDataSize+fromServer, 7))
			io.Copy(io.Discard, conn)
		}, "refuses 8 data bits"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Dial(t.Context(), listen(t, c.serve), mode8N1, timebase.Host{})
			var refused *RefusedError
			if !errors.As(err, &refused) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// hasty is a clock for which every wait has ended already.
type hasty struct{}

func (hasty) Now() time.Time                                   { return time.Now().Add(-answerWait) }
func (hasty) Sleep(ctx context.Context, _ time.Duration) error { return ctx.Err() }

func TestDialSilentServer(t *testing.T) {
	addr := listen(t, func(conn net.Conn) { io.Copy(io.Discard, conn) })
	_, err := Dial(t.Context(), addr, mode8N1, hasty{})
	if err == nil {
		t.Fatal("a silent server is opened")
	}
}

// What a server tells unasked, and options that nobody knows, do no harm.
func TestUnaskedIsTolerated(t *testing.T) {
	w := &wire{}
	p := dial(t, listen(t, func(conn net.Conn) {
		s := NewServer(conn, w, mode8N1)
		s.send([]byte{iac, will, 1, iac, do, 31, iac, 241, iac, sb, 24, 1, iac, se})
		s.send(appendSetting(nil, cmdModemState+fromServer, 0x30))
		s.send(appendSetting(nil, cmdLineState+fromServer, iac))
		s.Write([]byte{'a', iac, 'b'})
		s.Serve()
	}))
	if err := p.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 3)
	if _, err := io.ReadFull(p, got); err != nil || !bytes.Equal(got, []byte{'a', iac, 'b'}) {
		t.Errorf("got % x, %v", got, err)
	}
}

func TestServerGone(t *testing.T) {
	p := dial(t, listen(t, func(conn net.Conn) {
		s := NewServer(conn, &wire{}, mode8N1)
		time.AfterFunc(50*time.Millisecond, func() { conn.Close() })
		s.Serve()
	}))
	_, err := p.Read(make([]byte, 1))
	if !errors.Is(err, io.EOF) || !strings.Contains(err.Error(), "closed the connection") {
		t.Errorf("got %v", err)
	}
}

// decode gives what a stream holds.
func decode(p []byte) (events []event) {
	var d decoder
	for _, b := range p {
		if e := d.feed(b); e.kind != nothing {
			events = append(events, e)
		}
	}
	return events
}

// The examples of RFC 855 and RFC 2217 §3: a doubled IAC in data and in values.
func TestDecode(t *testing.T) {
	for name, c := range map[string]struct {
		in   []byte
		want []event
	}{
		"data":                   {[]byte{1, iac, iac, 2}, []event{{data, 1, 0, nil}, {data, iac, 0, nil}, {data, 2, 0, nil}}},
		"option":                 {[]byte{iac, will, 44, iac, dont, 1}, []event{{negotiate, will, 44, nil}, {negotiate, dont, 1, nil}}},
		"baud rate 255":          {[]byte{iac, sb, 44, 1, 0, 0, 0, iac, iac, iac, se}, []event{{setting, 1, 0, []byte{0, 0, 0, 255}}}},
		"no value":               {[]byte{iac, sb, 44, 0, iac, se}, []event{{setting, 0, 0, nil}}},
		"another option's":       {[]byte{iac, sb, 24, 1, iac, se, 7}, []event{{data, 7, 0, nil}}},
		"an end that was lost":   {[]byte{iac, sb, 44, 1, iac, will, 3, 7}, []event{{negotiate, will, 3, nil}, {data, 7, 0, nil}}},
		"an option without name": {[]byte{iac, sb, iac, se, 7}, []event{{data, 7, 0, nil}}},
		"too long":               {append(append([]byte{iac, sb, 44, 1}, make([]byte, 2*maxSetting)...), iac, se, 7), []event{{data, 7, 0, nil}}},
	} {
		got := decode(c.in)
		if len(got) != len(c.want) {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
			continue
		}
		for i, g := range got {
			w := c.want[i]
			if g.kind != w.kind || g.b != w.b || g.opt != w.opt || !bytes.Equal(g.value, w.value) {
				t.Errorf("%s: event %d is %v, want %v", name, i, g, w)
			}
		}
	}
}

// Two ends that ask for the same thing at once agree, and fall silent.
func TestOptionsSettle(t *testing.T) {
	var a, b options
	toB := a.ask(nil, optBinary, true, true)
	toA := b.ask(nil, optBinary, true, true)
	for round := 0; len(toA)+len(toB) > 0; round++ {
		if round == 4 {
			t.Fatal("they argue for ever")
		}
		var nextA, nextB []byte
		for _, e := range decode(toA) {
			nextB = a.take(nextB, e.b, e.opt)
		}
		for _, e := range decode(toB) {
			nextA = b.take(nextA, e.b, e.opt)
		}
		toA, toB = nextA, nextB
	}
	for _, o := range []*options{&a, &b} {
		if !o.ours[optBinary].on || !o.theirs[optBinary].on {
			t.Errorf("binary is %+v, %+v", o.ours[optBinary], o.theirs[optBinary])
		}
	}
}

// Data passes unchanged whatever it is, beside settings and after rubbish that
// ended.
func FuzzDecode(f *testing.F) {
	f.Add([]byte{iac, sb, 44, 1, 0}, []byte("data\xff"), byte(1))
	f.Add([]byte{iac, will}, []byte{iac, se, iac, iac}, byte(iac))
	f.Fuzz(func(t *testing.T, rubbish, payload []byte, command byte) {
		decode(rubbish)
		if command == iac {
			return // no command has this number; RFC 2217 §3 ends at 112
		}
		var got []byte
		var set []event
		for _, e := range decode(append(escape(payload), appendSetting(nil, command, payload...)...)) {
			switch e.kind {
			case data:
				got = append(got, e.b)
			case setting:
				set = append(set, e)
			default:
				t.Fatalf("made up %v", e)
			}
		}
		if !bytes.Equal(got, payload) {
			t.Errorf("data % x became % x", payload, got)
		}
		if len(payload) > maxSetting-2 {
			return
		}
		if len(set) != 1 || set[0].b != command || !bytes.Equal(set[0].value, payload) {
			t.Errorf("setting %d % x became %v", command, payload, set)
		}
	})
}

// A server obeys or ignores whatever it is sent.
func FuzzServer(f *testing.F) {
	f.Add(appendSetting([]byte{iac, will, 44, 'x'}, cmdBaudRate, 0, 1, 0xC2, 0))
	f.Add(appendSetting(nil, cmdParity, 9))
	f.Add(appendSetting(nil, cmdControl))
	f.Fuzz(func(t *testing.T, p []byte) {
		ours, theirs := net.Pipe()
		go io.Copy(io.Discard, theirs)
		w := &wire{}
		s := NewServer(ours, w, mode8N1)
		if err := s.take(p); err != nil {
			t.Error(err)
		}
		if s.mode.Baud <= 0 || int(s.mode.Parity) >= len(parities) {
			t.Errorf("the mode became %v", s.mode)
		}
		ours.Close()
	})
}
