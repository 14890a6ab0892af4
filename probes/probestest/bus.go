package probestest

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"rigor/harness/timebase"
	"rigor/probes"
)

// BusBench is a bus target under test and a controller on its bus.
type BusBench struct {
	Target  probes.BusTarget
	Address uint8 // of the target
	Bus     Controller
	Clock   timebase.Clock
	// Slack is by how much the clock may be off when it says how long a transfer took.
	Slack time.Duration
}

// Controller makes transactions on a bus, at 100 to 400 kHz and with the patience
// of some milliseconds for a clock that is stretched.
type Controller interface {
	// Transfer writes w to a target and then, after a repeated START, reads r from it;
	// one that is empty is left out. It is an error if a byte is not acknowledged, if
	// SCL does not rise, or if SDA is low where a START is to be. It ends in a STOP if
	// it can.
	Transfer(ctx context.Context, address uint8, w, r []byte) error
	// Pulses gives clocks on SCL with SDA released, and a STOP.
	Pulses(ctx context.Context, n int) error
}

// RunBusTarget tests a bus target that plays a BME280; open gives a fresh bench
// each time and closes it by t.Cleanup.
func RunBusTarget(t *testing.T, open func(t *testing.T) BusBench) {
	fresh := func(t *testing.T) *busBench { return &busBench{tester{t}, open(t)} }
	each(t, fresh, []check[*busBench]{
		{"the sensor answers as a BME280", (*busBench).answers},
		{"air that does not exist is refused and changes nothing", (*busBench).refusedAir},
		{"the air comes back", (*busBench).air},
		{"a misbehaviour that does not exist is refused", (*busBench).refused},
		{"an address is not acknowledged, so many times", (*busBench).nackAddress},
		{"data are not acknowledged", (*busBench).nackData},
		{"the clock is stretched", (*busBench).stretch},
		{"a stuck SDA stops the bus until it is cleared", (*busBench).stuck},
		{"clocks free a stuck SDA", (*busBench).clocks},
		{"a register reads wrong", (*busBench).wrongValue},
		{"bits of a byte are wrong", (*busBench).bitError},
		{"an absent target comes back", (*busBench).absent},
		{"the log tells what was said, once", (*busBench).log},
		{"a cancelled context ends a call unbegun", (*busBench).cancelled},
	})
}

type busBench struct {
	tester
	BusBench
}

// Registers of the BME280 (BST-BME280-DS002 §5.3).
const (
	regCalib = 0x88
	regID    = 0xD0
	regHum   = 0xF2
	regMeas  = 0xF4
	regData  = 0xF7
	idBME280 = 0x60
)

func (b *busBench) read(register byte, n int) ([]byte, error) {
	r := make([]byte, n)
	err := b.Bus.Transfer(b.Context(), b.Address, []byte{register}, r)
	return r, err
}

func (b *busBench) mustRead(register byte, n int) []byte {
	b.Helper()
	r, err := b.read(register, n)
	b.must("read", err)
	return r
}

// works wants a transfer of the id to do its job.
func (b *busBench) works() {
	b.Helper()
	if id := b.mustRead(regID, 1)[0]; id != idBME280 {
		b.Errorf("id %#x, want %#x", id, idBME280)
	}
}

// fails wants a transfer of the id not to.
func (b *busBench) fails() {
	b.Helper()
	if id, err := b.read(regID, 1); err == nil {
		b.Errorf("read % x, want an error", id)
	}
}

func (b *busBench) misbehave(m probes.Misbehaviour) {
	b.Helper()
	b.must("misbehave", b.Target.Misbehave(b.Context(), m))
}

func (b *busBench) clear() {
	b.Helper()
	b.must("clear", b.Target.Clear(b.Context()))
}

func (b *busBench) answers() {
	b.works()
	if err := b.Bus.Transfer(b.Context(), b.Address^1, []byte{regID}, nil); err == nil {
		b.Error("it answers to another address")
	}
	b.works()
}

