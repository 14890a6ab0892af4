package spectrum

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"rigor/firmware/images"
	"rigor/firmware/wire"
	"rigor/firmware/wire/audio"
	"rigor/harness"
	"rigor/harness/measure"
	"rigor/harness/rig"
	"rigor/harness/timebase"
	"rigor/probes"
)

// The lines of rigs.yaml that the program uses; see firmware/README.md.
const (
	begun    probes.Line = "mark-start" // the last block of a transform is complete, or a transform begins
	ended    probes.Line = "mark-end"   // its result goes to the UART, or the transform has ended
	running  probes.Line = "running"    // high while sound is captured
	stimulus probes.Line = "stimulus"   // rises when a sound begins
	console  probes.Line = "console-tx"
	frame    probes.Line = "microphone-ws" // falls when a frame of I2S begins
)

// A question is asked of the board, and answered from what was seen.
type question interface {
	ask(context.Context, *session) error
	answer(harness.Observation) ([]measure.Sample, error)
}

// entry is a question of the suite.
type entry struct {
	name  string
	watch []probes.Line
	make  func() question
}

// Experiments are the suite's questions to a board with an image of the program audio.
func Experiments(image images.Image) []harness.Experiment {
	var all []harness.Experiment
	for _, part := range [][]entry{sounds, transforms(), pipelines()} {
		for _, e := range part {
			all = append(all, e.on(image))
		}
	}
	return all
}

// on makes the question an experiment with an image. Each attempt at it starts from
// nothing.
func (e entry) on(image images.Image) harness.Experiment {
	var q question
	return harness.Experiment{
		Name:  e.name,
		Image: image,
		Watch: e.watch,
		Stimulate: func(ctx context.Context, b *harness.Bench) (harness.Report, error) {
			q = e.make()
			s, err := open(ctx, b)
			if err == nil {
				err = errors.Join(q.ask(ctx, s), s.stop(context.WithoutCancel(ctx)))
			}
			return harness.Report{}, err
		},
		Measure: func(o harness.Observation) ([]measure.Sample, error) { return q.answer(o) },
	}
}

// usual is the rate of samples, in Hz.
const usual = 16_000

// session is a board that listens.
type session struct {
	*harness.Bench
	rate milliHertz // of the samples, as the program says
}

type milliHertz uint32

func (r milliHertz) hertz() float64 { return float64(r) / 1000 }

// microHertz is the frequency of a place between bins of a transform.
func (r milliHertz) microHertz(bin float64, size int) uint64 {
	return uint64(math.Round(bin * float64(r) * 1000 / float64(size)))
}

func open(ctx context.Context, b *harness.Bench) (*session, error) {
	if b.Audio == nil {
		return nil, &rig.MissingError{What: "source of sounds at the board's microphone"}
	}
	s := &session{Bench: b}
	err := s.setRate(ctx, usual)
	return s, err
}

// setRate sets the rate of samples from now on.
func (s *session) setRate(ctx context.Context, hz uint32) error {
	told, err := s.tell(ctx, audio.CommandRate, 1, hz)
	if err != nil {
		return err
	}
	s.rate = milliHertz(told[0])
	if off := int64(s.rate) - 1000*int64(hz); max(off, -off) > 10*int64(hz) { // a hundredth
		return fmt.Errorf("the program samples at %d mHz when %d Hz are asked for", s.rate, hz)
	}
	return nil
}

// blame makes what an instrument fails at the rig's fault.
func (s *session) blame(op string, err error) error {
	if err == nil {
		return nil
	}
	return &rig.Error{Class: rig.Rig, Board: s.Name(), Op: op, Err: err}
}

// onset is the beginning of a sound against the stimulus line's edge.
type onset struct {
	after  time.Duration // the edge
	within time.Duration
	doubts []string // of its levels
}

// play marks that a sound begins, and has it begin.
func (s *session) play(ctx context.Context, sound probes.Sound) (onset, error) {
	if err := s.Driver.Drive(ctx, stimulus, false); err != nil {
		return onset{}, err
	}
	called := s.Clock().Now()
	if err := s.Driver.Drive(ctx, stimulus, true); err != nil {
		return onset{}, err
	}
	drive := s.Clock().Now().Sub(called) // the edge is somewhere in it
	o, err := s.Audio.Play(ctx, sound)
	if err != nil {
		return onset{}, s.blame("play a sound", err)
	}
	on := onset{after: o.At.Sub(called), within: o.Within + drive}
	if !o.Calibrated {
		on.doubts = []string{"how loud the source is at the microphone is not known"}
	}
	return on, nil
}

func (s *session) stop(ctx context.Context) error {
	return s.blame("stop the sound", s.Audio.Stop(ctx))
}

// tell has the firmware obey a command and gives its samples.
func (s *session) tell(ctx context.Context, name string, count, param uint32) ([]uint32, error) {
	r, err := s.obey(ctx, wire.Command{Name: name, Count: count, Param: param}, nil)
	return r.Values, err
}

