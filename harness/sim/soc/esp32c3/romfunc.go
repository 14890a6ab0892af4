package esp32c3

import (
	"bytes"
	"crypto/md5"
	"encoding"
	"encoding/binary"
	"hash/crc32"
	"slices"

	"rigor/harness/sim/clock"
	"rigor/harness/sim/nor"
)

// The ROM's functions that programs call: those that flashers upload and that
// TinyGo's images use. Arguments and results are in the registers of the RISC-V
// calling convention. A function that waits leaves PC where it is, at its entry or
// at one of romInner's words, and keeps what it has to know in registers that a
// function may change, so that interrupts can be taken meanwhile and handlers can call
// the ROM too.
type romFunc struct {
	cycles uint64 // an estimate
	call   func(c *Chip)
}

// Words of our own where functions wait and programs return to.
const (
	romBack      = romInner + 4*iota // a program returned to the ROM
	romHang                          // for ever
	romMRet                          // a handler returned
	romDelaying                      // ets_delay_us
	romFlashing                      // on the flash chip
	romPrintStep                     // ets_printf, between characters
	romPutUART                       // its channels
	romPutUSB
	romSortStep    // qsort, when the program has compared
	romIsattyStep  // _isatty_r, when the program has said
	romStrdupReent // strdup, when the program has said which structure is its own
	romStrdupCopy  // and when it has allocated
)

// romFuncs are the models by offset in the ROM.
var romFuncs = map[uint32]romFunc{
	romSecOld + 2:  value(50, securityInfoProc),
	romSecNew + 2:  value(50, securityInfoProc),
	romBack:        {0, func(c *Chip) { c.romReturned() }},
	romHang:        {0, func(c *Chip) { c.core.Stall(c.core.Cycle + 1<<20) }},
	romMRet:        {romInterruptCost, romReturnFromInterrupt},
	romDelaying:    {0, func(c *Chip) { c.romDelay() }},
	romTxOld + 2:   effect(10, romSwitch),
	romTxNew:       effect(10, romSwitch),
	0x18AC:         constant(romCoexVersion), // esp_coex_rom_version_get
	romFlashing:    {10, func(c *Chip) { c.romFlashStep() }},
	romPrintStep:   {20, romPrintOn},
	romPutUART:     {20, romWriteConsole},
	romPutUSB:      {20, romWriteUSB},
	romSortStep:    {20, romSortOn},
	romIsattyStep:  {20, romIsattyOn},
	romStrdupReent: {10, romStrdupAllocate},
	romStrdupCopy:  {20, romStrdupEnd},
}

func init() {
	for _, models := range []map[string]romFunc{romModels, romMath, romPrintModels, romLibc, romSHA, romPads, romSystem} {
		for name, f := range models {
			i := slices.Index(romNames, name)
			if i < 0 {
				panic("BUG: the ROM has no " + name)
			}
			romFuncs[romEntries+4*uint32(i)] = f
		}
	}
	for i, f := range romAnalog {
		romFuncs[romREGI2C+4*uint32(i)] = f
	}
}

// arg is an argument, counted from 0.
func (c *Chip) arg(i int) uint32 { return uint32(c.core.X[10+i]) }

// romReturn returns to the caller.
func (c *Chip) romReturn(v uint32) {
	c.core.X[10] = signed(v)
	c.core.PC = c.core.X[1] & 0xFFFFFFFF
}

// value is a function that returns a word at once.
func value(cycles uint64, f func(c *Chip) uint32) romFunc {
	return romFunc{cycles, func(c *Chip) { c.romReturn(f(c)) }}
}

// effect is a function that returns nothing, at once.
func effect(cycles uint64, f func(c *Chip)) romFunc {
	return romFunc{cycles, func(c *Chip) {
		f(c)
		c.core.PC = c.core.X[1] & 0xFFFFFFFF
	}}
}

// constant is a function that always returns the same.
func constant(v uint32) romFunc { return value(4, func(*Chip) uint32 { return v }) }

