package k210

import (
	"rigor/harness/sim/riscv"
	"rigor/harness/sim/soc/fidelity"
)

const (
	none = -1 // no gate of its own
	k64  = 0x10000
)

// How many cycles of ACLK one of a bus's takes.
func axi(*Chip) uint64    { return 1 }
func apb0(c *Chip) uint64 { return c.SYSCTL.apbDivision(0) }
func apb1(c *Chip) uint64 { return c.SYSCTL.apbDivision(1) }
func apb2(c *Chip) uint64 { return c.SYSCTL.apbDivision(2) }

// blockTable is the memory map of the peripherals (SDK platform.h), and what this
// model makes of each.
var blockTable = []blockInfo{
	{"CLINT", 0x02000000, k64, none, nil, fidelity.Modelled, "software and timer interrupts of both harts; mtime counts ACLK/50"},
	{"PLIC", 0x0C000000, 0x400000, none, nil, fidelity.Modelled, "65 sources, seven priorities, machine mode's context of each hart; those of supervisor mode are kept without effect"},
	{"UARTHS", 0x38000000, 0x1000, none, nil, fidelity.Modelled, "one sample a bit in place of the majority of three"},
	{"GPIOHS", 0x38001000, 0x1000, none, nil, fidelity.Partly, "hardware functions (IOF_EN) fault; PULLUP_EN and DRIVE are kept without effect, they are FPIOA's"},
	{"KPU", 0x40800000, 0xC00000, 2, axi, fidelity.Faults, ""},
	{"FFT", 0x42000000, 0x400000, 4, axi, fidelity.Partly, "all sizes, both directions, shifts, input modes, DMA and interrupt; how it rounds is a definition of our own, its time an assumption; behind 32-bit halves of its FIFOs nothing is modelled"},
	{"DMAC", 0x50000000, k64, 1, axi, fidelity.Partly, "six channels, all directions, hardware and software handshakes, linked lists; no shadow registers, no reload but in lists, no flow control by peripherals; channels and harts do not make each other wait; warns of memory in a data cache, which the part's DMAC does not see"},
	{"GPIO", 0x50200000, k64, 5, apb0, fidelity.Partly, "edges are seen at once; debouncing and control by hardware fault"},
	{"UART1", 0x50210000, k64, 16, apb0, fidelity.Partly, "infrared, RS485, nine bits, access to the FIFOs for tests and what tells the configuration fault"},
	{"UART2", 0x50220000, k64, 17, apb0, fidelity.Partly, "as UART1"},
	{"UART3", 0x50230000, k64, 18, apb0, fidelity.Partly, "as UART1"},
	{"SPI2", 0x50240000, k64, 8, apb0, fidelity.Faults, ""},
	{"I2S0", 0x50250000, k64, 10, apb0, fidelity.Partly, "four stereo channels, as master: formats, FIFOs, DMA, interrupt; a frame is moved as a whole: WS is seen on its pin, SCLK and data are not; a microphone is received, what is sent goes nowhere; no gated SCLK, no MCLK, no beamformer (APU)"},
	{"I2S1", 0x50260000, k64, 11, apb0, fidelity.Partly, "as I2S0"},
	{"I2S2", 0x50270000, k64, 12, apb0, fidelity.Partly, "as I2S0"},
	{"I2C0", 0x50280000, k64, 13, apb0, fidelity.Faults, ""},
	{"I2C1", 0x50290000, k64, 14, apb0, fidelity.Faults, ""},
	{"I2C2", 0x502A0000, k64, 15, apb0, fidelity.Faults, ""},
	{"FPIOA", 0x502B0000, k64, 20, apb0, fidelity.Partly, "clocks, debug and internal signals as outputs fault; drive strength, slew rate and Schmitt triggers are kept without effect"},
	{"SHA256", 0x502C0000, k64, 26, apb0, fidelity.Partly, "by hand and DMA, in the order of bytes that the SDK uses"},
	{"TIMER0", 0x502D0000, k64, 21, apb0, fidelity.Partly, "what tells the version faults; synchronisers between the clocks take no time"},
	{"TIMER1", 0x502E0000, k64, 22, apb0, fidelity.Partly, "as TIMER0"},
	{"TIMER2", 0x502F0000, k64, 23, apb0, fidelity.Partly, "as TIMER0"},
	{"WDT0", 0x50400000, k64, 24, apb1, fidelity.Partly, "interrupt and reset; not the length of the reset"},
	{"WDT1", 0x50410000, k64, 25, apb1, fidelity.Partly, "as WDT0"},
	{"OTP", 0x50420000, k64, 27, apb1, fidelity.Partly, "words of fuses; all else faults, for nothing is known of it"},
	{"DVP", 0x50430000, k64, 3, apb1, fidelity.Faults, ""},
	{"SYSCTL", 0x50440000, k64, none, apb1, fidelity.Partly, "PLLs, clocks, gates, resets, DMA's choices of handshakes; gated division of SRAM's and the ROM's clocks, pauses, pads' voltages and debugging are kept without effect"},
	{"AES", 0x50450000, k64, 19, apb1, fidelity.Partly, "ECB, CBC, GCM in the orders of bytes that the SDK uses; the output by hand and DMA"},
	{"RTC", 0x50460000, k64, 29, apb1, fidelity.Partly, "calendar and tick; the alarm is the SDK's driver's"},
	{"SPI0", 0x52000000, k64, 6, apb2, fidelity.Partly, "the four modes of transfer; pins move bit by bit on one line each way, on more lines only time passes; no formats but Motorola's, one slave at once"},
	{"SPI1", 0x53000000, k64, 7, apb2, fidelity.Partly, "as SPI0"},
	{"SPI3", 0x54000000, k64, 9, apb2, fidelity.Partly, "as SPI0, with the flash chip behind it (W25Q128 class), on one, two and four lines; no execution in place"},
}

// Fidelity lists what of the part is modelled, for the README's table.
func Fidelity() fidelity.Table {
	var t fidelity.Table
	for _, b := range blockTable {
		t.Add(b.name, b.status, b.notes)
	}
	t.Add("memories", fidelity.Partly, "SRAM 6 MB and AI RAM 2 MB, both cached and not; banks make nobody wait")
	t.Add("ROM", fidelity.Partly, "what it does is a model of our own; its machine code cannot be read")
	t.Add("harts", fidelity.Partly, "two, by turns: each sees plain stores of the other up to 64 cycles early or late, atomics and blocks in order")
	t.Add("power", fidelity.Partly, "on, off, reset; no brown-out, no sleep")
	t.Lacks("core", riscv.Unimplemented())
	return t
}
