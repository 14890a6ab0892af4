package esp32c3

import (
	"encoding/binary"
	"testing"

	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
)

// FuzzPins stores anything anywhere in the blocks around the pins, with edges from
// outside: programs can do that, and it must not matter to the harness.
func FuzzPins(f *testing.F) {
	seed, mess := uint64(1), make([]byte, 1200)
	for i := range mess {
		mess[i] = byte(splitmix(&seed))
	}
	f.Add(mess)
	f.Add([]byte{4, 0xD0, 1, 0, 0, 0, 4, 0xA0, 0x1A, 0x10, 0, 2, 9, 0, 0, 0, 0, 2})
	bases := []uint32{0x60000000, uart1, gpio0, mux0 - 4, ledc0, adc0, usb0, regi2c0, gpio0 + gpioFUNC_OUT, gpio0 + gpioFUNC_IN}
	f.Fuzz(func(t *testing.T, ops []byte) {
		c := New(Options{})
		c.SetPower(true)
		c.romReset()
		c.ScheduleAt(slotReset, clock.NeverTime)
		c.SYSTEM.PERIP_CLK_EN = [2]uint32{0xFFFFFFFF, 0xFFFFFFFF}
		c.Watch(func(board.Pin, bool, clock.Time) {})
		for ; len(ops) >= 6; ops = ops[6:] {
			v := binary.LittleEndian.Uint32(ops[2:])
			if n := int(ops[0]) % (len(bases) + 2); n < len(bases) {
				addr := bases[n] + uint32(ops[1])&^3
				c.load(addr, 4)
				c.store(addr, 4, v)
			} else if n == len(bases) {
				c.Drive(board.Pin(ops[1]%pinCount), board.Drive{Kind: board.DriveKind(v & 7), MV: int32(v >> 16)}, c.Now())
			} else {
				c.USBWrite(ops[:6])
				c.Run(c.Now() + clock.Time(v>>8))
			}
		}
		c.Run(c.Now() + 50*clock.Microsecond)
		c.Digest()
	})
}
