package hub

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"rigor/firmware/images"
	"rigor/firmware/wire"
	"rigor/firmware/wire/hub"
	"rigor/harness"
	"rigor/harness/measure"
	"rigor/harness/rig"
	"rigor/harness/timebase"
	"rigor/probes"
)

// The lines of rigs.yaml that the program uses; see firmware/README.md.
const (
	sda      probes.Line = "sda"
	scl      probes.Line = "scl"
	led      probes.Line = "echo"
	begun    probes.Line = "mark-start" // a reading begins
	ended    probes.Line = "mark-end"   // and has ended
	running  probes.Line = "running"
	stimulus probes.Line = "stimulus" // the host does something
)

const sensor = "bme280"

// A question is asked of the board, and answered from what was seen.
type question interface {
	ask(context.Context, *session) error
	answer(harness.Observation) ([]measure.Sample, error)
}

// entry is a question of the suite. What it needs of the rig is looked after
// before and after it.
type entry struct {
	name  string
	watch []probes.Line
	needs needs
	make  func() question
}

// needs of a question: a sensor on the bus, one that does as it is told, and a network
// that does.
type needs struct{ readings, sensor, network bool }

// Experiments are the suite's questions to a board with an image of the program
// hub.
func Experiments(image images.Image) []harness.Experiment {
	var all []harness.Experiment
	for _, part := range [][]entry{basics, readings, faults, network, coexistence} {
		for _, e := range part {
			all = append(all, e.on(image))
		}
	}
	return all
}

// on makes the question an experiment with an image. Each attempt at it starts
// from nothing.
func (e entry) on(image images.Image) harness.Experiment {
	var q question
	return harness.Experiment{
		Name:  e.name,
		Image: image,
		Watch: e.watch,
		Stimulate: func(ctx context.Context, b *harness.Bench) (harness.Report, error) {
			q = e.make()
			s, err := open(ctx, b, e.needs)
			if err == nil {
				err = errors.Join(q.ask(ctx, s), s.close(ctx))
			}
			return harness.Report{}, err
		},
		Measure: func(o harness.Observation) ([]measure.Sample, error) { return q.answer(o) },
	}
}

// session is a board with what the rig has around it.
type session struct {
	*harness.Bench
	target probes.BusTarget // nil: the sensor itself, or none
	ends   []io.Closer      // with the session
}

// open takes the rig as it is before a question: air of a room, no network.
func open(ctx context.Context, b *harness.Bench, n needs) (*session, error) {
	s := &session{Bench: b, target: b.Targets[sensor]}
	_, there := b.Config.Targets[sensor]
	switch {
	case n.readings && !there:
		return nil, &rig.MissingError{What: sensor + " on the board's bus"}
	case n.sensor && s.target == nil:
		return nil, &rig.MissingError{What: sensor + " that does as it is told"}
	case n.network && (b.AP == nil || b.Net == nil):
		return nil, &rig.MissingError{What: "access point that does as it is told"}
	}
	if s.target != nil {
		if err := s.setAir(ctx, room); err != nil {
			return nil, err
		}
		if _, err := s.log(ctx); err != nil {
			return nil, err
		}
	}
	if b.AP == nil {
		return s, nil
	}
	_, err := s.events(ctx)
	return s, err
}

// close leaves the rig as the next question wants it, even if this one was ended.
func (s *session) close(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx)
	var errs []error
	if s.target != nil {
		errs = append(errs, s.target.Clear(ctx))
	}
	for _, end := range s.ends {
		errs = append(errs, end.Close())
	}
	if s.AP != nil && s.Net != nil {
		errs = append(errs, s.AP.Stop(ctx), s.Net.Disturb(ctx, probes.Disturbance{}), s.Net.Load(ctx, probes.Load{}))
	}
	return s.blame("leave the rig", errors.Join(errs...))
}

// blame makes what an instrument fails at the rig's fault.
func (s *session) blame(op string, err error) error {
	if err == nil {
		return nil
	}
	return &rig.Error{Class: rig.Rig, Board: s.Name(), Op: op, Err: err}
}

