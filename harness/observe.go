package harness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"rigor/firmware/images"
	"rigor/firmware/wire"
	"rigor/harness/flash"
	"rigor/harness/record"
	"rigor/harness/rig"
	"rigor/probes"
)

// Bench is what an experiment's stimulus works with.
type Bench struct {
	*rig.Station
	Firmware *Console
	Hello    wire.Hello   // what the program said after its reset
	Progress func(string) // tells of what takes long
}

// Observation is what one try at an experiment showed.
type Observation struct {
	Flash   flash.Result  // zero if the image was there already
	Hello   wire.Hello    // what the program said of itself
	Boot    time.Duration // release of reset to the end of the greeting, on the rig's clock
	Report  Report        // the firmware's own account
	Caveats []string      // why the board's times are not those of the part it stands for
	Capture probes.Capture
}

// observe resets the board into its program and captures what happens while the
// stimulus acts.
func (r *Runner) observe(ctx context.Context, x Experiment, e *record.Experiment) (Observation, error) {
	defer r.phase(record.ObservePhase)()
	var log bytes.Buffer
	defer r.keepConsole(x, &log)
	b := r.bench(&log)
	var o Observation
	var err error
	if o.Hello, o.Boot, err = b.boot(ctx, x.Image); err != nil {
		return o, b.fault(err)
	}
	b.Hello = o.Hello
	recording, err := b.arm(ctx, x.Watch)
	if err != nil {
		return o, blame(rig.Rig, b.Name(), "arm the capture", err)
	}
	keep, err := r.profile(ctx, x, e)
	if err != nil {
		_, stopErr := recording.Stop(context.WithoutCancel(ctx))
		return o, errors.Join(err, stopErr)
	}
	o.Report, err = x.Stimulate(ctx, b)
	err = errors.Join(err, keep(), r.heal(ctx))
	if c, ok := b.Board.(rig.Caveater); ok {
		o.Caveats = c.Caveats()
	}
	capture, stopErr := recording.Stop(context.WithoutCancel(ctx))
	if stopErr != nil {
		return o, errors.Join(b.fault(err), blame(rig.Rig, b.Name(), "stop the capture", stopErr))
	}
	capture.Resolution = max(capture.Resolution, r.known(capture.Rate))
	o.Capture = capture
	if b.Capturer != nil {
		var traceErr error
		e.Trace, traceErr = r.Bundle.Trace(r.label(x), capture)
		return o, errors.Join(b.fault(err), traceErr)
	}
	return o, b.fault(err)
}

// bench puts the protocol of the console, and the blame for probes that fail,
// around the station.
func (r *Runner) bench(log io.Writer) *Bench {
	s := *r.Station
	p := instruments{r.Station}
	s.Driver, s.Source, s.Meter, s.Faults = p, p, p, p
	return &Bench{Station: &s, Firmware: NewConsole(s.Console(), s.Clock(), log), Progress: r.progress}
}

// arm begins the recording. Without a probe there is none, and what it would
// have measured is left out afterwards.
func (b *Bench) arm(ctx context.Context, lines []probes.Line) (probes.Recording, error) {
	if b.Capturer == nil {
		return unwatched{}, nil
	}
	return b.Capturer.Arm(ctx, probes.CaptureSpec{Lines: lines})
}

// unwatched is the recording of a rig without a probe.
type unwatched struct{}

func (unwatched) Stop(context.Context) (probes.Capture, error) { return probes.Capture{}, nil }

// Patience bounds how long a program may take to greet, or to say the next
// thing it has to, on the rig's clock.
const Patience = 5 * time.Second

// boot resets the board and checks that the program that greets is the one that
// was flashed.
func (b *Bench) boot(ctx context.Context, image images.Image) (wire.Hello, time.Duration, error) {
	err := b.Console().DiscardInput()
	if err == nil {
		err = b.Reset(ctx, rig.BootApp)
	}
	if err != nil {
		return wire.Hello{}, 0, blame(rig.Rig, b.Name(), "reset into the program", err)
	}
	released := b.Clock().Now()
	h, err := b.Firmware.Hello(ctx, Patience)
	if err == nil && h.SourceDigest != image.SourceDigest {
		err = fmt.Errorf("the program that answers is %s of sources %.12s, flashed was %s of %.12s",
			h.Program, h.SourceDigest, image.Program, image.SourceDigest)
	}
	return h, b.Clock().Now().Sub(released), err
}

// fault blames the firmware, which was the one to speak, unless the line failed
// or changed what it said.
func (b *Bench) fault(err error) error {
	class := rig.Firmware
	if line := (*PortError)(nil); errors.As(err, &line) || b.Firmware.Damaged() > 0 {
		class = rig.Rig
	}
	return blame(class, b.Name(), "run the firmware", err)
}

// blame classes an error that carries no class yet. The end of the context is
// nobody's fault.
func blame(class rig.Class, board, op string, err error) error {
	var classed *rig.Error
	if err == nil || errors.As(err, &classed) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return &rig.Error{Class: class, Board: board, Op: op, Err: err}
}

func (r *Runner) keepConsole(x Experiment, log io.WriterTo) {
	w, err := r.Bundle.Console(r.label(x))
	if err != nil {
		return // a log that cannot be kept must not hide what the board did
	}
	defer w.Close()
	log.WriteTo(w)
}

func (r *Runner) label(x Experiment) string {
	return fmt.Sprintf("%s %s %s %s", r.Station.Name(), x.Suite, x.Image.Name, x.Name)
}
