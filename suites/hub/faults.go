package hub

import (
	"context"
	"fmt"
	"slices"
	"time"

	"rigor/firmware/wire/hub"
	"rigor/harness"
	"rigor/harness/measure"
	"rigor/harness/timebase"
	"rigor/probes"
)

// busFault is what the target does wrong, and what the program may say meanwhile.
type busFault struct {
	name   string // one of measure.BusFaults
	how    probes.Misbehaviour
	may    []hub.Fault
	silent bool // nothing on the bus tells: readings may be believed that are wrong
	before bool // it is noticed only where the sensor is looked for
}

// Bytes of a reading's burst: address and register, address, then three bytes of
// pressure, three of temperature, two of humidity.
const (
	registerByte    = 1
	temperatureByte = 6
)

// BMP280 is the id of the sensor's sister without humidity (BST-BMP280-DS001
// §4.3.1), which at least one shop has sold for it.
const (
	idRegister = 0xD0
	bmp280     = 0x58
)

var busFaults = []busFault{
	{name: "nack", how: probes.Misbehaviour{Kind: probes.NACKAddress}, may: []hub.Fault{hub.NACK}},
	{name: "nack-data", how: probes.Misbehaviour{Kind: probes.NACKData, Byte: registerByte}, may: []hub.Fault{hub.NACK}},
	{name: "absent", how: probes.Misbehaviour{Kind: probes.Absent}, may: []hub.Fault{hub.NACK}},
	{name: "stretch", how: probes.Misbehaviour{Kind: probes.Stretch, Byte: registerByte, For: 500 * time.Microsecond}, may: []hub.Fault{hub.OK}},
	{name: "stretch-long", how: probes.Misbehaviour{Kind: probes.Stretch, Byte: registerByte}, may: []hub.Fault{hub.SCLLow, hub.Timeout}},
	{name: "sda-lost", how: probes.Misbehaviour{Kind: probes.StuckSDA, Clocks: 5}, may: []hub.Fault{hub.SDALow, hub.NACK, hub.Timeout}},
	{name: "sda-stuck", how: probes.Misbehaviour{Kind: probes.StuckSDA}, may: []hub.Fault{hub.SDALow, hub.NACK, hub.Timeout}},
	{name: "wrong-id", how: probes.Misbehaviour{Kind: probes.WrongValue, Register: idRegister, Value: bmp280}, may: []hub.Fault{hub.WrongID}, before: true},
	{name: "bit-errors", how: probes.Misbehaviour{Kind: probes.BitError, Byte: temperatureByte, Mask: 0x04}, may: []hub.Fault{hub.Invalid}, silent: true},
}

var faults = faultEntries()

func faultEntries() []entry {
	var all []entry
	for _, f := range busFaults {
		all = append(all, entry{
			name: "recovery from " + f.name, needs: needs{sensor: true}, watch: []probes.Line{stimulus, begun, ended, running},
			make: func() question { return &recovery{busFault: f} },
		})
	}
	return all
}

// A run of readings, in the middle of which the fault comes and goes.
const (
	faultyReadings = 30
	faultyPeriod   = 20 * time.Millisecond
	faultBegins    = 190 * time.Millisecond
	faultLasts     = 205 * time.Millisecond
)

// recovery takes readings before, during and after a fault. The stimulus line is
// high during it.
type recovery struct {
	busFault
	all []hub.Reading
}

func (q *recovery) ask(ctx context.Context, s *session) error {
	if err := s.startBus(ctx); err != nil {
		return err
	}
	if _, err := s.mark(ctx, q.before); err != nil {
		return err
	}
	if q.before {
		if err := s.misbehave(ctx, q.how); err != nil {
			return err
		}
	}
	var err error
	q.all, err = s.read(ctx, faultyReadings, faultyPeriod, func() error { return q.comeAndGo(ctx, s) })
	return err
}

