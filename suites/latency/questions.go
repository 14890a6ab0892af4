package latency

import (
	"context"
	"fmt"
	"time"

	"rigor/firmware/images"
	"rigor/firmware/wire"
	"rigor/harness"
	"rigor/harness/measure"
	"rigor/harness/timebase"
	"rigor/probes"
)

// The lines of rigs.yaml that the program uses; see firmware/README.md.
const (
	start    probes.Line = "mark-start"
	end      probes.Line = "mark-end"
	running  probes.Line = "running"
	stimulus probes.Line = "stimulus"
)

// A question is one run of the firmware.
type question struct {
	quantity string
	command  string
	count    uint32
	// pulses: each sample begins with an edge that the probe drives, which only
	// the probe can time.
	pulses bool
}

var questions = []question{
	{quantity: measure.MarkingOverhead, command: wire.CommandOverhead, count: 100},
	{quantity: measure.GoroutineSwitch, command: wire.CommandGosched, count: 1000},
	{quantity: measure.ChannelHandover, command: wire.CommandChannel, count: 1000},
	{quantity: measure.GoroutineLaunch, command: wire.CommandLaunch, count: 200},
	{quantity: measure.InterruptToHandler, command: wire.CommandHandler, count: 1000},
	{quantity: measure.InterruptToGoroutine, command: wire.CommandGoroutine, count: 1000},
	{quantity: measure.InterruptToPoller, command: wire.CommandPoll, count: 1000},
	{quantity: measure.PinToHandler, command: wire.CommandHandlerPin, count: 200, pulses: true},
	{quantity: measure.PinToGoroutine, command: wire.CommandGoroutinePin, count: 200, pulses: true},
}

// Experiments are the suite's questions to a board with an image of the program
// latency.
func Experiments(image images.Image) []harness.Experiment {
	var all []harness.Experiment
	for _, q := range questions {
		all = append(all, q.on(image))
	}
	return all
}

// on makes the question an experiment with an image.
func (q question) on(image images.Image) harness.Experiment {
	return harness.Experiment{
		Name:      fmt.Sprintf("%s at %v", q.quantity, timebase.Rate(image.ClockHz)),
		Image:     image,
		Watch:     []probes.Line{start, end, running, stimulus},
		Stimulate: q.stimulate,
		Measure:   q.measure,
	}
}

func (q question) stimulate(ctx context.Context, b *harness.Bench) (harness.Report, error) {
	cmd := wire.Command{Name: q.command, Count: q.count}
	if err := b.Firmware.Start(ctx, cmd, harness.Patience); err != nil {
		return harness.Report{}, err
	}
	if q.pulses {
		if err := pulse(ctx, b, int(q.count)); err != nil {
			return harness.Report{}, err
		}
	}
	return b.Firmware.Collect(ctx, cmd, harness.Patience)
}

// pulse drives n edges on the stimulus line. The pauses differ, so that the
// edges fall on every phase of the firmware's loop and of its 10 ms tick; they
// are far longer than what is measured.
func pulse(ctx context.Context, b *harness.Bench, n int) error {
	for i := range n {
		rest := 400*time.Microsecond + time.Duration(i*i%1009)*97*time.Nanosecond
		for _, level := range []bool{true, false} {
			if err := b.Driver.Drive(ctx, stimulus, level); err != nil {
				return err
			}
			if err := b.Clock().Sleep(ctx, rest); err != nil {
				return err
			}
		}
	}
	return nil
}

// measure takes the firmware's account and the probe's. Both contain what an
// empty interval costs; that is taken off both alike.
func (q question) measure(o harness.Observation) ([]measure.Sample, error) {
	if q.pulses {
		return []measure.Sample{measure.Durations(q.quantity, o.Capture, measure.Rise(stimulus), measure.Rise(end))}, nil
	}
	counter := timebase.Rate(o.Hello.CounterHz)
	own := measure.Sample{
		Name: q.quantity, Source: measure.Firmware, Unit: measure.Cycles, Clock: counter,
		Resolution: 1, Assumption: measure.Nothing,
	}
	for _, v := range o.Report.Values {
		own.Values = append(own.Values, int64(v))
	}
	probe := measure.Durations(q.quantity, o.Capture, measure.Rise(start), measure.Rise(end))
	if q.quantity != measure.MarkingOverhead {
		cost := timebase.Ticks(o.Report.Overhead)
		own = own.Subtract(int64(cost))
		probe = probe.Subtract(int64(cost.Convert(counter, o.Capture.Rate)))
	}
	return []measure.Sample{own, probe}, nil
}
