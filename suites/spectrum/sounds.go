package spectrum

import (
	"context"
	_ "embed" // of the recording
	"fmt"
	"math"
	"time"

	"rigor/firmware/wire/audio"
	"rigor/harness"
	"rigor/harness/measure"
	"rigor/harness/timebase"
	"rigor/probes"
)

// What is played. Tones of a bin are those at which a transform of 128 points leaks
// nothing; the level's steps go down to where 16 bits are few.
var sounds = []entry{
	{name: "tones", watch: []probes.Line{running}, make: func() question {
		return &tones{sound: measure.SoundTone, played: []tone{
			{8, -6_000}, {3, -1_000}, {20, -20_000}, {37, -6_000}, {50, -40_000}, {60, -3_000}}}
	}},
	{name: "tones between bins", watch: []probes.Line{running}, make: func() question {
		return &tones{sound: measure.SoundBetween, played: []tone{
			{8.5, -6_000}, {20.25, -1_000}, {33.6, -20_000}, {50.9, -6_000}}}
	}},
	{name: "two tones", watch: []probes.Line{running}, make: func() question { return &twoTones{} }},
	{name: "sweep", watch: []probes.Line{stimulus, running, begun}, make: func() question { return &sweep{} }},
	{name: "noise", watch: []probes.Line{running}, make: func() question { return &noise{} }},
	{name: "recording", watch: []probes.Line{running}, make: func() question { return &recording{} }},
	{name: "frames", watch: []probes.Line{running, frame}, make: func() question { return &frames{} }},
	{name: "silence", watch: []probes.Line{running}, make: func() question { return &silence{} }},
}

// usually is how sounds are transformed.
var usually = audio.Config{Size: 128, Transform: audio.Fixed}

// tone is one at a place between bins of the usual transform.
type tone struct {
	bin   float64
	level probes.MilliDBFS
}

// at is the tone at a rate of samples.
func (t tone) at(rate milliHertz) probes.Tone {
	return probes.Tone{Level: t.level, MicroHz: rate.microHertz(t.bin, usually.Size)}
}

func (t tone) hertz(rate milliHertz) float64 { return float64(t.at(rate).MicroHz) / 1e6 }

// tones asks for the peak of one tone after the other.
type tones struct {
	sound  string
	played []tone
	heard  []heard
	doubts []string
}

func (q *tones) ask(ctx context.Context, s *session) error {
	for _, t := range q.played {
		h, o, err := s.hear(ctx, usually, t.at(s.rate))
		if err != nil {
			return fmt.Errorf("tone of bin %g: %w", t.bin, err)
		}
		q.heard, q.doubts = append(q.heard, h), o.doubts
	}
	return nil
}

func (q *tones) answer(harness.Observation) (all []measure.Sample, err error) {
	for _, by := range sources {
		named := func(what string, u measure.Unit) measure.Sample {
			return sample(measure.Under(what, q.sound), by, u, 1)
		}
		frequency, level := named(measure.PeakFrequencyError, measure.Millihertz), named(measure.PeakLevelError, measure.Millidecibels)
		level.Doubts = q.doubts
		var beside []measure.Sample
		for _, r := range q.ratios() {
			beside = append(beside, named(r.quantity, measure.Millidecibels))
		}
		for i, h := range q.heard {
			s, p, err := q.peak(h, by, q.played[i])
			if err != nil {
				return nil, err
			}
			frequency.Values = append(frequency.Values, thousandths(p.Hz-q.played[i].hertz(h.rate)))
			frequency.Resolution = max(frequency.Resolution, thousandths(p.WithinHz))
			level.Values = append(level.Values, measure.MilliDecibels(p.Power)-int64(q.played[i].level))
			level.Resolution = max(level.Resolution, thousandths(p.WithinDB))
			for k, r := range q.ratios() {
				beside[k].Values = append(beside[k].Values, thousandths(r.of(s, p)))
			}
			if i == 0 {
				all = append(all, picture(q.sound, by, s, h.rate))
			}
		}
		all = append(append(all, frequency, level), beside...)
	}
	return all, nil
}

// ratio is one of the power of a peak and another, in decibels.
type ratio struct {
	quantity string
	of       func(measure.Spectrum, measure.Peak) float64
}

// ratios are those to what is beside the peak: of a tone between bins, that is what leaks.
func (q *tones) ratios() []ratio {
	if q.sound == measure.SoundBetween {
		return []ratio{{measure.Leakage, measure.Spectrum.Leakage}}
	}
	return []ratio{
		{measure.SignalToNoise, measure.Spectrum.SNR},
		{measure.SignalToAll, func(s measure.Spectrum, p measure.Peak) float64 { return s.SINAD(p) }},
		{measure.Distortion, measure.Spectrum.THD},
	}
}

