package analog

import (
	"errors"
	"math"
	"slices"

	"rigor/harness/measure"
	"rigor/probes"
)

// sample is one of what the converter says, by the firmware.
func sample(quantity string, u measure.Unit, resolution int64, values ...int64) measure.Sample {
	return measure.Sample{Name: quantity, Source: measure.Firmware, Unit: u, Resolution: resolution,
		Assumption: measure.Nothing, Values: values}
}

// linearity lays a line through the conversions of a ramp, but for its ends, where
// the range may end before it.
func linearity(q question, all []conversion) ([]measure.Sample, error) {
	ramp := q.wave.(probes.Ramp)
	over := float64(ramp.Over.Nanoseconds()) * 1000
	var volts, seen []float64 // what there was and what was said, in microvolts
	for _, c := range all {
		part := float64(c.at) / over
		if part > 0.01 && part < 0.99 {
			volts = append(volts, part*float64(ramp.To))
			seen = append(seen, float64(c.code)*q.by.lsb())
		}
	}
	line, err := measure.FitTransfer(volts, seen)
	if err != nil {
		return nil, err
	}
	var off []int64
	for _, d := range line.Deviations(volts, seen) {
		off = append(off, whole(math.Abs(d)))
	}
	return []measure.Sample{
		sample(measure.ADCLinearity, measure.Microvolts, 1, off...),
		sample(measure.ADCOffset, measure.Microvolts, 1, whole(line.Offset)),
		sample(measure.ADCGain, measure.PPM, 1, whole((line.Gain-1)*1e6)),
	}, nil
}

func whole(v float64) int64 { return int64(math.Round(v)) }

// noise is the root mean square of what is not constant.
func noise(quantity string) func(question, []conversion) ([]measure.Sample, error) {
	return func(q question, all []conversion) ([]measure.Sample, error) {
		var seen []int64
		for _, c := range all {
			seen = append(seen, c.code)
		}
		_, rms := measure.Noise(seen)
		return []measure.Sample{sample(quantity, measure.Microvolts, 1, whole(rms*q.by.lsb()))}, nil
	}
}

// instant finds the moment whose voltage was converted, on the side of the
// triangle that the trigger was on; triggers near a corner are left out.
func instant(q question, all []conversion) ([]measure.Sample, error) {
	triangle := q.wave.(probes.Samples)
	const ps = 1_000_000_000_000
	side := int64(ps / triangle.Rate)
	low, high := int64(triangle.Values[0]), int64(triangle.Values[1])
	var delays []int64
	for _, c := range all {
		into := c.at % side
		if into < side/10 || into > side*8/10 {
			continue
		}
		risen := q.by.microvolts(c.code) - low
		if c.at/side%2 == 1 {
			risen = high - q.by.microvolts(c.code)
		}
		delays = append(delays, risen*side/(high-low)-into)
	}
	if len(delays) == 0 {
		return nil, errors.New("no trigger came on a side of the triangle")
	}
	resolution := whole(q.by.lsb() * float64(side) / float64(high-low))
	median := slices.Sorted(slices.Values(delays))[len(delays)/2]
	var apart []int64
	for _, d := range delays {
		apart = append(apart, max(d-median, median-d))
	}
	return []measure.Sample{
		sample(measure.ADCSamplingInstant, measure.Picoseconds, resolution, delays...),
		sample(measure.ADCSamplingJitter, measure.Picoseconds, resolution, apart...),
	}, nil
}

// settled is how near to its voltage a conversion of a step must be, in codes.
const settled = 2

// stepResponse goes from each step to the first trigger whose conversion shows
// the new voltage. It may lie before the step, for the converter samples later.
func stepResponse(q question, all []conversion) ([]measure.Sample, error) {
	square := q.wave.(probes.Samples)
	const ps = 1_000_000_000_000
	length := int64(ps / square.Rate)
	var response []int64
	if len(all) == 0 {
		return nil, errors.New("no conversion came after the waveform began")
	}
	next := all[0].at/length + 1 // the step looked for
	for _, c := range all {
		if c.at < next*length-length/2 {
			continue
		}
		new := int64(square.Values[next%int64(len(square.Values))])
		if off := q.by.microvolts(c.code) - new; max(off, -off) <= whole(settled*q.by.lsb()) {
			response = append(response, c.at-next*length)
			next++
		}
	}
	if len(response) == 0 {
		return nil, errors.New("no step was seen")
	}
	return []measure.Sample{sample(measure.ADCStepResponse, measure.Picoseconds, 1, response...)}, nil
}
