package stm32f407

import "rigor/harness/sim/clock"

// The receiver, RM0090 §30.3.3, §30.3.6 and §30.3.7.

// input takes an edge of the receive line.
func (u usart) input(high bool, cycle uint64) {
	u.sync(cycle)
	r := &u.Rx
	u.take(cycle)
	r.Level = high
	if high {
		r.HighFrom = cycle
	} else {
		r.Idle = clock.Never
		u.startBit(cycle)
	}
	u.apply()
}

// startBit begins to look for a start bit: an edge after three samples of idle
// line (§30.3.3).
func (u usart) startBit(cycle uint64) {
	r, bit := &u.Rx, u.bitCycles()
	if r.Busy || !u.on(usartRE) || bit == 0 {
		return
	}
	first := (cycle + u.Div - 1) / u.Div * u.Div
	if r.HighFrom+3*bit/u.oversampling() > first {
		return
	}
	*r = usartRx{Busy: true, HighFrom: r.HighFrom, Start: first, Bit: bit, Idle: clock.Never}
}

// samples of interest in a bit, counted from 1: three in the middle by which
// the majority decides, and in the start bit three more before (16 samples: 3,
// 5, 7 then 8, 9, 10; 8 samples: 2, 3 and 4, 5, 6 stand in).
func (u usart) samplesOfBit() [6]uint64 {
	if u.Cr1&usartOVER8 != 0 {
		return [6]uint64{1, 2, 3, 4, 5, 6}
	}
	return [6]uint64{3, 5, 7, 8, 9, 10}
}

// sampleAt is the cycle of sample of interest i, six for each bit.
func (u usart) sampleAt(i uint64) uint64 {
	n := u.oversampling()
	s := i/6*n + u.samplesOfBit()[i%6] - 1
	return u.Rx.Start + s*u.Rx.Bit/n
}

// lastSample is the stop bit's last sample of interest.
func (u usart) lastSample() uint64 { return 6*(1+u.dataBits()) + 5 }

// rxNext is the cycle of the receiver's next event: the end of a frame, or of
// an idle one.
func (u usart) rxNext() uint64 {
	if u.Rx.Busy {
		return u.sampleAt(u.lastSample())
	}
	return u.Rx.Idle
}

func (u usart) receiverEvent(cycle uint64) {
	if !u.Rx.Busy {
		u.idleLine()
		return
	}
	u.take(cycle + 1)
	if u.Rx.Busy && u.Rx.Next > u.lastSample() {
		u.frameEnd()
	}
}

// take evaluates the samples before the cycle, during which the level was
// constant.
func (u usart) take(cycle uint64) {
	r := &u.Rx
	for r.Busy && r.Next <= u.lastSample() && u.sampleAt(r.Next) < cycle {
		pos := r.Next % 6
		if pos < 3 && r.Next < 6 && !r.Level {
			r.Early++
		}
		if pos >= 3 && r.Level {
			r.Ones++
		}
		if pos == 5 {
			u.bitEnd(r.Next / 6)
			r.Ones = 0
		}
		r.Next++
	}
}

// bitEnd decides a bit by the majority of its three middle samples.
func (u usart) bitEnd(n uint64) {
	r := &u.Rx
	noisy := r.Ones == 1 || r.Ones == 2
	if n == 0 {
		noisy = noisy || r.Early == 2
		if r.Early < 2 || r.Ones > 1 {
			r.Busy = false // not a start bit
			return
		}
	}
	if r.Ones >= 2 {
		r.Frame |= 1 << n
	}
	r.Noise = r.Noise || noisy && u.Cr3&usartONEBIT == 0
}

// frameEnd moves a complete frame to DR, with its flags (§30.3.3).
func (u usart) frameEnd() {
	r, n := &u.Rx, u.dataBits()
	r.Busy = false
	end := r.Start + (1+n+u.stopBits())*r.Bit
	data := uint32(r.Frame >> 1 & (1<<n - 1))
	stop := r.Frame>>(1+n)&1 != 0
	if r.Level {
		r.Idle = end + (1+n+u.stopBits())*r.Bit
	}
	if u.muted(data) {
		return
	}
	if u.Sr&usartRXNE != 0 {
		u.Sr |= usartORE // only this one, §30.6.1 FE
		return
	}
	u.Rdr = data
	u.Sr |= usartRXNE
	if !stop {
		u.Sr |= usartFE
	}
	if r.Noise {
		u.Sr |= usartNF
	}
	if u.Cr1&usartPCE != 0 && u.parity(uint64(data)) != uint64(data) {
		u.Sr |= usartPE
	}
}

// muted applies mute mode (§30.3.6) and reports whether the frame is dropped.
func (u usart) muted(data uint32) bool {
	if u.Cr1&usartWAKE == 0 {
		return u.Cr1&usartRWU != 0
	}
	if data>>(u.dataBits()-1) == 0 {
		return u.Cr1&usartRWU != 0
	}
	if data&0xF == u.Cr2&0xF {
		u.Cr1 &^= usartRWU
		return false
	}
	u.Cr1 |= usartRWU
	return true
}

// idleLine: a frame's time of idle line wakes a muted receiver, or sets IDLE
// once for each burst of data (§30.6.1).
func (u usart) idleLine() {
	u.Rx.Idle = clock.Never
	if u.Cr1&usartRWU == 0 {
		u.Sr |= usartIDLE
	} else if u.Cr1&usartWAKE == 0 {
		u.Cr1 &^= usartRWU
	}
}
