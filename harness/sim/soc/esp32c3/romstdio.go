package esp32c3

// What the ROM does of the C library with the program's help: it asks whether a descriptor is
// a terminal, and for memory, through the table that the program has given it (ESP-IDF,
// rom/libc_stubs.h).
const (
	romSyscalls = 0x3FCDFFE0 // syscall_table_ptr
	tableFstat  = 4 * 14     // _fstat_r(reent, descriptor, struct stat *)

	statMode = 4 // in newlib's struct stat
	statSize = 96

	isattyFrame = 16 + statSize // first where to return to

	modeType     = 0xF000
	modeTerminal = 0x2000
)

func romIsatty(c *Chip) {
	s := &c.core.State
	frame := uint32(s.X[2]) - isattyFrame
	c.romPut32(frame, uint32(s.X[1]))
	s.X[2] = signed(frame)
	s.X[12] = signed(frame + 16)
	c.romAsk(tableFstat, romIsattyStep)
}

// romIsattyOn returns what the program's answer means.
func romIsattyOn(c *Chip) {
	s := &c.core.State
	frame := uint32(s.X[2])
	terminal := int32(c.arg(0)) >= 0 && c.romGet32(frame+16+statMode)&modeType == modeTerminal
	s.X[1] = uint64(c.romGet32(frame))
	s.X[2] = signed(frame + isattyFrame)
	c.romReturn(oneIf(terminal))
}

// strdup and strndup of the ROM allocate by the program's _malloc_r, for which they ask
// its __getreent first. The frame: where to return to, the string, its length.
const (
	tableReent  = 0
	tableMalloc = 4

	strdupFrame = 16
)

// romStrdup begins, with as much of the string as is wanted.
func romStrdup(c *Chip, most uint32) {
	s := &c.core.State
	frame := uint32(s.X[2]) - strdupFrame
	from := c.arg(0)
	c.romPut32(frame, uint32(s.X[1]))
	c.romPut32(frame+4, from)
	c.romPut32(frame+8, uint32(len(c.romStringN(from, most))))
	s.X[2] = signed(frame)
	c.romAsk(tableReent, romStrdupReent)
}

// romAsk calls a function of the program's table, to go on at one of romInner's words.
func (c *Chip) romAsk(function, then uint32) {
	c.core.X[1] = signed(romBase + then)
	c.core.PC = uint64(c.romGet32(c.romGet32(romSyscalls) + function))
}

func romStrdupAllocate(c *Chip) {
	c.core.X[11] = uint64(c.romGet32(uint32(c.core.X[2])+8) + 1)
	c.romAsk(tableMalloc, romStrdupCopy)
}

func romStrdupEnd(c *Chip) {
	s, to := &c.core.State, c.arg(0)
	frame := uint32(s.X[2])
	if to != 0 {
		c.putString(to, c.romStringN(c.romGet32(frame+4), c.romGet32(frame+8)))
	}
	s.X[1] = uint64(c.romGet32(frame))
	s.X[2] = signed(frame + strdupFrame)
	c.romReturn(to)
}
