package serialport

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"go.bug.st/serial"
	"golang.org/x/sys/unix"

	"rigor/harness/port"
)

// stuckAfter is how much longer than its time on the line a write may take.
const stuckAfter = 5 * time.Second

type device struct {
	path     string
	file     *os.File    // bytes, lines, lock
	settings serial.Port // the line's setting
	baud     atomic.Int64
	closed   atomic.Bool
}

var (
	_ port.Port    = (*device)(nil)
	_ port.Breaker = (*device)(nil)
)

// Open opens a serial device, makes it raw, and sets the mode. It is an error,
// of type *BusyError, if another program has it.
func Open(path string, m port.Mode) (port.Port, error) {
	d, err := open(path, m)
	if err != nil {
		return nil, fmt.Errorf("open serial port %s: %w", path, err)
	}
	return d, nil
}

func open(path string, m port.Mode) (_ *device, err error) {
	mode, err := libraryMode(m)
	if err != nil {
		return nil, err
	}
	// O_NONBLOCK keeps the open from waiting for a carrier, and lets Go's poller
	// serve the file: deadlines, and a Close that ends a Read.
	f, err := os.OpenFile(path, os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, explainOpen(path, err)
	}
	defer func() {
		if err != nil {
			f.Close()
		}
	}()
	d := &device{path: path, file: f}
	if err := d.claim(); err != nil {
		return nil, err
	}
	d.settings, err = serial.Open(path, mode)
	if err != nil {
		return nil, explainOpen(path, err)
	}
	d.baud.Store(int64(m.Baud))
	if err := d.closeOnExec(); err != nil {
		return nil, errors.Join(err, d.settings.Close())
	}
	return d, nil
}

// claim takes the lock and turns HUPCL off.
func (d *device) claim() error {
	return d.control(func(fd int) error {
		err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB)
		if errors.Is(err, unix.EWOULDBLOCK) {
			return &BusyError{Holder: holderOf(d.path)}
		}
		if err != nil {
			return fmt.Errorf("lock: %w", err)
		}
		t, err := unix.IoctlGetTermios(fd, unix.TCGETS)
		if err != nil {
			return fmt.Errorf("it is not a serial port: %w", err)
		}
		t.Cflag &^= unix.HUPCL
		if err := unix.IoctlSetTermios(fd, unix.TCSETS, t); err != nil {
			return fmt.Errorf("turn off hang-up on close: %w", err)
		}
		return nil
	})
}

// closeOnExec marks the library's descriptor, which is any other than ours that
// is open on the same device. A descriptor that closes meanwhile is no matter.
func (d *device) closeOnExec() error {
	info, err := d.file.Stat()
	if err != nil {
		return err
	}
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return fmt.Errorf("keep children off the port: %w", err)
	}
	for _, e := range fds {
		other, err := os.Stat(filepath.Join("/proc/self/fd", e.Name()))
		if err != nil || !os.SameFile(info, other) {
			continue
		}
		var fd int
		if _, err := fmt.Sscan(e.Name(), &fd); err == nil {
			unix.CloseOnExec(fd)
		}
	}
	return nil
}

// control calls f with the descriptor, while it is sure to be open.
func (d *device) control(f func(fd int) error) error {
	if d.closed.Load() {
		return os.ErrClosed
	}
	c, err := d.file.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	if err := c.Control(func(fd uintptr) { inner = f(int(fd)) }); err != nil {
		return err
	}
	return inner
}

// wrap says what was attempted, and names a device that went away.
func (d *device) wrap(what string, err error) error {
	switch {
	case err == nil:
		return nil
	case d.closed.Load(): // the poller has an error of its own for it
		err = os.ErrClosed
	case errors.Is(err, io.EOF), errors.Is(err, unix.EIO), errors.Is(err, unix.ENXIO), errors.Is(err, unix.ENODEV):
		return fmt.Errorf("%s %s: %w: plug it in again, or restart the other end", what, d.path, ErrGone)
	}
	var path *os.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return fmt.Errorf("%s %s: %w", what, d.path, err)
}

func (d *device) Read(p []byte) (int, error) {
	n, err := d.file.Read(p)
	return n, d.wrap("read", err)
}

