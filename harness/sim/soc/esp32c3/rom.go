package esp32c3

import (
	"encoding/binary"
	"fmt"
	"sync"

	"rigor/harness/sim/board"
	"rigor/harness/sim/bus"
	"rigor/harness/sim/clock"
	"rigor/harness/sim/riscv"
)

// The mask ROM, as a model of our own in place of Espressif's machine code. There
// is no document of it. What is known: the entry points (ESP-IDF's linker
// scripts and headers under components/esp_rom/esp32c3), the loader's protocol
// (Espressif, esptool documentation, Serial Protocol), and what parts print, as
// reports of users quote it.
//
// While it boots (boot.go) or loads (loader.go) the core stands still and
// the model works step by step, at times of its own, on the modelled
// registers: a wrong rate, a flash chip that is busy or a full FIFO do what they do
// there. Programs call its functions (romfunc.go) by the words that fill its memory.
//
// Times: printing takes what UART0 takes, loading from flash what SPI1 takes. What
// the ROM's code takes itself is not known; romStartTime and romReadCost are
// assumed, and functions are charged an estimate.
type romState struct {
	Phase   romPhase
	Then    romPhase // when Text has been printed
	Text    [640]byte
	Len     int32
	UART    int32      // printed on UART0
	USB     int32      // and on USB
	USBWait clock.Time // since when USB has had no room
	SavedPC uint32     // where the core was when the part was reset

	Boot   bootState
	Loader loaderState

	Started  uint64        // the cycle of the reset vector
	Owed     uint64        // cycles that the function under way takes before it returns
	Handlers [32]romHandle // attached by ets_isr_attach
	Console  uint8         // where the first channel sends: 0 and 1 are UARTs, romUSB
	Putc     [2]uint32     // where ets_printf prints
	Returned [2]bool       // of a line's end the first character has gone to the channel
	IROMSize uint32        // bytes of the MMU's table, by Cache_Set_IDROM_MMU_Size
	DROMSize uint32
}

// romHandle is an interrupt's handler in RAM.
type romHandle struct{ Func, Arg uint32 }

// romPhase is what the ROM is about to do.
type romPhase uint8

const (
	romOff romPhase = iota // a program runs
	romBanner
	romPrinting
	romHanging // for ever, or until a watchdog acts
	bootHeader
	bootCheck
	bootSegment
	bootLoad
	bootVerify
	bootJump
	loaderStart
	loaderBaud // measuring UART0's rate
	loaderWait // for packets
	loaderWork // on an operation of the flash chip
	loaderSend // replying
	loaderExit
)

const (
	romBase        = 0x40000000
	romSize        = 0x60000
	romStack       = 0x3FCDE710 // its top: SOC_ROM_STACK_START of soc/soc.h
	romStackSize   = 0x2000
	romReserved    = 0x3FCDF060 // from here on RAM is the ROM's while programs run
	romDataBase    = 0x3FF00000
	romCoexVersion = 0x3FF1FF80
	romLayout      = 0x3FF1FF00
	romDataEnd     = 0x3FF20000
	romVectors     = 0x40000 // ours: 32 words for mtvec
	romSecOld      = 0x4B9DA // GetSecurityInfoProc
	romSecNew      = 0x4D51E
	romTxOld       = 0x4C166 // uart_tx_switch
	romTxNew       = 0x1C44
	romInner       = 0x50000 // ours: where functions wait and return to

	romStartTime = clock.Millisecond // [A] from the end of reset to the first character
)

// Where the core is seen to be while the ROM works: "Saved PC" of parts.
const (
	pcBoot     = 0x4004D1F8 // printing
	pcHang     = 0x40047ED2 // after an image that cannot be booted
	pcDownload = 0x400462DC
)

// The slot of events that the ROM uses.
const slotROMStep = slotROM

// romReset forgets what the ROM does: the part is in reset. Where the core was
// is kept, as the part's debug assistant does.
func (c *Chip) romReset() {
	c.ROM = romState{SavedPC: uint32(c.core.PC)}
	c.ScheduleAt(slotROMStep, clock.NeverTime)
}

