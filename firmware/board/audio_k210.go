//go:build tinygo && k210

package board

import (
	"device/kendryte"
	"device/riscv"
	"machine"
	"runtime/interrupt"
	"runtime/volatile"
	"unsafe"
)

// The microphone of Sipeed's Maix Bit: I2S0's clocks and its first input.
const (
	audioClockPin  = machine.P18
	audioSelectPin = machine.P19
	audioDataPin   = machine.P20
)

// AudioBlock is how many samples come at once, and AudioSlots for how many blocks
// there is room.
const (
	AudioBlock = 32
	AudioSlots = 32
)

// What DMA reads and writes is at uncached addresses; k210.ld has the symbol.
//
//go:extern board_uncached
var uncached struct {
	slots   [AudioSlots][AudioBlock][2]volatile.Register32 // left, right
	in, out [256]volatile.Register64                       // of the FFT accelerator
}

// Registers of a DMA channel (DW_axi_dmac, Kendryte standalone SDK, dmac.h), of which all have
// 64 bits.
type dmaChannel struct {
	sar, dar, blockTS, ctl, cfg, llp                 volatile.Register64
	_                                                [10]volatile.Register64
	statusEnable, status, signalEnable, clearPending volatile.Register64
	_                                                [12]volatile.Register64
}

var dma = (*struct {
	_        [2]volatile.Register64
	cfg      volatile.Register64
	enable   volatile.Register64
	_        [28]volatile.Register64
	channels [6]dmaChannel
})(unsafe.Pointer(kendryte.DMAC))

// The channels used, and the requests that they answer (SDK, sysctl.h).
const (
	audioChannel = 0
	outChannel   = 1 // from the FFT accelerator
	inChannel    = 2 // to it

	requestFFTOut = 23
	requestFFTIn  = 24
	requestI2S0   = 26
)

const (
	dmaFixedSource      = 1 << 4
	dmaFixedDestination = 1 << 6
	dmaToSecondMaster   = 1 << 2 // as the SDK has it: one master reads, the other writes
	dmaWidthShift       = 8      // and 11
	dmaBurst4           = 1<<14 | 1<<18
	dmaFromMemory       = 1<<32 | 1<<35 // TT_FC, and software handshake at the source
	dmaToMemory         = 2<<32 | 1<<36
	dmaDone             = 1 << 1
)

// startDMA has a channel of a request transfer n items of 1<<width bytes.
func startDMA(channel uint64, flow, how uint64, from, to unsafe.Pointer, n, width uint64) {
	c := &dma.channels[channel]
	c.clearPending.Set(0xFFFFFFFF)
	c.cfg.Set(flow | channel<<39 | channel<<44)
	c.sar.Set(uint64(uintptr(from)))
	c.dar.Set(uint64(uintptr(to)))
	c.ctl.Set(how | dmaToSecondMaster | width<<dmaWidthShift | width<<(dmaWidthShift+3))
	c.blockTS.Set(n - 1)
	riscv.Asm("fence")
	dma.enable.Set(0x101 << channel)
}

// enableDMA starts the controller and connects the channels used.
func enableDMA() {
	s := kendryte.SYSCTL
	s.CLK_EN_CENT.SetBits(kendryte.SYSCTL_CLK_EN_CENT_APB0_CLK_EN)
	s.CLK_EN_PERI.SetBits(kendryte.SYSCTL_CLK_EN_PERI_DMA_CLK_EN)
	const bits = 6 // of a selection
	s.DMA_SEL0.ReplaceBits(requestI2S0|requestFFTOut<<bits|requestFFTIn<<(2*bits), 1<<(3*bits)-1, 0)
	dma.cfg.Set(3) // DMAC_EN, INT_EN
	for i := range dma.channels {
		dma.channels[i].statusEnable.Set(dmaDone)
	}
}

// pulse resets blocks.
func pulse(blocks uint32) {
	kendryte.SYSCTL.PERI_RESET.SetBits(blocks)
	kendryte.SYSCTL.PERI_RESET.ClearBits(blocks)
}

// A channel of I2S0 (DW_apb_i2s; SDK, i2s.h).
var audio = (*struct {
	left, right, receive, transmit, receiveLength, transmitLength volatile.Register32
	status, mask, receiveOverrun, transmitOverrun                 volatile.Register32
	receiveTrigger, transmitTrigger, receiveFlush, transmitFlush  volatile.Register32
})(unsafe.Add(unsafe.Pointer(kendryte.I2S0), 0x20))

