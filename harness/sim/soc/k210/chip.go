// Package k210 simulates a Kendryte K210: two RV64GC harts with their caches,
// memories, interrupt controllers, clocks, pins and the peripherals that Fidelity
// lists as modelled.
//
// There is no reference manual of the part. The package follows the K210 Datasheet
// (Canaan, version 1.0.5, cited as DS), the headers and drivers of the Kendryte
// standalone SDK (version 0.5.6, cited as SDK with the file's name), and for the blocks that
// Canaan licensed the documents of their makers: SiFive's E31 Core Complex Manual for CLINT,
// PLIC, UARTHS and GPIOHS, Synopsys's DesignWare databooks for the rest. Register names
// are those of Canaan's SVD file. The boot ROM is not its machine code but a model of
// what it does.
//
// Both harts and all buses run by ACLK, whose cycles are the chip's count of time. Blocks
// with other clocks think in world time. Blocks compute when they next have
// something to do (package agenda); nothing ticks. All state is plain data, so a
// snapshot is a copy and a digest is a hash.
//
// The harts take turns (harts.go). What the part has and the model lacks stops the
// simulation by name; what a program does in vain, and silicon swallows without a word,
// becomes a Warning.
//
// Left out: the neural network processor, the camera interface, the SPI slave, I2C, supervisor
// mode, debugging by JTAG, and what memory banks make harts and DMA wait for each other.
package k210

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
	Flash    int      // size of the flash chip at SPI3 in bytes; default 16 MB
	FlashID  [8]byte  // its unique id
	Key      [16]byte // AES key in OTP, for encrypted images
	Fuses    OTPFuses // what was burnt besides
	SupplyMV int32    // of the pins' banks in millivolts; default 3300

	// Seed decides everything that is random on silicon: RAM at power-on, what a
	// cut flash operation leaves behind.
	Seed uint64

	Trace func(Access)           // called for every access to a peripheral
	Sent  func(uart int, b byte) // called as UARTHS (0) or UART1 to UART3 begins to send
}

// Access is one access of a hart to a peripheral, for Options.Trace.
type Access struct {
	Cycle uint64
	Hart  int
	PC    uint64
	Addr  uint32
	Value uint64
	Width uint8
	Write bool
	Fault bus.Fault
}

// state is all that a chip remembers but its agenda, memories, flash and harts.
type state struct {
	Powered bool
	RESET   bool   // the reset pin is high
	Running bool   // the harts execute
	Colds   uint64 // power-ons so far
	Clock   uint64 // the cycle that all of the chip has reached
	Seen    uint64 // the cycle of the last access to a block

	ResetDue resetCause // of one that waits for the present instruction to end

	MSCOUNTEREN [2]uint64 // of the harts

	SYSCTL sysctlState
	CLINT  clintState
	PLIC   plicState

	FPIOA  fpioaState
	GPIO   gpioState
	GPIOHS gpiohsState
	UARTHS uarthsState
	UART   [3]uartState
	TIMER  [3]timerState
	WDT    [2]wdtState
	RTC    rtcState
	DMAC   dmacState
	FFT    fftState
	I2S    [3]i2sState
	SPI    [4]spiState // SPI0, SPI1, none, SPI3
	SHA256 shaState
	AES    aesState
	OTP    otpState
	ROM    romState
}

// Chip is one simulated K210. It implements board.Chip.
type Chip struct {
	state
	agenda.Agenda
	ram    []byte // SRAM and behind it AI RAM
	copies ramCopies
	nor    *nor.Flash
	harts  [2]*riscv.Core
	opt    Options
	blocks []block
	pages  pageTable

	hart     int    // whose Run is under way, -1 for none
	nested   bool   // within the other's
	goal     uint64 // cycle up to which the harts are to run
	lacking  string // what the last Unmodelled access lacked
	stopped  board.Stop
	warnings board.Warnings
	track    *board.RAMTrack // nil: nobody wants to know

	outside // what the board connects: fpioa.go
}

