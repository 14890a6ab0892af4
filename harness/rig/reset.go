package rig

import (
	"fmt"
	"time"

	"rigor/harness/port"
)

// Strap is a pin that a modem line is wired to, by the name in the chip's data
// sheet: its reset, or what sends it into its boot loader.
type Strap string

// The straps.
const (
	NRST  Strap = "nrst"  // STM32: reset when low
	BOOT0 Strap = "boot0" // boot loader when high
	EN    Strap = "en"    // ESP32-C3: reset when low
	GPIO9 Strap = "gpio9" // boot loader when low
	RST   Strap = "reset" // K210: reset when low
	IO16  Strap = "io16"  // boot loader when low
)

// straps are a chip's.
type straps struct{ reset, boot Strap }

var strapsOf = map[string]straps{
	"stm32f407": {NRST, BOOT0},
	"esp32c3":   {EN, GPIO9},
	"k210":      {RST, IO16},
}

// Circuit is what lies between an adapter's modem lines and a board's straps.
type Circuit string

// The circuits. Of esp32 and k210, a reset into the boot loader holds reset alone,
// then the strap alone; on a direct one the strap is set before, and stays.
const (
	Direct Circuit = "direct" // each line pulls its strap
	ESP32  Circuit = "esp32"  // two transistors: each line pulls its strap while the other is not asserted
	// K210 is wired as direct and driven as esp32: with the default straps as kflash
	// calls dan, bit and trainer; with dtr and rts the other way kd233 and goE. goD, an
	// adapter that takes the lines for commands, is left out.
	K210 Circuit = "k210"
	// USB is none: the port is the chip's own USB-Serial-JTAG, which takes what
	// the lines do for commands (ESP32-C3 TRM table 30.3-2).
	USB Circuit = "usb"
)

// ResetConfig wires an adapter's modem lines to a board.
type ResetConfig struct {
	Port    *PortConfig `yaml:"port" json:"port,omitempty"` // whose lines they are; default: the loader's. Hardware only.
	Circuit Circuit     `yaml:"circuit" json:"circuit,omitempty"`
	// DTR and RTS say which strap each pulls; the default of esp32 and k210 is the
	// boot strap and reset.
	DTR Strap `yaml:"dtr" json:"dtr"`
	RTS Strap `yaml:"rts" json:"rts"`
	// Invert says that the straps act while the lines are not asserted.
	Invert bool          `yaml:"invert" json:"invert"`
	Hold   time.Duration `yaml:"hold" json:"hold"` // of reset; default 10 ms, of the other circuits 100 ms
	// Rise is how long reset takes to end after its release: the charging of a
	// capacitor.
	Rise time.Duration `yaml:"rise" json:"rise,omitempty"`
	// Sample is how long after the end of reset a chip has read its boot strap,
	// where that does not stay; default 50 ms of esp32, 100 ms of k210 and usb.
	Sample time.Duration `yaml:"sample" json:"sample,omitempty"`
}

// timing is what a circuit's boards need: what esptool and kflash, which come with
// them, wait for.
type timing struct{ hold, sample time.Duration }

var timings = map[Circuit]timing{
	Direct: {hold: DefaultHold},
	ESP32:  {hold: 100 * time.Millisecond, sample: 50 * time.Millisecond},
	K210:   {hold: 100 * time.Millisecond, sample: 100 * time.Millisecond},
	USB:    {hold: 100 * time.Millisecond, sample: 100 * time.Millisecond},
}

// DefaultHold is far above the 300 ns that DS8626 table 51 asks of NRST, and
// enough for the capacitor of a reset button.
const DefaultHold = 10 * time.Millisecond

const maxHold = 10 * time.Second

// Resets reports whether a strap resets the chip; another one selects what it
// boots.
func (s Strap) Resets() bool { return s == NRST || s == EN || s == RST }

// LineStep is what the modem lines are set to, and for how long at least.
type LineStep struct {
	Lines port.Lines
	For   time.Duration
}

// Idle is the lines when no strap acts.
func (r *ResetConfig) Idle() port.Lines { return r.lines(false, false) }

