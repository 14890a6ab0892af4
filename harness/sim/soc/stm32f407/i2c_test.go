package stm32f407

import (
	"bytes"
	"testing"

	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
)

const (
	i2c1 = 0x40005400

	pinSCL = portB + 6
	pinSDA = portB + 7
)

// eeprom is a memory of 256 bytes at addresses 0x50 and, of 10 bits, 0x150, with a
// word address, on PB6 and PB7 with pull-ups. It looks at the lines every 100 ns and answers then,
// as real ones do some time after an edge.
type eeprom struct {
	c        *Chip
	mem      [256]byte
	at       byte
	scl, sda bool
	bit      int
	in, out  byte
	state    int // what the present byte is
	stretch  clock.Time
	until    clock.Time
	ten      bool // addressed by 10 bits since the last STOP
	starts   int
	stops    int
	rises    []clock.Time
}

const (
	memIdle = iota
	memAddress
	memSecond
	memWord
	memWrite
	memRead
)

func newEEPROM(t *testing.T) (*Chip, *eeprom) {
	t.Helper()
	c := idle(t)
	for _, p := range []board.Pin{pinSCL, pinSDA} {
		alternate(c, p, 4)
		c.Drive(p, board.Drive{Kind: board.PullUp}, c.Now())
	}
	c.poke(gpioB+4, 3<<6) // open drain
	return c, &eeprom{c: c, scl: true, sda: true}
}

func (e *eeprom) pull(p board.Pin, low bool) {
	d := board.Drive{Kind: board.PullUp}
	if low {
		d.Kind = board.DriveLow
	}
	e.c.Drive(p, d, e.c.Now())
}

// run lets chip and memory go on until done.
func (e *eeprom) run(t *testing.T, what string, done func() bool) {
	t.Helper()
	for range 100_000 {
		if done() {
			return
		}
		run(t, e.c, 100*clock.Nanosecond)
		e.look()
	}
	t.Fatalf("no %s: SR1 %#x, SR2 %#x", what, e.c.I2Cs[0].Sr1, e.c.I2Cs[0].Sr2)
}

func (e *eeprom) look() {
	if e.until != 0 && e.c.Now() >= e.until {
		e.until = 0
		e.pull(pinSCL, false)
	}
	scl, sda := e.c.Level(pinSCL), e.c.Level(pinSDA)
	switch {
	case scl && e.scl && !sda && e.sda:
		e.starts++
		e.state, e.bit = memAddress, 0
	case scl && e.scl && sda && !e.sda:
		e.stops++
		e.state, e.ten = memIdle, false
	case scl && !e.scl:
		e.rises = append(e.rises, e.c.Now())
		e.rise(sda)
	case !scl && e.scl:
		e.fall()
	}
	e.scl, e.sda = scl, e.c.Level(pinSDA)
}

func (e *eeprom) rise(sda bool) {
	if e.bit < 8 {
		e.in = e.in << 1
		if sda {
			e.in |= 1
		}
	} else if e.state == memRead && sda {
		e.state = memIdle // not acknowledged: the last byte
	}
	e.bit++
}

func (e *eeprom) fall() {
	if e.state == memIdle {
		e.pull(pinSDA, false)
		return
	}
	switch e.bit {
	case 8:
		e.pull(pinSDA, e.acknowledge())
	case 9:
		e.bit = 0
		if e.stretch > 0 {
			e.pull(pinSCL, true)
			e.until = e.c.Now() + e.stretch
		}
		fallthrough
	default:
		if e.state == memRead && e.bit == 0 {
			e.out = e.mem[e.at]
			e.at++
		}
		e.pull(pinSDA, e.state == memRead && e.out>>(7-e.bit)&1 == 0)
	}
}

func (e *eeprom) acknowledge() bool {
	switch e.state {
	case memAddress:
		switch {
		case e.in == 0xA0:
			e.state = memWord
		case e.in == 0xA1, e.in == 0xF3 && e.ten:
			e.state = memRead
		case e.in == 0xF2:
			e.state = memSecond
		default:
			e.state = memIdle
			return false
		}
	case memSecond:
		e.ten = e.in == 0x50
		e.state = memWord
		return e.ten
	case memWord:
		e.at, e.state = e.in, memWrite
	case memWrite:
		e.mem[e.at] = e.in
		e.at++
	case memRead:
		return false
	}
	return true
}