// romStart is the reset vector: Cause and Strap are set, nothing else has run.
func (c *Chip) romStart() {
	c.ROM.Phase, c.ROM.Started = romBanner, c.core.Cycle
	c.romNext(romStartTime)
}

// romNext lets the ROM go on in a while.
func (c *Chip) romNext(d clock.Time) { c.ScheduleIn(slotROMStep, d) }

func (c *Chip) romEvent(slot int, _ uint64) {
	if slot == slotROMStep && c.ROM.Phase != romOff {
		c.romStep()
	}
}

// romStep does the next thing.
func (c *Chip) romStep() {
	r := &c.ROM
	switch {
	case r.Phase == romBanner:
		c.romBanner()
	case r.Phase == romPrinting:
		c.core.PC = pcBoot
		if !c.romPump() {
			c.romNext(romCharTime)
			return
		}
		r.Len, r.UART, r.USB = 0, 0, 0
		r.Phase = r.Then
		c.romStep()
	case r.Phase == romHanging:
		c.core.PC = pcHang
	case r.Phase < loaderStart:
		c.bootStep()
	default:
		c.core.PC = pcDownload
		c.loaderStep()
	}
}

// romCharTime is about one character at 115200 baud.
const romCharTime = 87 * clock.Microsecond

// romPrintf adds to the text to print, as ets_printf does.
func (c *Chip) romPrintf(format string, args ...any) {
	r := &c.ROM
	for _, b := range []byte(fmt.Sprintf(format, args...)) {
		if b == '\n' {
			r.Text[r.Len], b = '\r', '\n'
			r.Len++
		}
		r.Text[r.Len] = b
		r.Len++
	}
}

// romPrint prints the text, and goes on with a phase then.
func (c *Chip) romPrint(then romPhase) {
	c.ROM.Phase, c.ROM.Then = romPrinting, then
	c.romStep()
}

// romUSBPatience is how long the ROM waits for a USB host to take what it prints
// [A]: without one the console must not stop the boot.
const romUSBPatience = 50 * clock.Millisecond

// romPump moves text to UART0 and USB and says when all of it has gone.
func (c *Chip) romPump() bool {
	r := &c.ROM
	for r.UART < r.Len && c.romUARTRoom() {
		c.poke(uart0Base+uartFIFOReg, uint32(r.Text[r.UART]))
		r.UART++
	}
	for r.USB < r.Len && c.romUSBRoom() {
		c.poke(usbBase+usbEP1, uint32(r.Text[r.USB]))
		r.USB, r.USBWait = r.USB+1, 0
		if r.Text[r.USB-1] == '\n' || r.USB == r.Len {
			c.poke(usbBase+usbEP1_CONF, usbWR_DONE)
		}
	}
	if r.USB < r.Len {
		switch now := c.Time(); {
		case r.USBWait == 0:
			r.USBWait = now
		case now-r.USBWait >= romUSBPatience:
			r.USB = r.Len
		}
	}
	return r.UART == r.Len && r.USB == r.Len
}

// Registers that the ROM uses: UART0's and USB Serial/JTAG's.
const (
	uart0Base   = 0x60000000
	uart1Base   = 0x60010000
	uartFIFOReg = 0x00
	uartIntEna  = 0x0C
	uartIntClr  = 0x10
	uartClkdiv  = 0x14
	uartStatus  = 0x1C // RXFIFO_CNT in 9:0, TXFIFO_CNT in 25:16
	uartConf0   = 0x20
	uartConf1   = 0x24
	uartLow     = 0x28 // LOWPULSE
	uartHigh    = 0x2C // HIGHPULSE
	uartEdges   = 0x30 // RXD_CNT
	uartFSM     = 0x6C // FSM_STATUS: the transmitter's in 7:4
	uartClkConf = 0x78

	usbBase     = 0x60043000
	usbEP1      = 0x00
	usbEP1_CONF = 0x04
	usbWR_DONE  = 1 << 0
	usbIN_FREE  = 1 << 1
	usbOUT_HAS  = 1 << 2

	romFIFOFull = 126 // the ROM leaves two places
)