// Write takes all of p. It gives up on a line that takes nothing.
func (d *device) Write(p []byte) (int, error) {
	const bits = 11 // the longest frame
	onLine := time.Duration(len(p)) * bits * time.Second / time.Duration(d.baud.Load())
	if err := d.file.SetWriteDeadline(time.Now().Add(onLine + stuckAfter)); err != nil {
		return 0, d.wrap("write", err)
	}
	n, err := d.file.Write(p)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return n, fmt.Errorf("write %s: the line took %d of %d bytes, then no more: nobody reads them", d.path, n, len(p))
	}
	return n, d.wrap("write", err)
}

func (d *device) SetReadDeadline(t time.Time) error {
	return d.wrap("set the read deadline of", d.file.SetReadDeadline(t))
}

// SetMode lets out what was written before.
func (d *device) SetMode(m port.Mode) error {
	mode, err := libraryMode(m)
	if err != nil {
		return d.wrap("set the mode of", err)
	}
	if err := d.drain(); err != nil {
		return err
	}
	if err := d.settings.SetMode(mode); err != nil {
		return d.wrap(fmt.Sprintf("set %v on", m), err)
	}
	d.baud.Store(int64(m.Baud))
	return nil
}

// retry repeats a system call that a signal broke off.
func retry(f func() error) error {
	for {
		if err := f(); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

func (d *device) SetLines(l port.Lines) error {
	err := d.control(func(fd int) error {
		status, err := unix.IoctlGetInt(fd, unix.TIOCMGET)
		if err != nil {
			return err
		}
		return unix.IoctlSetPointerInt(fd, unix.TIOCMSET, withLines(status, l))
	})
	if errors.Is(err, unix.ENOTTY) || errors.Is(err, unix.EINVAL) {
		err = fmt.Errorf("it has no DTR and RTS: %w", errors.ErrUnsupported)
	}
	return d.wrap("set the lines of", err)
}

// withLines changes the two lines in a modem status word and nothing else.
func withLines(status int, l port.Lines) int {
	status &^= unix.TIOCM_DTR | unix.TIOCM_RTS
	if l.DTR {
		status |= unix.TIOCM_DTR
	}
	if l.RTS {
		status |= unix.TIOCM_RTS
	}
	return status
}

// SetBreak begins a break when all that was written is on the line, or ends it.
func (d *device) SetBreak(on bool) error {
	request := uint(unix.TIOCCBRK)
	if on {
		request = unix.TIOCSBRK
		if err := d.drain(); err != nil {
			return err
		}
	}
	err := d.control(func(fd int) error { return unix.IoctlSetInt(fd, request, 0) })
	if errors.Is(err, unix.ENOTTY) || errors.Is(err, unix.EINVAL) {
		err = fmt.Errorf("it has no break: %w", errors.ErrUnsupported)
	}
	return d.wrap("set the break of", err)
}

// drain waits for what was written to be on the line.
func (d *device) drain() error {
	if d.closed.Load() {
		return d.wrap("drain", os.ErrClosed)
	}
	return d.wrap("drain", retry(d.settings.Drain))
}

func (d *device) DiscardInput() error {
	return d.wrap("discard the input of", d.control(func(fd int) error {
		return unix.IoctlSetInt(fd, unix.TCFLSH, unix.TCIFLUSH)
	}))
}

func (d *device) Close() error {
	if d.closed.Swap(true) {
		return d.wrap("close", os.ErrClosed)
	}
	if err := errors.Join(d.settings.Close(), d.file.Close()); err != nil {
		return fmt.Errorf("close %s: %w", d.path, err)
	}
	return nil
}

// libraryMode refuses what the library would take for something else: it makes
// 9600 baud of 0.
func libraryMode(m port.Mode) (*serial.Mode, error) {
	if m.Baud <= 0 {
		return nil, fmt.Errorf("%d baud is no rate", m.Baud)
	}
	parity, ok := map[port.Parity]serial.Parity{
		port.ParityNone: serial.NoParity, port.ParityEven: serial.EvenParity, port.ParityOdd: serial.OddParity,
	}[m.Parity]
	if !ok {
		return nil, fmt.Errorf("parity %d is unknown", m.Parity)
	}
	return &serial.Mode{BaudRate: m.Baud, DataBits: 8, Parity: parity, StopBits: serial.OneStopBit}, nil
}