// enabled sets I2C1 up: PCLK1 is 16 MHz.
func enabled(t *testing.T, c *Chip, ccr uint32) {
	t.Helper()
	st(t, c, i2c1+i2cCR2, 16)
	st(t, c, i2c1+i2cCCR, ccr)
	st(t, c, i2c1+i2cTRISE, 17)
	st(t, c, i2c1+i2cCR1, i2cPE)
}

func cr1(t *testing.T, c *Chip, set, clear uint32) {
	t.Helper()
	st(t, c, i2c1+i2cCR1, ld(t, c, i2c1+i2cCR1)&^clear|set)
}

func (e *eeprom) flag(t *testing.T, f uint32) {
	t.Helper()
	e.run(t, "flag", func() bool { return ld(t, e.c, i2c1+i2cSR1)&f != 0 })
}

// address sends START and an address, to EV6 with ADDR still set.
func (e *eeprom) address(t *testing.T, addr uint32) {
	t.Helper()
	cr1(t, e.c, i2cSTART, 0)
	e.flag(t, i2cSB)
	st(t, e.c, i2c1+i2cDR, addr)
	e.flag(t, i2cADDR|i2cAF)
}

// write is figure 243 of RM0090 §27.3.3, read figure 244 with the methods for
// one, two and more bytes.
func (e *eeprom) write(t *testing.T, data ...byte) {
	t.Helper()
	e.address(t, 0xA0)
	ld(t, e.c, i2c1+i2cSR2)
	for _, b := range data {
		e.flag(t, i2cTXE)
		st(t, e.c, i2c1+i2cDR, uint32(b))
	}
	e.flag(t, i2cBTF)
}

func (e *eeprom) stop(t *testing.T) {
	t.Helper()
	cr1(t, e.c, i2cSTOP, 0)
	e.run(t, "end of BUSY", func() bool { return ld(t, e.c, i2c1+i2cSR2)&i2cBUSY == 0 })
}

func (e *eeprom) read(t *testing.T, n int) (got []byte) {
	t.Helper()
	take := func() { got = append(got, byte(ld(t, e.c, i2c1+i2cDR))) }
	cr1(t, e.c, i2cACK, i2cPOS)
	e.address(t, 0xA1)
	switch n {
	case 1:
		cr1(t, e.c, 0, i2cACK)
		ld(t, e.c, i2c1+i2cSR2)
		cr1(t, e.c, i2cSTOP, 0)
		e.flag(t, i2cRXNE)
		take()
	case 2:
		cr1(t, e.c, i2cPOS, 0)
		ld(t, e.c, i2c1+i2cSR2)
		cr1(t, e.c, 0, i2cACK)
		e.flag(t, i2cBTF)
		cr1(t, e.c, i2cSTOP, 0)
		take()
		take()
	default:
		ld(t, e.c, i2c1+i2cSR2)
		for ; n > 3; n-- {
			e.flag(t, i2cRXNE)
			take()
		}
		e.flag(t, i2cBTF)
		cr1(t, e.c, 0, i2cACK)
		take()
		e.flag(t, i2cBTF)
		cr1(t, e.c, i2cSTOP, 0)
		take()
		take()
	}
	e.run(t, "end of BUSY", func() bool { return ld(t, e.c, i2c1+i2cSR2)&i2cBUSY == 0 })
	return got
}

func TestI2CMaster(t *testing.T) {
	for _, ccr := range []uint32{80, 0x8000 | 14, 0xC000 | 2} { // 100 kHz, 381 kHz, 320 kHz
		for _, stretch := range []clock.Time{0, 30 * clock.Microsecond} {
			c, e := newEEPROM(t)
			e.stretch = stretch
			enabled(t, c, ccr)
			data := []byte{0x10, 0x00, 0xFF, 0xA5, 0x5A, 0x80, 0x01}
			e.write(t, data...)
			e.stop(t)
			if !bytes.Equal(e.mem[0x10:0x16], data[1:]) {
				t.Errorf("CCR %#x: memory % x", ccr, e.mem[0x10:0x16])
			}
			for n := 1; n <= 6; n++ {
				e.write(t, 0x10)
				if got := e.read(t, n); !bytes.Equal(got, data[1:1+n]) { // repeated START
					t.Errorf("CCR %#x, stretched %d: read % x, want % x", ccr, stretch, got, data[1:1+n])
				}
			}
			if e.starts != 13 || e.stops != 7 {
				t.Errorf("%d STARTs, %d STOPs", e.starts, e.stops)
			}
			if sr := ld(t, c, i2c1+i2cSR1); sr != 0 || ld(t, c, i2c1+i2cSR2) != 0 {
				t.Errorf("SR1 %#x at rest", sr)
			}
		}
	}
}

