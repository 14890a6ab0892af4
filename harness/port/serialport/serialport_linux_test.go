package serialport

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"rigor/harness/port"
	"rigor/harness/port/porttest"
	"rigor/harness/timebase"
)

var mode8N1 = port.Mode{Baud: 115200}

// terminal is the peer's end of a pseudo terminal.
type terminal struct {
	*os.File
	path string
	mu   sync.Mutex
	got  []byte
}

func openTerminal(t *testing.T) *terminal {
	t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	m := &terminal{File: master, path: slave.Name()}
	// The slave stays open until the port is: else reads of the master fail.
	t.Cleanup(func() { slave.Close(); master.Close() })
	return m
}

// collect reads what the port sends, until the terminal closes.
func (m *terminal) collect() {
	b := make([]byte, 4096)
	for {
		n, err := m.Read(b)
		m.mu.Lock()
		m.got = append(m.got, b[:n]...)
		m.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (m *terminal) received() []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]byte(nil), m.got...)
}

// mode reads the terminal's setting. A pseudo terminal has a rate but no parity:
// the kernel drops it.
func (m *terminal) mode() (port.Mode, error) {
	t, err := unix.IoctlGetTermios(int(m.Fd()), unix.TCGETS2)
	if err != nil {
		return port.Mode{}, err
	}
	return port.Mode{Baud: int(t.Ospeed)}, nil
}

