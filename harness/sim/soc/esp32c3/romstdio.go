package esp32c3

// What the ROM has of the C library's files: whether a descriptor is a terminal. It asks the program,
// through the table that this has given the ROM (ESP-IDF, rom/libc_stubs.h).
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
	s.X[1] = romBase + romIsattyStep
	s.PC = uint64(c.romGet32(c.romGet32(romSyscalls) + tableFstat))
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