// romModels are the functions by name, but for arithmetic.
var romModels = map[string]romFunc{
	"rtc_get_reset_reason": value(10, func(c *Chip) uint32 { return uint32(c.Cause) }),
	"ets_delay_us":         effect(10, romStartDelay),

	"uart_tx_one_char":       {20, romTxOneChar},
	"uart_tx_one_char2":      {20, romTxOneChar},
	"uart_rx_one_char":       value(20, romRxOneChar),
	"uart_rx_one_char_block": {20, romRxBlock},
	"uart_tx_flush":          {20, romTxFlush},
	"uart_tx_wait_idle":      {20, romTxIdle},
	"uart_div_modify":        effect(40, romDivModify),
	"GetUartDevice":          constant(romUartDevice),
	"software_reset":         {20, func(c *Chip) { c.resetSoon(resetSoftware) }},
	"software_reset_cpu":     {20, func(c *Chip) { c.resetSoon(resetCPUSoft) }},
	"ets_set_user_start":     effect(10, func(*Chip) {}), // MEM_END alone starts programs here

	"tinfl_decompress": value(200, romInflate),
	"MD5Init":          effect(20, func(c *Chip) { c.putMD5(c.arg(0), md5.New().(md5State)) }),
	"MD5Update":        effect(100, romMD5Update),
	"MD5Final":         effect(800, romMD5Final),
	"crc32_le":         value(30, romCRC32),

	"esp_rom_spiflash_wait_idle":       {20, flashOp(opWait, 0)},
	"esp_rom_spiflash_erase_chip":      {50, flashOp(opChip, 0)},
	"esp_rom_spiflash_erase_block":     {50, flashOp(opBlock, nor.BlockSize)},
	"esp_rom_spiflash_erase_sector":    {50, flashOp(opSector, nor.SectorSize)},
	"SPIEraseArea":                     {50, flashOp(opArea, 0)},
	"esp_rom_spiflash_write":           {50, flashOp(opWrite, 0)},
	"esp_rom_spiflash_read":            {50, flashOp(opRead, 0)},
	"esp_rom_spiflash_unlock":          {50, flashOp(opUnlock, 0)},
	"SPI_write_enable":                 {50, flashOp(opEnable, 0)},
	"esp_rom_spi_flash_update_id":      value(200, romUpdateID),
	"esp_rom_spiflash_read_status":     value(200, func(c *Chip) uint32 { return c.romStatus(nor.ReadStatus1, 0) }),
	"esp_rom_spiflash_read_statushigh": value(200, func(c *Chip) uint32 { return c.romStatus(nor.ReadStatus2, 8) }),
	"esp_rom_spiflash_write_status":    {100, flashOp(opStatus, 0)},
	"esp_rom_spiflash_config_param":    value(40, romConfigParam),
	"esp_rom_spiflash_attach":          effect(300, func(c *Chip) { c.romAttach() }),

	"Cache_Get_ICache_Line_Size":    constant(cacheLine),
	"Cache_Invalidate_ICache_Items": effect(50, func(c *Chip) { c.cacheInvalidate(c.arg(0), c.arg(1)*cacheLine) }),
	"Cache_Invalidate_Addr":         value(50, romInvalidate),
	"Cache_Invalidate_ICache_All":   effect(600, func(c *Chip) { c.cacheInvalidateAll() }),
	"Cache_Disable_ICache":          value(50, romCacheOff),
	"Cache_Enable_ICache":           effect(50, romCacheOn),
	"Cache_Suspend_ICache":          value(50, romCacheOff),
	"Cache_Resume_ICache":           effect(50, romCacheOn),
	"Cache_MMU_Init":                effect(600, func(c *Chip) { c.mmuInit() }),
	"Cache_Ibus_MMU_Set":            value(600, func(c *Chip) uint32 { return c.romMMUSet(iromBase) }),
	"Cache_Dbus_MMU_Set":            value(600, func(c *Chip) uint32 { return c.romMMUSet(dromBase) }),

	"ets_get_apb_freq":         value(10, func(c *Chip) uint32 { return uint32(c.Clocks.APB) }),
	"ets_get_cpu_frequency":    value(10, func(c *Chip) uint32 { return c.ROM.Loader.Ticks }),
	"ets_update_cpu_frequency": effect(10, func(c *Chip) { c.ROM.Loader.Ticks = c.arg(0) }),
	"ets_get_xtal_freq":        constant(xtalHz),
	"ets_efuse_get_spiconfig":  constant(0),

	"esprv_intc_int_set_priority":  effect(10, func(c *Chip) { c.poke(intcBase+0x114+4*(c.arg(0)&31), c.arg(1)) }),
	"esprv_intc_int_set_threshold": effect(10, func(c *Chip) { c.poke(intcBase+0x194, c.arg(0)) }),
	"esprv_intc_int_enable":        effect(10, func(c *Chip) { c.intcEnable(c.arg(0), ^uint32(0)) }),
	"esprv_intc_int_disable":       value(10, func(c *Chip) uint32 { return c.intcEnable(0, ^c.arg(0)) }),
	"intr_matrix_set":              effect(10, romMatrixSet),
	"intr_handler_set":             effect(10, romAttachHandler),
	"ets_isr_attach":               effect(10, romAttachHandler),
	"ets_isr_mask":                 effect(10, func(c *Chip) { c.intcEnable(0, ^c.arg(0)) }),
	"ets_isr_unmask":               effect(10, func(c *Chip) { c.intcEnable(c.arg(0), ^uint32(0)) }),

	"memset":  {10, romMemset},
	"memcpy":  {10, romMemmove},
	"memmove": {10, romMemmove},
}

