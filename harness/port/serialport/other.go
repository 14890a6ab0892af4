//go:build !linux

package serialport

import (
	"errors"
	"fmt"

	"rigor/harness/port"
)

// Open opens a serial device.
func Open(path string, _ port.Mode) (port.Port, error) {
	return nil, fmt.Errorf("open serial port %s: %w on this system", path, errors.ErrUnsupported)
}

// List lists the host's serial ports.
func List() ([]Info, error) {
	return nil, fmt.Errorf("list serial ports: %w on this system", errors.ErrUnsupported)
}