func (c *Chip) romUARTRoom() bool { return c.peek(uart0Base+uartStatus)>>16&0x3FF < romFIFOFull }
func (c *Chip) romUSBRoom() bool  { return c.peek(usbBase+usbEP1_CONF)&usbIN_FREE != 0 }

// romUARTIdle: nothing is left to send, in the FIFO or on the line.
func (c *Chip) romUARTIdle(base uint32) bool {
	return c.peek(base+uartStatus)>>16&0x3FF == 0 && c.peek(base+uartFSM)>>4&15 == 0
}

// romBaud sets UART0's divider, in sixteenths of a clock of the crystal.
func (c *Chip) romBaud(sixteenths uint32) {
	c.poke(uart0Base+uartClkdiv, sixteenths>>4&0xFFF|sixteenths&15<<20)
}

// romBanner sets the clocks, and UART0 to 115200 baud, and says what the part is,
// why it was reset and how it boots. That the CPU gets the crystal's full rate is
// concluded from what parts that cannot boot print: TIMG0's watchdog, which counts
// 26 million clocks of APB then, acts before the super watchdog's second is over.
func (c *Chip) romBanner() {
	c.poke(intcBase+0x104, 0)                                          // [A] a reset of the CPU alone leaves the sources as they are
	c.romPut(romReserved, make([]byte, dramBase+dramSize-romReserved)) // its variables
	c.poke(0x600C0058, c.peek(0x600C0058)&^sysPRE_DIV_CNT)
	c.ROM.Loader.Ticks = uint32(c.Clocks.CPU / 1_000_000)
	c.poke(uart0Base+uartClkConf, c.peek(uart0Base+uartClkConf)&^(0xFF<<12)) // the crystal, undivided
	c.romBaud(xtalHz * 16 / 115200)
	c.poke(0x60009000+0x04+4*20, 1<<9|1<<8) // IO_MUX: U0RXD in, pulled up
	id, build := "esp32c3-api1-20210207", "Feb  7 2021"
	if c.romECO() >= 7 {
		id, build = "esp32c3-eco7-20230720", "Jul 20 2023"
	}
	c.romPrintf("ESP-ROM:%s\nBuild:%s\n", id, build)
	mode, then := "SPI_FAST_FLASH_BOOT", bootHeader
	switch {
	case c.flashBoot():
	case c.GPIO.STRAP&strapGPIO8 != 0:
		mode, then = "DOWNLOAD(USB/UART0/1)", loaderStart
	default:
		mode, then = "SPI_DOWNLOAD_BOOT", romHanging
	}
	c.romPrintf("rst:0x%x (%s),boot:0x%x (%s)\n", uint8(c.Cause), romCauses[c.Cause], c.GPIO.STRAP&15, mode)
	if c.Cause.level() < levelSystem {
		c.romPrintf("Saved PC:0x%08x\n", c.ROM.SavedPC)
	}
	switch then {
	case loaderStart:
		c.romPrintf("waiting for download\n")
	case romHanging:
		c.romPrintf("wait spi download\n")
	}
	c.romPrint(then)
}

// romCauses are the ROM's names of the causes of a reset.
var romCauses = map[resetCause]string{
	resetPowerOn: "POWERON", resetSoftware: "RTC_SW_SYS_RST", resetMWDT0: "TG0WDT_SYS_RST", resetMWDT1: "TG1WDT_SYS_RST",
	resetRWDT: "RTCWDT_SYS_RST", resetCPUMWDT0: "TG0WDT_CPU_RST", resetCPUSoft: "RTC_SW_CPU_RST",
	resetCPURWDT: "RTCWDT_CPU_RST", resetSysRWDT: "RTCWDT_RTC_RST", resetCPUMWDT1: "TG1WDT_CPU_RST",
	resetSuperWDT: "SUPER_WDT_RST", resetUSB: "USB_UART_CHIP_RESET",
}

// romECO is the change order of the ROM: 3 for all revisions before 1.1.
func (c *Chip) romECO() uint32 {
	if c.opt.Revision >= 101 {
		return 7
	}
	return 3
}

// romImages are the ROM's memory: words that call the model, but for the few
// that are data.
var romImages = [2]func() []byte{
	sync.OnceValue(func() []byte { return romImage(3, 0x1B31506F) }),
	sync.OnceValue(func() []byte { return romImage(7, 0x4361606F) }),
}

