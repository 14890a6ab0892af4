package faults

import (
	"context"

	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
)

// Flash is a device's flash as a program would read it now. Offsets count from
// its start.
type Flash interface {
	FlashSize() int
	ReadCells(off uint32, p []byte)
}

// Machine is one device under test and the host that updates it. All that it does
// follows from its flash and the calls made since the power came on: the engine
// finds out if it does not.
type Machine interface {
	Flash
	// SetCells, WatchFlash and FailFlash are those of board.Nonvolatile.
	SetCells(off uint32, p []byte)
	WatchFlash(w board.FlashWatcher)
	FailFlash(f func(board.FlashOp) board.FlashFault)
	// Power switches the supply. RAM is lost without it.
	Power(on bool)
	// ResetAt resets the device once when its time has come to at, within Boot or
	// Update; clock.NeverTime takes that back. Restore does so, too.
	ResetAt(at clock.Time, kind board.ResetKind)
	// Snapshot is the device at this moment, which any machine of the same making
	// can be put back to. No call may be under way.
	Snapshot() any
	Restore(snapshot any)
	// Boot runs the device from power-on until its program says hello, or for as
	// long as that may take. An error is the harness's; what the device does not
	// manage is in the report.
	Boot(ctx context.Context) (Report, error)
	// Update does a whole update of a device that runs: it offers, sends, installs,
	// restarts, and confirms the new image, and begins anew where that fails, up to
	// the number of pushes that an update may take.
	Update(ctx context.Context) (Outcome, error)
}

// Report is what a device told as it came up.
type Report struct {
	Alive   bool   // its program said hello
	Slot    int    // which the boot program chose; -1: it said that it has none
	Why     string // in the boot program's words
	Version uint32 // of the image that it chose
	Update  uint32 // whose number it told
}

// Outcome is how an update ended.
type Outcome struct {
	Report        // of the last restart, or of Boot if there was none
	Pushes int    // begun
	Done   bool   // the new image runs and is confirmed
	Err    string // why not
}

// Image is what a device runs.
type Image uint8

// Images.
const (
	Dead  Image = iota // nothing: it says nothing
	None               // its boot program says that there is nothing to run
	Old                // what was there before the update
	New                // what the update brings
	Other              // anything else: a mixture, or what nobody signed
)

func (i Image) String() string {
	return [...]string{"dead", "none", "old", "new", "other"}[i]
}

// Judge knows the system under test. It reads the flash on its own account: what
// it reads decides its judgement, and is kept with it. Where nobody can read it,
// the flash is nil, and only the report counts.
type Judge interface {
	// Booted says what runs after Boot, from flash. An error says what the device
	// told that flash does not bear out.
	Booted(f Flash, r Report) (Image, error)
	// Updated says so after Update.
	Updated(f Flash, o Outcome) (Image, error)
}
