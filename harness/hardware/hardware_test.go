package hardware

import (
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
	"rigor/harness/port/rfc2217"
	"rigor/harness/port/serialport"
	"rigor/harness/rig"
	"rigor/harness/timebase"
)

var ports = []serialport.Info{
	{Path: "/dev/ttyS0"},
	{Path: "/dev/ttyUSB0", USB: &serialport.USB{Path: "1-1.1:1.0", VID: "0403", PID: "6001", Serial: "A1"}},
	{Path: "/dev/ttyUSB1", USB: &serialport.USB{Path: "1-1.2:1.0", VID: "1a86", PID: "7523", Serial: "0"}},
	{Path: "/dev/ttyUSB2", USB: &serialport.USB{Path: "1-1.3:1.0", VID: "1a86", PID: "7523", Serial: "0"}},
	// Adapters of two interfaces (FT2232H), of two ports on one (MCS7820), and without a serial number.
	{Path: "/dev/ttyUSB3", USB: &serialport.USB{Path: "1-1.4:1.0", VID: "0403", PID: "6010", Serial: "FT5"}},
	{Path: "/dev/ttyUSB4", USB: &serialport.USB{Path: "1-1.4:1.1", VID: "0403", PID: "6010", Serial: "FT5"}},
	{Path: "/dev/ttyUSB5", ByPath: "/dev/serial/by-path/x-port0", USB: &serialport.USB{Path: "1-2:1.0", VID: "9710", PID: "7820"}},
	{Path: "/dev/ttyUSB6", ByPath: "/dev/serial/by-path/x-port1", USB: &serialport.USB{Path: "1-2:1.0", VID: "9710", PID: "7820"}},
	{Path: "/dev/ttyACM0", USB: &serialport.USB{Path: "3-1.2.1:1.0", VID: "303a", PID: "1001", Serial: "7C:DF:A1:00:11:22"}},
}

func TestFind(t *testing.T) {
	for name, c := range map[string]struct {
		usb        rig.USBConfig
		path, fail string
	}{
		"by socket":                  {rig.USBConfig{Path: "1-1.2:1.0"}, "/dev/ttyUSB1", ""},
		"by serial":                  {rig.USBConfig{VID: "0403", PID: "6001", Serial: "A1"}, "/dev/ttyUSB0", ""},
		"nothing there":              {rig.USBConfig{Path: "2-1:1.0"}, "", `no port usb 2-1:1.0: there are /dev/ttyUSB0 (usb 1-1.1:1.0, 0403:6001) serial "A1"`},
		"behind two hubs":            {rig.USBConfig{Path: "3-1.2.1:1.0"}, "/dev/ttyACM0", ""},
		"by MAC":                     {rig.USBConfig{VID: "303a", PID: "1001", Serial: "7C:DF:A1:00:11:22"}, "/dev/ttyACM0", ""},
		"second interface":           {rig.USBConfig{Path: "1-1.4:1.1"}, "/dev/ttyUSB4", ""},
		"two interfaces, one serial": {rig.USBConfig{VID: "0403", PID: "6010", Serial: "FT5"}, "", "usb: {path: 1-1.4:1.0}"},
		"two ports, one interface":   {rig.USBConfig{Path: "1-2:1.0"}, "", "device: /dev/serial/by-path/x-port0"},
		"twice the same":             {rig.USBConfig{VID: "1a86", PID: "7523", Serial: "0"}, "", "usb: {path: 1-1.2:1.0}"},
	} {
		path, err := find(rig.PortConfig{USB: &c.usb}, ports)
		if path != c.path || (err != nil) != (c.fail != "") || err != nil && !strings.Contains(err.Error(), c.fail) {
			t.Errorf("%s: %q, %v; want %q, %q", name, path, err, c.path, c.fail)
		}
	}
}

// far is the other end of a line, which may be cut.
type far struct {
	mu     sync.Mutex
	got    []byte
	mode   port.Mode
	lines  []port.Lines
	brk    bool
	server *rfc2217.Server
	conn   net.Conn
}

func (f *far) locked(do func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	do()
}

func (f *far) Write(p []byte) (int, error) {
	f.locked(func() { f.got = append(f.got, p...) })
	return len(p), nil
}
func (f *far) SetMode(m port.Mode) error { f.locked(func() { f.mode = m }); return nil }
func (f *far) SetLines(l port.Lines) error {
	f.locked(func() { f.lines = append(f.lines, l) })
	return nil
}
func (f *far) SetBreak(on bool) error { f.locked(func() { f.brk = on }); return nil }
func (f *far) DiscardInput() error    { return nil }

