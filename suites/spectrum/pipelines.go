package spectrum

import (
	"context"
	"fmt"
	"math"
	"time"

	"rigor/firmware/wire/audio"
	"rigor/harness"
	"rigor/harness/measure"
	"rigor/harness/rig"
	"rigor/harness/timebase"
	"rigor/probes"
)

// pipelines are the questions to each worker: at the usual rate, at rates as high as it
// can, and how long a sound takes.
func pipelines() (all []entry) {
	for _, worker := range measure.Workers {
		all = append(all,
			entry{"pipeline, " + worker, []probes.Line{running, begun, ended}, func() question { return &steady{worker: worker} }},
			entry{"latency, " + worker, []probes.Line{stimulus, running, begun, ended, console}, func() question { return &latency{worker: worker} }},
			entry{"highest rate, " + worker, []probes.Line{running}, func() question { return &highest{worker: worker} }})
	}
	return all
}

// config is how a worker transforms.
func config(worker string) audio.Config {
	if worker == measure.SecondHart {
		return audio.Config{Size: usually.Size, Transform: audio.Fixed, Second: true}
	}
	return audio.Config{Size: usually.Size, Transform: variants[worker]}
}

// steady lets a worker run at the usual rate.
type steady struct {
	worker     string
	rate       milliHertz
	wait, work []uint32
	counts     audio.Counts
}

const steadyTransforms = 100

func (q *steady) ask(ctx context.Context, s *session) error {
	q.rate = s.rate
	if _, err := s.play(ctx, chord(s.rate)); err != nil {
		return err
	}
	_, err := s.listen(ctx, config(q.worker), steadyTransforms, nil)
	if err == nil {
		q.wait, err = s.tell(ctx, audio.CommandWait, steadyTransforms, 0)
	}
	if err == nil {
		q.work, err = s.tell(ctx, audio.CommandWork, steadyTransforms, 0)
	}
	if err == nil {
		q.counts, err = s.counts(ctx)
	}
	return err
}

func (s *session) counts(ctx context.Context) (audio.Counts, error) {
	told, err := s.tell(ctx, audio.CommandCounts, audio.CountsWords, 0)
	if err != nil {
		return audio.Counts{}, err
	}
	return audio.CountsOf([audio.CountsWords]uint32(told)), nil
}

func (q *steady) answer(o harness.Observation) ([]measure.Sample, error) {
	named := func(what string) string { return measure.Under(what, q.worker) }
	cycles := func(what string, values []uint32) measure.Sample {
		s := sample(named(what), measure.Firmware, measure.Cycles, 1)
		s.Clock = timebase.Rate(o.Hello.CounterHz)
		for _, v := range values {
			s.Values = append(s.Values, int64(v))
		}
		return s
	}
	all := []measure.Sample{
		sample(named(measure.AudioBlocksDropped), measure.Firmware, measure.Events, 1, int64(q.counts.Dropped)),
		sample(named(measure.AudioOverruns), measure.Firmware, measure.Events, 1, int64(q.counts.Overruns)),
		cycles(measure.AudioOverhead, q.wait), cycles(measure.AudioWork, q.work),
	}
	if o.Capture.Rate == 0 {
		return all, nil
	}
	period := measure.Period{Count: int64(usually.Size) * 1000, Of: timebase.Rate(q.rate)}
	results := measure.EdgeTimes("", o.Capture, measure.Rise(ended))
	jitter, _ := measure.PeriodJitterOf(named(measure.AudioJitter), results, period)
	return append(all, jitter, measure.Durations(named(measure.AudioResponse), o.Capture, measure.Rise(begun), measure.Rise(ended)),
		q.rateError(measure.EdgeTimes("", o.Capture, measure.Rise(begun)), period)), nil
}

// rateError compares the interrupts' mean period with what the program says of its rate.
func (q *steady) rateError(blocks measure.Sample, said measure.Period) measure.Sample {
	s := sample(measure.AudioRateError, measure.Probe, measure.PPM, 1)
	s.Doubts = blocks.Doubts
	n := len(blocks.Values)
	if n < 2 {
		s.Doubts = append(s.Doubts, fmt.Sprintf("%d blocks were seen", n))
		return s
	}
	mean := float64(blocks.Values[n-1]-blocks.Values[0]) / float64(n-1) / float64(blocks.Clock)
	s.Values = append(s.Values, int64(math.Round((float64(said.Count)/float64(said.Of)/mean-1)*1e6)))
	return s
}

// latency has a sound begin at each part of a block, and waits for the first result that
// tells of it. A result does when a ten-thousandth of the tone's power is in its bin: when
// the last hundredth of its block is of the tone.
type latency struct {
	worker  string
	onsets  []onset
	results [][]audio.Result
}

const (
	latencyOnsets     = 20
	latencyTransforms = 5
	latencyBin        = 16
	latencyLevel      = -6 * probes.Decibel
)

func (q *latency) ask(ctx context.Context, s *session) error {
	for i := range time.Duration(latencyOnsets) {
		if err := s.stop(ctx); err != nil {
			return err
		}
		var o onset
		results, err := s.listen(ctx, config(q.worker), latencyTransforms, func() (err error) {
			if err = s.Clock().Sleep(ctx, s.block()+i*s.block()/latencyOnsets); err == nil {
				o, err = s.play(ctx, tone{latencyBin, latencyLevel}.at(s.rate))
			}
			if err == nil && o.within > s.block() {
				err = &rig.MissingError{What: fmt.Sprintf("source of sounds whose onset is known to %v", s.block())}
			}
			return err
		})
		if err != nil {
			return fmt.Errorf("onset %d: %w", i, err)
		}
		q.onsets, q.results = append(q.onsets, o), append(q.results, results)
	}
	return nil
}

