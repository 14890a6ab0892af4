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

// tree lays out /sys and /dev as Linux and udev do.
type tree struct {
	*testing.T
	root string
}

func (r tree) sys() string { return filepath.Join(r.root, "sys") }
func (r tree) dev() string { return filepath.Join(r.root, "dev") }

// files writes the attributes of a device, whose folder is below /sys/devices.
func (r tree) files(device string, attributes ...string) {
	r.Helper()
	for i := 0; i < len(attributes); i += 2 {
		write(r.T, filepath.Join(r.sys(), "devices", device, attributes[i]), attributes[i+1]+"\n")
	}
}

// tty makes a terminal of a device: its folder, the class's link to it, and its
// link back. Attributes are the terminal's.
func (r tree) tty(name, device string, attributes ...string) {
	r.Helper()
	at := filepath.Join(device, "tty", name)
	r.files(at, append(attributes, "uevent", "DEVNAME="+name)...)
	symlink(r.T, filepath.Join("../../devices", at), filepath.Join(r.sys(), "class/tty", name))
	symlink(r.T, "../../../"+filepath.Base(device), filepath.Join(r.sys(), "devices", at, "device"))
}

// driver binds a device to a driver of a bus.
func (r tree) driver(device, bus, name string) {
	r.Helper()
	up := strings.Repeat("../", strings.Count(device, "/")+2)
	symlink(r.T, up+"bus/"+bus+"/drivers/"+name, filepath.Join(r.sys(), "devices", device, "driver"))
}

// usbSerial is an adapter's port: a device of the bus usb-serial below the
// interface.
func (r tree) usbSerial(device, config, name, number, driver string) {
	r.Helper()
	face := filepath.Join(device, filepath.Base(device)+":"+config)
	r.files(face, "bInterfaceNumber", "0"+config[len(config)-1:], "bInterfaceClass", "ff")
	r.files(filepath.Join(face, name), "port_number", number)
	r.driver(face, "usb", driver)
	r.driver(filepath.Join(face, name), "usb-serial", driver)
	r.tty(name, filepath.Join(face, name))
}

const (
	xhci = "pci0000:00/0000:00:14.0/usb1"
	hub  = xhci + "/1-1"
)

// bench is what may be plugged in: adapters of the usual makers behind hubs, with
// and without a serial number, with several interfaces, with several ports on one
// interface; CDC ACM devices; ports of the host itself; and terminals that are none.
func bench(t *testing.T) tree {
	r := tree{t, t.TempDir()}
	r.files(xhci, "idVendor", "1d6b", "idProduct", "0002", "serial", "0000:00:14.0", "product", "xHCI Host Controller")
	r.files(hub, "idVendor", "05e3", "idProduct", "0610", "product", "USB2.1 Hub")
	r.files(hub+"/1-1:1.0", "bInterfaceNumber", "00", "bInterfaceClass", "09")

	r.files(hub+"/1-1.1", "idVendor", "10c4", "idProduct", "ea60", "serial", "0001", "manufacturer", "Silicon Labs", "product", "CP2102 USB to UART Bridge Controller")
	r.usbSerial(hub+"/1-1.1", "1.0", "ttyUSB0", "0", "cp210x")
	r.files(hub+"/1-1.2", "idVendor", "1a86", "idProduct", "7523", "product", "USB Serial")
	r.usbSerial(hub+"/1-1.2", "1.0", "ttyUSB1", "0", "ch341-uart")
	inner := hub + "/1-1.4"
	r.files(inner, "idVendor", "0424", "idProduct", "2514")
	r.files(inner+"/1-1.4.3", "idVendor", "0403", "idProduct", "6010", "serial", "FT5A 1 ", "manufacturer", "FTDI", "product", "Dual RS232-HS")
	r.usbSerial(inner+"/1-1.4.3", "1.0", "ttyUSB2", "0", "ftdi_sio")
	r.usbSerial(inner+"/1-1.4.3", "1.1", "ttyUSB10", "0", "ftdi_sio")
	r.files(xhci+"/1-2", "idVendor", "9710", "idProduct", "7820")
	r.usbSerial(xhci+"/1-2", "1.0", "ttyUSB3", "0", "mos7840")
	r.usbSerialAgain(xhci+"/1-2", "1.0", "ttyUSB4", "1", "mos7840")

	jtag := xhci + "/1-3"
	r.files(jtag, "idVendor", "303a", "idProduct", "1001", "serial", "7C:DF:A1:00:11:22", "manufacturer", "Espressif", "product", "USB JTAG/serial debug unit")
	r.files(jtag+"/1-3:1.0", "bInterfaceNumber", "00", "bInterfaceClass", "02")
	r.files(jtag+"/1-3:1.1", "bInterfaceNumber", "01", "bInterfaceClass", "0a")
	r.driver(jtag+"/1-3:1.0", "usb", "cdc_acm")
	r.tty("ttyACM0", jtag+"/1-3:1.0")

	bluetooth := xhci + "/1-7"
	r.files(bluetooth, "idVendor", "8087", "idProduct", "0a2b")
	r.files(bluetooth+"/1-7:1.0", "bInterfaceNumber", "00")
	r.tty("rfcomm0", bluetooth+"/1-7:1.0/bluetooth/hci0/hci0:11")

	r.files("pnp0/00:04", "id", "PNP0501")
	r.driver("pnp0/00:04", "pnp", "serial")
	r.driver("pnp0/00:04/00:04:0", "serial-base", "ctrl")
	r.driver("pnp0/00:04/00:04:0/00:04:0.0", "serial-base", "port")
	r.tty("ttyS0", "pnp0/00:04/00:04:0/00:04:0.0", "type", "4")
	r.driver("platform/serial8250", "platform", "serial8250")
	r.tty("ttyS1", "platform/serial8250", "type", "0")
	r.driver("platform/soc/fe201000.serial", "amba", "uart-pl011")
	r.tty("ttyAMA0", "platform/soc/fe201000.serial", "type", "32")
	r.files("virtual/tty/tty0", "dev", "4:0")
	symlink(t, "../../devices/virtual/tty/tty0", filepath.Join(r.sys(), "class/tty/tty0"))
	return r
}

