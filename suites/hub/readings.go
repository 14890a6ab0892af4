package hub

import (
	"context"
	"fmt"
	"time"

	"rigor/firmware/wire/hub"
	"rigor/harness"
	"rigor/harness/measure"
	"rigor/probes"
)

// room is air that nothing is wrong with.
var room = probes.Environment{MilliCelsius: 21_480, MilliPascals: 98_765_000, MilliRH: 45_120}

var readings = []entry{
	{name: "readings against the air", watch: []probes.Line{running, begun, ended}, needs: needs{sensor: true}, make: func() question { return &accuracy{} }},
}

// accuracy holds readings against the air in which they were taken.
type accuracy struct{ temperature, pressure, humidity []int64 }

// airs are those of a room, and the corners of what the sensor measures in full
// accuracy (BST-BME280-DS002 §1.1 to 1.3: 0 to 65 °C, 300 to 1100 hPa) and beyond,
// down to -40 and up to 85 °C.
func airs() []probes.Environment {
	all := []probes.Environment{room}
	for _, t := range []int64{-40_000, -12_344, 0, 33_337, 65_001, 85_000} {
		for _, p := range []int64{30_000_000, 70_123_456, 110_000_000} {
			for _, h := range []int64{0, 20_007, 55_550, 99_990} {
				all = append(all, probes.Environment{MilliCelsius: t, MilliPascals: p, MilliRH: h})
			}
		}
	}
	return all
}

// converted is more than it takes until each value is of air that has changed: two
// conversions of 9.3 ms each and the pause of 0.5 ms between them (§9.1, table 27).
const converted = 25 * time.Millisecond

func (q *accuracy) ask(ctx context.Context, s *session) error {
	for _, air := range airs() {
		if err := s.setAir(ctx, air); err != nil {
			return err
		}
		if err := s.sleep(ctx, converted); err != nil {
			return err
		}
		all, err := s.read(ctx, 1, 0, nil)
		if err == nil {
			err = faultless(all)
		}
		if err != nil {
			return fmt.Errorf("in air of %+v: %w", air, err)
		}
		q.add(all[0], air)
	}
	return nil
}

func (q *accuracy) add(r hub.Reading, air probes.Environment) {
	q.temperature = append(q.temperature, int64(r.Temperature)-air.MilliCelsius)
	q.pressure = append(q.pressure, int64(r.Pressure)-air.MilliPascals)
	q.humidity = append(q.humidity, 100*int64(r.Humidity)-10*air.MilliRH) // of 1/100 and 1/1000 %RH, millionths
}

func (q *accuracy) answer(harness.Observation) ([]measure.Sample, error) {
	return []measure.Sample{
		byFirmware(measure.TemperatureError, measure.Millikelvins, 10, q.temperature...),
		byFirmware(measure.PressureError, measure.Millipascals, 1000, q.pressure...),
		byFirmware(measure.HumidityError, measure.PPM, 100, q.humidity...),
	}, nil
}
