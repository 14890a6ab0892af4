package hub

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"rigor/firmware/wire/hub"
	"rigor/harness"
	"rigor/harness/measure"
	"rigor/harness/timebase"
	"rigor/probes"
)

// The core, and the bus.
var basics = []entry{
	{name: "cores", watch: []probes.Line{running}, make: func() question { return &cores{} }},
	{name: "clock as TinyGo sets it", watch: []probes.Line{stimulus, scl, sda}, needs: needs{readings: true}, make: func() question { return &clock{setting: measure.SCLTinyGo} }},
	{name: "clock of 400 kHz", watch: []probes.Line{stimulus, scl, sda}, needs: needs{readings: true}, make: func() question { return &clock{setting: measure.SCLExact, param: 1} }},
	{name: "who is on the bus", watch: []probes.Line{stimulus, scl, sda}, needs: needs{readings: true}, make: func() question { return &scan{} }},
	{name: "transactions", watch: []probes.Line{stimulus, scl, sda}, needs: needs{sensor: true}, make: func() question { return &transactions{} }},
}

// cores asks goroutines on which core they run.
type cores struct{ seen []uint32 }

func (q *cores) ask(ctx context.Context, s *session) (err error) {
	q.seen, err = s.tell(ctx, hub.CommandHarts, 16, 0)
	return err
}

func (q *cores) answer(harness.Observation) ([]measure.Sample, error) {
	different := slices.Compact(slices.Sorted(slices.Values(q.seen)))
	return []measure.Sample{byFirmware(measure.Cores, measure.Harts, 1, int64(len(different)))}, nil
}

// wiring leaves out what the inputs of Fast-mode do (UM10204 table 10, tSP).
var wiring = measure.I2CWiring{SCL: scl, SDA: sda, Glitch: 50 * time.Nanosecond}

// decode is the bus as the probe saw it.
func decode(o harness.Observation) (measure.I2CBus, error) {
	if err := watched(o, scl); err != nil {
		return measure.I2CBus{}, err
	}
	return measure.I2C(since(o.Capture), wiring)
}

// clock reads the sensor a few times and looks at SCL.
type clock struct {
	setting string
	param   uint32 // of hub.CommandSpeed
}

func (q *clock) ask(ctx context.Context, s *session) error {
	if _, err := s.tell(ctx, hub.CommandSpeed, 1, q.param); err != nil {
		return err
	}
	if err := s.startBus(ctx); err != nil {
		return err
	}
	all, err := s.read(ctx, 5, 20*time.Millisecond, nil)
	if err == nil {
		err = faultless(all)
	}
	return err
}

// startBus has the program free the bus and start it, and marks that.
func (s *session) startBus(ctx context.Context) error {
	told, err := s.tell(ctx, hub.CommandFree, 4, 0)
	if err == nil && hub.Fault(told[3]) != hub.OK {
		err = fmt.Errorf("the bus is not free: %v, after %d pulses", hub.Fault(told[3]), told[1])
	}
	if err == nil {
		err = s.start(ctx)
	}
	return err
}

// faultless is an error if there is a reading that failed.
func faultless(all []hub.Reading) error {
	for _, r := range all {
		if r.Fault != hub.OK {
			return fmt.Errorf("reading %d failed: %v", r.Sequence, r.Fault)
		}
	}
	return nil
}

func (q *clock) answer(o harness.Observation) ([]measure.Sample, error) {
	bus, err := decode(o)
	if err != nil {
		return nil, err
	}
	frequency := byProbe(measure.Under(measure.SCLFrequency, q.setting), measure.Hertz, o.Capture, nil)
	duty := byProbe(measure.Under(measure.SCLDuty, q.setting), measure.PPM, o.Capture, nil)
	frequency.Clock, duty.Clock = 0, 0
	for i, p := range bus.Periods {
		frequency.Values = append(frequency.Values, nearest(int64(bus.Rate), int64(p)))
		duty.Values = append(duty.Values, nearest(1_000_000*int64(p-bus.Lows[i]), int64(p)))
	}
	if n := len(bus.Periods); n > 0 {
		p := int64(bus.Periods[n/2])
		frequency.Resolution = nearest(int64(bus.Rate)*int64(o.Capture.Resolution), p*p)
		duty.Resolution = nearest(1_000_000*int64(o.Capture.Resolution), p)
	}
	all := []measure.Sample{
		frequency, duty,
		byProbe(measure.Under(measure.SCLLow, q.setting), measure.Ticks, o.Capture, bus.Lows),
		byProbe(measure.Under(measure.SCLHigh, q.setting), measure.Ticks, o.Capture, bus.Highs),
	}
	for i := range all {
		all[i].Doubts = append(all[i].Doubts, bus.Doubts...)
	}
	return all, nil
}

