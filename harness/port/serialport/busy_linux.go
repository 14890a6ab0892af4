package serialport

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"go.bug.st/serial"
	"golang.org/x/sys/unix"
)

// explainOpen says what to do about an open that went wrong.
func explainOpen(path string, err error) error {
	if path := (*fs.PathError)(nil); errors.As(err, &path) {
		err = path.Err // the path is named already
	}
	var library *serial.PortError
	busy := errors.As(err, &library) && library.Code() == serial.PortBusy
	switch {
	case busy || errors.Is(err, unix.EBUSY):
		return &BusyError{Holder: holderOf(path)}
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w: join the port's group (usually dialout) and log in again", fs.ErrPermission)
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: %s", fs.ErrNotExist, present())
	case errors.Is(err, unix.EIO):
		return fmt.Errorf("there is no UART behind it: %w", err)
	}
	return err
}

// present tells which ports there are instead.
func present() string {
	ports, err := List()
	if err != nil {
		return fmt.Sprintf("is it plugged in? (%v)", err)
	}
	if len(ports) == 0 {
		return "this host has no serial port; is it plugged in?"
	}
	var names []string
	for _, p := range ports {
		names = append(names, p.String())
	}
	return "there are " + strings.Join(names, ", ")
}

// holderOf finds a process that has the device open, in so far as /proc may be
// read; this process is named last, for it has the port open in order to ask.
func holderOf(path string) string {
	device, err := filepath.EvalSymlinks(path)
	if err != nil {
		return ""
	}
	fds, err := filepath.Glob("/proc/[0-9]*/fd/*")
	if err != nil {
		return ""
	}
	self, mine := fmt.Sprint(os.Getpid()), 0
	for _, fd := range fds {
		if target, err := os.Readlink(fd); err != nil || target != device {
			continue
		}
		pid := strings.Split(fd, "/")[2]
		if pid == self {
			mine++
			continue
		}
		return processName(pid)
	}
	if mine > 1 {
		return "this program itself"
	}
	return ""
}

func processName(pid string) string {
	name, err := os.ReadFile(filepath.Join("/proc", pid, "comm"))
	if err != nil {
		return "pid " + pid
	}
	return fmt.Sprintf("%s (pid %s)", strings.TrimSpace(string(name)), pid)
}
