package jitter

import (
	"context"
	"fmt"

	"rigor/firmware/images"
	"rigor/firmware/wire"
	"rigor/harness"
	"rigor/harness/measure"
	"rigor/probes"
)

// The lines of rigs.yaml that the program uses; see firmware/README.md.
const (
	timer   probes.Line = "timer"      // rises at each release
	start   probes.Line = "mark-start" // the interrupt handler has come to it
	end     probes.Line = "mark-end"   // the goroutine runs
	running probes.Line = "running"
)

// count of releases in a run: enough that the 99th percentile has an upper
// bound, which takes 368 (package measure).
const count = 500

// A scenario is what runs beside the released goroutine.
type scenario struct {
	name    string // one of measure.ReleaseScenarios
	command string
	traffic bool // the host sends bytes meanwhile
}

var scenarios = []scenario{
	{name: "idle", command: wire.CommandJitterIdle},
	{name: "alloc", command: wire.CommandJitterAlloc},
	{name: "uart", command: wire.CommandJitterUART, traffic: true},
	{name: "compete", command: wire.CommandJitterCompete},
}

// Experiments are the suite's questions to a board with an image of the program
// jitter.
func Experiments(image images.Image) []harness.Experiment {
	var all []harness.Experiment
	for _, hz := range measure.ReleaseRates {
		for _, s := range scenarios {
			r := &run{scenario: s, hz: hz}
			all = append(all, harness.Experiment{
				Name:      fmt.Sprintf("%s at %d Hz", s.name, hz),
				Image:     image,
				Watch:     []probes.Line{timer, start, end, running},
				Stimulate: r.stimulate,
				Measure:   r.measure,
			})
		}
	}
	return all
}

// run is one scenario at one rate. It keeps what the firmware tells besides the
// times at which the goroutine ran.
type run struct {
	scenario
	hz           int
	wake, causes []uint32
}

func (r *run) stimulate(ctx context.Context, b *harness.Bench) (harness.Report, error) {
	cmd := wire.Command{Name: r.command, Count: count, Param: uint32(r.hz)}
	if err := b.Firmware.Start(ctx, cmd, harness.Patience); err != nil {
		return harness.Report{}, err
	}
	if r.traffic {
		if _, err := b.Console().Write(r.bytes(b.Config.Console.Baud)); err != nil {
			return harness.Report{}, &harness.PortError{Op: "write to", Err: err}
		}
	}
	report, err := b.Firmware.Collect(ctx, cmd, harness.Patience)
	if err != nil {
		return report, err
	}
	if r.wake, err = ask(ctx, b, wire.CommandReleaseWake); err != nil {
		return report, err
	}
	r.causes, err = ask(ctx, b, wire.CommandReleaseCause)
	return report, err
}

// bytes fill the line for half the time that the run takes. None is zero, which
// would end a frame.
func (r *run) bytes(baud int) []byte {
	const bitsPerByte = 10
	p := make([]byte, count*baud/bitsPerByte/r.hz/2)
	for i := range p {
		p[i] = byte(1 + i%255)
	}
	return p
}

// ask has the firmware tell more about the run.
func ask(ctx context.Context, b *harness.Bench, name string) ([]uint32, error) {
	cmd := wire.Command{Name: name, Count: count}
	if err := b.Firmware.Start(ctx, cmd, harness.Patience); err != nil {
		return nil, err
	}
	report, err := b.Firmware.Collect(ctx, cmd, harness.Patience)
	return report.Values, err
}
