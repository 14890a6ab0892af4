// Package rig describes what is on the bench: it reads rigs.yaml into a strict
// Config, and holds the contract of a board, the lease that keeps two runs off
// one board, and the taxonomy of what can go wrong.
package rig

import (
	"context"
	"time"

	"rigor/harness/flash"
	"rigor/harness/port"
	"rigor/harness/timebase"
	"rigor/probes"
)

// BootMode is what a board does after its next reset.
type BootMode uint8

const (
	BootApp    BootMode = iota // run the program in flash
	BootLoader                 // enter the part's own boot loader
)

// Board is a board on the bench, real or virtual. A call whose context has ended
// does nothing. rigtest.Run tests all of this.
type Board interface {
	Name() string
	Clock() timebase.Clock
	// Console is the line to the firmware.
	Console() port.Port
	// Power switches the supply. A board that comes up runs its program, whatever
	// it was last reset into; one that is on already goes on undisturbed.
	Power(ctx context.Context, on bool) error
	Reset(ctx context.Context, m BootMode) error
	// Loader resets the board into its boot loader and speaks to it.
	Loader(ctx context.Context) (flash.Loader, error)
	// Close ends the use of the board: from then on the calls of board and
	// console give os.ErrClosed.
	Close() error
}

// Caveater is a board that knows why its times, as it is set up now, are not
// those of the part it stands for. Every number measured meanwhile carries them.
type Caveater interface{ Caveats() []string }

// Simulated is a board whose silicon is simulated, and who counts how much there
// was of it since the board was opened: the instructions of its cores, and the
// board's own time.
type Simulated interface {
	Simulated() (instructions uint64, passed time.Duration)
}

// RatedLoader is a board whose boot loader can be spoken to at other rates than
// that of rigs.yaml.
type RatedLoader interface {
	// LoaderAt is Board.Loader at a rate.
	LoaderAt(ctx context.Context, baud int) (flash.Loader, error)
}

// PowerCutter is a board whose supply can be made to fail at a time to come, in
// the middle of whatever is done to it then.
type PowerCutter interface {
	// CutPower switches the supply off after a while, unless Power is called before.
	CutPower(ctx context.Context, after time.Duration) error
}

// Station is a board with the probes that are wired to it.
type Station struct {
	Board
	Config   *BoardConfig
	Capturer probes.Capturer // nil: none wired, as below
	Driver   probes.Driver
	Source   probes.AnalogSource
	Meter    probes.Voltmeter
	Faults   probes.FaultInjector
	AP       probes.AccessPoint   // in the air of the board's radio
	Net      probes.NetworkFaults // of the same
	Audio    probes.AudioSource   // what the board's microphone hears
	// Targets are the devices on the board's I2C buses that do as they are told, by
	// their models.
	Targets map[string]probes.BusTarget
}
