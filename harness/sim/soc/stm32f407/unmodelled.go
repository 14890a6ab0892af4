package stm32f407

import (
	"rigor/harness/sim/armv7m"
	"rigor/harness/sim/soc/fidelity"
)

const (
	k1  = 0x400
	off = -1 // no bit of its own
)

// blockTable is the memory map of the peripherals, RM0090 §2.3, and what this
// model makes of each.
var blockTable = []blockInfo{
	{"TIM2", 0x40000000, k1, apb1, 0, fidelity.Partly, "no trigger from Ethernet or USB, nor from RTC on TIM5; inputs and triggers act without resynchronisation"},
	{"TIM3", 0x40000400, k1, apb1, 1, fidelity.Partly, "as TIM2"},
	{"TIM4", 0x40000800, k1, apb1, 2, fidelity.Partly, "as TIM2"},
	{"TIM5", 0x40000C00, k1, apb1, 3, fidelity.Partly, "as TIM2"},
	{"TIM6", 0x40001000, k1, apb1, 4, fidelity.Modelled, ""},
	{"TIM7", 0x40001400, k1, apb1, 5, fidelity.Modelled, ""},
	{"TIM12", 0x40001800, k1, apb1, 6, fidelity.Partly, "as TIM2, two channels"},
	{"TIM13", 0x40001C00, k1, apb1, 7, fidelity.Partly, "as TIM2, one channel"},
	{"TIM14", 0x40002000, k1, apb1, 8, fidelity.Partly, "as TIM2, one channel"},
	{"RTC", 0x40002800, k1, apb1, off, fidelity.Partly, "calendar, alarms, wake-up, time stamp on PC13, backup registers, smooth calibration; no battery, coarse calibration, tamper detection or outputs"},
	{"WWDG", 0x40002C00, k1, apb1, 11, fidelity.Modelled, "window, early wake-up interrupt"},
	{"IWDG", 0x40003000, k1, apb1, off, fidelity.Partly, "LSI is exactly 32 kHz; the boot loader does not care for a watchdog that option bytes start"},
	{"I2S2ext", 0x40003400, k1, apb1, 14, fidelity.Faults, ""},
	{"SPI2", 0x40003800, k1, apb1, 14, fidelity.Partly, "master and slave on pins, one or two data lines, TI frames, 8 and 16 bits, CRC, DMA; no I2S"},
	{"SPI3", 0x40003C00, k1, apb1, 15, fidelity.Partly, "as SPI2"},
	{"I2S3ext", 0x40004000, k1, apb1, 15, fidelity.Faults, ""},
	{"USART2", 0x40004400, k1, apb1, 17, fidelity.Partly, "asynchronous mode; see usart.go"},
	{"USART3", 0x40004800, k1, apb1, 18, fidelity.Partly, "as USART2"},
	{"UART4", 0x40004C00, k1, apb1, 19, fidelity.Partly, "as USART2"},
	{"UART5", 0x40005000, k1, apb1, 20, fidelity.Partly, "as USART2"},
	{"I2C1", 0x40005400, k1, apb1, 21, fidelity.Partly, "master and slave on open-drain pins, 7-bit and 10-bit addresses, stretching, arbitration, DMA; no SMBus, PEC or NOSTRETCH"},
	{"I2C2", 0x40005800, k1, apb1, 22, fidelity.Partly, "as I2C1"},
	{"I2C3", 0x40005C00, k1, apb1, 23, fidelity.Partly, "as I2C1"},
	{"CAN1", 0x40006400, k1, apb1, 25, fidelity.Faults, ""},
	{"CAN2", 0x40006800, k1, apb1, 26, fidelity.Faults, ""},
	{"PWR", 0x40007000, k1, apb1, 28, fidelity.Partly, "voltage scale; no voltage detector, wake-up pin, Stop or Standby"},
	{"DAC", 0x40007400, k1, apb1, 29, fidelity.Partly, "both channels, triggers, waves, DMA; no settling time, no buffer near the rails"},
	{"TIM1", 0x40010000, k1, apb2, 0, fidelity.Partly, "as TIM2, with repetition, complementary outputs, dead time, break and commutation"},
	{"TIM8", 0x40010400, k1, apb2, 1, fidelity.Partly, "as TIM1"},
	{"USART1", 0x40011000, k1, apb2, 4, fidelity.Partly, "as USART2"},
	{"USART6", 0x40011400, k1, apb2, 5, fidelity.Partly, "as USART2"},
	{"ADC", 0x40012000, k1, apb2, off, fidelity.Partly, "ADC1 to ADC3: sequences, triggers, watchdog, DMA, internal channels; multi modes but for alternate trigger with regular simultaneous; offset, gain and noise are options"},
	{"SDIO", 0x40012C00, k1, apb2, 11, fidelity.Faults, ""},
	{"SPI1", 0x40013000, k1, apb2, 12, fidelity.Partly, "as SPI2"},
	{"SYSCFG", 0x40013800, k1, apb2, 14, fidelity.Partly, "remap and EXTI routing; no I/O compensation cell"},
	{"EXTI", 0x40013C00, k1, apb2, off, fidelity.Partly, "lines 0 to 15 by pins, RTC's lines; PVD, USB and Ethernet by software only"},
	{"TIM9", 0x40014000, k1, apb2, 16, fidelity.Partly, "as TIM2, two channels"},
	{"TIM10", 0x40014400, k1, apb2, 17, fidelity.Partly, "as TIM2, one channel"},
	{"TIM11", 0x40014800, k1, apb2, 18, fidelity.Partly, "as TIM2, one channel"},
	{"GPIOA", 0x40020000, k1, ahb1, 0, fidelity.Modelled, "levels, voltages, pulls, contention, shorts; edges are instant; those of an analog source come in the next cycle of HCLK"},
	{"GPIOB", 0x40020400, k1, ahb1, 1, fidelity.Modelled, "as GPIOA"},
	{"GPIOC", 0x40020800, k1, ahb1, 2, fidelity.Modelled, "as GPIOA"},
	{"GPIOD", 0x40020C00, k1, ahb1, 3, fidelity.Modelled, "as GPIOA"},
	{"GPIOE", 0x40021000, k1, ahb1, 4, fidelity.Modelled, "as GPIOA"},
	{"GPIOF", 0x40021400, k1, ahb1, 5, fidelity.Modelled, "as GPIOA"},
	{"GPIOG", 0x40021800, k1, ahb1, 6, fidelity.Modelled, "as GPIOA"},
	{"GPIOH", 0x40021C00, k1, ahb1, 7, fidelity.Modelled, "as GPIOA"},
	{"GPIOI", 0x40022000, k1, ahb1, 8, fidelity.Modelled, "as GPIOA"},
	{"CRC", 0x40023000, k1, ahb1, 12, fidelity.Modelled, "takes no time"},
	{"RCC", 0x40023800, k1, ahb1, off, fidelity.Partly, "HSI, HSE, LSI, LSE, PLL, prescalers, gates, resets; no MCO, PLLI2S (PLLI2SCFGR is kept), CSS, spread spectrum"},
	{"FLASH", 0x40023C00, k1, ahb1, off, fidelity.Partly, "keys, program, erase, options, OTP, typical times; wait states, prefetch and caches as times only, which never hold old data; while an operation is under way cached code waits too; no x64 programming"},
	{"BKPSRAM", 0x40024000, 4 * k1, ahb1, 18, fidelity.Partly, "4 KB, write protected by DBP; no battery"},
	{"DMA1", 0x40026000, k1, ahb1, 21, fidelity.Partly, "all directions, FIFO, bursts, circular, double buffer; data accesses of the core wait for it and it for them, fetches and stacking do not"},
	{"DMA2", 0x40026400, k1, ahb1, 22, fidelity.Partly, "as DMA1"},
	{"ETH", 0x40028000, 5 * k1, ahb1, 25, fidelity.Faults, ""},
	{"OTG_HS", 0x40040000, 256 * k1, ahb1, 29, fidelity.Faults, ""},
	{"OTG_FS", 0x50000000, 256 * k1, ahb2, 7, fidelity.Faults, ""},
	{"DCMI", 0x50050000, k1, ahb2, 0, fidelity.Faults, ""},
	{"RNG", 0x50060800, k1, ahb2, 6, fidelity.Modelled, "numbers follow from the seed; seed errors never happen"},
	{"FSMC", 0xA0000000, 4 * k1, ahb3, 0, fidelity.Faults, "and its memory banks"},
	{"DBGMCU", 0xE0042000, k1, ppb, off, fidelity.Partly, "identification; freezing and low-power debug bits are kept without effect"},
}

// Fidelity lists what of the part is modelled, for the README's table.
func Fidelity() fidelity.Table {
	var t fidelity.Table
	for _, b := range blockTable {
		t.Add(b.name, b.status, b.notes)
	}
	t.Add("memories", fidelity.Partly, "flash 1 MB, SRAM 128 KB, CCM 64 KB, OTP, option bytes, unique id; the boot loader's machine code cannot be read or run")
	t.Add("boot loader", fidelity.Partly, "USART1 and USART3 as AN3155; no CAN, USB or I2C")
	t.Add("power", fidelity.Partly, "on, off, reset pin; no brown-out, VBAT, Stop or Standby")
	t.Lacks("core", armv7m.Unimplemented())
	return t
}
