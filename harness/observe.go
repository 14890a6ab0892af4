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
	"rigor/harness/rig"
	"rigor/probes"
)

// Bench is what an experiment's stimulus works with.
type Bench struct {
	*rig.Station
	Firmware *Console
	Hello    wire.Hello // what the program said after its reset
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
func (r *Runner) observe(ctx context.Context, x Experiment) (Observation, error) {
	var log bytes.Buffer
	defer r.keepConsole(x, &log)
	b := &Bench{Station: r.Station, Firmware: NewConsole(r.Station.Console(), r.Station.Clock(), &log)}
	var o Observation
	var err error
	if o.Hello, o.Boot, err = b.boot(ctx, x.Image); err != nil {
		return o, r.fault(err)
	}
	b.Hello = o.Hello
	recording, err := b.Capturer.Arm(ctx, probes.CaptureSpec{Lines: x.Watch})
	if err != nil {
		return o, &rig.Error{Class: rig.Rig, Board: b.Name(), Op: "arm the capture", Err: err}
	}
	o.Report, err = x.Stimulate(ctx, b)
	if c, ok := b.Board.(rig.Caveater); ok {
		o.Caveats = c.Caveats()
	}
	capture, stopErr := recording.Stop(context.WithoutCancel(ctx))
	if stopErr != nil {
		stopErr = &rig.Error{Class: rig.Rig, Board: b.Name(), Op: "stop the capture", Err: stopErr}
		return o, errors.Join(r.fault(err), stopErr)
	}
	o.Capture = capture
	return o, errors.Join(r.fault(err), r.Bundle.Trace(r.label(x), capture))
}

// Patience bounds how long a program may take to greet, or to say the next
// thing it has to, on the rig's clock.
const Patience = 5 * time.Second

// boot resets the board and checks that the program that greets is the one that
// was flashed.
func (b *Bench) boot(ctx context.Context, image images.Image) (wire.Hello, time.Duration, error) {
	if err := b.Console().DiscardInput(); err != nil {
		return wire.Hello{}, 0, err
	}
	if err := b.Reset(ctx, rig.BootApp); err != nil {
		return wire.Hello{}, 0, err
	}
	released := b.Clock().Now()
	h, err := b.Firmware.Hello(ctx, Patience)
	if err == nil && h.SourceDigest != image.SourceDigest {
		err = fmt.Errorf("the program that answers is %s of sources %.12s, flashed was %s of %.12s",
			h.Program, h.SourceDigest, image.Program, image.SourceDigest)
	}
	return h, b.Clock().Now().Sub(released), err
}

// fault gives an error that carries no class that of the firmware: it was the
// one to speak.
func (r *Runner) fault(err error) error {
	var classed *rig.Error
	if err == nil || errors.As(err, &classed) || errors.Is(err, context.Canceled) {
		return err
	}
	return &rig.Error{Class: rig.Firmware, Board: r.Station.Name(), Op: "run the firmware", Err: err}
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