func (s *session) setAir(ctx context.Context, e probes.Environment) error {
	return s.blame("set the air", s.target.SetEnvironment(ctx, e))
}

func (s *session) misbehave(ctx context.Context, m probes.Misbehaviour) error {
	return s.blame("let the sensor misbehave", s.target.Misbehave(ctx, m))
}

func (s *session) log(ctx context.Context) (probes.BusLog, error) {
	l, err := s.target.Log(ctx)
	return l, s.blame("read the target's log", err)
}

func (s *session) events(ctx context.Context) ([]probes.StationEvent, error) {
	e, err := s.AP.Events(ctx)
	return e, s.blame("read the access point's events", err)
}

// sleep lets the board's time pass.
func (s *session) sleep(ctx context.Context, d time.Duration) error { return s.Clock().Sleep(ctx, d) }

// mark drives the stimulus line for the probe, and says when on the rig's clock.
func (s *session) mark(ctx context.Context, high bool) (time.Time, error) {
	at := s.Clock().Now()
	return at, s.Driver.Drive(ctx, stimulus, high)
}

// start marks that it begins: what the probe saw before counts no more.
func (s *session) start(ctx context.Context) error {
	_, err := s.mark(ctx, false)
	if err == nil {
		_, err = s.mark(ctx, true)
	}
	return err
}

// watched is an error if there was no probe.
func watched(o harness.Observation, l probes.Line) error {
	if o.Capture.Rate == 0 {
		return &rig.MissingError{What: fmt.Sprintf("probe that watches %s", l)}
	}
	return nil
}

// since is a capture from the mark on.
func since(c probes.Capture) probes.Capture {
	all := time.Duration(c.Length.Convert(c.Rate, 1e9)) + 1
	t := probes.Trigger{Line: stimulus, High: true, After: all}
	return t.Cut(c)
}

// tell has the firmware obey a command and gives its samples.
func (s *session) tell(ctx context.Context, name string, count, param uint32) ([]uint32, error) {
	return s.obey(ctx, wire.Command{Name: name, Count: count, Param: param}, nil)
}

// obey has it do so while the host does something.
func (s *session) obey(ctx context.Context, cmd wire.Command, meanwhile func() error) ([]uint32, error) {
	if err := s.Firmware.Start(ctx, cmd, harness.Patience); err != nil {
		return nil, err
	}
	if meanwhile != nil {
		if err := meanwhile(); err != nil {
			return nil, err
		}
	}
	report, err := s.Firmware.Collect(ctx, cmd, longest)
	return report.Values, err
}

// longest is more than any command takes.
const longest = 30 * time.Second

// read takes readings, one each period, while the host does something.
func (s *session) read(ctx context.Context, n int, period time.Duration, meanwhile func() error) ([]hub.Reading, error) {
	cmd := wire.Command{Name: hub.CommandRead, Count: uint32(n * hub.Words), Param: uint32(period.Milliseconds())}
	samples, err := s.obey(ctx, cmd, meanwhile)
	return hub.Readings(samples), err
}

// byFirmware is a sample of what the program says, byHost of what the host saw.
func byFirmware(quantity string, u measure.Unit, resolution int64, values ...int64) measure.Sample {
	return measure.Sample{Name: quantity, Source: measure.Firmware, Unit: u, Resolution: resolution, Assumption: measure.Nothing, Values: values}
}

func byHost(quantity string, u measure.Unit, values ...int64) measure.Sample {
	s := byFirmware(quantity, u, 1, values...)
	s.Source = measure.Harness
	return s
}

func byProbe(quantity string, u measure.Unit, c probes.Capture, values []timebase.Ticks) measure.Sample {
	s := measure.Sample{Name: quantity, Source: measure.Probe, Unit: u, Clock: c.Rate,
		Resolution: int64(c.Resolution), Assumption: measure.Nothing}
	for _, v := range values {
		s.Values = append(s.Values, int64(v))
	}
	if c.Lost > 0 {
		s.Doubts = append(s.Doubts, fmt.Sprintf("the probe lost %d edges", c.Lost))
	}
	return s
}
