package rig

import (
	"fmt"
	"net"
	"path/filepath"
	"regexp"
	"strconv"
	"time"
)

// PortConfig names a serial port by what stays the same when boards are plugged
// in again, in one of three forms.
type PortConfig struct {
	USB     *USBConfig `yaml:"usb" json:"usb,omitempty"`
	Device  string     `yaml:"device" json:"device,omitempty"`   // a path: /dev/serial/by-id/…, /dev/ttyAMA0
	RFC2217 string     `yaml:"rfc2217" json:"rfc2217,omitempty"` // host:port of a serial server
}

// USBConfig finds an adapter by the socket it is in, or by what it says of
// itself. A host that finds its USB controllers in another order, as after a card
// was added, gives the sockets' buses other numbers; udev's /dev/serial/by-path
// does not.
type USBConfig struct {
	Path   string `yaml:"path" json:"path,omitempty"` // 1-1.4:1.0, as in /sys/bus/usb/devices
	VID    string `yaml:"vid" json:"vid,omitempty"`   // 0403
	PID    string `yaml:"pid" json:"pid,omitempty"`   // 6001
	Serial string `yaml:"serial" json:"serial,omitempty"`
}

func (p PortConfig) String() string {
	switch {
	case p.USB != nil && p.USB.Path != "":
		return "usb " + p.USB.Path
	case p.USB != nil:
		return fmt.Sprintf("usb %s:%s serial %s", p.USB.VID, p.USB.PID, p.USB.Serial)
	case p.RFC2217 != "":
		return "rfc2217 " + p.RFC2217
	}
	return p.Device
}

// Same reports whether two descriptions are of one port.
func (p PortConfig) Same(o PortConfig) bool { return p.String() == o.String() }

// OneUART reports a board whose program speaks on the UART, and so through the
// adapter, that its boot loader does.
func (b *BoardConfig) OneUART() bool {
	c, l := b.Console, b.Loader
	if (c.Port == nil) != (l.Port == nil) || c.Port != nil && !c.Port.Same(*l.Port) {
		return false
	}
	return c.TX == l.TX && c.RX == l.RX
}

var (
	usbPath  = regexp.MustCompile(`^\d+-\d+(\.\d+)*:\d+\.\d+$`)
	usbID    = regexp.MustCompile(`^[0-9a-f]{4}$`)
	fleeting = regexp.MustCompile(`^/dev/tty(USB|ACM)\d+$`)
	hexID    = regexp.MustCompile(`^[0-9a-f]*$`)
)

// hardware checks what only real boards have.
func (s scoped) hardware(b *BoardConfig) {
	s.at("console", "port").port("console", b.Console.Port)
	s.at("loader", "port").port("loader", b.Loader.Port)
	if n := wirings[b.Chip].uidDigits; b.UID != "" && n > 0 && (len(b.UID) != n || !hexID.MatchString(b.UID)) {
		s.at("uid").errorf("board %q: uid %q: want %d lower-case hexadecimal digits, as `rigor rigs check` shows them", b.Name, b.UID, n)
	}
	if b.AccessPoint {
		s.at("access_point").errorf("board %q: no access point can be put into the air of a real board; remove it", b.Name)
	}
	if b.Audio != nil {
		s.at("audio").audio(b.Name, b.Audio)
	}
	if b.Seed != 0 {
		s.at("seed").errorf("board %q: a real board has no seed; remove it", b.Name)
	}
	if b.Reset == nil {
		s.errorf("board %q: it needs %s: without modem lines nothing can reset the board into its boot loader", b.Name, usualReset(b.Chip))
		return
	}
	s.at("reset").reset(b)
}

// audio checks the sound device.
func (s scoped) audio(board string, a *AudioConfig) {
	switch {
	case len(a.Player) == 0 || a.Player[0] == "":
		s.at("player").errorf("board %q: audio needs a command that plays a WAV file, such as [aplay, -q]", board)
	case a.Delay < 0 || a.Delay > maxDelay:
		s.at("delay").errorf("board %q: a delay of %v from the command to the sound cannot be; want up to %v", board, a.Delay, maxDelay)
	case a.Within <= 0 || a.Within > maxDelay:
		s.at("within").errorf("board %q: audio needs `within`, by how much its delay may be wrong, above 0 and up to %v", board, maxDelay)
	}
}

