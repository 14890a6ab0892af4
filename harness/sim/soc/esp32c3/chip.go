// Package esp32c3 simulates an ESP32-C3: a 32-bit RISC-V core with its
// interrupt matrix, memories, flash cache, clocks, pins and the peripherals
// that Fidelity lists as modelled.
//
// It follows Espressif's ESP32-C3 Technical Reference Manual (version 1.3, cited
// as TRM with a chapter's name) and the ESP32-C3 Series Datasheet (version 2.2).
// Register names are those of Espressif's SVD file. The ROM is not its machine
// code: its entry points call models of what stands behind them.
//
// The CPU's clock is the chip's count of cycles. Its peripherals run from APB,
// from the crystal or from oscillators of their own: they think in world time,
// in which the periods of all of these but the slow oscillators' are exact.
// Blocks compute when they next have something to do (clock.Events); nothing
// ticks. All state is plain data, so a snapshot is a copy and a digest is a hash.
//
// What the part has and the model lacks stops the simulation by name; what a
// program does in vain, and silicon swallows without a word, becomes a Warning.
//
// Left out: the radio and its digital part, for which a block of our own (mac.go)
// moves Ethernet frames; accelerators for cryptography; DMA; sleep modes.
package esp32c3

import (
	"fmt"
	"slices"

	"rigor/harness/sim/board"
	"rigor/harness/sim/bus"
	"rigor/harness/sim/clock"
	"rigor/harness/sim/nor"
	"rigor/harness/sim/riscv"
	"rigor/harness/sim/soc/agenda"
)

// Options are what differs between one part on a board and another. The zero
// value of a field chooses the default.
type Options struct {
	MAC      [6]byte // base MAC address in eFuse; default 02:00:00:00:00:01
	Flash    int     // size of the flash chip in bytes; default 4 MB
	Revision int     // of the chip, major*100+minor; default 4, v0.4
	Package  uint8   // of the chip, an eFuse field of 3 bits; default 0, QFN32

	SupplyMV int32 // VDD in millivolts; default 3300

	// Seed decides everything that is random on silicon: RAM at power-on, the
	// RNG's numbers, what a cut flash operation leaves behind.
	Seed uint64

	Trace func(Access)           // called for every access to a peripheral
	Sent  func(uart int, b byte) // called as a UART (0 or 1) begins to send
}

// Access is one access of the core to a peripheral, for Options.Trace.
type Access struct {
	Cycle uint64
	PC    uint32
	Addr  uint32
	Value uint32
	Width uint8
	Write bool
	Fault bus.Fault
}

// state is all that a chip remembers but its agenda, memories, its flash and its core.
type state struct {
	Powered bool
	EN      bool   // the reset pin is high
	Running bool   // out of reset, and the core executes
	Colds   uint64 // power-ons so far

	Cause    resetCause // of the last reset
	ResetDue resetCause // of one that waits for the core's instruction to end

	Clocks   clocks
	SYSTEM   systemRegs
	RTC      rtcState
	Matrix   matrixState
	TIMG     [2]timgState
	SYSTIMER systimerState
	EXTMEM   cacheState
	EFUSE    efuseState
	ASSIST   assistState

	SENSITIVE sensitiveState
	Triggers  triggerState
	Radio     [4]uint32 // power of FE2, FE, NRX and BB
	APB_CTRL  apbCtrlState
	RNG       rngState
	GPIO      gpioState
	UART      [2]uartState
	USB       usbState
	LEDC      ledcState
	ADC       adcState
	I2C       i2cState
	SPI       spiState
	ROM       romState
	MAC       macState
}

// Chip is one simulated ESP32-C3. It implements board.Chip.
type Chip struct {
	state
	agenda.Agenda
	mem    memories
	nor    *nor.Flash
	core   *riscv.Core
	opt    Options
	blocks []block
	pages  [pageCount]int8 // index of the block + 1, by 256 bytes from 0x60000000

	inCore   bool   // the core's Run is under way
	lacking  string // what the last Unmodelled access lacked
	stopped  board.Stop
	warnings board.Warnings
	track    *board.RAMTrack // nil: nobody wants to know

	air     board.Air // the antenna's other end, nil if there is none: mac.go
	outside           // what the board connects: gpio.go
}

var (
	_ board.Chip        = (*Chip)(nil)
	_ board.Profiled    = (*Chip)(nil)
	_ board.Nonvolatile = (*Chip)(nil)
	_ board.RAMTracker  = (*Chip)(nil)
)

