package stm32f407

// Smooth calibration, RM0090 §26.3.11: of each 2^20 cycles that the calendar
// counts, CALM are made to last two of RTCCLK, and with CALP one in 2^11 to last
// none. The wake-up timer counts RTCCLK as it is.
//
// A new setting takes effect at once and begins a window of its own, where the part
// takes up to three counts of the asynchronous prescaler, while RECALPF is set.

const (
	calrCALP   = 1 << 15
	calrCALW8  = 1 << 14
	calrCALW16 = 1 << 13
	calrMask   = 0xE1FF
)

func (r *rtc) calibrate(v uint32) {
	r.CALR, r.CalAt = v&calrMask, r.At
}

// masked is CALM; shorter windows leave out its lowest bits.
func (r *rtc) masked() uint32 {
	switch m := r.CALR & 0x1FF; {
	case r.CALR&calrCALW8 != 0:
		return m &^ 3
	case r.CALR&calrCALW16 != 0:
		return m &^ 1
	default:
		return m
	}
}

// stretched is how many cycles of RTCCLK a count of the calendar's clock takes.
// Bit n of CALM masks one when the count's lower 20 bits are an odd multiple of
// 2^(19-n).
func (r *rtc) stretched(count uint64) uint64 {
	cycles := count
	for n, m := 0, r.masked(); m>>n != 0; n++ {
		if m>>n&1 != 0 {
			cycles += (count + 1<<(19-n)) >> (20 - n)
		}
	}
	if r.CALR&calrCALP != 0 {
		cycles -= count >> 11
	}
	return cycles
}

// calibrated is the count of the calendar's clock at a cycle of RTCCLK: the last
// that has taken no more than that.
func (r *rtc) calibrated(k uint64) uint64 {
	cycles := k - r.CalAt
	count := cycles
	for s := r.stretched(count); s != cycles; s = r.stretched(count) {
		if s > cycles {
			count -= s - cycles
		} else if r.stretched(count+1) <= cycles {
			count += max((cycles-s)/2, 1)
		} else {
			break
		}
	}
	for r.stretched(count+1) <= cycles {
		count++
	}
	return count
}
