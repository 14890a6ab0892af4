package stm32f407

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
)

// motor is TIM1 as a machine that ticks, written from RM0090 §17.3 without
// the derived model's ways: repetition, preload, one-pulse, output modes,
// complementary outputs with dead time.
type motor struct {
	psc, arr, rcr, cms, dtg int
	ccr, next               [3]int // in effect, and preloaded
	mode                    [3]int
	p, np, both             [3]bool
	opm                     bool
	cnt, pre, rep           int
	down, run               bool
	sr                      uint32
	ref                     [3]bool
	quiet                   [3]int // dead time left
	oc                      [6]bool
	tick                    uint64
	edges                   []motorEdge
}

type motorEdge struct {
	tick uint64
	out  int // CH1, CH1N, CH2...
	high bool
}

func (m *motor) clock() {
	m.tick++
	for i := range m.quiet {
		m.quiet[i] = max(m.quiet[i]-1, 0)
	}
	if m.run && m.arr != 0 {
		if m.pre++; m.pre > m.psc {
			m.pre = 0
			m.count()
		}
	}
	m.settle()
}

func (m *motor) count() {
	wasDown, over := m.down, false
	switch {
	case m.cms != 0 && m.down:
		m.cnt--
		over = m.cnt == 0
	case m.cms != 0:
		m.cnt++
		over = m.cnt == m.arr
	case m.down:
		m.cnt--
		over = m.cnt < 0
	default:
		m.cnt++
		over = m.cnt > m.arr
	}
	flagged := m.cms == 0 || m.cms == 3 || (m.cms == 1) == wasDown
	if over {
		m.flag(flagged, func(ccr int) bool { return ccr > m.arr })
		m.overflow()
	}
	m.flag(flagged, func(ccr int) bool { return ccr == m.cnt })
	for i, ccr := range m.ccr {
		if ccr != m.cnt {
			continue
		}
		switch m.mode[i] {
		case 1:
			m.setRef(i, true)
		case 2:
			m.setRef(i, false)
		case 3:
			m.setRef(i, !m.ref[i])
		}
	}
}

func (m *motor) flag(enabled bool, when func(ccr int) bool) {
	for i, ccr := range m.ccr {
		if enabled && when(ccr) {
			m.sr |= 2 << i
		}
	}
}

func (m *motor) overflow() {
	switch {
	case m.cms != 0:
		m.down = !m.down
	case m.down:
		m.cnt = m.arr
	default:
		m.cnt = 0
	}
	if m.rep > 0 {
		m.rep--
		return
	}
	m.rep, m.ccr = m.rcr, m.next
	m.sr |= timUIF
	if m.opm {
		m.run = false
	}
}

func (m *motor) setRef(i int, high bool) {
	if m.ref[i] != high {
		m.ref[i], m.quiet[i] = high, m.dtg
	}
}

// settle computes references of PWM and the pins.
func (m *motor) settle() {
	for i := range m.ref {
		below := m.cnt < m.ccr[i] || m.down && m.cnt == m.ccr[i]
		switch m.mode[i] {
		case 6:
			m.setRef(i, below)
		case 7:
			m.setRef(i, !below)
		}
		oc, ocn := m.ref[i], false
		if m.both[i] {
			oc, ocn = m.ref[i] && m.quiet[i] == 0, !m.ref[i] && m.quiet[i] == 0
			m.put(2*i+1, ocn != m.np[i])
		}
		m.put(2*i, oc != m.p[i])
	}
}

func (m *motor) put(out int, high bool) {
	if m.oc[out] != high {
		m.oc[out] = high
		m.edges = append(m.edges, motorEdge{m.tick, out, high})
	}
}

// motorPins are TIM1's outputs on port E.
var motorPins = []board.Pin{portE + 9, portE + 8, portE + 11, portE + 10, portE + 13, portE + 12}

func randomMotor(rnd *rand.Rand) *motor {
	m := &motor{psc: rnd.IntN(3), arr: 1 + rnd.IntN(14), rcr: rnd.IntN(4), cms: []int{0, 0, 1, 2, 3}[rnd.IntN(5)],
		dtg: rnd.IntN(8), opm: rnd.IntN(6) == 0}
	m.down = m.cms == 0 && rnd.IntN(2) == 0
	for i := range m.ccr {
		m.next[i], m.mode[i] = rnd.IntN(17), []int{0, 1, 2, 3, 6, 7}[rnd.IntN(6)]
		m.p[i], m.np[i], m.both[i] = rnd.IntN(2) == 0, rnd.IntN(2) == 0, rnd.IntN(2) == 0
	}
	return m
}

