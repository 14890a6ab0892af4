package virtual

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"rigor/harness/sim/bme280"
	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
	"rigor/probes"
	"rigor/probes/probestest"
)

// master is a chip whose two pins are an I2C controller's, open drain; its program
// is the test, which moves the board's time.
type master struct {
	wire
	board *board.Board
	own   [pins]bool // pulled low by the chip
}

// The pins.
const (
	sda = in
	scl = out
)

func (m *master) Drive(p board.Pin, d board.Drive, at clock.Time) {
	m.drive[p] = d
	m.settle(p, at)
}

func (m *master) settle(p board.Pin, at clock.Time) {
	m.set(p, !m.own[p] && m.drive[p].Kind != board.DriveLow, at)
}

// pull changes a line, and lets time pass.
func (m *master) pull(p board.Pin, low bool, d clock.Time) {
	m.own[p] = low
	m.settle(p, m.board.Now())
	m.board.Advance(m.board.Now() + d)
}

const half = 1250 * clock.Nanosecond // of 400 kHz

var (
	errNACK = errors.New("not acknowledged")
	errLow  = errors.New("SDA is low")
	errSCL  = errors.New("SCL does not rise")
)

// rise lets go of SCL and waits until it is high, and half a clock more.
func (m *master) rise() error {
	m.pull(scl, false, 0)
	for limit := m.board.Now() + 5*clock.Millisecond; !m.Level(scl); {
		if m.board.Now() > limit {
			return errSCL
		}
		m.board.Advance(m.board.Now() + 100*clock.Nanosecond)
	}
	m.board.Advance(m.board.Now() + half)
	return nil
}

// bit is a clock of SCL, from low to low.
func (m *master) bit(high bool) (bool, error) {
	m.pull(sda, !high, half)
	if err := m.rise(); err != nil {
		return false, err
	}
	high = m.Level(sda)
	m.pull(scl, true, 0)
	return high, nil
}

func (m *master) byte(v byte, ack bool) (got byte, acked bool, err error) {
	for i := 7; i >= 0; i-- {
		bit, err := m.bit(v>>i&1 != 0)
		if err != nil {
			return 0, false, err
		}
		got <<= 1
		if bit {
			got |= 1
		}
	}
	nack, err := m.bit(!ack)
	return got, !nack, err
}

func (m *master) start() error {
	m.pull(sda, false, half)
	if err := m.rise(); err != nil {
		return err
	}
	if !m.Level(sda) {
		return errLow
	}
	m.pull(sda, true, half)
	m.pull(scl, true, 0)
	return nil
}

func (m *master) stop() {
	m.pull(sda, true, half)
	m.pull(scl, false, half)
	m.pull(sda, false, half)
}

func (m *master) send(vs ...byte) error {
	for _, v := range vs {
		_, acked, err := m.byte(v, false)
		if err != nil {
			return err
		}
		if !acked {
			return fmt.Errorf("byte %#x: %w", v, errNACK)
		}
	}
	return nil
}

func (m *master) Transfer(_ context.Context, address uint8, w, r []byte) (err error) {
	defer m.stop()
	if len(w) > 0 {
		if err := m.start(); err != nil {
			return err
		}
		if err := m.send(append([]byte{address << 1}, w...)...); err != nil {
			return err
		}
	}
	if len(r) == 0 {
		return nil
	}
	if err := m.start(); err != nil {
		return err
	}
	if err := m.send(address<<1 | 1); err != nil {
		return err
	}
	for i := range r {
		if r[i], _, err = m.byte(0xFF, i < len(r)-1); err != nil {
			return err
		}
	}
	return nil
}

func (m *master) Pulses(_ context.Context, n int) error {
	m.pull(scl, true, half)
	for range n {
		if _, err := m.bit(true); err != nil {
			return err
		}
	}
	m.stop()
	return nil
}

func sensorBench(t *testing.T) (probestest.BusBench, *board.Board) {
	t.Helper()
	m, s := &master{}, bme280.New(0x76, 1)
	b, err := board.New(m, board.Wiring{Targets: []board.TargetWiring{{Name: "bme280", SDA: "IN", SCL: "OUT", Device: s}}})
	if err != nil {
		t.Fatal(err)
	}
	m.board = b
	b.SetPower(true)
	b.Advance(5 * clock.Millisecond)
	return probestest.BusBench{
		Target: NewTarget(b, b.Target("bme280"), s), Address: 0x76, Bus: m, Clock: ticker{b}, Slack: 2 * time.Microsecond,
	}, b
}

func TestBusTargetConformance(t *testing.T) {
	probestest.RunBusTarget(t, func(t *testing.T) probestest.BusBench {
		b, _ := sensorBench(t)
		return b
	})
}

// Every kind of misbehaviour has its counterpart on the board.
func TestMisbehavioursAreKnown(t *testing.T) {
	var seen []board.MisbehaviourKind
	for k := probes.NACKAddress; (probes.Misbehaviour{Kind: k, Mask: 1}).Check() == nil; k++ {
		kind, ok := misbehaviours[k]
		if !ok || slices.Contains(seen, kind) {
			t.Errorf("%v is %v, known: %v", k, kind, ok)
		}
		seen = append(seen, kind)
	}
}

// Times in the log are the board's.
func TestBusLogTimes(t *testing.T) {
	bench, b := sensorBench(t)
	before := b.Now()
	if err := bench.Bus.Transfer(t.Context(), 0x76, []byte{0xD0}, nil); err != nil {
		t.Fatal(err)
	}
	log, err := bench.Target.Log(t.Context())
	if err != nil || len(log.Transactions) != 1 {
		t.Fatalf("%+v, %v", log, err)
	}
	tr := log.Transactions[0]
	if log.Rate != Rate || clock.Time(tr.Start) <= before || clock.Time(tr.End) > b.Now() {
		t.Errorf("%+v between %d and %d", log, before, b.Now())
	}
}