// measure converts once and gives temperature in 0.01 °C by the integer formula of
// BST-BME280-DS002 §4.2.3, and the raw values of pressure and humidity.
func (b *busBench) measure() (centiCelsius, rawP, rawH int32) {
	b.Helper()
	w := []byte{regHum, 1, regMeas, 1<<5 | 1<<2 | 1}
	b.must("start a conversion", b.Bus.Transfer(b.Context(), b.Address, w, nil))
	b.must("sleep", b.Clock.Sleep(b.Context(), 10*time.Millisecond)) // 9.3 ms at most, §9.1
	c, d := b.mustRead(regCalib, 6), b.mustRead(regData, 8)
	t1 := int32(c[0]) | int32(c[1])<<8
	t2, t3 := int32(int16(uint16(c[2])|uint16(c[3])<<8)), int32(int16(uint16(c[4])|uint16(c[5])<<8))
	raw := int32(d[3])<<12 | int32(d[4])<<4 | int32(d[5])>>4
	fine := ((raw>>3-t1<<1)*t2)>>11 + (((raw>>4-t1)*(raw>>4-t1)>>12)*t3)>>14
	return (fine*5 + 128) >> 8, int32(d[0])<<12 | int32(d[1])<<4 | int32(d[2])>>4, int32(d[6])<<8 | int32(d[7])
}

// air changes one thing at a time. Pressure is the lower the higher its raw value.
func (b *busBench) air() {
	set := func(e probes.Environment) (t, p, h int32) {
		b.must("set the air", b.Target.SetEnvironment(b.Context(), e))
		t, p, h = b.measure()
		if off := int64(t)*10 - e.MilliCelsius; off < -10 || off > 10 {
			b.Errorf("air of %d m°C is read as %d", e.MilliCelsius, t*10)
		}
		return t, p, h
	}
	base := probes.Environment{MilliCelsius: 21_500, MilliPascals: 98_000_000, MilliRH: 40_000}
	_, p, h := set(base)
	higher, damper, colder := base, base, base
	higher.MilliPascals, damper.MilliRH, colder.MilliCelsius = 103_000_000, 60_000, -12_340
	if _, p2, h2 := set(higher); p2 >= p || h2 != h {
		b.Errorf("more pressure: raw values %d and %d, were %d and %d", p2, h2, p, h)
	}
	if _, p2, h2 := set(damper); p2 != p || h2 <= h {
		b.Errorf("more humidity: raw values %d and %d, were %d and %d", p2, h2, p, h)
	}
	set(colder)
}

func (b *busBench) refusedAir() {
	good := probes.Environment{MilliCelsius: 30_000, MilliPascals: 100_000_000, MilliRH: 50_000}
	b.must("set the air", b.Target.SetEnvironment(b.Context(), good))
	bad := good
	bad.MilliCelsius = 85_001
	if b.Target.SetEnvironment(b.Context(), bad) == nil {
		b.Error("no error")
	}
	if t, _, _ := b.measure(); t < 2999 || t > 3001 {
		b.Errorf("%d hundredths of °C, want 3000", t)
	}
}

func (b *busBench) refused() {
	for _, m := range []probes.Misbehaviour{{}, {Kind: probes.BitError, Byte: probes.EveryByte}, {Kind: probes.Absent, Transactions: -1}} {
		if b.Target.Misbehave(b.Context(), m) == nil {
			b.Errorf("%+v is accepted", m)
		}
	}
	b.works()
}

func (b *busBench) nackAddress() {
	b.misbehave(probes.Misbehaviour{Kind: probes.NACKAddress, Transactions: 2})
	b.fails()
	b.fails()
	b.works()
}

func (b *busBench) nackData() {
	b.misbehave(probes.Misbehaviour{Kind: probes.NACKData, Byte: 2})
	b.works() // of which byte 2 is an address
	if b.Bus.Transfer(b.Context(), b.Address, []byte{regHum, 0}, nil) == nil {
		b.Error("a value is acknowledged")
	}
	b.clear()
	b.must("write", b.Bus.Transfer(b.Context(), b.Address, []byte{regHum, 0}, nil))
}

