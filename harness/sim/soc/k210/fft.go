package k210

import (
	"math/bits"

	"rigor/harness/sim/bus"
	"rigor/harness/sim/clock"
)

// FFT accelerator (SDK fft.h): transforms of 512, 256, 128 or 64 points, direct and
// inverse. What it computes is in fft_transform.go.
//
// Once enabled it asks the DMAC for data, or takes what a hart writes, until it has all
// points; computes; asks to be read, and begins anew. A word of 64 bits is two points, each
// with its real part in the lower half: Re0, Im0, Re1, Im1 from bit 0 on. INPUT_MODE 1
// has four real parts in a word, 2 all real parts and then all imaginary ones; with
// DATA_MODE only the lower half of what is written counts. Words are read as two points,
// whatever the modes. [A]
//
// Time is assumed [A]. The points are in one of two SRAMs of 32-bit words and go to the
// other with each layer (standalone programming guide, FFT): with one port each, a
// butterfly takes two cycles of ACLK, by which the block runs (SDK sysctl.c), and a layer
// a few more until the last one is through. Filling and draining take what the accesses
// of DMAC or hart do: with the SDK's bursts of four words all of it takes 2104 cycles for 128
// points and 9288 for 512. What the part takes has not been published.
type fftState struct {
	CTRL  uint64
	MASK  bool
	Done  bool
	Phase fftPhase
	Words int    // that have been taken or given in the present phase
	N     int    // points of the transform that is under way
	Run   uint64 // CTRL as it began
	Point [512]fftPoint
}

type fftPhase uint8

const (
	fftIdle fftPhase = iota
	fftFilling
	fftWorking
	fftDraining
)

const fftPipeline = 8 // cycles that a layer takes beyond those of its butterflies [A]

const (
	ffINPUT_FIFO  = 0x00
	ffCTRL        = 0x08
	ffFIFO_CTRL   = 0x10
	ffINTR_MASK   = 0x18
	ffINTR_CLEAR  = 0x20
	ffSTATUS      = 0x28
	ffSTATUS_RAW  = 0x30
	ffOUTPUT_FIFO = 0x38
)

// Bits of CTRL: POINT is in bits 2:0, SHIFT in 12:4, INPUT_MODE in 16:15.
const (
	ffINVERSE   = 1 << 3
	ffENABLE    = 1 << 13
	ffDMA_SEND  = 1 << 14
	ffDATA_MODE = 1 << 17

	ffBits  = 1<<18 - 1
	ffMODES = ffBits &^ (ffENABLE | ffDMA_SEND)
)

// Handshakes (SDK sysctl.h): RX is from the block to memory.
const (
	dmaFFT_RX = 23
	dmaFFT_TX = 24
)

// points is how many a transform has, 0 for what the block does not know.
func (s *fftState) points() int {
	if p := s.CTRL & 7; p < 4 {
		return 512 >> p
	}
	return 0
}

// inputWords is how many writes fill it.
func (s *fftState) inputWords() int {
	n := s.points() / 2
	if s.inputMode() == 1 {
		n /= 2
	}
	if s.CTRL&ffDATA_MODE != 0 {
		n *= 2
	}
	return n
}

func (s *fftState) inputMode() int { return int(s.CTRL >> 15 & 3) }

func (c *Chip) fftReset() {
	c.FFT = fftState{}
	c.Schedule(slotFFT, clock.Never)
	c.fftUpdate()
}

// fftUpdate brings handshakes and interrupt up to date.
func (c *Chip) fftUpdate() {
	s := &c.FFT
	dma := s.CTRL&ffDMA_SEND != 0
	c.setDMA(dmaFFT_TX, dma && s.Phase == fftFilling)
	c.setDMA(dmaFFT_RX, dma && s.Phase == fftDraining)
	c.setIRQ(irqFFT, s.Done && !s.MASK)
}

// fftControl is a write to CTRL.
func (c *Chip) fftControl(v uint64) {
	s := &c.FFT
	s.CTRL = v & ffBits
	switch {
	case v&ffENABLE == 0:
		c.fftPhase(fftIdle)
	case s.Phase == fftIdle:
		c.fftPhase(fftFilling)
	case s.Phase != fftFilling && v&ffMODES != s.Run&ffMODES:
		c.warn("FFT.CTRL changed while a transform is under way, which goes on as it began")
	}
}

func (c *Chip) fftPhase(p fftPhase) {
	s := &c.FFT
	s.Phase, s.Words = p, 0
	due := clock.Never
	if p == fftWorking {
		s.N, s.Run = s.points(), s.CTRL
		due = c.Cycle() + fftCycles(s.N)
	}
	c.Schedule(slotFFT, due)
	c.fftUpdate()
}

// fftCycles is what the butterflies of a transform of n points take.
func fftCycles(n int) uint64 {
	layers := uint64(bits.Len(uint(n)) - 1)
	return layers * (uint64(n) + fftPipeline)
}