var (
	_ board.Chip        = (*Chip)(nil)
	_ board.Profiled    = (*Chip)(nil)
	_ board.Nonvolatile = (*Chip)(nil)
	_ board.RAMTracker  = (*Chip)(nil)
)

// Slots of the agenda. At one cycle the lower slot goes first.
const (
	slotReset  = iota
	slotPLL                  // three
	slotCLINT  = slotPLL + 3 // mtimecmp of two harts
	slotROM    = slotCLINT + 2
	slotPins   = slotROM + 4
	slotUARTHS = slotPins + 2
	slotUART   = slotUARTHS + 4 // four of each
	slotTIMER  = slotUART + 12  // four of each
	slotWDT    = slotTIMER + 12
	slotRTC    = slotWDT + 2
	slotDMAC   = slotRTC + 1 // six channels
	slotFFT    = slotDMAC + 6
	slotI2S    = slotFFT + 1 // two of each
	slotSPI    = slotI2S + 6
	slotSHA    = slotSPI + 4
	slotAES    = slotSHA + 1
	slotSource = slotAES + 1 // an analog source reaches a threshold
	slots      = slotSource + 1
)

// New makes a part that is not powered, with erased flash.
func New(opt Options) *Chip {
	c := &Chip{opt: withDefaults(opt), hart: -1}
	c.ram = make([]byte, ramSize)
	flash, err := newFlash(c.opt)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	c.nor = flash
	c.Init(owner{c}, in0Hz)
	c.RESET = true
	for n := range c.harts {
		c.harts[n] = riscv.New(c.hartConfig(n))
	}
	riscv.Share(c.harts[0], c.harts[1])
	c.wireBlocks()
	c.mapMemory()
	c.poisonRAM()
	c.resetParts(resetPin)
	return c
}

func withDefaults(o Options) Options {
	if o.Flash == 0 {
		o.Flash = 16 << 20
	}
	if o.SupplyMV == 0 {
		o.SupplyMV = 3300
	}
	return o
}

// Name is the chip's name in the project's spelling.
func (c *Chip) Name() string { return "k210" }

// Now is the world time at which the present cycle begins.
func (c *Chip) Now() clock.Time { return c.Time() }

// Run moves time to until; see board.Chip.
func (c *Chip) Run(until clock.Time) board.Stop {
	for c.stopped.Kind == board.Running {
		c.Dispatch(c.Clock)
		limit := c.CycleFrom(until)
		if c.Clock >= limit {
			break
		}
		if next, _ := c.Events.Next(); next < limit {
			limit = next
		}
		c.advance(limit)
	}
	return c.stopped
}

// halt ends the simulation until the next reset.
func (c *Chip) halt(k board.StopKind, pc uint64, what string) {
	c.stopped = board.Stop{Kind: k, PC: pc, Text: fmt.Sprintf("k210: %s, PC 0x%08x", what, pc)}
	c.interrupt()
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

// Stats counts what the chip did since it was made; cycles and sleep are those of hart 0,
// instructions those of both harts.
func (c *Chip) Stats() board.Stats {
	return board.Stats{
		Instructions: c.harts[0].Insns + c.harts[1].Insns,
		Cycles:       c.harts[0].Cycle,
		Slept:        c.harts[0].Slept,
		ClockHz:      c.Timeline.Hz(),
	}
}

// Warnings lists what programs did in vain, each thing once.
func (c *Chip) Warnings() []string { return slices.Clone(c.warnings) }

func (c *Chip) warn(format string, args ...any) { c.warnings.Add(format, args...) }

// Caveats names what of the present set-up may take another time on the part.
func (c *Chip) Caveats() []string {
	return []string{
		"what accesses to peripherals, misses of the caches and waiting for memory that the other hart or DMA uses cost " +
			"is assumed from the structure of the part and was not measured on it",
	}
}