// peak is the strongest. It is an error if there is none, or if the program found it
// elsewhere than its own transform has it.
func (q *tones) peak(h heard, by measure.Source, t tone) (measure.Spectrum, measure.Peak, error) {
	spectra, err := h.spectra()
	if err != nil {
		return measure.Spectrum{}, measure.Peak{}, err
	}
	s := spectra[by]
	peaks := s.Peaks(1)
	switch {
	case len(peaks) == 0:
		return s, measure.Peak{}, fmt.Errorf("there is no peak where a tone of bin %g was played", t.bin)
	case by == measure.Firmware && int(h.result.Bin) != peaks[0].Bin:
		return s, peaks[0], fmt.Errorf("the program says that bin %d has the most power, its transform has bin %d", h.result.Bin, peaks[0].Bin)
	}
	return s, peaks[0], nil
}

// twoTones asks whether two tones four bins apart stay two. That is what a Hann window
// needs.
type twoTones struct{ heard heard }

var (
	twoOf512 = audio.Config{Size: 512, Transform: audio.Fixed}
	two      = [2]float64{32, 36} // bins
)

const twoLevel = -12 * probes.Decibel

func (q *twoTones) ask(ctx context.Context, s *session) (err error) {
	var both probes.Mix
	for _, bin := range two {
		both = append(both, probes.Tone{Level: twoLevel, MicroHz: s.rate.microHertz(bin, twoOf512.Size)})
	}
	q.heard, _, err = s.hear(ctx, twoOf512, both)
	return err
}

func (q *twoTones) answer(harness.Observation) (all []measure.Sample, err error) {
	spectra, err := q.heard.spectra()
	if err != nil {
		return nil, err
	}
	for _, by := range sources {
		s := spectra[by]
		peaks := s.Peaks(2)
		if len(peaks) < 2 {
			return nil, fmt.Errorf("%d peaks of two tones, by the %s", len(peaks), by)
		}
		if peaks[0].Bin > peaks[1].Bin {
			peaks[0], peaks[1] = peaks[1], peaks[0]
		}
		frequency := sample(measure.Under(measure.PeakFrequencyError, measure.SoundTones), by, measure.Millihertz, 1)
		for i, p := range peaks {
			frequency.Values = append(frequency.Values, thousandths(p.Hz-float64(q.heard.rate.microHertz(two[i], twoOf512.Size))/1e6))
			frequency.Resolution = max(frequency.Resolution, thousandths(p.WithinHz))
		}
		all = append(all, picture(measure.SoundTones, by, s, q.heard.rate), frequency,
			sample(measure.TonesDip, by, measure.Millidecibels, 1, thousandths(s.Dip(peaks[0], peaks[1]))))
	}
	return all, nil
}

// sweep asks where the peak is while the frequency rises. A block's is that in its middle.
type sweep struct {
	rate    milliHertz
	onset   onset
	results []audio.Result
}

const (
	sweepLasts      = time.Second
	sweepFrom       = 500_000_000 // uHz
	sweepTo         = 7_500_000_000
	sweepTransforms = 130
)

func (q *sweep) ask(ctx context.Context, s *session) (err error) {
	q.rate = s.rate
	q.results, err = s.listen(ctx, usually, sweepTransforms, func() error {
		err := s.Clock().Sleep(ctx, s.block())
		if err != nil {
			return err
		}
		q.onset, err = s.play(ctx, probes.Sweep{Level: -6 * probes.Decibel, From: sweepFrom, To: sweepTo, Over: sweepLasts})
		return err
	})
	return err
}

func (q *sweep) answer(o harness.Observation) ([]measure.Sample, error) {
	runs, err := captured(o.Capture)
	if err != nil {
		return nil, err
	}
	run := runs[len(runs)-1]
	if len(run.complete) < len(q.results) || len(run.onsets) == 0 {
		return nil, fmt.Errorf("the probe saw %d blocks of %d results, and a sound begin: %v", len(run.complete), len(q.results), len(run.onsets) > 0)
	}
	began := seconds(run.onsets[0], o.Capture.Rate) + q.onset.after.Seconds()
	length := float64(usually.Size) / q.rate.hertz()
	const slope = (sweepTo - sweepFrom) / 1e6 / 1.0 // Hz a second, for a second
	s := sample(measure.Under(measure.PeakFrequencyError, measure.SoundSweep), measure.Firmware, measure.Millihertz,
		1+thousandths(slope*q.onset.within.Seconds()))
	for i, r := range q.results {
		middle := seconds(run.complete[i], o.Capture.Rate) - length/2 - began
		if middle < length || middle > sweepLasts.Seconds()-length {
			continue
		}
		s.Values = append(s.Values, thousandths(interpolated(r)*q.rate.hertz()/float64(usually.Size)-sweepFrom/1e6-slope*middle))
	}
	if len(s.Values) < sweepTransforms/2 {
		return nil, fmt.Errorf("%d of %d results are of the sweep", len(s.Values), len(q.results))
	}
	return []measure.Sample{s}, nil
}

func seconds(t timebase.Ticks, rate timebase.Rate) float64 { return float64(t) / float64(rate) }