// nearest is a/b, rounded.
func nearest(a, b int64) int64 { return (a + b/2) / b }

// scan asks every address.
type scan struct{}

func (q *scan) ask(ctx context.Context, s *session) error {
	if err := s.startBus(ctx); err != nil {
		return err
	}
	found, err := s.tell(ctx, hub.CommandScan, 4, 0)
	if err != nil {
		return err
	}
	var want [4]uint32
	for _, t := range s.Config.Targets {
		want[t.Address/32] |= 1 << (t.Address % 32)
	}
	if !slices.Equal(found, want[:]) {
		return fmt.Errorf("the program finds devices at %#x, by rigs.yaml they are at %#x (a bit for each address)", found, want)
	}
	return nil
}

// answer counts the addresses that the probe saw on the bus.
func (q *scan) answer(o harness.Observation) ([]measure.Sample, error) {
	bus, err := decode(o)
	if err != nil {
		return nil, err
	}
	var asked []byte
	for _, t := range bus.Transactions {
		if len(t.Bytes) > 0 {
			asked = append(asked, t.Bytes[0].Value>>1)
		}
	}
	for a := byte(0x08); a < 0x78; a++ {
		if !slices.Contains(asked, a) {
			return nil, fmt.Errorf("address %#02x was not asked; on the bus there were %#02x", a, asked)
		}
	}
	return nil, nil
}

// transactions compares what the probe saw on the wires with what the target took
// part in, and the reading of its id with what BST-BME280-DS002 §6.2 asks for.
type transactions struct{ log probes.BusLog }

func (q *transactions) ask(ctx context.Context, s *session) error {
	if err := s.startBus(ctx); err != nil {
		return err
	}
	if _, err := s.tell(ctx, hub.CommandIdentify, 2, 0); err != nil {
		return err
	}
	all, err := s.read(ctx, 10, 20*time.Millisecond, nil)
	if err != nil {
		return err
	}
	if q.log, err = s.log(ctx); err != nil {
		return err
	}
	return faultless(all)
}

// identification is the id register's reading at address 0x76: S EC A D0 A, then
// S ED A 60 N, P.
const identification = "S ECA D0A S EDA 60N P"

func (q *transactions) answer(o harness.Observation) ([]measure.Sample, error) {
	bus, err := decode(o)
	if err != nil {
		return nil, err
	}
	alike, total := 0, max(len(bus.Transactions), len(q.log.Transactions))
	for i := range min(len(bus.Transactions), len(q.log.Transactions)) {
		if spell(seen(bus.Transactions[i])) == spell(q.log.Transactions[i].Bytes) && bus.Transactions[i].Stopped {
			alike++
		}
	}
	if total == 0 || q.log.Lost > 0 {
		return nil, fmt.Errorf("%d transactions, of which the target lost %d", total, q.log.Lost)
	}
	if got := spell(seen(bus.Transactions[0])); got != identification {
		return nil, fmt.Errorf("the id is read by %q, want %q", got, identification)
	}
	s := byProbe(measure.I2CAgreement, measure.Percent, o.Capture, []timebase.Ticks{timebase.Ticks(100 * alike / total)})
	s.Clock, s.Resolution, s.Doubts = 0, 1, append(s.Doubts, bus.Doubts...)
	return []measure.Sample{s}, nil
}

func seen(t measure.I2CTransaction) []probes.BusByte {
	var all []probes.BusByte
	for _, b := range t.Bytes {
		all = append(all, probes.BusByte{Value: b.Value, Address: b.Address, Ack: b.Ack})
	}
	return all
}

// spell writes a transaction: S for a start, each byte with A or N for its
// acknowledge, P for the stop.
func spell(bytes []probes.BusByte) string {
	var words []string
	for _, b := range bytes {
		if b.Address {
			words = append(words, "S")
		}
		words = append(words, fmt.Sprintf("%02X%s", b.Value, map[bool]string{true: "A", false: "N"}[b.Ack]))
	}
	return strings.Join(append(words, "P"), " ")
}
