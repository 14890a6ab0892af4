package hardware

import (
	"context"
	"fmt"
	"io/fs"
	"strings"

	"rigor/harness/port"
	"rigor/harness/port/rfc2217"
	"rigor/harness/port/serialport"
	"rigor/harness/rig"
	"rigor/harness/timebase"
)

// openPort opens the port that rigs.yaml names, and no other.
func openPort(at rig.PortConfig, m port.Mode, clock timebase.Clock) (port.Port, error) {
	if at.RFC2217 != "" {
		return rfc2217.Dial(context.Background(), at.RFC2217, m, clock)
	}
	path := at.Device
	if at.USB != nil {
		all, err := serialport.List()
		if err != nil {
			return nil, err
		}
		if path, err = find(at, all); err != nil {
			return nil, err
		}
	}
	return serialport.Open(path, m)
}

// AbsentError is a port that is not plugged in.
type AbsentError struct {
	Port rig.PortConfig
	Have []serialport.Info // the USB ports that there are
}

func (e *AbsentError) Error() string {
	var have []string
	for _, p := range e.Have {
		have = append(have, fmt.Sprintf("%v serial %q", p, p.USB.Serial))
	}
	if have == nil {
		return fmt.Sprintf("no port %v: this host has no USB serial port", e.Port)
	}
	return fmt.Sprintf("no port %v: there are %s", e.Port, strings.Join(have, ", "))
}

func (e *AbsentError) Unwrap() error { return fs.ErrNotExist }

// find gives the path of a USB port. Two that answer to the same description
// are an error: one of them would be the wrong board.
func find(at rig.PortConfig, all []serialport.Info) (string, error) {
	var found, have []serialport.Info
	for _, p := range all {
		if p.USB == nil {
			continue
		}
		have = append(have, p)
		if matches(*at.USB, *p.USB) {
			found = append(found, p)
		}
	}
	switch len(found) {
	case 0:
		return "", &AbsentError{Port: at, Have: have}
	case 1:
		return found[0].Path, nil
	}
	return "", fmt.Errorf("%d ports are %v: %v; %s", len(found), at, found, tellApart(found))
}

// tellApart says how to name one of several ports: by its socket, unless they
// are all on one interface of an adapter.
func tellApart(found []serialport.Info) string {
	if found[0].USB.Path != found[1].USB.Path {
		return fmt.Sprintf("name the socket instead, usb: {path: %s}", found[0].USB.Path)
	}
	link := found[0].ByPath
	if link == "" {
		link = "/dev/serial/by-path/…"
	}
	return fmt.Sprintf("name udev's link instead, device: %s", link)
}

func matches(want rig.USBConfig, is serialport.USB) bool {
	if want.Path != "" {
		return want.Path == is.Path
	}
	return want.VID == is.VID && want.PID == is.PID && want.Serial == is.Serial
}
