package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"rigor/harness/sim/board"
)

// terminal is the pseudo terminal that all UARTs are on.
type terminal struct {
	master, slave *os.File
	path          string
	baud          uint64 // as the client last set it
	deaf          bool   // nobody reads
}

func (c *simServeCmd) openTerminal(s *server) (string, error) {
	if c.PTY == "" {
		return "", nil
	}
	master, slave, err := pty.Open()
	if err != nil {
		return "", fmt.Errorf("open a pseudo terminal: %w", err)
	}
	if master, err = unblocked(master); err != nil {
		return "", fmt.Errorf("set up %s: %w", slave.Name(), err)
	}
	// The slave is held open, so that a client may come and go.
	s.terminal = &terminal{master: master, slave: slave, path: slave.Name()}
	if err := rawMode(slave); err != nil {
		return "", fmt.Errorf("set up %s: %w", slave.Name(), err)
	}
	go s.readTerminal()
	return fmt.Sprintf("%s (%s)", c.PTY, slave.Name()), nil
}

// unblocked is a file whose deadlines hold: package pty leaves it in blocking
// mode, in which a write waits for a reader, however long.
func unblocked(f *os.File) (*os.File, error) {
	defer f.Close()
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), f.Name()), nil
}

// readTerminal has what a client writes sent to all UARTs.
func (s *server) readTerminal() {
	buf := make([]byte, 4096)
	for {
		n, err := s.terminal.master.Read(buf)
		if err == nil {
			err = s.call(s.sameRate, func() error { return s.send(buf[:n]) })
		}
		if err != nil {
			return // serve has ended, or finds the terminal broken itself
		}
	}
}

func always() bool { return true }

// sameRate reports whether what is written now goes out at the rate of what was written
// before, or that is on the line.
func (s *server) sameRate() bool {
	baud, err := s.terminal.clientBaud()
	return err != nil || baud == s.terminal.baud || s.idle()
}

// idle reports whether all that was written is on the line.
func (s *server) idle() bool {
	return !slices.ContainsFunc(s.bridges, func(u adapter) bool { return s.board.Bridge(u.name).Unsent() > 0 })
}

// send writes to all UARTs in the terminal's mode, whoever has set another.
func (s *server) send(data []byte) error {
	s.terminal.baud = 0
	err := s.setRate()
	for _, u := range s.bridges {
		s.board.Bridge(u.name).Write(data)
	}
	return err
}

// followTerminal sets the UARTs' adapters to a rate that a client has set anew. A board that
// lives more slowly than its client is given the time to hear what was said before.
func (s *server) followTerminal() error {
	if s.terminal == nil || !s.idle() {
		return nil
	}
	return s.setRate()
}

// setRate sets them to the client's rate, if that is another one.
func (s *server) setRate() error {
	baud, err := s.terminal.clientBaud()
	if err != nil {
		return fmt.Errorf("read the client's baud rate: %w", err)
	}
	if baud == s.terminal.baud {
		return nil
	}
	s.terminal.baud = baud
	for _, u := range s.bridges {
		if err := s.board.Bridge(u.name).SetMode(board.Mode{Baud: baud, Parity: u.parity}); err != nil {
			return err
		}
	}
	return nil
}

// How long the board waits for a client that does not read: the first time, and
// as long as it goes on. What it then says is lost, as on a line that nobody
// listens to.
const slowReader, noReader = time.Second, tick

func (t *terminal) give(p []byte) error {
	wait := slowReader
	if t.deaf {
		wait = noReader
	}
	if err := t.master.SetWriteDeadline(time.Now().Add(wait)); err != nil {
		return fmt.Errorf("write to the pseudo terminal: %w", err)
	}
	_, err := t.master.Write(p)
	t.deaf = errors.Is(err, os.ErrDeadlineExceeded)
	if err != nil && !t.deaf {
		return fmt.Errorf("write to the pseudo terminal: %w", err)
	}
	return nil
}

func (t *terminal) close() {
	t.slave.Close()
	t.master.Close()
}

// clientBaud is the rate of the terminal's other side: on Linux the master
// shows the settings of the slave.
func (t *terminal) clientBaud() (uint64, error) {
	c, err := t.master.SyscallConn() // Fd would make the file a blocking one
	if err != nil {
		return 0, err
	}
	var settings *unix.Termios
	var inner error
	if err := c.Control(func(fd uintptr) { settings, inner = unix.IoctlGetTermios(int(fd), unix.TCGETS2) }); err != nil {
		return 0, err
	}
	if inner != nil {
		return 0, inner
	}
	if settings.Ospeed == 0 {
		return board.DefaultMode.Baud, nil
	}
	return uint64(settings.Ospeed), nil
}

// rawMode is the terminal's setting until a client comes with its own:
// nothing is echoed or translated.
func rawMode(f *os.File) error {
	t, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS2)
	if err != nil {
		return err
	}
	t.Iflag, t.Oflag, t.Lflag = 0, 0, 0
	t.Cflag = unix.CS8 | unix.CREAD | unix.CLOCAL | unix.B115200
	t.Ispeed, t.Ospeed = 115200, 115200
	return unix.IoctlSetTermios(int(f.Fd()), unix.TCSETS2, t)
}
