package serialport

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// List lists the host's serial ports that have hardware behind them. It opens
// none of them.
func List() ([]Info, error) { return list("/sys", "/dev") }

func list(sys, dev string) ([]Info, error) {
	entries, err := os.ReadDir(filepath.Join(sys, "class/tty"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // a kernel without terminals
	}
	if err != nil {
		return nil, fmt.Errorf("list serial ports: %w", err)
	}
	byPath, byID := links(filepath.Join(dev, "serial/by-path")), links(filepath.Join(dev, "serial/by-id"))
	var out []Info
	for _, e := range entries {
		class := filepath.Join(sys, "class/tty", e.Name())
		device, err := filepath.EvalSymlinks(filepath.Join(class, "device"))
		if err != nil || attribute(class, "type") == "0" {
			continue // virtual, or a 16550 that is not there (PORT_UNKNOWN)
		}
		out = append(out, Info{
			Path:   filepath.Join(dev, e.Name()),
			ByPath: byPath[e.Name()],
			ByID:   byID[e.Name()],
			Driver: driver(device),
			USB:    usb(device),
		})
	}
	return out, nil
}

// links maps device names to the links in a folder of udev's, of several to the
// first: newer ones name a socket twice, as usb-0:1.4 and as usbv2-0:1.4.
func links(folder string) map[string]string {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil // udev makes the folder with the first link
	}
	out := map[string]string{}
	for _, e := range entries {
		link := filepath.Join(folder, e.Name())
		target, err := os.Readlink(link)
		if name := filepath.Base(target); err == nil && out[name] == "" {
			out[name] = link
		}
	}
	return out
}

// driver names what drives the hardware: since Linux 6.5 the core of serial ports
// puts two devices of its own, on the bus serial-base, between the hardware and the
// terminal.
func driver(device string) string {
	for d := device; ; d = filepath.Dir(d) {
		target, err := os.Readlink(filepath.Join(d, "driver"))
		if err != nil {
			return ""
		}
		if filepath.Base(filepath.Dir(filepath.Dir(target))) != "serial-base" {
			return filepath.Base(target)
		}
	}
}

// usb finds the USB device that a port is a function of: the port's device is the
// interface (CDC ACM), or a child of it (usb-serial). What lies deeper is another
// thing that only happens to hang on USB, such as a Bluetooth adapter's rfcomm.
func usb(device string) *USB {
	face := device
	if attribute(face, "bInterfaceNumber") == "" {
		face = filepath.Dir(device)
	}
	d := filepath.Dir(face)
	vid := attribute(d, "idVendor")
	if attribute(face, "bInterfaceNumber") == "" || vid == "" {
		return nil
	}
	return &USB{filepath.Base(face), vid, attribute(d, "idProduct"), attribute(d, "serial"),
		attribute(d, "manufacturer"), attribute(d, "product")}
}

// attribute is empty for one that is not there: most are optional.
func attribute(folder, name string) string {
	b, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}