// usbSerialAgain is a further port on an interface.
func (r tree) usbSerialAgain(device, config, name, number, driver string) {
	r.Helper()
	at := filepath.Join(device, filepath.Base(device)+":"+config, name)
	r.files(at, "port_number", number)
	r.driver(at, "usb-serial", driver)
	r.tty(name, at)
}

func TestList(t *testing.T) {
	r := bench(t)
	for link, name := range map[string]string{
		"by-path/pci-0000:00:14.0-usb-0:1.1:1.0-port0":                                "ttyUSB0",
		"by-path/pci-0000:00:14.0-usbv2-0:1.1:1.0-port0":                              "ttyUSB0",
		"by-id/usb-Silicon_Labs_CP2102_USB_to_UART_Bridge_Controller_0001-if00-port0": "ttyUSB0",
		"by-path/pci-0000:00:14.0-usb-0:2:1.0-port0":                                  "ttyUSB3",
		"by-path/pci-0000:00:14.0-usb-0:2:1.0-port1":                                  "ttyUSB4",
		"by-id/usb-Espressif_USB_JTAG_serial_debug_unit_7C:DF:A1:00:11:22-if00":       "ttyACM0",
		"by-path/pci-0000:00:14.0-usb-0:3:1.0":                                        "ttyACM0",
	} {
		symlink(t, "../../"+name, filepath.Join(r.dev(), "serial", link))
	}
	got, err := list(r.sys(), r.dev())
	if err != nil {
		t.Fatal(err)
	}
	d, path, id := r.dev(), r.dev()+"/serial/by-path/", r.dev()+"/serial/by-id/"
	want := []Info{
		{Path: d + "/rfcomm0"},
		{Path: d + "/ttyACM0", ByPath: path + "pci-0000:00:14.0-usb-0:3:1.0", ByID: id + "usb-Espressif_USB_JTAG_serial_debug_unit_7C:DF:A1:00:11:22-if00", Driver: "cdc_acm",
			USB: &USB{"1-3:1.0", "303a", "1001", "7C:DF:A1:00:11:22", "Espressif", "USB JTAG/serial debug unit"}},
		{Path: d + "/ttyAMA0", Driver: "uart-pl011"},
		{Path: d + "/ttyS0", Driver: "serial"},
		{Path: d + "/ttyUSB0", ByPath: path + "pci-0000:00:14.0-usb-0:1.1:1.0-port0", ByID: id + "usb-Silicon_Labs_CP2102_USB_to_UART_Bridge_Controller_0001-if00-port0", Driver: "cp210x",
			USB: &USB{"1-1.1:1.0", "10c4", "ea60", "0001", "Silicon Labs", "CP2102 USB to UART Bridge Controller"}},
		{Path: d + "/ttyUSB1", Driver: "ch341-uart", USB: &USB{"1-1.2:1.0", "1a86", "7523", "", "", "USB Serial"}},
		{Path: d + "/ttyUSB10", Driver: "ftdi_sio", USB: &USB{"1-1.4.3:1.1", "0403", "6010", "FT5A 1", "FTDI", "Dual RS232-HS"}},
		{Path: d + "/ttyUSB2", Driver: "ftdi_sio", USB: &USB{"1-1.4.3:1.0", "0403", "6010", "FT5A 1", "FTDI", "Dual RS232-HS"}},
		{Path: d + "/ttyUSB3", ByPath: path + "pci-0000:00:14.0-usb-0:2:1.0-port0", Driver: "mos7840", USB: &USB{"1-2:1.0", "9710", "7820", "", "", ""}},
		{Path: d + "/ttyUSB4", ByPath: path + "pci-0000:00:14.0-usb-0:2:1.0-port1", Driver: "mos7840", USB: &USB{"1-2:1.0", "9710", "7820", "", "", ""}},
	}
	if len(got) != len(want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	for i := range got {
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Errorf("got %+v %+v\nwant %+v %+v", got[i], got[i].USB, want[i], want[i].USB)
		}
	}
	if got, want := want[5].String(), d+"/ttyUSB1 (usb 1-1.2:1.0, 1a86:7523 USB Serial)"; got != want {
		t.Errorf("name is %q, want %q", got, want)
	}
}

// A device that is unplugged while it is looked at is not in the list, or without
// what could not be read.
func TestListWhileUnplugging(t *testing.T) {
	r := bench(t)
	if err := os.RemoveAll(filepath.Join(r.sys(), "devices", hub)); err != nil {
		t.Fatal(err)
	}
	got, err := list(r.sys(), r.dev())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range got {
		if p.USB != nil && strings.HasPrefix(p.USB.Path, "1-1") {
			t.Errorf("%v is still there", p)
		}
	}
	if none, err := list(filepath.Join(r.root, "no-sys"), r.dev()); none != nil || err != nil {
		t.Errorf("a kernel without terminals: %v, %v", none, err)
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