func openPort(t *testing.T, path string) port.Port {
	t.Helper()
	p, err := Open(path, mode8N1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

func TestConformance(t *testing.T) {
	porttest.Run(t, func(t *testing.T) porttest.Pair {
		m := openTerminal(t)
		p := openPort(t, m.path)
		go m.collect()
		return porttest.Pair{
			Port:       p,
			Clock:      timebase.Host{},
			Send:       func(b []byte) error { _, err := m.Write(b); return err },
			Received:   m.received,
			Modes:      []port.Mode{{Baud: 57600}, {Baud: 115200}, {Baud: 250000}}, // the last is no Bxxx rate
			Mode:       m.mode,
			Concurrent: true,
		}
	})
}

// TestHighDescriptors is the library's panic: select(2) knows 1024 descriptors.
func TestHighDescriptors(t *testing.T) {
	for range 1100 {
		f, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
	}
	m := openTerminal(t)
	p := openPort(t, m.path)
	if _, err := m.WriteString("x"); err != nil {
		t.Fatal(err)
	}
	if err := p.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if n, err := p.Read(make([]byte, 1)); n != 1 || err != nil {
		t.Errorf("read gave %d, %v", n, err)
	}
}

func TestSecondOwner(t *testing.T) {
	m := openTerminal(t)
	p := openPort(t, m.path)
	_, err := Open(m.path, mode8N1)
	if e := (*BusyError)(nil); !errors.As(err, &e) || e.Holder != "this program itself" || !strings.Contains(err.Error(), m.path) {
		t.Errorf("second open gave %v", err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := Open(m.path, mode8N1)
	if err != nil {
		t.Fatalf("open after close: %v", err)
	}
	again.Close()
}

// TestHolderIsNamed has another process lock the port.
func TestHolderIsNamed(t *testing.T) {
	m := openTerminal(t)
	other := exec.Command("flock", "-n", m.path, "sh", "-c", "echo locked; read line")
	in, err := other.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := other.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { in.Close(); _ = other.Wait() }()
	if _, err := out.Read(make([]byte, 6)); err != nil {
		t.Fatal(err)
	}
	_, err = Open(m.path, mode8N1)
	if e := (*BusyError)(nil); !errors.As(err, &e) || !strings.Contains(e.Holder, "pid ") {
		t.Errorf("open gave %v", err)
	}
}

func TestChildrenDoNotInherit(t *testing.T) {
	m := openTerminal(t)
	openPort(t, m.path)
	child := exec.Command("sh", "-c", "readlink /proc/self/fd/* || true")
	out, err := child.Output()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(out), m.path+"\n") {
		t.Errorf("a child has the port open:\n%s", out)
	}
}

func TestHangUpOnCloseIsOff(t *testing.T) {
	m := openTerminal(t)
	before := settings(t, m)
	before.Cflag |= unix.HUPCL // as on a real port
	if err := unix.IoctlSetTermios(int(m.Fd()), unix.TCSETS, before); err != nil {
		t.Fatal(err)
	}
	if settings(t, m).Cflag&unix.HUPCL == 0 {
		t.Fatal("a pseudo terminal does not keep HUPCL: this test shows nothing")
	}
	openPort(t, m.path)
	if c := settings(t, m).Cflag; c&unix.HUPCL != 0 {
		t.Errorf("c_cflag is %#o, with HUPCL", c)
	}
}

func settings(t *testing.T, m *terminal) *unix.Termios {
	t.Helper()
	s, err := unix.IoctlGetTermios(int(m.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestOpenErrors(t *testing.T) {
	plain := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(plain, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(filepath.Join(t.TempDir(), "none"), mode8N1); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no such port: %v", err)
	}
	if _, err := Open(plain, mode8N1); !errors.Is(err, unix.ENOTTY) || !strings.Contains(err.Error(), "not a serial port") {
		t.Errorf("a plain file: %v", err)
	}
	if _, err := Open(plain, port.Mode{}); err == nil || !strings.Contains(err.Error(), "0 baud") {
		t.Errorf("no rate: %v", err)
	}
}

func TestPeerGone(t *testing.T) {
	master, slave, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	p := openPort(t, slave.Name())
	slave.Close()
	master.Close()
	if _, err := p.Read(make([]byte, 1)); !errors.Is(err, ErrGone) {
		t.Errorf("read: %v, want %v", err, ErrGone)
	}
	if _, err := p.Write([]byte{1}); !errors.Is(err, ErrGone) {
		t.Errorf("write: %v, want %v", err, ErrGone)
	}
}

func TestWithLines(t *testing.T) {
	const others = unix.TIOCM_CTS | unix.TIOCM_DSR
	for l, want := range map[port.Lines]int{
		{}:                     others,
		{DTR: true}:            others | unix.TIOCM_DTR,
		{RTS: true}:            others | unix.TIOCM_RTS,
		{DTR: true, RTS: true}: others | unix.TIOCM_DTR | unix.TIOCM_RTS,
	} {
		for _, before := range []int{others, others | unix.TIOCM_DTR | unix.TIOCM_RTS} {
			if got := withLines(before, l); got != want {
				t.Errorf("%+v on %#x is %#x, want %#x", l, before, got, want)
			}
		}
	}
}

// TestList has a tree shaped as Linux lays it out: a USB adapter, a 16550, one
// that is not there, and a virtual terminal.
func TestList(t *testing.T) {
	root := t.TempDir()
	sys, dev := filepath.Join(root, "sys"), filepath.Join(root, "dev")
	usbDevice := "sys/devices/pci0/usb1/1-2"
	for path, text := range map[string]string{
		usbDevice + "/idVendor":                           "0403\n",
		usbDevice + "/idProduct":                          "6001\n",
		usbDevice + "/serial":                             "A1\n",
		usbDevice + "/manufacturer":                       "FTDI\n",
		usbDevice + "/product":                            "FT232R\n",
		usbDevice + "/1-2:1.0/bInterfaceNumber":           "00\n",
		usbDevice + "/1-2:1.0/ttyUSB0/tty/ttyUSB0/dev":    "188:0\n",
		"sys/devices/platform/serial8250/tty/ttyS0/type":  "4\n",
		"sys/devices/platform/serial8250/tty/ttyS1/type":  "0\n",
		"sys/devices/virtual/tty/tty0/dev":                "4:0\n",
		"sys/bus/usb-serial/drivers/ftdi_sio/description": "",
	} {
		write(t, filepath.Join(root, path), text)
	}
	for link, target := range map[string]string{
		"sys/class/tty/ttyUSB0":                            "../../devices/pci0/usb1/1-2/1-2:1.0/ttyUSB0/tty/ttyUSB0",
		"sys/class/tty/ttyS0":                              "../../devices/platform/serial8250/tty/ttyS0",
		"sys/class/tty/ttyS1":                              "../../devices/platform/serial8250/tty/ttyS1",
		"sys/class/tty/tty0":                               "../../devices/virtual/tty/tty0",
		usbDevice + "/1-2:1.0/ttyUSB0/tty/ttyUSB0/device":  "../..",
		usbDevice + "/1-2:1.0/ttyUSB0/driver":              "../../../../../../bus/usb-serial/drivers/ftdi_sio",
		"sys/devices/platform/serial8250/tty/ttyS0/device": "../..",
		"sys/devices/platform/serial8250/tty/ttyS1/device": "../..",
		"dev/serial/by-path/pci-0-usb-0:2:1.0-port0":       "../../ttyUSB0",
		"dev/serial/by-id/usb-FTDI_FT232R_A1-if00-port0":   "../../ttyUSB0",
	} {
		symlink(t, target, filepath.Join(root, link))
	}
	got, err := list(sys, dev)
	if err != nil {
		t.Fatal(err)
	}
	want := []Info{
		{Path: dev + "/ttyS0"},
		{Path: dev + "/ttyUSB0", ByPath: dev + "/serial/by-path/pci-0-usb-0:2:1.0-port0",
			ByID: dev + "/serial/by-id/usb-FTDI_FT232R_A1-if00-port0", Driver: "ftdi_sio",
			USB: &USB{"1-2:1.0", "0403", "6001", "A1", "FTDI", "FT232R"}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	if got, want := got[1].String(), dev+"/ttyUSB0 (usb 1-2:1.0, 0403:6001 FTDI FT232R)"; got != want {
		t.Errorf("name is %q, want %q", got, want)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
}

func symlink(t *testing.T, target, path string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.Symlink(target, path)); err != nil {
		t.Fatal(err)
	}
}