func (q *latency) answer(o harness.Observation) ([]measure.Sample, error) {
	runs, err := captured(o.Capture)
	if err == nil && len(runs) != len(q.results) {
		err = fmt.Errorf("the probe saw %d runs, want %d", len(runs), len(q.results))
	}
	if err != nil {
		return nil, err
	}
	s := measure.Sample{Name: measure.Under(measure.AudioLatency, q.worker), Source: measure.Probe, Unit: measure.Ticks,
		Clock: o.Capture.Rate, Resolution: int64(o.Capture.Resolution), Assumption: measure.Nothing}
	for i, r := range runs {
		told, err := r.tells(q.results[i])
		if err != nil {
			return nil, fmt.Errorf("onset %d: %w", i, err)
		}
		began := r.onsets[0] + timebase.Ticks(q.onsets[i].after).Convert(1e9, o.Capture.Rate)
		s.Values = append(s.Values, int64(told-began))
		s.Resolution = max(s.Resolution, int64(timebase.Ticks(q.onsets[i].within).Convert(1e9, o.Capture.Rate)))
	}
	if o.Capture.Lost > 0 {
		s.Doubts = append(s.Doubts, fmt.Sprintf("the probe lost %d edges", o.Capture.Lost))
	}
	return []measure.Sample{s, spread(s, measure.Under(measure.AudioLatencyJitter, q.worker))}, nil
}

// spread is by how much each value is above the least.
func spread(s measure.Sample, quantity string) measure.Sample {
	j := s
	j.Name, j.Values = quantity, nil
	least := s.Values[0]
	for _, v := range s.Values {
		least = min(least, v)
	}
	for _, v := range s.Values {
		j.Values = append(j.Values, v-least)
	}
	return j
}

// tone's power in its bin, when a whole block is of it.
var latencyPower = math.Pow(math.Pow(10, float64(latencyLevel)/20_000)*full/2, 2)

// tells is when the first byte of the first result that tells of the tone left.
func (r capturedRun) tells(results []audio.Result) (timebase.Ticks, error) {
	if len(r.results) < len(results) || len(r.onsets) == 0 {
		return 0, fmt.Errorf("the probe saw %d of %d results leave, and a sound begin: %v", len(r.results), len(results), len(r.onsets) > 0)
	}
	for i, result := range results {
		if float64(result.Power[0]) < latencyPower/10_000 {
			continue
		}
		for _, at := range r.bytes {
			if at >= r.results[i] {
				return at, nil
			}
		}
		return 0, fmt.Errorf("no byte left after result %d", i)
	}
	return 0, fmt.Errorf("none of %d results tells of the sound", len(results))
}

// highest looks for the highest rate of samples at which a run drops nothing, to a
// thirty-second of it. A run is of so many blocks that a worker that is a thirtieth too
// slow fills its ring of 32.
type highest struct {
	worker string
	holds  uint32 // Hz
}

// microphoneRate is what a microphone with I2S is made for: 4 MHz of SCK, 64 to a sample
// (CUI Devices CMM-4030D-261-I2S, which is built alike).
const microphoneRate = 62_500

const highestTransforms = 32 * audio.Block * 32 / 128

func (q *highest) ask(ctx context.Context, s *session) error {
	if _, err := s.play(ctx, chord(s.rate)); err != nil {
		return err
	}
	low, high := uint32(0), uint32(audio.MaxRate) // low holds; high may
	for try := high; high-low > high/32; try = low + (high-low)/2 {
		if try < audio.MinRate {
			return fmt.Errorf("samples are dropped at %d Hz", high)
		}
		ok, err := q.holdsAt(ctx, s, try)
		switch {
		case err != nil:
			return fmt.Errorf("at %d Hz: %w", try, err)
		case ok:
			low, q.holds = try, uint32(s.rate/1000)
		default:
			high = try
		}
	}
	return nil
}

// holdsAt reports whether nothing is dropped at a rate.
func (q *highest) holdsAt(ctx context.Context, s *session, hz uint32) (bool, error) {
	if err := s.setRate(ctx, hz); err != nil {
		return false, err
	}
	told, err := s.tell(ctx, audio.CommandLoad, audio.CountsWords, audio.LoadParam(config(q.worker), highestTransforms))
	if err != nil {
		return false, err
	}
	c := audio.CountsOf([audio.CountsWords]uint32(told))
	if c.Transforms != highestTransforms {
		return false, fmt.Errorf("%d transforms were done, want %d", c.Transforms, highestTransforms)
	}
	return c.Dropped == 0 && c.Overruns == 0, nil
}

func (q *highest) answer(harness.Observation) ([]measure.Sample, error) {
	s := sample(measure.Under(measure.AudioHighestRate, q.worker), measure.Firmware, measure.Hertz, int64(q.holds/32), int64(q.holds))
	if q.holds > audio.MaxRate-audio.MaxRate/100 {
		s.Resolution = 1
		s.Warnings = append(s.Warnings, "no higher rate was tried")
	}
	if q.holds > microphoneRate {
		s.Warnings = append(s.Warnings, fmt.Sprintf("microphones of this kind sample at up to %d Hz", microphoneRate))
	}
	return []measure.Sample{s}, nil
}