// §27.6.8: SCL's period is CCR's, to the cycle; 100 kHz at 16 MHz is 2 * 80.
func TestI2CPeriod(t *testing.T) {
	for ccr, want := range map[uint32]uint64{80: 160, 0x8000 | 14: 42, 0xC000 | 2: 50} {
		c, e := newEEPROM(t)
		enabled(t, c, ccr)
		var rises []uint64
		c.Watch(func(p board.Pin, high bool, at clock.Time) {
			if p == pinSCL && high {
				rises = append(rises, c.Timeline.CycleAt(at))
			}
		})
		e.address(t, 0xA0)
		for i := 1; i < 9; i++ {
			if got := rises[i] - rises[i-1]; got != want {
				t.Errorf("CCR %#x: clock %d after %d cycles, want %d", ccr, i, got, want)
			}
		}
	}
}

func TestI2CNobodyAnswers(t *testing.T) {
	c, e := newEEPROM(t)
	enabled(t, c, 80)
	st(t, c, i2c1+i2cCR2, 16|i2cITERREN)
	e.address(t, 0x42)
	if sr := ld(t, c, i2c1+i2cSR1); sr != i2cAF || !requested(c, 32) {
		t.Errorf("SR1 %#x, want AF and its interrupt", sr)
	}
	st(t, c, i2c1+i2cSR1, ^uint32(i2cAF))
	e.stop(t)
	if sr := ld(t, c, i2c1+i2cSR1); sr != 0 || requested(c, 32) {
		t.Errorf("SR1 %#x afterwards", sr)
	}
}

func TestI2CLosesArbitration(t *testing.T) {
	c, e := newEEPROM(t)
	enabled(t, c, 80)
	cr1(t, c, i2cSTART, 0)
	e.flag(t, i2cSB)
	st(t, c, i2c1+i2cDR, 0xA0)
	c.Drive(pinSDA, board.Drive{Kind: board.DriveLow}, c.Now())
	run(t, c, 20*clock.Microsecond)
	if sr1, sr2 := ld(t, c, i2c1+i2cSR1), ld(t, c, i2c1+i2cSR2); sr1 != i2cARLO || sr2&i2cMSL != 0 {
		t.Errorf("SR1 %#x, SR2 %#x, want ARLO and no master", sr1, sr2)
	}
}

// clocker is a master made of drives: 10 us a bit, and it waits while the chip
// stretches the clock.
type clocker struct{ e *eeprom }

func (m clocker) wait(t *testing.T) { run(t, m.e.c, 5*clock.Microsecond) }

func (m clocker) start(t *testing.T) {
	m.e.pull(pinSDA, true)
	m.wait(t)
	m.e.pull(pinSCL, true)
	m.wait(t)
}

func (m clocker) stop(t *testing.T) {
	m.e.pull(pinSDA, true)
	m.wait(t)
	m.e.pull(pinSCL, false)
	m.wait(t)
	m.e.pull(pinSDA, false)
	m.wait(t)
}

func (m clocker) bit(t *testing.T, out bool) (in bool) {
	t.Helper()
	m.e.pull(pinSDA, !out)
	m.wait(t)
	m.e.pull(pinSCL, false)
	for range 10 {
		if m.e.c.Level(pinSCL) {
			break
		}
		m.wait(t)
	}
	in = m.e.c.Level(pinSDA)
	m.wait(t)
	m.e.pull(pinSCL, true)
	run(t, m.e.c, clock.Microsecond)
	m.e.pull(pinSDA, false)
	return in
}

func (m clocker) byte(t *testing.T, out byte, ack bool) (in byte, acked bool) {
	t.Helper()
	for i := 7; i >= 0; i-- {
		in <<= 1
		if m.bit(t, out>>i&1 != 0) {
			in |= 1
		}
	}
	return in, !m.bit(t, !ack)
}