func (b *busBench) took() time.Duration {
	began := b.Clock.Now()
	b.works()
	return b.Clock.Now().Sub(began)
}

// stretch is measured from SCL's fall after the byte, so that up to a low time of
// SCL, 5 us, comes off.
func (b *busBench) stretch() {
	const long = 800 * time.Microsecond
	usual := b.took()
	b.misbehave(probes.Misbehaviour{Kind: probes.Stretch, Byte: 1, For: long, Transactions: 1})
	more := b.took() - usual
	if more < long-5*time.Microsecond-b.Slack || more > long+b.Slack {
		b.Errorf("a transfer takes %v longer, want %v", more, long)
	}
	if again := b.took(); again > usual+b.Slack {
		b.Errorf("the next takes %v, want %v", again, usual)
	}
}

func (b *busBench) stuck() {
	b.misbehave(probes.Misbehaviour{Kind: probes.StuckSDA})
	b.fails()
	b.must("clock", b.Bus.Pulses(b.Context(), 20))
	b.fails()
	b.clear()
	b.works()
}

func (b *busBench) clocks() {
	b.misbehave(probes.Misbehaviour{Kind: probes.StuckSDA, Clocks: 9})
	b.fails()
	b.must("clock", b.Bus.Pulses(b.Context(), 9))
	b.works()
}

func (b *busBench) wrongValue() {
	b.misbehave(probes.Misbehaviour{Kind: probes.WrongValue, Register: regID, Value: 0x58, Transactions: 1})
	if got := b.mustRead(regID-1, 2); got[1] != 0x58 {
		b.Errorf("read % x, want 58 last", got)
	}
	b.works()
}

func (b *busBench) bitError() {
	want := b.mustRead(regCalib, 2)
	want[1] ^= 0x81
	b.misbehave(probes.Misbehaviour{Kind: probes.BitError, Byte: 4, Mask: 0x81})
	if got := b.mustRead(regCalib, 2); !slices.Equal(got, want) {
		b.Errorf("read % x, want % x", got, want)
	}
	b.clear()
	b.works()
}

func (b *busBench) absent() {
	b.misbehave(probes.Misbehaviour{Kind: probes.Absent})
	for range 3 {
		b.fails()
	}
	b.clear()
	b.works()
}

func (b *busBench) log() {
	log := func() probes.BusLog {
		l, err := b.Target.Log(b.Context())
		b.must("read the log", err)
		if l.Rate == 0 || l.Lost != 0 {
			b.Errorf("a log at %v, %d lost", l.Rate, l.Lost)
		}
		return l
	}
	log()
	b.works()
	l := log()
	a := b.Address << 1
	want := []probes.BusByte{
		{Value: a, Address: true, Ack: true}, {Value: regID, Ack: true},
		{Value: a | 1, Address: true, Ack: true}, {Value: idBME280, Sent: true},
	}
	if n := len(l.Transactions); n != 1 || !slices.Equal(l.Transactions[0].Bytes, want) || l.Transactions[0].End <= l.Transactions[0].Start {
		b.Errorf("log %+v, want one transaction of %+v", l, want)
	}
	if n := len(log().Transactions); n != 0 {
		b.Errorf("%d transactions are told twice", n)
	}
}

func (b *busBench) cancelled() {
	ctx, cancel := context.WithCancel(b.Context())
	cancel()
	_, logErr := b.Target.Log(ctx)
	for what, err := range map[string]error{
		"the air":      b.Target.SetEnvironment(ctx, probes.Environment{MilliPascals: 100_000_000}),
		"misbehaviour": b.Target.Misbehave(ctx, probes.Misbehaviour{Kind: probes.Absent}),
		"clearing":     b.Target.Clear(ctx),
		"the log":      logErr,
	} {
		if !errors.Is(err, context.Canceled) {
			b.Errorf("%s says %v, want %v", what, err, context.Canceled)
		}
	}
	b.works()
}