// fftTake is a write to INPUT_FIFO.
func (c *Chip) fftTake(v uint64) bus.Fault {
	s := &c.FFT
	switch {
	case s.Phase != fftFilling:
		c.warn("FFT.INPUT_FIFO written while the block wants no data")
		return bus.None
	case s.points() == 0 || s.inputMode() == 3:
		return c.lack("FFT.CTRL with a reserved number of points or input mode")
	}
	lanes := 4
	if s.CTRL&ffDATA_MODE != 0 {
		lanes = 2
	}
	for i := range lanes {
		s.put(s.Words*lanes+i, int16(v>>(16*i)))
	}
	if s.Words++; s.Words >= s.inputWords() {
		c.fftPhase(fftWorking)
	}
	return bus.None
}

// put takes the i-th number of the input.
func (s *fftState) put(i int, v int16) {
	n := s.points()
	switch mode := s.inputMode(); {
	case mode == 0 && i%2 == 0:
		s.Point[i/2%n].Re = v
	case mode == 0:
		s.Point[i/2%n].Im = v
	case mode == 1:
		s.Point[i%n] = fftPoint{Re: v}
	case i < n:
		s.Point[i].Re = v
	default:
		s.Point[i%n].Im = v
	}
}

// fftEvent is the end of a computation.
func (c *Chip) fftEvent() {
	s := &c.FFT
	shift := uint32(s.Run >> 4 & 0x1FF)
	if fftTransform(s.Point[:s.N], shift, s.Run&ffINVERSE != 0) {
		c.warn("FFT: a transform of %d points with shift 0x%03x overflowed 16 bits", s.N, shift)
	}
	s.Done = true
	c.fftPhase(fftDraining)
}

// fftGive is a read of OUTPUT_FIFO.
func (c *Chip) fftGive() (v uint64) {
	s := &c.FFT
	if s.Phase != fftDraining {
		c.warn("FFT.OUTPUT_FIFO read while it is empty")
		return 0
	}
	for i, p := range s.Point[2*s.Words:][:2] {
		v |= uint64(uint16(p.Re))<<(32*i) | uint64(uint16(p.Im))<<(32*i+16)
	}
	if s.Words++; s.Words == s.N/2 {
		c.fftPhase(fftFilling)
	}
	return v
}

// fftDevice is the block's registers, of 64 bits each.
type fftDevice struct{ *Chip }

func (d fftDevice) Load(off uint32, width uint8) (uint64, bus.Fault) {
	s := &d.FFT
	switch off {
	case ffCTRL:
		return s.CTRL, bus.None
	case ffINTR_MASK:
		return uint64(oneIf(s.MASK)), bus.None
	case ffSTATUS:
		return uint64(oneIf(s.Done && !s.MASK)), bus.None
	case ffSTATUS_RAW:
		return uint64(oneIf(s.Done) | oneIf(s.Phase == fftWorking)<<1), bus.None
	case ffOUTPUT_FIFO:
		if width != 8 {
			return 0, d.lack("a load of 4 bytes from FFT.OUTPUT_FIFO")
		}
		return d.fftGive(), bus.None
	case ffINPUT_FIFO, ffFIFO_CTRL, ffINTR_CLEAR: // cannot be read [A]
		return 0, bus.None
	case ffCTRL + 4, ffINTR_MASK + 4, ffSTATUS + 4, ffSTATUS_RAW + 4: // the upper halves
		return 0, bus.None
	}
	return 0, d.unknown("FFT", off)
}

func (d fftDevice) Store(off uint32, width uint8, v uint64) bus.Fault {
	s := &d.FFT
	switch off {
	case ffINPUT_FIFO:
		if width != 8 && s.CTRL&ffDATA_MODE == 0 {
			return d.lack("a store of 4 bytes to FFT.INPUT_FIFO without DATA_MODE")
		}
		return d.fftTake(v)
	case ffCTRL:
		d.fftControl(v)
	case ffFIFO_CTRL: // any flush forgets what was filled in or not yet drained [A]
		if v&7 != 0 && s.Phase != fftIdle {
			d.fftPhase(fftFilling)
		}
	case ffINTR_MASK:
		s.MASK = v&1 != 0
	case ffINTR_CLEAR:
		s.Done = s.Done && v&1 == 0
	case ffSTATUS, ffSTATUS_RAW, ffOUTPUT_FIFO: // cannot be written
	case ffCTRL + 4, ffINTR_MASK + 4, ffINTR_CLEAR + 4, ffFIFO_CTRL + 4:
	default:
		return d.unknown("FFT", off)
	}
	d.fftUpdate()
	return bus.None
}

// foreseeLoad: reading OUTPUT_FIFO has an effect.
func (d fftDevice) foreseeLoad(off uint32, width uint8, _ uint64) (least, most uint64, ok bool) {
	return steady(d, off, width, off >= ffCTRL && off < ffOUTPUT_FIFO && off%8 == 0)
}