func romImage(eco, magic uint32) []byte {
	p := make([]byte, romSize)
	for off := uint32(0); off < romSize; off += 4 {
		binary.LittleEndian.PutUint32(p[off:], riscv.ROMCall(off/4))
	}
	binary.LittleEndian.PutUint32(p[0x10:], 5) // _rom_chip_id
	binary.LittleEndian.PutUint32(p[0x14:], eco)
	binary.LittleEndian.PutUint32(p[0x1000:], magic)               // what esptool tells chips by
	for _, off := range []uint32{romSecOld, romSecNew, romTxOld} { // the entries that are not aligned to four bytes
		binary.LittleEndian.PutUint32(p[off:], riscv.ROMCall((off+2)/4))
	}
	return p
}

// romRegions are the ROM's windows: its code, and the end of its data.
func (c *Chip) romRegions() []riscv.Region {
	image := romImages[oneIf(c.romECO() >= 7)]()
	return []riscv.Region{
		{Name: "ROM", Base: romBase, Data: image, Exec: true, ROM: true},
		{Name: "ROM data", Base: romLayout, Data: romLayoutData()},
	}
}

// romLayoutData is how the ROM uses RAM, as programs ask it (ESP-IDF, rom/rom_layout.h):
// at the very end of its data a pointer, and here right before it the structure, of which
// only what is not the radio's is filled.
var romLayoutData = sync.OnceValue(func() []byte {
	p := make([]byte, romDataEnd-romLayout)
	for i, v := range []uint32{romStack, romReserved, romStack - romStackSize, romStack} {
		binary.LittleEndian.PutUint32(p[4*i:], v)
	}
	copy(p[romCoexVersion-romLayout:], "9387209") // as logs of programs with radio quote it
	binary.LittleEndian.PutUint32(p[len(p)-4:], romLayout)
	return p
})

// romCall is a call of an entry point by the core, with PC at it.
func (c *Chip) romCall(index uint32) {
	off := index * 4
	if f, ok := romFuncs[off]; ok {
		f.call(c)
		c.romOwed()
		c.romStall(f.cycles)
		return
	}
	if off >= romVectors && off < romVectors+32*4 {
		c.romInterrupt(int(off-romVectors) / 4)
		return
	}
	c.halt(board.NotModelled, uint32(c.core.PC), "ROM: "+romName(off)+" not modelled")
}

// romStall lets what was called take its time: the next instruction waits, while
// events go on at their own cycles.
func (c *Chip) romStall(cycles uint64) {
	if until := c.core.Cycle + cycles; c.core.StallUntil < until {
		c.core.Stall(until)
	}
}

// romHand starts a program: a stack, interrupts on and the ROM's own vectors, as
// programs find them after the ROM (TinyGo, for one, counts on the interrupts). The
// performance counter has counted cycles since the reset: ESP-IDF reads it without
// setting it up, and its log begins at the time that booting took.
func (c *Chip) romHand(entry, ret uint32) {
	c.ROM.Phase = romOff
	c.ROM.Putc = [2]uint32{romBase + romPutUART, romBase + romPutUSB}
	c.ScheduleAt(slotROMStep, clock.NeverTime)
	c.startCore(entry)
	s := &c.core.State
	s.X[2] = romStack - 0x90
	s.X[1] = uint64(int64(int32(romBase + ret)))
	s.Mstatus = 3<<11 | 1<<7 | 1<<3
	s.Mtvec = romBase + romVectors | 1
	s.Perf.Mpcer, s.Perf.Mpcmr = 1, 1
	s.Perf.Base = s.Cycle - c.ROM.Started - (s.Cycle - s.Slept)
}