// RM0090 §27.3.2, figures 241 and 242.
func TestI2CSlave(t *testing.T) {
	c, e := newEEPROM(t)
	m := clocker{e}
	enabled(t, c, 80)
	st(t, c, i2c1+i2cOAR1, 0x4000|0x31<<1)
	cr1(t, c, i2cACK, 0)
	sr := func() (uint32, uint32) { return ld(t, c, i2c1+i2cSR1), ld(t, c, i2c1+i2cSR2) }
	expect := func(what string, want1, want2 uint32) {
		t.Helper()
		if a, b := sr(); a != want1 || b != want2 {
			t.Errorf("%s: SR1 %#x, SR2 %#x, want %#x, %#x", what, a, b, want1, want2)
		}
	}
	m.start(t)
	if _, ok := m.byte(t, 0x32<<1, false); ok {
		t.Error("another's address acknowledged")
	}
	m.stop(t)
	expect("another's", 0, 0)

	m.start(t)
	if _, ok := m.byte(t, 0x31<<1, false); !ok {
		t.Error("own address not acknowledged")
	}
	e.pull(pinSCL, false)
	if c.Level(pinSCL) {
		t.Error("the clock is not stretched while ADDR is set")
	}
	e.pull(pinSCL, true)
	expect("addressed", i2cADDR, i2cBUSY)
	if _, ok := m.byte(t, 0x5A, false); !ok {
		t.Error("data not acknowledged")
	}
	expect("received", i2cRXNE, i2cBUSY)
	if v := ld(t, c, i2c1+i2cDR); v != 0x5A {
		t.Errorf("received %#x", v)
	}
	m.stop(t)
	expect("stopped", i2cSTOPF, 0)
	cr1(t, c, 0, 0)
	expect("STOPF cleared", 0, 0)

	m.start(t)
	m.byte(t, 0x31<<1|1, false)
	expect("addressed to send", i2cADDR, i2cBUSY|i2cTRA)
	expect("sends", i2cTXE, i2cBUSY|i2cTRA)
	st(t, c, i2c1+i2cDR, 0xC3)
	st(t, c, i2c1+i2cDR, 0x3C)
	for _, want := range []byte{0xC3, 0x3C} {
		if got, _ := m.byte(t, 0xFF, want == 0xC3); got != want {
			t.Errorf("sent %#x, want %#x", got, want)
		}
	}
	expect("not acknowledged", i2cAF, i2cBUSY|i2cTRA)
	m.stop(t)
	expect("no STOPF after AF", i2cAF, 0)
}

// §27.3.3: the header of a 10-bit address ends with ADD10, the second byte with ADDR
// as a transmitter; to receive, the header alone follows a repeated START.
func TestI2CTenBits(t *testing.T) {
	c, e := newEEPROM(t)
	enabled(t, c, 80)
	copy(e.mem[7:], "ten bits")
	st(t, c, i2c1+i2cCR2, 16|i2cITEVTEN)
	cr1(t, c, i2cSTART|i2cACK, 0)
	e.flag(t, i2cSB)
	st(t, c, i2c1+i2cDR, 0xF2)
	e.flag(t, i2cADD10)
	if sr := ld(t, c, i2c1+i2cSR1); sr != i2cADD10 || !requested(c, 31) {
		t.Errorf("SR1 %#x after the header", sr)
	}
	st(t, c, i2c1+i2cDR, 0x50)
	e.flag(t, i2cADDR|i2cAF)
	if sr1, sr2 := ld(t, c, i2c1+i2cSR1), ld(t, c, i2c1+i2cSR2); sr1 != i2cADDR || sr2 != i2cMSL|i2cBUSY|i2cTRA {
		t.Errorf("SR1 %#x, SR2 %#x after the address", sr1, sr2)
	}
	st(t, c, i2c1+i2cDR, 7)
	e.flag(t, i2cBTF)
	e.address(t, 0xF3)
	if sr2 := ld(t, c, i2c1+i2cSR2); sr2 != i2cMSL|i2cBUSY {
		t.Errorf("SR2 %#x as a receiver", sr2)
	}
	for _, want := range "ten" {
		e.flag(t, i2cRXNE)
		if got := rune(ld(t, c, i2c1+i2cDR)); got != want {
			t.Errorf("read %q, want %q", got, want)
		}
	}

	c, e = newEEPROM(t)
	enabled(t, c, 80)
	cr1(t, c, i2cSTART, 0)
	e.flag(t, i2cSB)
	st(t, c, i2c1+i2cDR, 0xF2)
	e.flag(t, i2cADD10)
	st(t, c, i2c1+i2cDR, 0x51)
	e.flag(t, i2cADDR|i2cAF)
	if sr := ld(t, c, i2c1+i2cSR1); sr != i2cAF {
		t.Errorf("SR1 %#x: nobody has address 0x151", sr)
	}
}