// start sets TIM1 up like the model and the model like TIM1.
func (m *motor) start(t *testing.T, c *Chip) uint64 {
	tm := c.timer(1)
	var ccmr [2]uint32
	var ccer uint32
	for i := range m.ccr {
		set(t, tm, timCCR1+uint32(4*i), uint32(m.next[i]))
		ccmr[i/2] |= uint32(m.mode[i]<<4|8) << (8 * (i % 2))
		ccer |= (1 | uint32(bit01(m.p[i]))<<1 | uint32(bit01(m.both[i]))<<2 | uint32(bit01(m.np[i]))<<3) << (4 * i)
	}
	cr1 := uint32(m.cms<<5) | uint32(bit01(m.down))<<4 | uint32(bit01(m.opm))<<3
	set(t, tm, timCR1, cr1&^timOPM)
	set(t, tm, timPSC, uint32(m.psc))
	set(t, tm, timARR, uint32(m.arr))
	set(t, tm, timRCR, uint32(m.rcr))
	set(t, tm, timEGR, timUIF)
	set(t, tm, timCCMR1, ccmr[0])
	set(t, tm, timCCMR2, ccmr[1])
	set(t, tm, timCCER, ccer)
	set(t, tm, timBDTR, timMOE|uint32(m.dtg))
	set(t, tm, timSR, 0)
	until(c, c.Cycle()+50) // dead times of the set-up are over
	set(t, tm, timCR1, cr1|timCEN)
	m.ccr, m.rep, m.run = m.next, m.rcr, true
	if m.down {
		m.cnt = m.arr
	}
	m.settle()
	m.quiet, m.edges = [3]int{}, nil
	for i, p := range motorPins {
		m.oc[i] = c.Level(p)
	}
	return c.Cycle()
}

// TestMotorTimer holds TIM1 against the ticking model: counter, flags and
// outputs at random moments, and every edge on the pins when they are watched.
func TestMotorTimer(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for trial := range 600 {
		c := idle(t)
		tm, m := c.timer(1), randomMotor(rnd)
		for _, p := range motorPins {
			alternate(c, p, 1)
		}
		what := fmt.Sprintf("trial %d, %+v", trial, *m)
		var start uint64
		var edges []motorEdge
		watched := rnd.IntN(2) == 0
		start = m.start(t, c)
		if watched {
			c.Watch(func(p board.Pin, high bool, at clock.Time) {
				if i := slices.Index(motorPins, p); i >= 0 {
					edges = append(edges, motorEdge{c.Timeline.CycleAt(at) - start, i, high})
				}
			})
		}
		for range 10 {
			for range rnd.Uint64N([]uint64{5, 60, 5000}[rnd.IntN(3)]) {
				m.clock()
			}
			until(c, start+m.tick)
			m.compare(t, c, fmt.Sprintf("%s, tick %d", what, m.tick))
			if rnd.IntN(2) == 0 {
				i := rnd.IntN(3)
				m.next[i] = rnd.IntN(17)
				set(t, tm, timCCR1+uint32(4*i), uint32(m.next[i]))
			}
			if rnd.IntN(2) == 0 {
				clear := rnd.Uint32N(0x10)
				set(t, tm, timSR, clear)
				m.sr &= clear
			}
		}
		if watched && !slices.Equal(sorted(edges), sorted(m.edges)) {
			t.Fatalf("%s: edges\n%v, want\n%v", what, edges, m.edges)
		}
	}
}

func sorted(edges []motorEdge) []motorEdge {
	return slices.SortedFunc(slices.Values(edges), func(a, b motorEdge) int {
		return (int(a.tick)-int(b.tick))*8 + a.out - b.out
	})
}

func (m *motor) compare(t *testing.T, c *Chip, what string) {
	t.Helper()
	tm := c.timer(1)
	if got := get(t, tm, timCNT); int(got) != m.cnt {
		t.Fatalf("%s: CNT %d, want %d", what, got, m.cnt)
	}
	if got := get(t, tm, timSR) & 0xF; got != m.sr {
		t.Fatalf("%s: SR %#x, want %#x", what, got, m.sr)
	}
	if got := get(t, tm, timCR1); got&timDIR != 0 != m.down || got&timCEN != 0 != m.run {
		t.Fatalf("%s: CR1 %#x, want down %v, running %v", what, got, m.down, m.run)
	}
	for i, p := range motorPins {
		if (i%2 == 0 || m.both[i/2]) && c.Level(p) != m.oc[i] {
			t.Fatalf("%s: %s is %v, want %v (%+v)", what, c.PinName(p), c.Level(p), m.oc[i], *m)
		}
	}
}
