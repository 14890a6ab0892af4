package esp32c3

import "rigor/harness/sim/riscv"

const (
	k4  = 0x1000
	off = -1 // no gate of its own
	en1 = 32 // first bit of PERIP_CLK_EN1
)

// blockTable is the memory map of the peripherals, TRM System and Memory,
// and what this model makes of each.
var blockTable = []blockInfo{
	{"UART0", 0x60000000, k4, 2, Partly, "frames of all formats, break, FIFOs, thresholds, time-out, errors, flow control by RTS and CTS, loopback, pulse measurement; RS485, IrDA, software flow control, AT_CMD and wake-up fault"},
	{"SPI1", 0x60002000, k4, 1, Partly, "the flash chip by transactions of 8-bit commands on one line, and the old commands; no encryption, interrupts or automatic suspension"},
	{"SPI0", 0x60003000, k4, 1, Partly, "mode and clock decide what a miss of the cache costs; the rest is kept without effect"},
	{"GPIO", 0x60004000, 0xF00, off, Partly, "levels, voltages, pulls, open drain, contention, shorts, interrupts, matrix, filters and synchronisers, dedicated GPIOs of the CPU; sigma-delta and clock outputs fault; edges are instant, those of an analog source come in the next cycle"},
	{"GPIO_SD", 0x60004F00, 0x100, off, Faults, ""},
	{"FE2", 0x60005000, k4, off, Partly, "radio: one register, which gives it power, is kept without effect"},
	{"FE", 0x60006000, k4, off, Partly, "radio: one register, which gives it power, is kept without effect"},
	{"RTC_CNTL", 0x60008000, 0x800, off, Partly, "clock selection, watchdogs, resets, main timer with its alarm, store registers; power, sleep and brown-out registers are kept without effect, entering sleep faults; RC_SLOW is exactly 136 kHz"},
	{"EFUSE", 0x60008800, 0x800, 14, Partly, "reading: MAC address, revision, package; programming faults"},
	{"IO_MUX", 0x60009000, k4, off, Partly, "functions, pulls, input enable, filter; drive strength and sleep are kept without effect; the flash pins and JTAG keep still"},
	{"UHCI1", 0x6000C000, k4, 12, Faults, ""},
	{"RTC_I2C", 0x6000E000, k4, off, Partly, "the internal bus to analog parts: that of the SAR ADCs; others fault"},
	{"UART1", 0x60010000, k4, 5, Partly, "as UART0"},
	{"I2C0", 0x60013000, k4, 7, Partly, "as a master, bit by bit; slave mode and sampling at low SCL fault; a line rises in 112.5 ns"},
	{"UHCI0", 0x60014000, k4, 8, Faults, ""},
	{"RMT", 0x60016000, k4, 9, Faults, ""},
	{"LEDC", 0x60019000, k4, 11, Partly, "four timers, six channels, fades; how fractions are spread over ticks and periods is assumed; edges nobody sees cost nothing"},
	{"NRX", 0x6001C000, k4, off, Partly, "radio: one register, which gives it power, is kept without effect"},
	{"BB", 0x6001D000, k4, off, Partly, "radio: one register, which gives it power, is kept without effect"},
	{"TIMG0", 0x6001F000, k4, 13, Modelled, "timer, watchdog, calibration of slow clocks"},
	{"TIMG1", 0x60020000, k4, 15, Modelled, "as TIMG0"},
	{"SYSTIMER", 0x60023000, k4, 29, Modelled, "both counters, three comparators; never stalled by a debugger"},
	{"SPI2", 0x60024000, k4, 6, Faults, ""},
	{"APB_CTRL", 0x60026000, k4, off, Partly, "random numbers follow from the seed; the rest is kept without effect, but for the backup DMA, which faults"},
	{"TWAI0", 0x6002B000, k4, 19, Faults, ""},
	{"I2S0", 0x6002D000, k4, 4, Faults, ""},
	{"AES", 0x6003A000, k4, en1 + 1, Faults, ""},
	{"SHA", 0x6003B000, k4, en1 + 2, Faults, ""},
	{"RSA", 0x6003C000, k4, en1 + 3, Faults, ""},
	{"DS", 0x6003D000, k4, en1 + 4, Faults, ""},
	{"HMAC", 0x6003E000, k4, en1 + 5, Faults, ""},
	{"DMA", 0x6003F000, k4, en1 + 6, Faults, ""},
	{"APB_SARADC", 0x60040000, k4, 28, Partly, "conversions by software, with calibration of the offset; errors and noise are settings; its digital controller, monitors and temperature sensor fault"},
	{"USB_DEVICE", 0x60043000, k4, 23, Partly, "serial port with the times of packets, DTR and RTS; enumeration takes no time; no JTAG, no signals on D+ and D-"},
	{"SYSTEM", 0x600C0000, k4, off, Partly, "CPU and APB clocks, gates, resets, software interrupts; the rest is kept without effect"},
	{"SENSITIVE", 0x600C1000, k4, off, Partly, "permissions: kept, locked, and without effect: everything is permitted"},
	{"INTERRUPT_CORE0", 0x600C2000, k4, off, Modelled, "62 sources, level and edge, priorities, threshold"},
	{"EXTMEM", 0x600C4000, k4, off, Partly, "enable, shut, freeze, invalidate; preload, autoload and lock are kept without effect on what is cached; access counters fault"},
	{"MMU_TABLE", 0x600C5000, 0x200, off, Modelled, "128 pages of 64 KB"},
	{"XTS_AES", 0x600CC000, k4, off, Faults, ""},
	{"ASSIST_DEBUG", 0x600CE000, k4, off, Partly, "records where the core was reset; its monitors of the stack and of memory are kept without effect, the bus log faults"},
	{"DEDICATED_GPIO", 0x600CF000, k4, off, Faults, ""},
	{"WORLD_CNTL", 0x600D0000, k4, off, Faults, ""},
	{"MAC", 0x600D1000, 0x400, off, Modelled, "not on the part: a paravirtual Ethernet interface in place of the radio, see mac.go"},
}

// Row is a line of the fidelity table.
type Row struct {
	Block  string
	Status Status
	Notes  string
}

// Fidelity lists what of the part is modelled, for the README's table.
func Fidelity() []Row {
	var rows []Row
	for _, b := range blockTable {
		rows = append(rows, Row{b.name, b.status, b.notes})
	}
	rows = append(rows,
		Row{"memories", Partly, "SRAM 400 KB on both buses, RTC fast memory 8 KB, flash through the cache; IRAM also takes bytes and half-words, which the part refuses"},
		Row{"ROM", Partly, "its functions are models of our own; its machine code cannot be read"},
		Row{"power", Partly, "on, off, CHIP_EN; no brown-out, light-sleep or deep-sleep"},
		Row{"debug triggers", Partly, "kept; they never fire"},
		Row{"permissions", Partly, "PMP is the core's; what PMS forbids is permitted; the world controller faults"},
	)
	for _, what := range riscv.Unimplemented() {
		rows = append(rows, Row{"core", Partly, "lacks " + what})
	}
	return rows
}
