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
			USB:    usb(sys, device),
		})
	}
	return out, nil
}

// links maps device names to the links in a folder of udev's.
func links(folder string) map[string]string {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil // udev makes the folder with the first link
	}
	out := map[string]string{}
	for _, e := range entries {
		link := filepath.Join(folder, e.Name())
		if target, err := os.Readlink(link); err == nil {
			out[filepath.Base(target)] = link
		}
	}
	return out
}

func driver(device string) string {
	target, err := os.Readlink(filepath.Join(device, "driver"))
	if err != nil {
		return ""
	}
	return filepath.Base(target)
}

// usb climbs from a port to the USB device that it is a function of.
func usb(sys, device string) *USB {
	root, err := filepath.EvalSymlinks(sys)
	if err != nil {
		return nil
	}
	path := ""
	for d := device; strings.HasPrefix(d, root) && d != root; d = filepath.Dir(d) {
		if attribute(d, "bInterfaceNumber") != "" {
			path = filepath.Base(d)
		}
		if vid := attribute(d, "idVendor"); vid != "" {
			return &USB{path, vid, attribute(d, "idProduct"), attribute(d, "serial"),
				attribute(d, "manufacturer"), attribute(d, "product")}
		}
	}
	return nil
}

// attribute is empty for one that is not there: most are optional.
func attribute(folder, name string) string {
	b, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}