const (
	i2sStandard      = 1 << 5
	i2sSlotOf32      = 2 << 3
	i2sDMAReceive    = 1 << 9
	i2sSignExpand    = 1 << 11
	i2sLength16      = 2
	i2sOverrun       = 1 << 1
	i2sAllMasked     = 0x33
	i2sTriggerOfFour = 3
)

// StartAudio receives rate samples a second from now on, and calls filled from the
// interrupt that comes when a block is in its slot, with the number of overruns of the receiver since
// the last; it gives the slot for the next block. The first goes to slot 0.
// It returns the true rate in thousandths of a hertz.
func StartAudio(rate uint32, filled func(overruns uint32) (next uint32)) uint32 {
	StopAudio()
	onBlock = filled
	milliHz, pll, threshold := audioClock(rate)
	s := kendryte.SYSCTL
	s.CLK_EN_PERI.SetBits(kendryte.SYSCTL_CLK_EN_PERI_I2S0_CLK_EN)
	pulse(kendryte.SYSCTL_PERI_RESET_I2S0_RESET)
	startPLL2(pll)
	s.CLK_TH3.ReplaceBits(threshold, 0xFFFF, 0)
	audioClockPin.SetFPIOAFunction(machine.FUNC_I2S0_SCLK)
	audioSelectPin.SetFPIOAFunction(machine.FUNC_I2S0_WS)
	audioDataPin.SetFPIOAFunction(machine.FUNC_I2S0_IN_D0)
	enableDMA()
	i := interrupt.New(kendryte.IRQ_DMA0, handleBlock)
	i.SetPriority(5) // as TinyGo has it of other interrupts
	i.Enable()
	dma.channels[audioChannel].signalEnable.Set(dmaDone)
	receiveInto(0)
	startI2S()
	return milliHz
}

// startI2S sets the receiver up: words of 16 bits, the first of each slot of 32, from the first input
// alone.
func startI2S() {
	i := kendryte.I2S0
	i.IER.Set(1)
	i.ITER.Set(0)
	for n := range 4 {
		c := (*volatile.Register32)(unsafe.Add(unsafe.Pointer(&audio.receive), 0x40*n))
		c.Set(0)
	}
	audio.transmit.Set(0)
	audio.receiveLength.Set(i2sLength16)
	audio.receiveTrigger.Set(i2sTriggerOfFour)
	audio.mask.Set(i2sAllMasked)
	audio.receiveFlush.Set(1)
	audio.receiveOverrun.Get() // clears
	i.CCR.Set(i2sStandard | i2sSlotOf32 | i2sDMAReceive | i2sSignExpand)
	audio.receive.Set(1)
	i.IRER.Set(1)
	i.CER.Set(1)
}

// StopAudio ends it. The block under way is lost.
func StopAudio() {
	const clocks = kendryte.SYSCTL_CLK_EN_PERI_I2S0_CLK_EN | kendryte.SYSCTL_CLK_EN_PERI_DMA_CLK_EN
	if kendryte.SYSCTL.CLK_EN_PERI.Get()&clocks != clocks {
		return // it never began
	}
	kendryte.I2S0.CER.Set(0)
	dma.channels[audioChannel].signalEnable.Set(0)
	for dma.enable.Set(0x100 << audioChannel); dma.enable.HasBits(1 << audioChannel); {
	}
	kendryte.I2S0.IER.Set(0)
}

var onBlock func(uint32) uint32

// handleBlock has the next block received before anything else: the receiver's FIFO
// holds for 16 samples.
func handleBlock(interrupt.Interrupt) {
	dma.channels[audioChannel].clearPending.Set(0xFFFFFFFF)
	overruns := uint32(0)
	if audio.status.HasBits(i2sOverrun) {
		audio.receiveOverrun.Get() // clears
		overruns = 1
	}
	receiveInto(onBlock(overruns))
}

func receiveInto(slot uint32) {
	from := unsafe.Pointer(&kendryte.I2S0.RXDMA)
	startDMA(audioChannel, dmaToMemory, dmaFixedSource, from, unsafe.Pointer(&uncached.slots[slot]), 2*AudioBlock, 2)
}