// Slots of clock.Events: the deadlines of the blocks. At one cycle the lower
// slot goes first.
const (
	slotReset    = iota
	slotTIMG                        // T0 of TIMG0 and TIMG1
	slotMWDT     = slotTIMG + 2     // watchdogs of TIMG0 and TIMG1
	slotCali     = slotMWDT + 2     // RTC calibration in TIMG0 and TIMG1
	slotSYSTIMER = slotCali + 2     // its three comparators
	slotRTC      = slotSYSTIMER + 3 // RWDT, super watchdog, RTC main timer's alarm
	slotGPIO     = slotRTC + 3
	slotUART     = slotGPIO + 2 // four of UART0, four of UART1
	slotUSB      = slotUART + 8
	slotLEDC     = slotUSB + 4 // four timers, six channels
	slotADC      = slotLEDC + 10
	slotI2C      = slotADC + 2
	slotSPI      = slotI2C + 4
	slotROM      = slotSPI + 3
	slotMAC      = slotROM + 4
	slots        = slotMAC + 4
)

// New makes a part that is not powered, with erased flash.
func New(opt Options) *Chip {
	c := &Chip{opt: withDefaults(opt)}
	c.mem = newMemories()
	flash, err := newFlash(c.opt)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	c.nor = flash
	c.Init(owner{c}, xtalHz/2)
	c.EN = true
	c.core = riscv.New(c.coreConfig())
	c.wireBlocks()
	c.resetParts(resetPowerOn)
	return c
}

func withDefaults(o Options) Options {
	if o.MAC == ([6]byte{}) {
		o.MAC = [6]byte{0x02, 0, 0, 0, 0, 0x01}
	}
	if o.Flash == 0 {
		o.Flash = 4 << 20
	}
	if o.Revision == 0 {
		o.Revision = 4
	}
	if o.SupplyMV == 0 {
		o.SupplyMV = 3300
	}
	return o
}

// Name is the chip's name in the project's spelling.
func (c *Chip) Name() string { return "esp32c3" }

// Now is the world time at which the present cycle begins.
func (c *Chip) Now() clock.Time { return c.TimeOf(c.core.Cycle) }

// Run moves time to until; see board.Chip.
func (c *Chip) Run(until clock.Time) board.Stop {
	for c.stopped.Kind == board.Running {
		c.Dispatch(c.core.Cycle)
		limit := c.Timeline.CycleFrom(until)
		if c.core.Cycle >= limit {
			break
		}
		if next, _ := c.Events.Next(); next < limit {
			limit = next
		}
		c.advance(limit)
	}
	return c.stopped
}

// advance moves the core, or time alone, to the cycle.
func (c *Chip) advance(limit uint64) {
	if !c.Running {
		c.core.Slept += limit - c.core.Cycle
		c.core.Cycle = limit
		return
	}
	c.inCore, c.lacking = true, ""
	stop := c.core.Run(limit)
	c.inCore = false
	if r := c.ResetDue; r != 0 {
		c.reset(r)
		return
	}
	if stop.Reason == riscv.NotModelled {
		c.halt(board.NotModelled, uint32(stop.PC), c.missing(stop)+" not modelled")
	}
}

// halt ends the simulation until the next reset.
func (c *Chip) halt(k board.StopKind, pc uint32, what string) {
	c.stopped = board.Stop{Kind: k, PC: uint64(pc), Text: fmt.Sprintf("esp32c3: %s, PC 0x%08x", what, pc)}
	if c.inCore {
		c.core.SetDeadline(c.core.Cycle)
	}
}

// missing names what a NotModelled stop lacks.
func (c *Chip) missing(s riscv.Stop) string {
	if c.lacking != "" {
		return c.lacking
	}
	return s.What
}

// lack answers an access that the part would serve and the model cannot.
func (c *Chip) lack(what string) bus.Fault {
	c.lacking = what
	return bus.Unmodelled
}

// Stats counts what the chip did since it was made.
func (c *Chip) Stats() board.Stats {
	return board.Stats{
		Instructions: c.core.Insns,
		Cycles:       c.core.Cycle,
		Slept:        c.core.Slept,
		ClockHz:      c.Timeline.Hz(),
	}
}

// Warnings lists what programs did in vain, each thing once.
func (c *Chip) Warnings() []string { return slices.Clone(c.warnings) }

func (c *Chip) warn(format string, args ...any) { c.warnings.Add(format, args...) }

// Caveats names what of the present set-up may take another time on the part.
func (c *Chip) Caveats() []string {
	return []string{"what accesses to peripherals and misses of the flash cache cost is assumed " +
		"from clocks and widths and was not measured on the part"}
}