const (
	intcBase      = 0x600C2000
	romUartDevice = 0x3FCDF064 // the structure whose word at 3FCDF07C is the port in use
	romUartPort   = 0x3FCDF07C
	romFlashChip  = 0x3FCDF640 // ours: what rom_spiflash_legacy_data points at
	romFlashData  = 0x3FCDFFF0
)

// romReturned: a program that a loader started has come back. What the ROM does
// then is not documented.
func (c *Chip) romReturned() {
	c.warn("a program returned to the ROM, which hangs here")
	c.core.PC = romBase + romHang
}

// romStartDelay waits for a time in microseconds.
func romStartDelay(c *Chip) { c.romTake(uint64(c.arg(0)) * uint64(c.ROM.Loader.Ticks)) }

// romTake has the function under way take so many cycles more before it returns,
// during which interrupts are served.
func (c *Chip) romTake(cycles uint64) { c.ROM.Owed += cycles }

// romOwed keeps the cycle at which the function returns in t5 and t6.
func (c *Chip) romOwed() {
	if c.ROM.Owed == 0 {
		return
	}
	until := c.core.Cycle + c.ROM.Owed
	c.core.X[30], c.core.X[31] = signed(uint32(until)), signed(uint32(until>>32))
	c.core.PC = romBase + romDelaying
	c.ROM.Owed = 0
}

func (c *Chip) romDelay() {
	if until := uint64(uint32(c.core.X[30])) | c.core.X[31]<<32; c.core.Cycle < until {
		c.romWait(until)
		return
	}
	c.core.PC = c.core.X[1] & 0xFFFFFFFF
}

// romLook is how often a function that waits looks whether it still has to: a
// handler waits for so long at most.
const romLook = 5 * clock.Microsecond

// romWait makes the function under way look again at a cycle, or before.
func (c *Chip) romWait(until uint64) {
	c.core.Stall(min(until, c.CycleFrom(c.Time()+romLook)))
}

// romPoll makes it look again in a while.
func (c *Chip) romPoll() { c.core.Stall(c.CycleFrom(c.Time() + clock.Microsecond)) }

// romTxOneChar sends on the console's port.
func romTxOneChar(c *Chip) {
	if !c.romSend(byte(c.arg(0))) {
		c.romPoll()
		return
	}
	c.romReturn(0)
}

// romSend sends a character on the console's port if there is room: that of the loader
// if one was in use, UART0, or what the program has switched to.
func (c *Chip) romSend(b byte) bool {
	if c.ROM.Console == romUSB {
		if !c.romUSBRoom() {
			return false
		}
		c.poke(usbBase+usbEP1, uint32(b))
		return true
	}
	base := c.romConsole()
	if c.peek(base+uartStatus)>>16&0x3FF >= romFIFOFull {
		return false
	}
	c.poke(base+uartFIFOReg, uint32(b))
	return true
}