// Sequence is what the modem lines have to do for a reset, into the boot loader or
// not. After its last step the chip runs and, on its way into the boot loader, has
// read its strap.
func (r *ResetConfig) Sequence(boot bool) []LineStep {
	switch r.Circuit {
	case USB:
		return r.usbSequence(boot)
	case ESP32, K210:
		steps := []LineStep{{r.lines(true, false), r.Hold}, {r.lines(false, boot), r.Rise}}
		if boot {
			steps[1].For += r.Sample
			steps = append(steps, LineStep{r.Idle(), 0})
		}
		return steps
	}
	return []LineStep{{r.lines(true, boot), r.Hold}, {r.lines(false, boot), r.Rise}}
}

// usbSequence: DTR alone asks for the boot loader at the next reset, which RTS
// alone is; both together are nothing, and neither takes the request back.
func (r *ResetConfig) usbSequence(boot bool) []LineStep {
	dtr, rts := port.Lines{DTR: true}, port.Lines{RTS: true}
	if !boot {
		return []LineStep{{port.Lines{}, 0}, {rts, r.Hold}, {port.Lines{}, r.Rise + r.Sample}}
	}
	return []LineStep{{port.Lines{}, r.Hold}, {dtr, r.Hold}, {port.Lines{DTR: true, RTS: true}, 0}, {rts, r.Hold}, {port.Lines{}, r.Rise + r.Sample}}
}

// lines has the straps act.
func (r *ResetConfig) lines(reset, boot bool) port.Lines {
	if r.Circuit == USB {
		return port.Lines{}
	}
	on := func(s Strap) bool {
		if s.Resets() {
			return reset != r.Invert
		}
		return boot != r.Invert
	}
	return port.Lines{DTR: on(r.DTR), RTS: on(r.RTS)}
}

// Line gives the port whose modem lines reset the board.
func (b *BoardConfig) Line() PortConfig {
	if b.Reset.Port != nil {
		return *b.Reset.Port
	}
	return *b.Loader.Port
}

// reset checks how a board is reset, and fills in what is usual.
func (s scoped) reset(b *BoardConfig) {
	r := b.Reset
	if r.Circuit == "" {
		r.Circuit = Direct
	}
	usual, ok := timings[r.Circuit]
	switch {
	case !ok:
		s.at("circuit").errorf("board %q: circuit %q is not known; want %s, %s, %s or %s", b.Name, r.Circuit, Direct, ESP32, K210, USB)
		return
	case r.Circuit == USB && b.Chip != "esp32c3":
		s.at("circuit").errorf("board %q: the chip has no USB port that resets it", b.Name)
		return
	case r.Circuit == USB && (r.DTR != "" || r.RTS != "" || r.Invert):
		s.errorf("board %q: the chip's own USB port has no straps; remove dtr, rts and invert", b.Name)
	case r.Circuit != USB:
		s.straps(b)
	}
	if r.Circuit == Direct && r.Sample != 0 {
		s.at("sample").errorf("board %q: the strap of a direct circuit stays, however long sampling takes; remove sample", b.Name)
	}
	for _, d := range []struct {
		name  string
		is    *time.Duration
		usual time.Duration
	}{{"hold", &r.Hold, usual.hold}, {"rise", &r.Rise, 0}, {"sample", &r.Sample, usual.sample}} {
		if *d.is < 0 || *d.is > maxHold {
			s.at(d.name).errorf("board %q: %s of reset cannot be %v; want up to %v", b.Name, d.name, *d.is, maxHold)
		}
		if *d.is == 0 {
			*d.is = d.usual
		}
	}
	if r.Port != nil {
		s.at("port").port("reset", r.Port)
	}
}

// straps checks that each line pulls one of the chip's.
func (s scoped) straps(b *BoardConfig) {
	r := b.Reset
	chip, ok := strapsOf[b.Chip]
	if !ok {
		return // the chip is the mistake
	}
	if r.DTR == "" && r.RTS == "" && r.Circuit != Direct {
		r.DTR, r.RTS = chip.boot, chip.reset
	}
	if (straps{r.DTR, r.RTS}) != chip && (straps{r.RTS, r.DTR}) != chip {
		s.errorf("board %q: dtr is %q and rts is %q; want %s for one and %s for the other", b.Name, r.DTR, r.RTS, chip.reset, chip.boot)
	}
}

// usualReset is the example in the message about a board without reset.
func usualReset(chip string) string {
	return fmt.Sprintf("`reset: {dtr: %s, rts: %s}`", strapsOf[chip].reset, strapsOf[chip].boot)
}
