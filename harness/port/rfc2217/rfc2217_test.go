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
	brk    bool
	purged string // what was discarded: i, o
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

func (w *wire) SetBreak(on bool) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.brk = on
	return nil
}

func (w *wire) DiscardInput() error  { w.purged += "i"; return nil }
func (w *wire) DiscardOutput() error { w.purged += "o"; return nil }

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
			Break: func() bool {
				w.mu.Lock()
				defer w.mu.Unlock()
				return w.brk
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

// plain is a line without break and purge of what was written.
type plain struct{ *wire }

func (plain) SetBreak()      {}
func (plain) DiscardOutput() {}

// asked gives what a server answers to commands, in a row.
func asked(t *testing.T, b Backend, commands ...[]byte) []event {
	t.Helper()
	ours, theirs := net.Pipe()
	defer theirs.Close()
	said := make(chan []byte, 1)
	go func() {
		got, _ := io.ReadAll(theirs)
		said <- got
	}()
	s := NewServer(ours, b, mode8N1)
	if err := s.take(bytes.Join(commands, nil)); err != nil {
		t.Fatal(err)
	}
	ours.Close()
	return decode(<-said)
}

// Every command of RFC 2217 §3 is answered by its own number and 100, with what
// is set and not with what was wished.
func TestServerAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		command byte
		value   []byte
		answer  []byte
		plain   []byte // of a line without break; nil: the same
	}{
		"ask baud":            {cmdBaudRate, []byte{0, 0, 0, 0}, []byte{0, 1, 0xC2, 0}, nil},
		"mark parity":         {cmdParity, []byte{4}, []byte{1}, nil},
		"7 bits":              {cmdDataSize, []byte{7}, []byte{8}, nil},
		"2 stop bits":         {cmdStopSize, []byte{2}, []byte{1}, nil},
		"ask flow":            {cmdControl, []byte{askFlow}, []byte{noFlow}, nil},
		"no flow":             {cmdControl, []byte{noFlow}, []byte{noFlow}, nil},
		"XON/XOFF":            {cmdControl, []byte{xonFlow}, []byte{noFlow}, nil},
		"RTS/CTS":             {cmdControl, []byte{rtsFlow}, []byte{noFlow}, nil},
		"DCD":                 {cmdControl, []byte{dcdFlow}, []byte{noFlow}, nil},
		"DSR":                 {cmdControl, []byte{dsrFlow}, []byte{noFlow}, nil},
		"ask inbound flow":    {cmdControl, []byte{askIn}, []byte{noIn}, nil},
		"inbound XON/XOFF":    {cmdControl, []byte{xonIn}, []byte{noIn}, nil},
		"inbound RTS":         {cmdControl, []byte{rtsIn}, []byte{noIn}, nil},
		"inbound DTR":         {cmdControl, []byte{dtrIn}, []byte{noIn}, nil},
		"ask break":           {cmdControl, []byte{askBreak}, []byte{breakOff}, nil},
		"break":               {cmdControl, []byte{breakOn}, []byte{breakOn}, []byte{breakOff}},
		"break ends":          {cmdControl, []byte{breakOff}, []byte{breakOff}, nil},
		"ask DTR":             {cmdControl, []byte{askDTR}, []byte{dtrOff}, nil},
		"DTR":                 {cmdControl, []byte{dtrOn}, []byte{dtrOn}, nil},
		"ask RTS":             {cmdControl, []byte{askRTS}, []byte{rtsOff}, nil},
		"purge":               {cmdPurge, []byte{purgeInput}, []byte{purgeInput}, nil},
		"purge output":        {cmdPurge, []byte{purgeOutput}, []byte{purgeOutput}, nil},
		"line state mask":     {cmdLineMask, []byte{0xFF}, []byte{0}, nil},
		"modem state mask":    {cmdModemMask, []byte{0xF0}, []byte{0xF0}, nil},
		"modem state, polled": {cmdModemState, nil, []byte{0}, nil},
	} {
		w := &wire{}
		for kind, b := range map[string]Backend{"": w, " of a plain line": plain{w}} {
			want := c.answer
			if kind != "" && c.plain != nil {
				want = c.plain
			}
			got := asked(t, b, appendSetting(nil, c.command, c.value...))
			if len(got) == 0 || got[0].b != c.command+fromServer || !bytes.Equal(got[0].value, want) {
				t.Errorf("%s%s: answers %v, want % x", name, kind, got, want)
			}
		}
	}
}

