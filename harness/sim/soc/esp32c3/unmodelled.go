package esp32c3

import (
	"rigor/harness/sim/riscv"
	"rigor/harness/sim/soc/fidelity"
)

const (
	k4  = 0x1000
	off = -1 // no gate of its own
	en1 = 32 // first bit of PERIP_CLK_EN1
)

// blockTable is the memory map of the peripherals, TRM System and Memory,
// and what this model makes of each.
var blockTable = []blockInfo{
	{"UART0", 0x60000000, k4, 2, fidelity.Partly, "frames of all formats, break, FIFOs, thresholds, time-out, errors, flow control by RTS and CTS, loopback, pulse measurement; RS485, IrDA, software flow control, AT_CMD and wake-up fault"},
	{"SPI1", 0x60002000, k4, 1, fidelity.Partly, "the flash chip by transactions of 8-bit commands on one line, and the old commands; no encryption, interrupts or automatic suspension"},
	{"SPI0", 0x60003000, k4, 1, fidelity.Partly, "mode and clock decide what a miss of the cache costs; the rest is kept without effect"},
	{"GPIO", 0x60004000, 0xF00, off, fidelity.Partly, "levels, voltages, pulls, open drain, contention, shorts, interrupts, matrix, filters and synchronisers, dedicated GPIOs of the CPU; sigma-delta and clock outputs fault; edges are instant, those of an analog source come in the next cycle"},
	{"GPIO_SD", 0x60004F00, 0x100, off, fidelity.Faults, ""},
	{"FE2", 0x60005000, k4, off, fidelity.Partly, "radio: one register, which gives it power, is kept without effect"},
	{"FE", 0x60006000, k4, off, fidelity.Partly, "radio: one register, which gives it power, is kept without effect"},
	{"RTC_CNTL", 0x60008000, 0x800, off, fidelity.Partly, "clock selection, watchdogs, resets, main timer with its alarm, store registers; power, sleep and brown-out registers are kept without effect, entering sleep faults; RC_SLOW is exactly 136 kHz"},
	{"EFUSE", 0x60008800, 0x800, 14, fidelity.Partly, "reading: MAC address, revision, package; programming faults"},
	{"IO_MUX", 0x60009000, k4, off, fidelity.Partly, "functions, pulls, input enable, filter; drive strength and sleep are kept without effect; the flash pins and JTAG keep still"},
	{"UHCI1", 0x6000C000, k4, 12, fidelity.Faults, ""},
	{"RTC_I2C", 0x6000E000, k4, off, fidelity.Partly, "the internal bus to analog parts: that of the SAR ADCs; others fault"},
	{"UART1", 0x60010000, k4, 5, fidelity.Partly, "as UART0"},
	{"I2C0", 0x60013000, k4, 7, fidelity.Partly, "as a master, bit by bit; slave mode and sampling at low SCL fault; a line rises in 112.5 ns"},
	{"UHCI0", 0x60014000, k4, 8, fidelity.Faults, ""},
	{"RMT", 0x60016000, k4, 9, fidelity.Faults, ""},
	{"LEDC", 0x60019000, k4, 11, fidelity.Partly, "four timers, six channels, fades; how fractions are spread over ticks and periods is assumed; edges nobody sees cost nothing"},
	{"NRX", 0x6001C000, k4, off, fidelity.Partly, "radio: one register, which gives it power, is kept without effect"},
	{"BB", 0x6001D000, k4, off, fidelity.Partly, "radio: one register, which gives it power, is kept without effect"},
	{"TIMG0", 0x6001F000, k4, 13, fidelity.Modelled, "timer, watchdog, calibration of slow clocks"},
	{"TIMG1", 0x60020000, k4, 15, fidelity.Modelled, "as TIMG0"},
	{"SYSTIMER", 0x60023000, k4, 29, fidelity.Modelled, "both counters, three comparators; never stalled by a debugger"},
	{"SPI2", 0x60024000, k4, 6, fidelity.Faults, ""},
	{"APB_CTRL", 0x60026000, k4, off, fidelity.Partly, "random numbers follow from the seed; the rest is kept without effect, but for the backup DMA, which faults"},
	{"TWAI0", 0x6002B000, k4, 19, fidelity.Faults, ""},
	{"I2S0", 0x6002D000, k4, 4, fidelity.Faults, ""},
	{"AES", 0x6003A000, k4, en1 + 1, fidelity.Faults, ""},
	{"SHA", 0x6003B000, k4, en1 + 2, fidelity.Faults, ""},
	{"RSA", 0x6003C000, k4, en1 + 3, fidelity.Faults, ""},
	{"DS", 0x6003D000, k4, en1 + 4, fidelity.Faults, ""},
	{"HMAC", 0x6003E000, k4, en1 + 5, fidelity.Faults, ""},
	{"DMA", 0x6003F000, k4, en1 + 6, fidelity.Faults, ""},
	{"APB_SARADC", 0x60040000, k4, 28, fidelity.Partly, "conversions by software, with calibration of the offset; errors and noise are settings; its digital controller, monitors and temperature sensor fault"},
	{"USB_DEVICE", 0x60043000, k4, 23, fidelity.Partly, "serial port with the times of packets, DTR and RTS; enumeration takes no time; no JTAG, no signals on D+ and D-"},
	{"SYSTEM", 0x600C0000, k4, off, fidelity.Partly, "CPU and APB clocks, gates, resets, software interrupts; the rest is kept without effect"},
	{"SENSITIVE", 0x600C1000, k4, off, fidelity.Partly, "permissions: kept, locked, and without effect: everything is permitted"},
	{"INTERRUPT_CORE0", 0x600C2000, k4, off, fidelity.Modelled, "62 sources, level and edge, priorities, threshold"},
	{"EXTMEM", 0x600C4000, k4, off, fidelity.Partly, "enable, shut, freeze, invalidate; preload, autoload and lock are kept without effect on what is cached; access counters fault"},
	{"MMU_TABLE", 0x600C5000, 0x200, off, fidelity.Modelled, "128 pages of 64 KB"},
	{"XTS_AES", 0x600CC000, k4, off, fidelity.Faults, ""},
	{"ASSIST_DEBUG", 0x600CE000, k4, off, fidelity.Partly, "records where the core was reset; its monitors of the stack and of memory are kept without effect, the bus log faults"},
	{"DEDICATED_GPIO", 0x600CF000, k4, off, fidelity.Faults, ""},
	{"WORLD_CNTL", 0x600D0000, k4, off, fidelity.Faults, ""},
	{"MAC", 0x600D1000, 0x400, off, fidelity.Modelled, "not on the part: a paravirtual Ethernet interface in place of the radio, see mac.go"},
}

// Fidelity lists what of the part is modelled, for the README's table.
func Fidelity() fidelity.Table {
	var t fidelity.Table
	for _, b := range blockTable {
		t.Add(b.name, b.status, b.notes)
	}
	t.Add("memories", fidelity.Partly, "SRAM 400 KB on both buses, RTC fast memory 8 KB, flash through the cache; IRAM also takes bytes and half-words, which the part refuses")
	t.Add("ROM", fidelity.Partly, "its functions are models of our own; its machine code cannot be read")
	t.Add("power", fidelity.Partly, "on, off, CHIP_EN; no brown-out, light-sleep or deep-sleep")
	t.Add("debug triggers", fidelity.Partly, "kept; they never fire")
	t.Add("permissions", fidelity.Partly, "PMP is the core's; what PMS forbids is permitted; the world controller faults")
	t.Lacks("core", riscv.Unimplemented())
	return t
}
