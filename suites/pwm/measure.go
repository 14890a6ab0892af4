package pwm

import (
	"fmt"
	"math/big"

	"rigor/harness"
	"rigor/harness/measure"
	"rigor/harness/timebase"
	"rigor/probes"
)

// measure holds the pulses that the probe saw against the timer's setting.
func (p point) measure(o harness.Observation) ([]measure.Sample, error) {
	rate, ok := timerClocks[clock{o.Hello.Chip, o.Hello.CoreHz}]
	if !ok {
		return nil, fmt.Errorf("no timer clock is known of an %s at %d Hz", o.Hello.Chip, o.Hello.CoreHz)
	}
	period, width := int64(o.Report.Values[0]), int64(o.Report.Values[1])
	set := big.NewRat(period, int64(rate))
	setting := ratio(measure.PWMSettingError, measure.Firmware, ppm(big.NewRat(1, int64(p.hz)), set))
	if o.Capture.Rate == 0 { // no probe
		return []measure.Sample{setting}, nil
	}
	seen := pulsesOf(o.Capture)
	if len(seen.periods) < 2 {
		return nil, fmt.Errorf("the probe saw %d whole periods", len(seen.periods))
	}
	ticks := int64(o.Capture.Rate)
	mean := big.NewRat(sum(seen.periods), int64(len(seen.periods))*ticks)
	high := big.NewRat(sum(seen.widths), int64(len(seen.widths))*ticks)
	duty := new(big.Rat).Quo(high, mean)
	samples := []measure.Sample{
		setting,
		ratio(measure.PWMFrequencyError, measure.Probe, ppm(set, mean)),
		ratio(measure.PWMDutyError, measure.Probe, millionths(duty.Sub(duty, big.NewRat(width, period)))),
		jitter(seen.periods, o.Capture),
	}
	for i := range samples {
		if o.Capture.Lost > 0 {
			samples[i].Doubts = append(samples[i].Doubts, fmt.Sprintf("the probe lost %d edges", o.Capture.Lost))
		}
	}
	return samples, nil
}

// pulses are whole periods, from rise to rise, and the time that each is high,
// in the capture's ticks.
type pulses struct{ periods, widths []int64 }

// pulsesOf takes the pulses while the firmware says that they run.
func pulsesOf(c probes.Capture) pulses {
	var p pulses
	var rise, fall timebase.Ticks = -1, -1
	for _, e := range c.Edges {
		switch {
		case e.Line == running && !e.High:
			return p
		case e.Line != output:
		case !e.High:
			fall = e.At
		default:
			if rise >= 0 && fall > rise {
				p.periods = append(p.periods, int64(e.At-rise))
				p.widths = append(p.widths, int64(fall-rise))
			}
			rise = e.At
		}
	}
	return p
}

func sum(v []int64) int64 {
	var s int64
	for _, x := range v {
		s += x
	}
	return s
}

// ppm is how far the frequency of a period lies above that of another, in
// millionths.
func ppm(nominal, got *big.Rat) int64 {
	r := new(big.Rat).Quo(nominal, got)
	return millionths(r.Sub(r, big.NewRat(1, 1)))
}

// millionths of one, to the nearest.
func millionths(r *big.Rat) int64 {
	scaled := new(big.Rat).Mul(r, big.NewRat(2_000_000, 1))
	twice := new(big.Int).Quo(scaled.Num(), scaled.Denom()).Int64()
	if twice < 0 {
		return (twice - 1) / 2
	}
	return (twice + 1) / 2
}

func ratio(quantity string, by measure.Source, v int64) measure.Sample {
	return measure.Sample{Name: quantity, Source: by, Unit: measure.PPM, Resolution: 1, Assumption: measure.Nothing, Values: []int64{v}}
}

// jitter is how far each period is from their mean, which is taken to a tick.
func jitter(periods []int64, c probes.Capture) measure.Sample {
	mean := (sum(periods) + int64(len(periods))/2) / int64(len(periods))
	s := measure.Sample{Name: measure.PWMJitter, Source: measure.Probe, Unit: measure.Ticks, Clock: c.Rate,
		Resolution: int64(c.Resolution), Assumption: measure.Nothing}
	for _, p := range periods {
		s.Values = append(s.Values, max(p-mean, mean-p))
	}
	return s
}