// §27.3.2: a slave of 10 bits acknowledges header and second byte, is then a
// receiver, and after a repeated START with the header a transmitter.
func TestI2CSlaveTenBits(t *testing.T) {
	c, e := newEEPROM(t)
	m := clocker{e}
	enabled(t, c, 80)
	st(t, c, i2c1+i2cOAR1, i2cADDMODE|0x4000|0x2A5)
	cr1(t, c, i2cACK, 0)
	answered := func(what string, b byte, want bool) {
		t.Helper()
		if _, ok := m.byte(t, b, false); ok != want {
			t.Errorf("%s acknowledged: %v", what, ok)
		}
	}
	expect := func(what string, want1, want2 uint32) {
		t.Helper()
		if a, b := ld(t, c, i2c1+i2cSR1), ld(t, c, i2c1+i2cSR2); a != want1 || b != want2 {
			t.Errorf("%s: SR1 %#x, SR2 %#x, want %#x, %#x", what, a, b, want1, want2)
		}
	}
	m.start(t)
	answered("a header to send, unaddressed", 0xF5, false)
	m.stop(t)
	m.start(t)
	answered("7 bits", 0x2A5>>1&0x7F<<1&0xFF, false)
	m.stop(t)
	m.start(t)
	answered("header", 0xF4, true)
	answered("another's second byte", 0xA4, false)
	m.stop(t)
	expect("not addressed", 0, 0)

	m.start(t)
	answered("header", 0xF4, true)
	expect("header", 0, i2cBUSY)
	answered("second byte", 0xA5, true)
	expect("addressed", i2cADDR, i2cBUSY)
	answered("data", 0x77, true)
	expect("received", i2cRXNE, i2cBUSY)
	if got := ld(t, c, i2c1+i2cDR); got != 0x77 {
		t.Errorf("received %#x", got)
	}
	e.pull(pinSDA, false)
	m.wait(t)
	e.pull(pinSCL, false)
	m.wait(t)
	m.start(t)
	answered("header to send", 0xF5, true)
	expect("addressed to send", i2cADDR, i2cBUSY|i2cTRA)
	st(t, c, i2c1+i2cDR, 0xC3)
	if got, _ := m.byte(t, 0xFF, false); got != 0xC3 {
		t.Errorf("sent %#x", got)
	}
	m.stop(t)
	m.start(t)
	answered("a header to send, after STOP", 0xF5, false)
}

// §27.3.7: with LAST, a receiver does not acknowledge the byte after DMA's last but
// one; without, it goes on. DMA1's stream 0 is I2C1_RX on channel 1 (table 42).
func TestI2CLast(t *testing.T) {
	for _, last := range []uint32{i2cLAST, 0} {
		c, e := newEEPROM(t)
		enabled(t, c, 80)
		copy(e.mem[3:], "abcdefgh")
		e.write(t, 3)
		cr1(t, c, i2cACK, 0)
		e.address(t, 0xA1)
		d := dmaDevice{c.dmaController(0)}
		stream(t, d, 0, i2c1+i2cDR, sramBase, 5, 0, dmaMINC|1<<chs)
		st(t, c, i2c1+i2cCR2, 16|i2cDMAEN|last)
		ld(t, c, i2c1+i2cSR1)
		ld(t, c, i2c1+i2cSR2)
		e.run(t, "end of transfer", func() bool { return get(t, d, 0)&dmaTCIF != 0 })
		if got := string(c.mem.SRAM[:5]); got != "abcde" {
			t.Errorf("read %q", got)
		}
		if ended := e.state == memIdle; ended != (last != 0) {
			t.Errorf("CR2 %#x: the memory has seen the end: %v", last, ended)
		}
		if last != 0 {
			e.stop(t)
			if e.at != 3+5 {
				t.Errorf("%d bytes were sent", e.at-3)
			}
		}
	}
}

func TestI2CLacks(t *testing.T) {
	for name, w := range map[string][2]uint32{
		"I2C1.CR1.SMBUS": {i2cCR1, 1 << 1}, "I2C1.CR1.NOSTRETCH": {i2cCR1, 1 << 7},
		"I2C1.CR1.ENPEC": {i2cCR1, 1 << 5},
	} {
		c := idle(t)
		(cpuBus{c}).Store(i2c1+w[0], 4, w[1])
		if c.lacking != name {
			t.Errorf("%q, want %q", c.lacking, name)
		}
	}
}