// noise asks for its level. That of n samples scatters by the root of 2/n, times 4.3 dB;
// three times that is allowed for.
type noise struct {
	heard []heard
	onset onset
}

const noiseLevel = -20 * probes.Decibel

func (q *noise) ask(ctx context.Context, s *session) error {
	for seed := range uint64(4) {
		h, o, err := s.hear(ctx, twoOf512, probes.WhiteNoise{Level: noiseLevel, Seed: seed})
		if err != nil {
			return err
		}
		q.heard, q.onset = append(q.heard, h), o
	}
	return nil
}

func (q *noise) answer(harness.Observation) (all []measure.Sample, err error) {
	for _, by := range sources {
		level := sample(measure.Under(measure.PeakLevelError, measure.SoundNoise), by, measure.Millidecibels, 810)
		level.Doubts = q.onset.doubts
		for i, h := range q.heard {
			spectra, err := h.spectra()
			if err != nil {
				return nil, err
			}
			level.Values = append(level.Values, measure.MilliDecibels(spectra[by].Total())-int64(noiseLevel))
			if i == 0 {
				all = append(all, picture(measure.SoundNoise, by, spectra[by], h.rate))
			}
		}
		all = append(all, level)
	}
	return all, nil
}

// recording plays a file: 0.05 s of 1 kHz at 48 kHz and 24 bits, again and again. Its two
// channels differ by three times; their mean is at -10 dBFS.
type recording struct {
	heard heard
	onset onset
}

//go:embed recording.wav
var recordingFile []byte

const (
	recordingHertz = 1000
	recordingLevel = -10 * probes.Decibel
)

func (q *recording) ask(ctx context.Context, s *session) error {
	clip, err := probes.ReadWAV(recordingFile)
	if err != nil {
		panic(fmt.Sprintf("BUG: the recording is none: %v", err))
	}
	clip.Repeat = true
	q.heard, q.onset, err = s.hear(ctx, twoOf512, clip)
	return err
}

func (q *recording) answer(harness.Observation) (all []measure.Sample, err error) {
	spectra, err := q.heard.spectra()
	if err != nil {
		return nil, err
	}
	for _, by := range sources {
		peaks := spectra[by].Peaks(1)
		if len(peaks) == 0 {
			return nil, fmt.Errorf("nothing of the recording is heard, by the %s", by)
		}
		p := peaks[0]
		level := sample(measure.Under(measure.PeakLevelError, measure.SoundRecording), by, measure.Millidecibels, max(thousandths(p.WithinDB), 1),
			measure.MilliDecibels(p.Power)-int64(recordingLevel))
		level.Doubts = q.onset.doubts
		all = append(all, picture(measure.SoundRecording, by, spectra[by], q.heard.rate), level,
			sample(measure.Under(measure.PeakFrequencyError, measure.SoundRecording), by, measure.Millihertz, max(thousandths(p.WithinHz), 1),
				thousandths(p.Hz-recordingHertz)))
	}
	return all, nil
}

// silence asks for what is heard when nothing is played.
type silence struct {
	heard heard
	onset onset
}

func (q *silence) ask(ctx context.Context, s *session) (err error) {
	q.heard, q.onset, err = s.hear(ctx, twoOf512, probes.Silence{})
	return err
}

// quantisation is the power of what a sample's rounding to a step hides.
const quantisation = 2.0 / 12 / full / full

func (q *silence) answer(harness.Observation) ([]measure.Sample, error) {
	s, err := q.heard.judged()
	if err != nil {
		return nil, err
	}
	floor := sample(measure.NoiseFloor, measure.Harness, measure.Millidecibels, 1, measure.MilliDecibels(s.Total()+quantisation))
	floor.Doubts = q.onset.doubts
	return []measure.Sample{floor}, nil
}

// frames asks how samples come to the chip: in frames of I2S, which a probe sees begin.
type frames struct{}

// framesCounted make a rate.
const framesCounted = 32

func (q *frames) ask(ctx context.Context, s *session) error {
	_, err := s.listen(ctx, usually, 4, nil)
	return err
}

func (q *frames) answer(o harness.Observation) ([]measure.Sample, error) {
	runs, err := captured(o.Capture)
	if err != nil {
		return nil, err
	}
	times := runs[len(runs)-1].frames
	if len(times) <= framesCounted {
		return nil, fmt.Errorf("the probe saw %d frames of I2S begin", len(times))
	}
	s := sample(measure.AudioFrames, measure.Probe, measure.Hertz, 1)
	for ; len(times) > framesCounted; times = times[framesCounted:] {
		mean := seconds(times[framesCounted]-times[0], o.Capture.Rate) / framesCounted
		s.Values = append(s.Values, int64(math.Round(1/mean)))
	}
	if o.Capture.Lost > 0 {
		s.Doubts = append(s.Doubts, fmt.Sprintf("the probe lost %d edges", o.Capture.Lost))
	}
	return []measure.Sample{s}, nil
}
