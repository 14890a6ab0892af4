// Package stm32f407 simulates an STM32F407xG: a Cortex-M4F with its clock
// tree, memories, pins and the peripherals that Fidelity lists as modelled.
//
// It follows the reference manual RM0090 Rev 21 (STM32F405/415, STM32F407/417, …)
// for what registers do, the data sheet DS8626 Rev 12 (STM32F405xx, STM32F407xx)
// for times, pins and voltages, and AN2606 and AN3155 for the boot loader in system
// memory, which is a state machine and not its machine code.
//
// Everything happens on exact cycles of HCLK. Blocks compute when they next
// have something to do (clock.Events); nothing ticks. All state is plain data,
// so a snapshot is a copy and a digest is a hash.
//
// What the part has and the model lacks stops the simulation by name; what a
// program does in vain, and silicon swallows without a word, becomes a Warning.
//
// # Timing
//
// The core's cycles are armv7m's cycles.go, those of reading flash its flash.go
// (RM0090 §3.5), those of peripherals wait.go, and matrix.go says how core and DMA
// wait for each other. Nothing here was measured on a part by us; the comparisons
// with published figures are these.
//
// CoreMark, GCC 12.2.1 -mfloat-abi=hard, an iteration a second and MHz:
//
//	                            -Os    -O2    -O3    -Ofast -funroll-loops
//	16 MHz, 0 wait states       2.175  2.519  2.658  2.958
//	168 MHz, 5, all on                 2.508  2.635  2.918
//	168 MHz, 5, no prefetch                   2.615
//	168 MHz, 5, prefetch only                 1.699
//	168 MHz, 5, all off                       1.519
//
// The last column also has -fgcse-sm -fgcse-las -finline-limit=1000. With all of
// the accelerator on, 168 MHz keeps 98.7 to 99.6 % of the speed at 0 wait states;
// ST's 566 over 168 times Arm's 3.42, each with a compiler of its choice, is
// 98.5 %. On an STM32F405, the same die, Keil MDK was published with 436.68
// (2.599) for -O3 and 313.97 (1.869) for -O2. No figure for this die with a GCC
// was found. Those of other Cortex-M4 with older ones are lower: 2.27 to 2.45
// when made for speed, 1.72 to 1.79 when made for size.
//
// Embench IoT 2.0 publishes times of an STM32F407 at 16 MHz, with GCC 14.1 -O2 and
// a newlib built for size. Built with GCC 12.2.1 -O2 and Debian's newlib, 11 of its
// 19 programs take 93 to 104 % of them here, crc32 100.0 %; the others take less,
// down to 35 %, and the geometric mean is 85 %. How much of this is the compiler and the library, and how much the model
// being too fast, cannot be told without the same binaries.
//
// A switch between tasks has only been published of a kernel that is not to be
// had (104 cycles at 168 MHz): no comparison. That floating-point context adds 67
// cycles to it is near what it adds to one of FreeRTOS here: 73, with the sum that
// makes the task have it.
package stm32f407

import (
	"fmt"
	"slices"

	"rigor/harness/sim/armv7m"
	"rigor/harness/sim/board"
	"rigor/harness/sim/bus"
	"rigor/harness/sim/cells"
	"rigor/harness/sim/clock"
	"rigor/harness/sim/soc/agenda"
	"rigor/harness/sim/soc/pad"
)

//go:generate go run ../svd/gen.go ../../../../firmware/svd/stm32f407.svd stm32f407 names.go

