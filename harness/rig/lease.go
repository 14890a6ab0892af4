package rig

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"rigor/harness/timebase"
)

// Lease is the right to a board. The kernel holds it as a lock on a file, so
// that a holder that dies, however it dies, loses it at once.
type Lease struct{ f *os.File }

// Leases is the default folder of lease files, common to all users of a machine.
func Leases() string { return filepath.Join(os.TempDir(), "rigor-leases") }

// BusyError is a board that somebody else holds.
type BusyError struct {
	Board  string
	Holder string // "process 4711 (rigor run), since 2026-11-23T10:00:00Z"
}

func (e *BusyError) Error() string {
	return fmt.Sprintf("board %s is leased by %s; wait for it to end (rigor run --wait does), or end it", e.Board, e.Holder)
}

// Waiting tells that it is waited for, for as long as wait at most.
func (e *BusyError) Waiting(wait time.Duration) string {
	return fmt.Sprintf("waiting up to %v for board %s, leased by %s", wait, e.Board, e.Holder)
}

// Acquire takes the lease of a board, without waiting: a *BusyError says who
// holds it.
func Acquire(dir, rig, board string, now time.Time) (*Lease, error) {
	return acquire(dir, rig+"-"+board+".lock", board, now)
}

// AcquireForRun takes the right to run suites on a board, one after another, without
// waiting: each suite leases the board for itself, and between two of them nobody else's
// may.
func AcquireForRun(dir, rig, board string, now time.Time) (*Lease, error) {
	return acquire(dir, rig+"-"+board+".run.lock", board, now)
}

func acquire(dir, name, board string, now time.Time) (*Lease, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, fmt.Errorf("make the folder of leases: %w", err)
	}
	os.Chmod(dir, 0o777|os.ModeSticky) // best effort: its owner has done it before
	path := filepath.Join(dir, name)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, fmt.Errorf("lease board %s: %w", board, err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		defer f.Close()
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("lease board %s: %w", board, err)
		}
		return nil, &BusyError{Board: board, Holder: holder(path)}
	}
	l := &Lease{f}
	if err := l.sign(now); err != nil {
		return nil, errors.Join(fmt.Errorf("lease board %s: %w", board, err), l.Release())
	}
	return l, nil
}

// pause is how often Await tries.
const pause = time.Second

// Await has acquire, which leases something, tried until nobody else holds it, for as long as
// wait at most. Each holder that it waits for is told once.
func Await(ctx context.Context, clock timebase.Clock, wait time.Duration, acquire func() error, tell func(*BusyError)) error {
	until := clock.Now().Add(wait)
	for told := ""; ; {
		err := acquire()
		var busy *BusyError
		if !errors.As(err, &busy) || wait == 0 {
			return err
		}
		left := until.Sub(clock.Now())
		if left <= 0 {
			return fmt.Errorf("waited %v: %w", wait, err)
		}
		if busy.Holder != told {
			told = busy.Holder
			tell(busy)
		}
		if err := clock.Sleep(ctx, min(pause, left)); err != nil {
			return fmt.Errorf("wait for board %s, held by %s: %w", busy.Board, busy.Holder, err)
		}
	}
}

// sign writes who holds the lease, for others to read.
func (l *Lease) sign(now time.Time) error {
	if err := l.f.Truncate(0); err != nil {
		return err
	}
	text := fmt.Sprintf("process %d (%s), since %s\n",
		os.Getpid(), filepath.Base(os.Args[0]), now.UTC().Format(time.RFC3339))
	_, err := l.f.WriteAt([]byte(text), 0)
	return err
}

func holder(path string) string {
	text, err := os.ReadFile(path)
	if who := strings.TrimSpace(string(text)); err == nil && who != "" {
		return who
	}
	return "another process"
}

// Release gives the board back. The file stays: removing it would let two
// processes hold locks on two files of one name.
func (l *Lease) Release() error { return l.f.Close() }