// serve accepts client after client.
func (f *far) serve(t *testing.T) (addr string, accepted chan struct{}) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	accepted = make(chan struct{}, 10)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			f.locked(func() { f.conn, f.server = conn, rfc2217.NewServer(conn, f, port.Mode{Baud: 115200}) })
			accepted <- struct{}{}
			f.server.Serve()
		}
	}()
	t.Cleanup(func() {
		l.Close()
		f.locked(func() {
			if f.conn != nil {
				f.conn.Close()
			}
		})
		<-done
	})
	return l.Addr().String(), accepted
}

func openLine(t *testing.T, addr string) *line {
	t.Helper()
	l := &line{board: "f407", role: "console", at: rig.PortConfig{RFC2217: addr}, clock: timebase.Host{}, open: openPort, mode: port.Mode{Baud: 115200}}
	if err := l.connect(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func TestLine(t *testing.T) {
	porttest.Run(t, func(t *testing.T) porttest.Pair {
		f := &far{}
		addr, accepted := f.serve(t)
		l := openLine(t, addr)
		<-accepted
		return porttest.Pair{
			Port: l, Clock: timebase.Host{}, Concurrent: true,
			Send:     func(p []byte) error { _, err := f.server.Write(p); return err },
			Received: func() (got []byte) { f.locked(func() { got = append(got, f.got...) }); return got },
			Modes:    []port.Mode{{Baud: 9600}, {Baud: 115200, Parity: port.ParityEven}},
			Mode:     func() (m port.Mode, _ error) { f.locked(func() { m = f.mode }); return m, nil },
			Break:    func() (on bool) { f.locked(func() { on = f.brk }); return on },
			Lines:    func() (all []port.Lines) { f.locked(func() { all = append(all, f.lines...) }); return all },
		}
	})
}

// A port that vanished is the rig's failure; the next call finds it again, with
// the mode and the lines that it had.
func TestLineComesBack(t *testing.T) {
	f := &far{}
	addr, accepted := f.serve(t)
	l := openLine(t, addr)
	<-accepted
	mode, lines := port.Mode{Baud: 9600, Parity: port.ParityEven}, port.Lines{RTS: true}
	if err := errors.Join(l.SetMode(mode), l.SetLines(lines)); err != nil {
		t.Fatal(err)
	}
	f.locked(func() { f.conn.Close() })
	if _, err := l.Read(make([]byte, 1)); rig.ClassOf(err) != rig.Rig || !errors.Is(err, io.EOF) {
		t.Fatalf("a port that vanished says %v [%s]", err, rig.ClassOf(err))
	}
	f.locked(func() { f.mode = port.Mode{} })
	if err := l.DiscardInput(); err != nil {
		t.Fatal(err)
	}
	f.locked(func() {
		if f.mode != mode || f.lines[len(f.lines)-1] != lines {
			t.Errorf("it came back with %v and %+v", f.mode, f.lines)
		}
	})
}

// The strap follows reset for as long as reset rises and the chip looks.
func TestResetTiming(t *testing.T) {
	for mode, want := range map[rig.BootMode]time.Duration{rig.BootLoader: 155 * time.Millisecond, rig.BootApp: 105 * time.Millisecond} {
		clock := &stepping{}
		at := &rig.PortConfig{Device: "/dev/x"}
		reset := &rig.ResetConfig{Circuit: rig.ESP32, DTR: rig.GPIO9, RTS: rig.EN, Hold: 100 * time.Millisecond, Rise: 5 * time.Millisecond, Sample: 50 * time.Millisecond}
		b := board(t, &rig.BoardConfig{Console: rig.UARTConfig{Port: at, Baud: 9600}, Loader: rig.UARTConfig{Port: at, Baud: 9600}, Reset: reset}, clock)
		for _, l := range b.ports {
			l.open = func(rig.PortConfig, port.Mode, timebase.Clock) (port.Port, error) { return &moved{}, nil }
		}
		if err := errors.Join(b.open(), b.Reset(t.Context(), mode)); err != nil {
			t.Fatal(err)
		}
		if took := clock.now.Sub(time.Time{}); took != want {
			t.Errorf("a reset for mode %d takes %v, want %v", mode, took, want)
		}
		b.Close()
	}
}

// board is one of which nothing is open.
func board(t *testing.T, c *rig.BoardConfig, clock timebase.Clock) *Board {
	t.Helper()
	c.Chip = "esp32c3"
	b, err := newBoard(c, clock)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// stepping is a clock that sleeps in no time.
type stepping struct{ now time.Time }

func (s *stepping) Now() time.Time { return s.now }
func (s *stepping) Sleep(ctx context.Context, d time.Duration) error {
	s.now = s.now.Add(d)
	return ctx.Err()
}

// fragile is a port whose every call fails.
type fragile struct{ port.Port }

func (fragile) Read([]byte) (int, error)        { return 0, serialport.ErrGone }
func (fragile) SetReadDeadline(time.Time) error { return nil }
func (fragile) Close() error                    { return nil }

// A port that stays away is waited for once, and not by every call again.
func TestLineStaysAway(t *testing.T) {
	opened := 0
	clock := &stepping{}
	l := &line{board: "f407", role: "console", clock: clock, open: func(rig.PortConfig, port.Mode, timebase.Clock) (port.Port, error) {
		if opened++; opened == 1 {
			return fragile{}, nil
		}
		return nil, os.ErrNotExist
	}}
	if err := l.connect(); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Read(make([]byte, 1)); !errors.Is(err, serialport.ErrGone) {
		t.Errorf("got %v", err)
	}
	for range 3 {
		if _, err := l.Read(make([]byte, 1)); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "did not come back") {
			t.Errorf("got %v", err)
		}
	}
	if waited := clock.now.Sub(time.Time{}); waited != comeback {
		t.Errorf("waited for %v, want %v", waited, comeback)
	}
}

// moved remembers lines.
type moved struct {
	port.Port
	lines []port.Lines
}

func (m *moved) SetLines(l port.Lines) error     { m.lines = append(m.lines, l); return nil }
func (m *moved) SetMode(port.Mode) error         { return nil }
func (m *moved) SetReadDeadline(time.Time) error { return nil }
func (m *moved) Close() error                    { return nil }

// The boot strap is set before reset is released, whatever the wiring.
func TestResetWiring(t *testing.T) {
	for name, c := range map[string]struct {
		reset rig.ResetConfig
		want  []port.Lines
	}{
		"straight": {rig.ResetConfig{DTR: rig.NRST, RTS: rig.BOOT0}, []port.Lines{{}, {DTR: true, RTS: true}, {RTS: true}, {}}},
		"crossed":  {rig.ResetConfig{DTR: rig.BOOT0, RTS: rig.NRST}, []port.Lines{{}, {DTR: true, RTS: true}, {DTR: true}, {}}},
		"inverted": {rig.ResetConfig{DTR: rig.NRST, RTS: rig.BOOT0, Invert: true},
			[]port.Lines{{DTR: true, RTS: true}, {}, {DTR: true}, {DTR: true, RTS: true}}},
		// As esptool resets by UnixTight, and kflash the boards dan and kd233.
		"esp32":       {rig.ResetConfig{Circuit: rig.ESP32, DTR: rig.GPIO9, RTS: rig.EN}, []port.Lines{{}, {RTS: true}, {DTR: true}, {}, {}}},
		"usb":         {rig.ResetConfig{Circuit: rig.USB}, []port.Lines{{}, {}, {DTR: true}, {DTR: true, RTS: true}, {RTS: true}, {}, {}}},
		"k210, dan":   {rig.ResetConfig{Circuit: rig.K210, DTR: rig.IO16, RTS: rig.RST}, []port.Lines{{}, {RTS: true}, {DTR: true}, {}, {}}},
		"k210, kd233": {rig.ResetConfig{Circuit: rig.K210, DTR: rig.RST, RTS: rig.IO16}, []port.Lines{{}, {DTR: true}, {RTS: true}, {}, {}}},
	} {
		m := &moved{}
		at := &rig.PortConfig{Device: "/dev/x"}
		b := board(t, &rig.BoardConfig{Name: "f407", Console: rig.UARTConfig{Port: at}, Loader: rig.UARTConfig{Port: at}, Reset: &c.reset}, &stepping{})
		for _, l := range b.ports {
			l.open = func(rig.PortConfig, port.Mode, timebase.Clock) (port.Port, error) { return m, nil }
		}
		if err := errors.Join(b.open(), b.Reset(t.Context(), rig.BootLoader), b.Close()); err != nil {
			t.Fatal(err)
		}
		if len(m.lines) != len(c.want) {
			t.Fatalf("%s: lines %+v, want %+v", name, m.lines, c.want)
		}
		for i := range m.lines {
			if m.lines[i] != c.want[i] {
				t.Errorf("%s: step %d is %+v, want %+v", name, i, m.lines[i], c.want[i])
			}
		}
	}
}

// A board has a source of sounds where rigs.yaml names what plays them.
func TestOpenAudio(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir()) // of leases
	addr, _ := (&far{}).serve(t)
	for _, audio := range []*rig.AudioConfig{nil, {Player: []string{"aplay"}, Within: time.Millisecond}} {
		at := &rig.PortConfig{RFC2217: addr}
		uart := rig.UARTConfig{Baud: 115200, Port: at}
		s, err := Open("bench", &rig.BoardConfig{Name: "k210", Chip: "k210", Console: uart, Loader: uart, Audio: audio,
			Reset: &rig.ResetConfig{Circuit: rig.K210, DTR: rig.IO16, RTS: rig.RST}}, timebase.Host{})
		if err != nil {
			t.Fatal(err)
		}
		if (s.Audio != nil) != (audio != nil) {
			t.Errorf("of %+v a source %v", audio, s.Audio)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}
