package k210

import (
	"fmt"

	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
)

// i2sMicrophone is one that the board connects.
type i2sMicrophone struct {
	sck, ws, sd int
	right       int // 1 if it answers in the right slot
	sample      func(at clock.Time) int32
}

var _ board.I2SReceiver = (*Chip)(nil)

// ConnectI2S puts a microphone on three pins; see board.I2SReceiver. It is heard while FPIOA
// connects them to SCLK, WS and a data input of one I2S.
func (c *Chip) ConnectI2S(sck, ws, sd board.Pin, right bool, source func(at clock.Time) int32) error {
	for _, p := range []board.Pin{sck, ws, sd} {
		if p < 0 || p >= pinCount {
			return fmt.Errorf("connect i2s: no pin %d", p)
		}
	}
	m := i2sMicrophone{sck: int(sck), ws: int(ws), sd: int(sd), right: int(oneIf(right)), sample: source}
	c.microphones = append(c.microphones, m)
	return nil
}

// microphone is what a receiver's data input carries in a slot that begins at a time, from bit 63
// on: 24 bits behind one that still belongs to the slot before (I2S bus specification,
// §3.2). Without a microphone, or in its other slot, the line is low.
func (c *Chip) microphone(n, channel, right int, at clock.Time) (stream uint64) {
	base := i2sFns * n
	heard := false
	for _, m := range c.microphones {
		if m.sck != c.padOf(fnI2S_SCLK+base) || m.ws != c.padOf(fnI2S_WS+base) || m.sd != c.padOf(fnI2S_IN+base+channel) {
			continue
		}
		heard = true
		if m.right == right {
			stream |= uint64(uint32(m.sample(at))<<8) << 31
		}
	}
	if !heard {
		c.warn("I2S%d receives by channel %d, to which FPIOA connects no microphone", n, channel)
	}
	return stream
}
