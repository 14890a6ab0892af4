package k210

import "rigor/harness/sim/clock"

// What UARTHS and UART1 to UART3 have in common: a transmitter whose edges are known when
// a frame begins, and a receiver that takes its samples late, when an edge or the frame's
// end asks for them. All times are cycles of ACLK, from which both make their bits.

// uartSender is a transmitter's shift register.
type uartSender struct {
	Busy  bool
	Start uint64 // the cycle at which the frame began
	Bit   uint64 // cycles
	Frame uint64 // levels, first bit lowest; ones behind the last
	Half  uint64 // half bits of the whole frame
}

// stopBits are what follows the bits of a frame.
const stopBits = 1<<32 - 1

// end is when the frame is over.
func (s *uartSender) end() uint64 {
	if !s.Busy {
		return clock.Never
	}
	return s.Start + s.Half*s.Bit/2
}

// bit is the number of the one on the line at a cycle.
func (s *uartSender) bit(cycle uint64) uint64 { return min((cycle-s.Start)/s.Bit, 63) }

// level is the line's at a cycle.
func (s *uartSender) level(cycle uint64) bool {
	return !s.Busy || s.Frame>>s.bit(cycle)&1 != 0
}

// edge is when the line next changes behind a cycle within the frame.
func (s *uartSender) edge(cycle uint64) uint64 {
	if !s.Busy {
		return clock.Never
	}
	at := s.bit(cycle)
	for n := at + 1; n < s.Half/2; n++ {
		if (s.Frame>>n^s.Frame>>at)&1 != 0 {
			return s.Start + n*s.Bit
		}
	}
	return clock.Never
}

// uartReceiver is a receiver's shift register.
type uartReceiver struct {
	Level bool // of the line
	Busy  bool
	Start uint64 // the cycle at which the start bit was taken to begin
	Bit   uint64 // cycles
	Mid   uint64 // cycles into a bit at which it is sampled
	Bits  uint64 // to sample, the start bit included
	Taken uint64
	Frame uint64
}

// sampleAt is when a bit is sampled.
func (r *uartReceiver) sampleAt(bit uint64) uint64 { return r.Start + bit*r.Bit + r.Mid }

// take samples what is due before a cycle; until then the level was constant.
func (r *uartReceiver) take(until uint64) {
	for r.Busy && r.Taken < r.Bits && r.sampleAt(r.Taken) < until {
		if r.Level {
			r.Frame |= 1 << r.Taken
		}
		r.Taken++
	}
}

// begin starts a frame.
func (r *uartReceiver) begin(at, bit, mid, n uint64) {
	*r = uartReceiver{Level: r.Level, Busy: true, Start: at, Bit: bit, Mid: mid, Bits: n}
}

// uartFIFO is a ring of words: a byte, and of a receiver its errors.
type uartFIFO struct {
	Buf  [16]uint16
	R, N uint8
}

func (f *uartFIFO) put(v uint16) {
	f.Buf[(f.R+f.N)%16] = v
	f.N++
}

// first is the oldest; an empty ring gives what was there.
func (f *uartFIFO) first() uint16 { return f.Buf[f.R] }

func (f *uartFIFO) take() uint16 {
	v := f.first()
	if f.N > 0 {
		f.R = (f.R + 1) % 16
		f.N--
	}
	return v
}
