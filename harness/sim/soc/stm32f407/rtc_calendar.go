package stm32f407

// The RTC's calendar: BCD in TR and DR, RM0090 §26.6.1 and §26.6.2. What a
// program puts there that is no time counts on as the digits say.

func bcd(v uint32) int64 { return int64(v>>4*10 + v&0xF) }

func toBCD(n int64) uint32 { return uint32(n/10<<4 | n%10) }

// tick counts seconds on.
func (r *rtc) tick(n int64) {
	s := r.secondOfDay() + n
	for ; s >= 24*60*60; s -= 24 * 60 * 60 {
		r.nextDay()
	}
	r.setSecondOfDay(s)
}

func (r *rtc) secondOfDay() int64 {
	h := bcd(r.TR >> 16 & 0x3F)
	if r.CR&rtcFMT != 0 {
		h %= 12
		if r.TR>>22&1 != 0 {
			h += 12
		}
	}
	return (h*60+bcd(r.TR>>8&0x7F))*60 + bcd(r.TR&0x7F)
}

func (r *rtc) setSecondOfDay(s int64) {
	h, pm := s/3600, uint32(0)
	if r.CR&rtcFMT != 0 {
		if h >= 12 {
			h, pm = h-12, 1<<22
		}
		if h == 0 {
			h = 12
		}
	}
	r.TR = pm | toBCD(h)<<16 | toBCD(s/60%60)<<8 | toBCD(s%60)
}

// nextDay counts date and day of the week on; years end in 2099.
func (r *rtc) nextDay() {
	y, m, d := bcd(r.DR>>16&0xFF), bcd(r.DR>>8&0x1F), bcd(r.DR&0x3F)
	week := r.DR>>13&7%7 + 1
	if d++; d > daysOf(y, m) {
		d = 1
		m++
	}
	if m > 12 {
		m = 1
		y = (y + 1) % 100
	}
	r.DR = toBCD(y)<<16 | week<<13 | toBCD(m)<<8 | toBCD(d)
}

// daysOf is the length of a month; every fourth year from 2000 on is a leap
// year.
func daysOf(y, m int64) int64 {
	switch {
	case m == 2 && y%4 == 0:
		return 29
	case m == 2:
		return 28
	case m == 4 || m == 6 || m == 9 || m == 11:
		return 30
	}
	return 31
}

// addHour is ADD1H and SUB1H (§26.6.3).
func (r *rtc) addHour(sign int64) {
	s := r.secondOfDay() + sign*60*60
	if s < 0 { // not to be used at midnight, the manual says of SUB1H
		s += 24 * 60 * 60
	}
	if s >= 24*60*60 {
		r.nextDay()
		s -= 24 * 60 * 60
	}
	r.setSecondOfDay(s)
}