// Options are what differs between one part on a board and another. The zero
// value of a field chooses the default.
type Options struct {
	UID [12]byte // unique device id, as read from 0x1FFF7A10

	HSEHz      uint64     // crystal at OSC_IN; default 8 MHz
	NoHSE      bool       // no crystal: HSERDY never comes
	HSEStartup clock.Time // default 2 ms
	SupplyMV   int32      // VDD in millivolts; default 3300

	// Seed decides everything that is random on silicon: RAM at power-on, the
	// RNG's numbers, the ADCs' noise, what a cut flash operation leaves behind.
	Seed uint64

	ADC Analog // the converters' errors; default none

	LoaderVersion byte // of the boot loader: 0x31 (default), 0x90 or 0x91
	RDP           byte // read protection option byte; default 0xAA, none

	Trace func(Access)            // called for every access to a peripheral
	Sent  func(usart int, b byte) // called as a USART (from 1) begins to send
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

// state is all that a chip remembers but its agenda, memories and its core.
type state struct {
	Powered  bool
	NRST     bool // the reset pin is held low
	Running  bool // out of reset, and the core executes
	Booting  bool // out of reset, and the boot loader runs
	BootMode uint8
	Colds    uint64 // power-ons so far
	PinCycle uint64 // of the last change of a pin
	BusFree  uint64 // when the core's bus to peripherals is, see wait.go
	Matrix   matrix // when the ports that it shares with DMA are

	RCC      rcc
	PWR      pwr
	FLASH    flash
	GPIO     [ports]gpio
	Pins     pins
	SYSCFG   syscfg
	EXTI     exti
	RNG      rng
	DBGMCU   dbgmcu
	USARTs   usarts
	TIMs     tims
	Taps     [len(timTaps)]timTap
	Requests requestLines
	DMA      [2]dma
	CRC      crcUnit
	IWDG     iwdg
	WWDG     wwdg
	RTC      rtc
	SPIs     [3]spiRegs
	I2Cs     [3]i2cRegs
	ResetDue uint32 // flags of a reset that waits for the core's instruction to end
	ADCs     adcs
	DAC      dac
	Boot     bootROM
}

// Chip is one simulated STM32F407xG. It implements board.Chip.
type Chip struct {
	state
	agenda.Agenda
	mem    memories
	cells  *cells.Memory // of flash
	core   *armv7m.Core
	opt    Options
	blocks []block
	pages  pageTable

	inCore   bool   // the core's Run is under way
	lacking  string // what the last Unmodelled access lacked
	stopped  board.Stop
	warnings board.Warnings
	watch    func(p board.Pin, high bool, at clock.Time)
	watched  map[board.Pin]bool // what watch must see in time; nil: all pins
	sources  pad.Sources
	track    *board.RAMTrack // nil: nobody wants to know
}

var (
	_ board.Chip        = (*Chip)(nil)
	_ board.Profiled    = (*Chip)(nil)
	_ board.Selective   = (*Chip)(nil)
	_ board.Nonvolatile = (*Chip)(nil)
	_ board.RAMTracker  = (*Chip)(nil)
)

// Slots of clock.Events: the deadlines of the blocks. At one cycle the lower
// slot goes first.
const (
	slotReset = iota
	slotHSI
	slotHSE
	slotPLL
	slotLSI
	slotLSE
	slotSwitch
	slotFlash
	slotRNG
	slotBoot0
	slotBoot1
	slotBoot2
	slotBoot3
	slotUSARTTx                   // USART1 to USART6
	slotUSARTRx = slotUSARTTx + 6 // USART1 to USART6
	slotTIM     = slotUSARTRx + 6 // TIM1 to TIM14
	slotDMA     = slotTIM + 14    // DMA1, DMA2
	slotADC     = slotDMA + 2     // ADC1 to ADC3
	slotDAC     = slotADC + 3     // its channels
	slotIWDG    = slotDAC + 2
	slotWWDG    = slotIWDG + 1
	slotRTC     = slotWWDG + 1
	slotSPI     = slotRTC + 1            // SPI1 to SPI3
	slotI2C     = slotSPI + 3            // I2C1 to I2C3
	slotTap     = slotI2C + 3            // of timTaps
	slotSource  = slotTap + len(timTaps) // sources cross thresholds
	slots       = slotSource + 1
)

// New makes a part that is not powered, with erased flash.
func New(opt Options) *Chip {
	c := &Chip{opt: withDefaults(opt)}
	c.cells = cells.New(flashSize)
	c.mem = newMemories()
	c.mem.Flash = c.cells.Data()
	c.Init(owner{c}, hsiHz)
	c.core = armv7m.New(armv7m.Config{
		CPUID:    0x410FC241, // r0p1, as PM0214 §4.4.2 gives it
		IRQs:     82,         // RM0090 §12.2, table 62
		PrioBits: 4,
		Calib:    18750, // RM0090 §12.1.2: 1 ms at 18.75 MHz (HCLK/8 at 150 MHz)
		RefDiv:   8,
		Bus:      cpuBus{c},

		Arbitrate: c.arbitrate,
	})
	c.wireBlocks()
	c.ADCs.Noise = opt.Seed ^ adcNoiseSeed
	c.FLASH.Options = optionDefault&^(0xFF<<optRDPPos) | uint32(c.opt.RDP)<<optRDPPos
	c.resetRTC()
	c.resetBlocks()
	return c
}

func withDefaults(o Options) Options {
	if o.HSEHz == 0 {
		o.HSEHz = 8_000_000
	}
	if o.HSEStartup == 0 {
		o.HSEStartup = 2 * clock.Millisecond
	}
	if o.SupplyMV == 0 {
		o.SupplyMV = 3300
	}
	if o.LoaderVersion == 0 {
		o.LoaderVersion = 0x31
	}
	if o.RDP == 0 {
		o.RDP = rdpOff
	}
	return o
}

// Name is the chip's name in the project's spelling.
func (c *Chip) Name() string { return "stm32f407" }

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
	if flag := c.ResetDue; flag != 0 {
		c.systemReset(flag)
		return
	}
	switch stop.Reason {
	case armv7m.Lockup:
		c.halt(board.Lockup, stop.PC, "lockup")
	case armv7m.NotModelled:
		c.halt(board.NotModelled, stop.PC, c.missing(stop)+" not modelled")
	case armv7m.ResetRequest:
		c.Dispatch(c.core.Cycle)
		c.systemReset(csrSFTRSTF)
	}
}

// halt ends the simulation until the next reset.
func (c *Chip) halt(k board.StopKind, pc uint32, what string) {
	c.stopped = board.Stop{Kind: k, PC: uint64(pc), Text: fmt.Sprintf("stm32f407: %s, PC 0x%08x", what, pc)}
}

// missing names what a NotModelled stop lacks.
func (c *Chip) missing(s armv7m.Stop) string {
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

// Caveats names what of the present set-up may take another time on the part.
func (c *Chip) Caveats() (all []string) {
	if ws := c.FLASH.ACR & acrLATENCY; ws > 0 {
		all = append(all, fmt.Sprintf("flash is read with %d wait states: what they cost follows RM0090 "+
			"and was not measured on the part", ws))
	}
	if c.core.Shared {
		all = append(all, "a DMA stream is enabled: that it goes before the core, if both want a bus in the same cycle, "+
			"is assumed; fetches and the stacking of exceptions never wait for it")
	}
	if c.dmaReadsFlash() {
		all = append(all, "a DMA stream reads flash: how it shares it with the core's fetches is not modelled")
	}
	return all
}

// Warnings lists what programs did in vain, each thing once.
func (c *Chip) Warnings() []string { return slices.Clone(c.warnings) }

func (c *Chip) warn(format string, args ...any) { c.warnings.Add(format, args...) }

// irq sets the level of an NVIC line. TIM6 and DAC share theirs.
func (c *Chip) irq(n int, level bool) {
	c.core.SetIRQ(n, level || n == irqTIM6DAC && c.DAC.pending())
}