// obey has it do so while the host does something.
func (s *session) obey(ctx context.Context, cmd wire.Command, meanwhile func() error) (harness.Report, error) {
	if err := s.Firmware.Start(ctx, cmd, harness.Patience); err != nil {
		return harness.Report{}, err
	}
	if meanwhile != nil {
		if err := meanwhile(); err != nil {
			return harness.Report{}, err
		}
	}
	return s.Firmware.Collect(ctx, cmd, longest)
}

// block is how long the samples of a usual transform take.
func (s *session) block() time.Duration {
	return time.Duration(float64(usually.Size) / s.rate.hertz() * float64(time.Second))
}

// longest is more than any command takes.
const longest = time.Minute

// listen has sound captured and transformed, while the host does something.
func (s *session) listen(ctx context.Context, c audio.Config, n int, meanwhile func() error) ([]audio.Result, error) {
	cmd := wire.Command{Name: audio.CommandFFT, Count: uint32(n * audio.ResultWords), Param: c.Param()}
	r, err := s.obey(ctx, cmd, meanwhile)
	if err != nil {
		return nil, err
	}
	all := audio.Results(r.Values)
	return all, continuous(all, c.Size)
}

// continuous is an error if blocks are missing between results: dropping is counted,
// not hidden, and no question about sounds drops any.
func continuous(all []audio.Result, size int) error {
	for i := 1; i < len(all); i++ {
		if step := all[i].Block - all[i-1].Block; step != uint32(size/audio.Block) {
			return fmt.Errorf("result %d is of block %d, the one before of block %d", i, all[i].Block, all[i-1].Block)
		}
	}
	return nil
}

// heard is a transform's input and output.
type heard struct {
	config  audio.Config
	rate    milliHertz
	samples []int64
	bins    []complex128 // 0 to half the size
	result  audio.Result // what the program made of it
}

// last asks for the last transform's input and output.
func (s *session) last(ctx context.Context, c audio.Config) (heard, error) {
	in, err := s.input(ctx, c.Size)
	if err != nil {
		return heard{}, err
	}
	out, err := s.output(ctx, c)
	return heard{config: c, rate: s.rate, samples: in, bins: out}, err
}

func (s *session) input(ctx context.Context, size int) (samples []int64, err error) {
	in, err := s.tell(ctx, audio.CommandInput, uint32(size), 0)
	for _, v := range in {
		samples = append(samples, int64(int32(v)))
	}
	return samples, err
}

// output gives the bins from 0 to half the size.
func (s *session) output(ctx context.Context, c audio.Config) (bins []complex128, err error) {
	out, err := s.tell(ctx, audio.CommandOutput, uint32(2*c.Size), 0)
	if err != nil {
		return nil, err
	}
	for k := range c.Size/2 + 1 {
		bins = append(bins, complex(part(c, out[2*k]), part(c, out[2*k+1])))
	}
	return bins, nil
}

// part is a part of a bin.
func part(c audio.Config, v uint32) float64 {
	if c.Transform == audio.Float {
		return float64(math.Float32frombits(v))
	}
	return float64(int32(v))
}

// hear plays a sound, and gives the last of some transforms of it.
func (s *session) hear(ctx context.Context, c audio.Config, sound probes.Sound) (heard, onset, error) {
	o, err := s.play(ctx, sound)
	if err == nil {
		err = s.Clock().Sleep(ctx, o.within) // until it has surely begun
	}
	if err != nil {
		return heard{}, o, err
	}
	results, err := s.listen(ctx, c, 4, nil)
	if err != nil {
		return heard{}, o, err
	}
	h, err := s.last(ctx, c)
	h.result = results[len(results)-1]
	return h, o, err
}

// full is the samples' full scale.
const full = 1 << 15

// judged is the spectrum by gonum of what was sampled, own that by the program's
// transform: a sine at full scale has half of that in its bin.
func (h heard) judged() (measure.Spectrum, error) {
	return measure.SpectrumOf(h.samples, full, h.rate.hertz(), measure.Hann)
}

func (h heard) own() (measure.Spectrum, error) {
	return measure.SpectrumFrom(h.bins, full/2, h.config.Size, h.rate.hertz(), measure.Rectangular)
}

// spectra are both, by who made them.
func (h heard) spectra() (map[measure.Source]measure.Spectrum, error) {
	judged, err := h.judged()
	own, errOwn := h.own()
	return map[measure.Source]measure.Spectrum{measure.Harness: judged, measure.Firmware: own}, errors.Join(err, errOwn)
}

// sources are those of spectra, in order.
var sources = []measure.Source{measure.Harness, measure.Firmware}

// sample is one without a clock.
func sample(quantity string, by measure.Source, u measure.Unit, resolution int64, values ...int64) measure.Sample {
	return measure.Sample{Name: quantity, Source: by, Unit: u, Resolution: resolution, Assumption: measure.Nothing, Values: values}
}

// picture is a spectrum as a sample.
func picture(sound string, by measure.Source, s measure.Spectrum, rate milliHertz) measure.Sample {
	p := sample(measure.Under(measure.Spectra, sound), by, measure.Millidecibels, 1, s.Levels()...)
	p.Clock = timebase.Rate(math.Round(rate.hertz()))
	return p
}

// thousandths of a number, rounded.
func thousandths(v float64) int64 { return int64(math.Round(1000 * v)) }