// comeAndGo lets the fault begin, unless it has, and end.
func (q *recovery) comeAndGo(ctx context.Context, s *session) error {
	if err := s.sleep(ctx, faultBegins); err != nil {
		return err
	}
	if !q.before {
		if _, err := s.mark(ctx, true); err != nil {
			return err
		}
		if err := s.misbehave(ctx, q.how); err != nil {
			return err
		}
	}
	if err := s.sleep(ctx, faultLasts); err != nil {
		return err
	}
	if err := s.blame("end the misbehaviour", s.target.Clear(ctx)); err != nil {
		return err
	}
	_, err := s.mark(ctx, false)
	return err
}

func (q *recovery) answer(o harness.Observation) ([]measure.Sample, error) {
	if err := watched(o, begun); err != nil {
		return nil, err
	}
	spans, unpaired := measure.Intervals(o.Capture, measure.Rise(begun), measure.Rise(ended))
	fault, ok := lastPulse(o.Capture)
	if !ok || len(spans) != len(q.all) || len(unpaired) > 0 {
		return nil, fmt.Errorf("the probe saw %d readings of %d, and the fault: %v", len(spans), len(q.all), ok)
	}
	usual := spans[1].End - spans[1].Start // the first one sets up the sensor
	suffered, believed, back := 0, 0, timebase.Ticks(-1)
	for i, r := range q.all {
		if err := q.check(r, spans[i].End <= fault.Start); err != nil {
			return nil, err
		}
		switch {
		case !right(r):
			suffered++
			back = -1
		case i > 0 && spans[i].End-spans[i].Start > usual*5/4:
			suffered++
		}
		if r.Fault == hub.OK && !right(r) {
			believed++
		}
		if right(r) && back < 0 && spans[i].End > fault.End {
			back = spans[i].End - fault.End
		}
	}
	switch {
	case back < 0:
		return nil, fmt.Errorf("no reading is right after %s is over; the last: %+v", q.name, q.all[len(q.all)-1])
	case suffered == 0 || !q.before && suffered == len(q.all):
		return nil, fmt.Errorf("%d readings of %d suffered from %s", suffered, len(q.all), q.name)
	}
	all := []measure.Sample{byProbe(measure.Under(measure.ReadingRecovery, q.name), measure.Ticks, o.Capture, []timebase.Ticks{back})}
	if q.silent {
		all = append(all, byFirmware(measure.Under(measure.ReadingFalse, q.name), measure.Percent, 1, int64(100*believed/suffered)))
	}
	return all, nil
}

// check is an error of a reading that the fault does not excuse.
func (q *recovery) check(r hub.Reading, before bool) error {
	switch {
	case before && !right(r):
		return fmt.Errorf("%+v is wrong before the fault", r)
	case r.Fault != hub.OK && !slices.Contains(q.may, r.Fault):
		return fmt.Errorf("reading %d failed for %v, with %s want one of %v", r.Sequence, r.Fault, q.name, q.may)
	case r.Fault == hub.OK && !right(r) && !q.silent:
		return fmt.Errorf("%+v is wrong, and the program does not notice", r)
	}
	return nil
}

// right reports whether a reading is of the room, within twice the resolution.
func right(r hub.Reading) bool {
	if r.Fault != hub.OK {
		return false
	}
	near := func(a, b, tolerance int64) bool { return a-b <= tolerance && b-a <= tolerance }
	return near(int64(r.Temperature), room.MilliCelsius, 20) && near(int64(r.Pressure), room.MilliPascals, 2*3620) &&
		near(10*int64(r.Humidity), room.MilliRH, 2*18)
}

// lastPulse is when the stimulus line was high last.
func lastPulse(c probes.Capture) (measure.Span, bool) {
	spans, _ := measure.Intervals(c, measure.Rise(stimulus), measure.Fall(stimulus))
	if len(spans) == 0 {
		return measure.Span{}, false
	}
	return spans[len(spans)-1], true
}
