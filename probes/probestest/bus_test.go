package probestest

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"rigor/probes"
)

// player is a bus target and its controller in memory, byte by byte: a transfer at
// 400 kHz takes its time of the clock. Its calibration is simple enough to be
// turned round by hand: T1 16384, T2 16384, T3 0.
type player struct {
	instrument
	air     probes.Environment
	regs    [256]byte
	armed   []probes.Misbehaviour
	logged  []probes.BusTransaction
	current probes.BusTransaction
	next    byte
}

const playerAddress = 0x76

func newPlayer(defect string) *player {
	p := &player{instrument: instrument{defect: defect}, air: probes.Environment{MilliPascals: 100_000_000}}
	p.regs[regID] = idBME280
	copy(p.regs[regCalib:], []byte{0, 0x40, 0, 0x40, 0, 0})
	return p
}

func (p *player) SetEnvironment(ctx context.Context, e probes.Environment) error {
	if err := ctx.Err(); err != nil && !p.has("acts when cancelled") {
		return err
	}
	if p.has("takes any air") {
		p.air = e
	}
	if err := e.Check(); err != nil {
		return err
	}
	p.air = e
	if p.has("mixes up the air") {
		p.air.MilliPascals += e.MilliRH * 100
	}
	return nil
}

func (p *player) Misbehave(ctx context.Context, m probes.Misbehaviour) error {
	if err := ctx.Err(); err != nil && !p.has("acts when cancelled") {
		return err
	}
	if err := m.Check(); err != nil && !p.has("misbehaves anyhow") {
		return err
	}
	if m.Kind == probes.WrongValue && p.has("never reads wrong") {
		return nil
	}
	if p.has("misbehaves for ever") {
		m.Transactions, m.Clocks = 0, 0
	}
	p.armed = append(p.armed, m)
	return nil
}

func (p *player) Clear(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !p.has("never clears") {
		p.armed = nil
	}
	return nil
}

func (p *player) Log(ctx context.Context) (probes.BusLog, error) {
	if err := ctx.Err(); err != nil {
		return probes.BusLog{}, err
	}
	l := probes.BusLog{Rate: rate, Transactions: p.logged}
	if !p.has("tells twice") {
		p.logged = nil
	}
	return l, nil
}

// find is the misbehaviour of a kind at the present byte.
func (p *player) find(k probes.MisbehaviourKind) *probes.Misbehaviour {
	for i := range p.armed {
		m := &p.armed[i]
		byByte := k == probes.NACKData || k == probes.Stretch || k == probes.BitError
		if m.Kind == k && (!byByte || m.Byte == probes.EveryByte || m.Byte == len(p.current.Bytes)) {
			return m
		}
	}
	return nil
}

var (
	errNACK = errors.New("not acknowledged")
	errBusy = errors.New("SDA is low")
)

func (p *player) Transfer(ctx context.Context, address uint8, w, r []byte) error {
	if p.find(probes.StuckSDA) != nil && !p.has("is never stuck") {
		return errBusy
	}
	p.current = probes.BusTransaction{Start: ticks(p.now)}
	err := p.transfer(address, w, r)
	if address == playerAddress {
		p.current.End = ticks(p.now)
		p.logged = append(p.logged, p.current)
		p.count()
	}
	return err
}

// count ends a transaction.
func (p *player) count() {
	p.armed = slices.DeleteFunc(p.armed, func(m probes.Misbehaviour) bool { return m.Transactions == 1 })
	for i := range p.armed {
		p.armed[i].Transactions = max(0, p.armed[i].Transactions-1)
	}
}

func (p *player) transfer(address uint8, w, r []byte) error {
	if len(w) > 0 {
		if err := p.address(address, 0); err != nil {
			return err
		}
		for i, v := range w {
			ack := p.find(probes.NACKData) == nil
			p.byte(probes.BusByte{Value: v, Ack: ack})
			if !ack {
				return errNACK
			}
			p.write(i, v)
		}
	}
	if len(r) == 0 {
		return nil
	}
	if err := p.address(address, 1); err != nil {
		return err
	}
	for i := range r {
		r[i] = p.read()
		p.byte(probes.BusByte{Value: r[i], Sent: true, Ack: i < len(r)-1})
	}
	return nil
}

func (p *player) address(a uint8, read byte) error {
	there := a == playerAddress && p.find(probes.Absent) == nil && p.find(probes.NACKAddress) == nil
	there = there || p.has("answers all")
	p.byte(probes.BusByte{Value: a<<1 | read, Address: true, Ack: there})
	if !there {
		return errNACK
	}
	return nil
}

// byte notes a byte and takes its time.
func (p *player) byte(v probes.BusByte) {
	if m := p.find(probes.Stretch); m != nil && !p.has("never stretches") {
		p.now += m.For
	}
	p.now += 9 * 2500 * time.Nanosecond
	if !p.has("hears no acknowledge") || !v.Ack {
		p.current.Bytes = append(p.current.Bytes, v)
	}
}

func (p *player) write(i int, v byte) {
	if i%2 == 0 {
		p.next = v
		return
	}
	p.regs[p.next] = v
	if p.next == regMeas {
		p.convert()
	}
}

func (p *player) convert() {
	t := uint32(p.air.MilliCelsius*5120/1000/8+32768) << 3
	if p.has("is a degree off") {
		t += 640 << 3
	}
	pr, h := uint32(900_000-p.air.MilliPascals/200), uint32(p.air.MilliRH/2)
	copy(p.regs[regData:], []byte{
		byte(pr >> 12), byte(pr >> 4), byte(pr << 4), byte(t >> 12), byte(t >> 4), byte(t << 4), byte(h >> 8), byte(h),
	})
}

func (p *player) read() byte {
	v := p.regs[p.next]
	if m := p.find(probes.WrongValue); m != nil && m.Register == p.next {
		v = m.Value
	}
	p.next++
	if m := p.find(probes.BitError); m != nil && p.has("flips one bit") {
		v ^= m.Mask & -m.Mask
	} else if m != nil {
		v ^= m.Mask
	}
	return v
}

func (p *player) Pulses(_ context.Context, n int) error {
	p.armed = slices.DeleteFunc(p.armed, func(m probes.Misbehaviour) bool {
		return m.Kind == probes.StuckSDA && (m.Clocks > 0 && m.Clocks <= n || p.has("any clock frees"))
	})
	return nil
}

func runBusTarget(t *testing.T, defect string) {
	RunBusTarget(t, func(*testing.T) BusBench {
		p := newPlayer(defect)
		return BusBench{Target: p, Address: playerAddress, Bus: p, Clock: p}
	})
}

func TestGoodBusTarget(t *testing.T) { runBusTarget(t, "") }

func TestBusTargetDefectsAreFound(t *testing.T) {
	findsDefects(t, runBusTarget, map[string]string{
		"answers all":          "the_sensor_answers",
		"takes any air":        "air_that_does_not_exist",
		"is a degree off":      "the_air_comes_back",
		"mixes up the air":     "the_air_comes_back",
		"misbehaves anyhow":    "a_misbehaviour_that",
		"misbehaves for ever":  "an_address_is_not",
		"never clears":         "data_are_not",
		"never stretches":      "the_clock_is",
		"is never stuck":       "a_stuck_SDA",
		"any clock frees":      "a_stuck_SDA",
		"never reads wrong":    "a_register_reads",
		"flips one bit":        "bits_of_a_byte",
		"tells twice":          "the_log",
		"hears no acknowledge": "the_log",
		"acts when cancelled":  "a_cancelled_context",
	})
}