// maxDelay is far above what sound devices buffer.
const maxDelay = 10 * time.Second

// virtual refuses what a simulated board has no use for. Modem lines it may have.
func (s scoped) virtual(b *BoardConfig) {
	for _, c := range []struct {
		path []any
		is   bool
	}{
		{[]any{"console", "port"}, b.Console.Port != nil}, {[]any{"loader", "port"}, b.Loader.Port != nil},
		{[]any{"reset", "port"}, b.Reset != nil && b.Reset.Port != nil}, {[]any{"uid"}, b.UID != ""},
		{[]any{"audio"}, b.Audio != nil},
	} {
		if c.is {
			s.at(c.path...).errorf("board %q: %v is for rigs of kind hardware; remove it", b.Name, c.path[len(c.path)-1])
		}
	}
	if b.Reset != nil {
		s.at("reset").reset(b)
	}
}

func (s scoped) port(use string, p *PortConfig) {
	if p == nil {
		s.errorf("%s: a real board needs a port: {usb: {path: …}}, {device: …} or {rfc2217: host:port}", use)
		return
	}
	forms := 0
	for _, is := range []bool{p.USB != nil, p.Device != "", p.RFC2217 != ""} {
		if is {
			forms++
		}
	}
	switch {
	case forms != 1:
		s.errorf("%s: the port has %d of usb, device and rfc2217; give one", use, forms)
	case p.USB != nil:
		s.at("usb").usb(use, p.USB)
	case p.RFC2217 != "":
		s.at("rfc2217").server(use, p.RFC2217)
	case fleeting.MatchString(p.Device):
		s.at("device").errorf("%s: %s changes with the order of plugging in; give the socket, usb: {path: …}, or a link below /dev/serial; `rigor rigs check` lists both",
			use, p.Device)
	case !filepath.IsAbs(p.Device):
		s.at("device").errorf("%s: device %q: want a path from the root, such as /dev/ttyAMA0", use, p.Device)
	}
}

func (s scoped) usb(use string, u *USBConfig) {
	itself := u.VID != "" || u.PID != "" || u.Serial != ""
	switch {
	case u.Path != "" && itself, u.Path == "" && !itself:
		s.errorf("%s: a usb port needs path, or vid, pid and serial together", use)
	case itself && (!usbID.MatchString(u.VID) || !usbID.MatchString(u.PID) || u.Serial == ""):
		s.errorf("%s: vid %q, pid %q, serial %q: want four lower-case hexadecimal digits for each of the first two, and a serial; an adapter without one is found by its path",
			use, u.VID, u.PID, u.Serial)
	case !itself && !usbPath.MatchString(u.Path):
		s.at("path").errorf("%s: usb path %q: want socket and interface as in /sys/bus/usb/devices, such as 1-1.4:1.0", use, u.Path)
	}
}

func (s scoped) server(use, addr string) {
	host, number, err := net.SplitHostPort(addr)
	if n, bad := strconv.Atoi(number); err != nil || host == "" || bad != nil || n < 1 || n > 65535 {
		s.errorf("%s: rfc2217 %q: want host:port, such as rack1:2217", use, addr)
	}
}

// shared refuses two boards of a rig on one port. Console, loader and reset of
// one board may be on the same.
func (s scoped) shared(r *RigConfig) {
	owner := map[string]string{}
	for i, b := range r.Boards {
		if b == nil {
			continue
		}
		for j, p := range []*PortConfig{b.Console.Port, b.Loader.Port} {
			if p == nil {
				continue
			}
			use := [...]string{"console", "loader"}[j]
			if other, taken := owner[p.String()]; taken && other != b.Name {
				s.at("boards", i, use, "port").errorf("%s: %v is the port of board %q already", use, p, other)
			}
			owner[p.String()] = b.Name
		}
	}
}