// Samples copies the block in a slot, the left half of each pair.
func Samples(slot uint32, to []int16) {
	block := &uncached.slots[slot]
	for i := range block {
		to[i] = int16(block[i][0].Get())
	}
}

// audioClock finds dividers for a rate: of PLL2, as its register has them, and of I2S0's clock.
// A sample takes 64 of that clock, which is half of PLL2's by the threshold and one. The PLL's own
// oscillator runs at 26 MHz times 14 to 64, within what the SDK allows it.
func audioClock(rate uint32) (milliHz, pll, threshold uint32) {
	const crystal, cycles, milli = 26_000_000, 128, 1000
	want, least := uint64(rate)*milli, ^uint64(0)
	for factor := uint64(14); factor <= 64; factor++ {
		for divider := uint64(2); divider <= 16; divider++ {
			in := crystal * milli * factor / (divider * cycles)
			n := (in + want/2) / want
			if n == 0 || n > 1<<16 {
				continue
			}
			got := in / n
			off := max(got, want) - min(got, want)
			if off < least {
				least, milliHz = off, uint32(got)
				pll, threshold = uint32((factor-1)<<4|(divider-1)<<10|(factor-1)<<14), uint32(n-1)
			}
		}
	}
	return milliHz, pll, threshold
}

// startPLL2 sets PLL2's dividers, from the crystal (SDK, sysctl_pll_set_freq).
func startPLL2(dividers uint32) {
	s := kendryte.SYSCTL
	const locked = 3 << 16
	s.PLL2.Set(dividers)
	s.PLL2.Set(dividers | kendryte.SYSCTL_PLL2_PWRD)
	s.PLL2.Set(dividers | kendryte.SYSCTL_PLL2_PWRD | kendryte.SYSCTL_PLL2_RESET)
	for began := Cycles(); Cycles()-began < CoreHz/1_000_000; { // 100 ns are enough
	}
	s.PLL2.Set(dividers | kendryte.SYSCTL_PLL2_PWRD)
	for s.PLL_LOCK.Get()&locked != locked {
		s.PLL_LOCK.SetBits(kendryte.SYSCTL_PLL_LOCK_PLL_SLIP_CLEAR2)
	}
	s.PLL2.Set(dividers | kendryte.SYSCTL_PLL2_PWRD | kendryte.SYSCTL_PLL2_OUT_EN)
}

// The FFT accelerator's control register (SDK, fft.h).
const (
	fftShiftAll = 0x1FF << 4 // every layer halves
	fftEnable   = 1 << 13
	fftByDMA    = 1 << 14
)

// EnableTransform sets up the FFT accelerator for transforms of 64, 128, 256 or 512
// points.
func EnableTransform(points int) {
	enableDMA()
	kendryte.SYSCTL.CLK_EN_PERI.SetBits(kendryte.SYSCTL_CLK_EN_PERI_FFT_CLK_EN)
	pulse(kendryte.SYSCTL_PERI_RESET_FFT_RESET)
	code := uint64(0)
	for size := 512; size > points; size /= 2 {
		code++
	}
	kendryte.FFT.CTRL.Set(code | fftShiftAll | fftEnable | fftByDMA)
}

// SetInput puts a real point into the accelerator's input. Two points are in
// a word, the real part first.
func SetInput(i int, v int16) {
	p := (*volatile.Register32)(unsafe.Add(unsafe.Pointer(&uncached.in), 4*i))
	p.Set(uint32(uint16(v)))
}

// Output is a point of the accelerator's output.
func Output(i int) (re, im int16) {
	v := (*volatile.Register32)(unsafe.Add(unsafe.Pointer(&uncached.out), 4*i)).Get()
	return int16(v), int16(v >> 16)
}

// Transform has the accelerator transform its input, and waits for it.
func Transform(points int) {
	n := uint64(points) / 2
	out, in := unsafe.Pointer(&kendryte.FFT.OUTPUT_FIFO), unsafe.Pointer(&kendryte.FFT.INPUT_FIFO)
	startDMA(outChannel, dmaToMemory, dmaFixedSource|dmaBurst4, out, unsafe.Pointer(&uncached.out), n, 3)
	startDMA(inChannel, dmaFromMemory, dmaFixedDestination|dmaBurst4, unsafe.Pointer(&uncached.in), in, n, 3)
	for !dma.channels[outChannel].status.HasBits(dmaDone) {
	}
}