// romInterrupt is the ROM's vector table: cause 0 are exceptions, which end in a
// message on the part and hang here; others go to the handler attached, with the
// registers that a function may change saved on the stack.
func (c *Chip) romInterrupt(cause int) {
	s := &c.core.State
	h := c.ROM.Handlers[cause]
	if cause == 0 || h.Func == 0 {
		c.warn("the ROM's handler got exception or interrupt 0x%x at 0x%08x, and hangs", s.Mcause, s.Mepc)
		s.PC = romBase + romHang
		return
	}
	frame := uint32(s.X[2]) - romFrame
	for i, x := range romSaved {
		c.romPut32(frame+uint32(4*i), uint32(s.X[x]))
	}
	c.romPut32(frame+romFrame-8, uint32(s.Mepc))
	s.X[2] = signed(frame)
	s.X[10] = signed(h.Arg)
	s.X[1] = signed(romBase + romMRet)
	s.PC = uint64(h.Func)
	c.romStall(romInterruptCost)
}

const (
	romFrame         = 80
	romInterruptCost = 40 // saving, finding the handler and calling it [A]; the same to return
)

// romSaved are the registers that the calling convention lets a function change.
var romSaved = [...]int{1, 5, 6, 7, 10, 11, 12, 13, 14, 15, 16, 17, 28, 29, 30, 31}

// romReturnFromInterrupt undoes romInterrupt.
func romReturnFromInterrupt(c *Chip) {
	s := &c.core.State
	frame := uint32(s.X[2])
	for i, x := range romSaved {
		s.X[x] = signed(c.romGet32(frame + uint32(4*i)))
	}
	s.X[2] = signed(frame + romFrame)
	s.PC = uint64(c.romGet32(frame + romFrame - 8))
	s.Mstatus = s.Mstatus&^(1<<3) | s.Mstatus>>4&(1<<3) | 1<<7
}

// signed is a 32-bit value as the core's registers hold it.
func signed(v uint32) uint64 { return uint64(int64(int32(v))) }

// romBytes is memory that the ROM's code reaches: RAM, and for reading flash
// through the cache. Nothing there is the program's fault; then zeros are read and
// what is written is lost.
func (c *Chip) romBytes(addr, n uint32) []byte {
	if p := c.ramAt(addr, n); p != nil {
		c.track.Loaded(addr, n)
		return p
	}
	if c.block(addr) != nil {
		return c.romRegisters(addr, n)
	}
	p := make([]byte, min(n, 16<<20))
	for done := 0; done < len(p); {
		m := c.romReach(addr + uint32(done))
		if m == nil {
			c.warn("a function of the ROM was given memory at 0x%08x, where none is", addr)
			break
		}
		n := copy(p[done:], m)
		c.romTellRead(addr+uint32(done), n)
		done += n
	}
	return p
}

// romRegisters reads registers by word, as many bytes of them as are wanted.
func (c *Chip) romRegisters(addr, n uint32) []byte {
	var p []byte
	skip := addr & 3
	for at := addr &^ 3; uint32(len(p)) < skip+n; at += 4 {
		v, f := c.load(at, 4)
		if f != bus.None {
			c.halt(board.NotModelled, uint32(c.core.X[1]), "the ROM's read of "+RegisterName(at)+" not modelled")
			return make([]byte, n)
		}
		p = binary.LittleEndian.AppendUint32(p, v)
	}
	return p[skip : skip+n]
}

func (c *Chip) romGet32(addr uint32) uint32 { return binary.LittleEndian.Uint32(c.romBytes(addr, 4)) }

func (c *Chip) romPut32(addr, v uint32) {
	c.romPut(addr, binary.LittleEndian.AppendUint32(nil, v))
}

// romPut writes to RAM, and to a peripheral's register by word.
func (c *Chip) romPut(addr uint32, p []byte) {
	if m := c.ramAt(addr, uint32(len(p))); m != nil {
		copy(m, p)
		c.ramChanged(addr, uint32(len(p)))
		return
	}
	for ; c.block(addr) != nil && addr%4 == 0 && len(p) >= 4; addr, p = addr+4, p[4:] {
		if c.store(addr, 4, binary.LittleEndian.Uint32(p)) != bus.None {
			c.halt(board.NotModelled, uint32(c.core.X[1]), "the ROM's write to "+RegisterName(addr)+" not modelled")
			return
		}
	}
	if len(p) > 0 {
		c.warn("a function of the ROM was to write to 0x%08x, where no RAM is", addr)
	}
}
