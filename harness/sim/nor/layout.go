package nor

// Direction is where the data of a command goes.
type Direction uint8

const (
	NoData Direction = iota
	ToChip
	FromChip
)

// Layout is what follows a command on the wire, for controllers that only see bytes.
type Layout struct {
	AddrBits int
	Dummy    int // bits, sent on one line
	Data     Direction
}

// LayoutOf is how the chip takes a command on one line. What it does not know has
// data to it.
func LayoutOf(cmd byte) Layout {
	s, ok := shapes[cmd]
	if !ok {
		if bare[cmd] {
			return Layout{}
		}
		return Layout{Data: ToChip}
	}
	l := Layout{AddrBits: s.addr, Dummy: s.header - s.addr/s.addrLines, Data: FromChip}
	switch cmd {
	case PageProgram, QuadPageProgram, WriteStatus1, WriteStatus2, WriteStatus3:
		l.Data = ToChip
	case SectorErase, HalfBlockErase, BlockErase:
		l.Data = NoData
	}
	return l
}

// bare are the commands that nothing follows.
var bare = map[byte]bool{
	WriteEnable: true, VolatileWriteEnable: true, WriteDisable: true, ChipErase: true, ChipErase2: true,
	Suspend: true, Resume: true, PowerDown: true, EnableReset: true, ResetDevice: true,
}