// Purges reach the line, each half on its own; suspended data are purged too.
func TestServerPurges(t *testing.T) {
	w := &wire{}
	asked(t, w, appendSetting(nil, cmdPurge, purgeInput), appendSetting(nil, cmdPurge, purgeOutput), appendSetting(nil, cmdPurge, purgeBoth))
	if w.purged != "ioio" {
		t.Errorf("purged %q, want ioio", w.purged)
	}
}

// A client that agrees to the option is told the modem state, which pyserial's
// cts, dsr, ri and cd need; one that masks it out is not.
func TestServerTellsModemState(t *testing.T) {
	agree := []byte{iac, will, optComPort}
	tell := func(events []event) (n int) {
		for _, e := range events {
			if e.kind == setting && e.b == cmdModemState+fromServer {
				n++
			}
		}
		return n
	}
	if n := tell(asked(t, &wire{}, agree, agree)); n != 1 {
		t.Errorf("told %d times, want once", n)
	}
	if n := tell(asked(t, &wire{}, appendSetting(nil, cmdModemMask, 0), agree)); n != 0 {
		t.Errorf("told %d times in spite of the mask", n)
	}
}

// Data wait while the client has suspended them; answers do not.
func TestServerSuspends(t *testing.T) {
	ours, theirs := net.Pipe()
	said := make(chan []byte, 1)
	go func() {
		got, _ := io.ReadAll(theirs)
		said <- got
	}()
	s := NewServer(ours, &wire{}, mode8N1)
	for _, step := range []func() error{
		func() error { return s.take(appendSetting(nil, cmdSuspend)) },
		func() error { _, err := s.Write([]byte("held")); return err },
		func() error { return s.take(appendSetting(nil, cmdSignature)) },
		func() error { return s.take(appendSetting(nil, cmdResume)) },
		func() error { _, err := s.Write([]byte(" back")); return err },
		func() error { return s.suspend(true) },
	} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Write(make([]byte, maxHeld+1)); err == nil {
		t.Error("there is no end to what is held back")
	}
	ours.Close()
	got := <-said
	if answer := appendSetting(nil, cmdSignature+fromServer, []byte("rigor")...); string(got) != string(answer)+"held back" {
		t.Errorf("the client got %q", got)
	}
}

// The client holds its data back while the server has suspended them.
func TestClientObeysSuspend(t *testing.T) {
	w := &wire{}
	server := make(chan *Server, 1)
	p := dial(t, listen(t, func(conn net.Conn) {
		s := NewServer(conn, w, mode8N1)
		server <- s
		s.Serve()
	}))
	s := <-server
	if err := s.send(appendSetting(nil, cmdSuspend+fromServer)); err != nil {
		t.Fatal(err)
	}
	if err := p.DiscardInput(); err != nil { // its answer comes behind the suspension
		t.Fatal(err)
	}
	c := p.(*client)
	c.clock = hasty{}
	if _, err := p.Write([]byte("x")); err == nil || !strings.Contains(err.Error(), "does not resume") {
		t.Errorf("a write to a server that suspended the data: %v", err)
	}
	c.clock = timebase.Host{}
	if err := s.send(appendSetting(nil, cmdResume+fromServer)); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Write([]byte("y")); err != nil {
		t.Error(err)
	}
	if err := p.DiscardInput(); err != nil { // the server has taken what was before it
		t.Fatal(err)
	}
	if got := w.received(); string(got) != "y" {
		t.Errorf("the server received %q", got)
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
