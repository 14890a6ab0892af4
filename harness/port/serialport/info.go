package serialport

import (
	"fmt"
	"strings"
)

// Info is a serial port of the host.
type Info struct {
	Path string // /dev/ttyUSB0: changes with the order of plugging in
	// ByPath names the socket it is plugged into and ByID the adapter, both as
	// links below /dev/serial; empty if udev made none. Adapters' serial numbers
	// are often the same: prefer ByPath.
	ByPath, ByID string
	Driver       string
	USB          *USB // nil: not a USB device
}

// USB is where an adapter is plugged in and what it says of itself.
type USB struct {
	// Path is 1-1.4:1.0: bus and sockets, configuration and interface. The number of
	// the bus is the host's, in the order in which it finds its controllers.
	Path                  string
	VID, PID              string // four hexadecimal digits
	Serial                string
	Manufacturer, Product string
}

func (i Info) String() string {
	if i.USB == nil {
		return i.Path
	}
	name := strings.TrimSpace(i.USB.Manufacturer + " " + i.USB.Product)
	return strings.TrimSpace(fmt.Sprintf("%s (usb %s, %s:%s %s", i.Path, i.USB.Path, i.USB.VID, i.USB.PID, name)) + ")"
}