// romConsole is the UART on which the console sends, if it is not on USB.
func (c *Chip) romConsole() uint32 {
	if c.ROM.Console == 1 {
		return uart1Base
	}
	return uart0Base
}

// romSwitch puts the console on a port.
func romSwitch(c *Chip) { c.ROM.Console = uint8(c.arg(0)) }

// romReceived is the next byte from the port in the UART device's structure.
func (c *Chip) romReceived() (v byte, ok bool) {
	switch port := c.romGet32(romUartPort); {
	case port == romUSB && c.peek(usbBase+usbEP1_CONF)&usbOUT_HAS != 0:
		return byte(c.peek(usbBase + usbEP1)), true
	case port == 1 && c.peek(uart1Base+uartStatus)&0x3FF != 0:
		return byte(c.peek(uart1Base + uartFIFOReg)), true
	case port != romUSB && port != 1 && c.peek(uart0Base+uartStatus)&0x3FF != 0:
		return byte(c.peek(uart0Base + uartFIFOReg)), true
	}
	return 0, false
}

func romRxOneChar(c *Chip) uint32 {
	v, ok := c.romReceived()
	if !ok {
		return 1
	}
	c.romPut(c.arg(0), []byte{v})
	return 0
}

func romRxBlock(c *Chip) {
	v, ok := c.romReceived()
	if !ok {
		c.romPoll()
		return
	}
	c.romReturn(uint32(v))
}

// romTxFlush waits until all is sent; on USB it sends what is there, or after a full
// packet an empty one.
func romTxFlush(c *Chip) {
	switch usb := c.ROM.Console == romUSB; {
	case usb && !c.romUSBRoom(), !usb && !c.romUARTIdle(c.romConsole()):
		c.romPoll()
		return
	case usb:
		c.poke(usbBase+usbEP1_CONF, usbWR_DONE)
	}
	c.romReturn(0)
}

func romTxIdle(c *Chip) {
	base := uint32(uart0Base)
	if c.arg(0) == 1 {
		base = uart1Base
	}
	if c.arg(0) != romUSB && !c.romUARTIdle(base) {
		c.romPoll()
		return
	}
	c.romReturn(0)
}

// romDivModify sets the divider, in sixteenths, and empties the FIFOs.
func romDivModify(c *Chip) {
	if c.arg(0) == 0 {
		c.romBaud(c.arg(1))
		c.romClearFIFO()
	}
}

func (c *Chip) romClearFIFO() {
	conf := c.peek(uart0Base + uartConf0)
	c.poke(uart0Base+uartConf0, conf|3<<17) // RXFIFO_RST, TXFIFO_RST
	c.poke(uart0Base+uartConf0, conf&^(3<<17))
}

// securityInfoProc fills 20 bytes.
func securityInfoProc(c *Chip) uint32 {
	c.romPut(c.arg(2), c.securityInfo())
	return 0
}

// md5State is Go's MD5 with the state that it marshals: a magic of four bytes, the
// four words, the block, and the length, big-endian.
type md5State interface {
	Write(p []byte) (int, error)
	Sum(b []byte) []byte
	encoding.BinaryMarshaler
	encoding.BinaryUnmarshaler
}

const md5Magic = "md5\x01"

// putMD5 writes the state as the ROM's struct MD5Context: words, bits, block.
func (c *Chip) putMD5(at uint32, h md5State) {
	s, err := h.MarshalBinary()
	if err != nil {
		panic("BUG: " + err.Error())
	}
	p := make([]byte, 88)
	for i := range 4 {
		binary.LittleEndian.PutUint32(p[4*i:], binary.BigEndian.Uint32(s[4+4*i:]))
	}
	binary.LittleEndian.PutUint64(p[16:], binary.BigEndian.Uint64(s[84:])*8)
	copy(p[24:], s[20:84])
	c.romPut(at, p)
}

