package k210

import (
	"encoding/binary"
	"errors"

	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
	"rigor/harness/sim/nor"
)

// flashWire is a transaction of the flash chip in the making. The chip acts when it is
// deselected; what it reads out is asked for as the clocks go by.
type flashWire struct {
	Selected  bool
	Have      bool // the command
	Cmd       byte
	Layout    nor.Layout
	Addr      uint32
	AddrBits  int
	AddrLines int
	Dummy     int
	Lines     int // of data
	Count     uint32
	Page      [nor.PageSize]byte // the last of Count bytes sent, at their places modulo its size
	Read      int                // bytes that the chip sent
	Spoilt    bool               // clocks after the end of a command that has no data
}

// newFlash is the chip at SPI3. All of 16 MB takes 40 s to erase (W25Q128JV §9.6).
func newFlash(o Options) (*nor.Flash, error) {
	capacity := byte(0)
	for n := o.Flash; n > 1; n >>= 1 {
		capacity++
	}
	times := nor.Typical
	times.Chip = 40 * clock.Second * clock.Time(o.Flash) / (16 << 20)
	return nor.New(nor.Config{JEDEC: [3]byte{0xEF, 0x40, capacity}, Unique: o.FlashID, Seed: o.Seed, Times: times})
}

func (w *flashWire) command(cmd byte) {
	w.Have, w.Cmd, w.Layout = true, cmd, nor.LayoutOf(cmd)
	w.AddrLines, w.Lines = 1, 1
}

// address is the phase between command and data in the formats with more lines.
func (w *flashWire) address(v uint32, s *spiState) {
	m := s.modes(3)
	w.AddrBits = int(s.addressBits())
	w.Addr = v & (1<<w.AddrBits - 1)
	if s.transType() > 0 {
		w.AddrLines = m.lines
	}
	if m.tmod != tmodSend {
		w.Dummy = int(s.waitClocks())
	}
}

// flashFrame exchanges a frame's bytes with the chip, the highest first.
func (c *Chip) flashFrame(m spiModes) uint32 {
	s := &c.SPI[3]
	w := &s.Wire
	var out [4]byte
	in := [4]byte{0xFF, 0xFF, 0xFF, 0xFF}
	binary.BigEndian.PutUint32(out[:], s.ordered(s.Sub.Frame, m)<<(32-m.bits))
	at, n := 0, m.bits/8
	for w.Selected && m.lines == 1 && at < n && w.head(out[at]) {
		at++
	}
	if w.Selected && at < n {
		w.Lines = m.lines
		c.flashData(out[at:n], in[at:n])
	}
	return binary.BigEndian.Uint32(in[:]) >> (32 - m.bits)
}

// head takes a byte of the command, its address, or its clocks without data, all on one line.
func (w *flashWire) head(v byte) bool {
	switch {
	case !w.Have:
		w.command(v)
	case w.AddrBits < w.Layout.AddrBits:
		w.Addr = w.Addr<<8 | uint32(v)
		w.AddrBits += 8
	case w.Dummy < w.Layout.Dummy:
		w.Dummy += 8
	default:
		return false
	}
	return true
}

// flashData is bytes of data, one way or the other.
func (c *Chip) flashData(out, in []byte) {
	w := &c.SPI[3].Wire
	switch w.Layout.Data {
	case nor.ToChip:
		for _, b := range out {
			w.Page[w.Count%nor.PageSize] = b
			w.Count++
		}
	case nor.NoData:
		w.Spoilt = true
	default:
		t := w.transaction()
		t.In, t.Skip = in, w.Read
		c.flashExec(&t)
		w.Read += len(in)
	}
}

func (w *flashWire) transaction() nor.Transaction {
	return nor.Transaction{Cmd: w.Cmd, Addr: w.Addr, AddrBits: w.AddrBits, AddrLines: w.AddrLines, Dummy: w.Dummy, DataLines: w.Lines}
}

// flashDeselect is when the chip does what needs no more data.
func (c *Chip) flashDeselect() {
	w := &c.SPI[3].Wire
	switch {
	case !w.Selected || !w.Have || w.Read > 0:
	case w.Spoilt:
		c.warn("flash command 0x%02x was followed by data: the chip does not execute it", w.Cmd)
	default:
		t := w.transaction()
		t.Out = w.Page[:min(w.Count, nor.PageSize)]
		c.flashExec(&t)
	}
	*w = flashWire{}
}

// flashExec has the chip see a transaction. What it cannot make sense of is the
// program's fault; what the model of it lacks is named.
func (c *Chip) flashExec(t *nor.Transaction) {
	_, err := c.nor.Exec(c.Time(), t)
	switch {
	case errors.Is(err, nor.ErrNotModelled):
		c.halt(board.NotModelled, c.harts[max(c.hart, 0)].PC, err.Error())
	case err != nil:
		c.warn("%v", err)
	}
}
