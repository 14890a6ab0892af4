package serialport

import "errors"

// ErrGone is a device that went away: unplugged, or the peer of a pseudo
// terminal closed.
var ErrGone = errors.New("the device is gone")

// BusyError is a port that another program has.
type BusyError struct {
	Holder string // "minicom (pid 123)"; empty: not to be seen from here
}

func (e *BusyError) Error() string {
	if e.Holder == "" {
		return "another program has it: find out which with `sudo fuser -v PORT` and end it"
	}
	return "in use by " + e.Holder + ": end that first"
}