func (c *Chip) getMD5(at uint32) md5State {
	p := c.romBytes(at, 88)
	s := []byte(md5Magic)
	for i := range 4 {
		s = binary.BigEndian.AppendUint32(s, binary.LittleEndian.Uint32(p[4*i:]))
	}
	s = append(s, p[24:88]...)
	s = binary.BigEndian.AppendUint64(s, binary.LittleEndian.Uint64(p[16:])/8)
	h := md5.New().(md5State)
	if err := h.UnmarshalBinary(s); err != nil {
		panic("BUG: " + err.Error())
	}
	return h
}

func romMD5Update(c *Chip) {
	h := c.getMD5(c.arg(0))
	h.Write(c.romBytes(c.arg(1), c.arg(2)))
	c.putMD5(c.arg(0), h)
	c.romTake(uint64(c.arg(2)) * romMD5Cost)
}

// romMD5Cost is the cycles for a byte [A]: 64 rounds of about ten instructions for
// 64 bytes.
const romMD5Cost = 11

func romMD5Final(c *Chip) {
	sum := c.getMD5(c.arg(1)).Sum(nil)
	c.romPut(c.arg(1), make([]byte, 88))
	c.romPut(c.arg(0), sum)
}

func romCRC32(c *Chip) uint32 {
	c.romTake(uint64(c.arg(2)) * 8)
	return crc32.Update(c.arg(0), crc32.IEEETable, c.romBytes(c.arg(1), c.arg(2)))
}

func romInvalidate(c *Chip) uint32 {
	c.cacheInvalidate(c.arg(0), c.arg(1))
	return 0
}

// romCacheOff returns that there was no automatic preloading.
func romCacheOff(c *Chip) uint32 {
	c.cacheEnable(false)
	return 0
}

func romCacheOn(c *Chip) { c.cacheEnable(true) }

// romMMUSet maps pages of 64 KB: arguments are kind of memory, virtual and
// physical address, size of a page in KB, count, and whether all have the same
// physical page. Errors are those of rom/cache.h.
func (c *Chip) romMMUSet(window uint32) uint32 {
	vaddr, paddr, n := c.arg(1), c.arg(2), c.arg(4)
	off := vaddr - window
	switch {
	case c.arg(3) != 64:
		return 2
	case vaddr%mmuPage != 0 || paddr%mmuPage != 0:
		return 1
	case off >= cacheSpan || n > (cacheSpan-off)/mmuPage:
		return 4
	case paddr/mmuPage+n > mmuPageNo+1:
		return 3
	}
	for i := range n {
		page := paddr/mmuPage + i
		if c.arg(5) != 0 {
			page = paddr / mmuPage
		}
		c.EXTMEM.MMU[off/mmuPage+i] = c.arg(0)&mmuInvalid | page
	}
	c.mapMemory()
	return 0
}

// intcEnable changes the enabled interrupts and returns what they were.
func (c *Chip) intcEnable(set, keep uint32) uint32 {
	old := c.peek(intcBase + 0x104)
	c.poke(intcBase+0x104, old&keep|set)
	return old
}

func romMatrixSet(c *Chip) {
	if n := c.arg(1); n < sources {
		c.poke(intcBase+4*n, c.arg(2))
	}
}

func romAttachHandler(c *Chip) {
	c.ROM.Handlers[c.arg(0)&31] = romHandle{c.arg(1), c.arg(2)}
}

// The string functions' cost is a word in two cycles [A].

func romMemset(c *Chip) {
	c.romPut(c.arg(0), bytes.Repeat([]byte{byte(c.arg(1))}, int(min(c.arg(2), romMost))))
	c.romTake(uint64(c.arg(2)) / 2)
	c.romReturn(c.arg(0))
}

func romMemmove(c *Chip) {
	c.romPut(c.arg(0), slices.Clone(c.romBytes(c.arg(1), min(c.arg(2), romMost))))
	c.romTake(uint64(c.arg(2)) / 2)
	c.romReturn(c.arg(0))
}

// romMost bounds what a program gone wild makes the host copy.
const romMost = 1 << 20
