package stm32f407

// The counting half of a general-purpose timer, RM0090 §18.3.1 and §18.3.2:
// prescaler, counter, auto-reload and the compare registers that it passes.
// Nothing ticks: the counter knows at which cycle it held a value and derives
// the rest, going through overflows and matches one by one only while someone
// may see them.

// counter is plain data. Registers with preload come in pairs: what the
// program wrote is in timRegs, what counts is here (the "shadow" registers).
type counter struct {
	At   uint64 // the cycle at which Cnt and Pre became what they are
	Div  uint64 // cycles per timer clock (CK_INT)
	Cnt  uint64
	Pre  uint64 // the prescaler's own count
	Psc  uint64 // shadow
	Arr  uint64 // shadow
	Max  uint64 // 0xFFFF, or 0xFFFFFFFF for TIM2 and TIM5
	Ccr  [4]uint64
	Down bool // counting down now
	Both bool // centre-aligned
}

// moment is what a counter comes to at an event.
type moment struct {
	Update    bool // overflow or underflow
	Underflow bool
}

// steps is how many steps of the counter lie before its next event: an
// overflow or underflow, or a match with a channel in the mask. 0 means never:
// a null auto-reload value blocks the counter (§18.3.2).
func (k *counter) steps(mask uint8) uint64 {
	if k.Arr == 0 {
		return 0
	}
	k.turn()
	n := k.stepsToUpdate()
	for i, v := range k.Ccr {
		if mask>>i&1 == 0 {
			continue
		}
		if d := k.distance(v); d > 0 && d < n {
			n = d
		}
	}
	return n
}

// turn settles the direction of a centre-aligned counter whose value or limit
// the program moved.
func (k *counter) turn() {
	if !k.Both {
		return
	}
	if k.Cnt >= k.Arr {
		k.Down = true
	}
	if k.Cnt == 0 {
		k.Down = false
	}
}

func (k *counter) stepsToUpdate() uint64 {
	switch {
	case k.Both && k.Down:
		return k.Cnt
	case k.Both:
		return k.Arr - k.Cnt
	case k.Down:
		return k.Cnt + 1
	case k.Cnt > k.Arr: // the limit was lowered below the count: runs to the end
		return k.Max - k.Cnt + 1
	}
	return k.Arr - k.Cnt + 1
}

// distance is how many steps lead to v without an update between, or 0.
func (k *counter) distance(v uint64) uint64 {
	switch {
	case k.Down && v < k.Cnt:
		return k.Cnt - v
	case !k.Down && v > k.Cnt && (v <= k.Arr || k.Cnt > k.Arr && v <= k.Max):
		return v - k.Cnt
	}
	return 0
}

// step moves the counter n steps on, n at most steps(mask) for a mask in use.
func (k *counter) step(n uint64) (m moment) {
	end := k.stepsToUpdate()
	if n < end {
		if k.Down {
			k.Cnt -= n
		} else {
			k.Cnt += n
		}
		return m
	}
	m = moment{Update: true, Underflow: k.Down}
	switch {
	case k.Both && k.Down:
		k.Cnt, k.Down = 0, false
	case k.Both:
		k.Cnt, k.Down = k.Arr, true
	case k.Down:
		k.Cnt = k.Arr
	default:
		k.Cnt = 0
	}
	return m
}

// cycleOf is the cycle at which the n-th step from now happens.
func (k *counter) cycleOf(n uint64) uint64 {
	return k.At + (n*(k.Psc+1)-min(k.Pre, k.Psc))*k.Div
}

// run counts without an event up to the cycle.
func (k *counter) run(cycle uint64) {
	if cycle < k.At {
		return
	}
	ticks := (cycle - k.At) / k.Div
	k.At += ticks * k.Div
	if k.Arr == 0 {
		k.Pre = (k.Pre + ticks) % (k.Psc + 1)
		return
	}
	if n := (k.Pre + ticks) / (k.Psc + 1); n > 0 {
		k.step(n)
	}
	k.Pre = (k.Pre + ticks) % (k.Psc + 1)
}

// period is the length of one period in cycles, from update to update (two
// updates when centre-aligned).
func (k *counter) period() uint64 {
	n := k.Arr + 1
	if k.Both {
		n = 2 * k.Arr
	}
	return n * (k.Psc + 1) * k.Div
}

// align starts counting at the first timer clock at or after the cycle.
func (k *counter) align(cycle, div uint64) {
	k.Div = div
	k.At = (cycle + div - 1) / div * div
}
