package smoke

import (
	"bytes"
	"context"
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"

	"rigor/harness"
	"rigor/harness/flash"
	"rigor/harness/measure"
	"rigor/harness/rig"
	"rigor/probes"
	"rigor/suites/internal/bench"
)

// The lines of rigs.yaml that the program uses; see firmware/README.md. TX and
// RX are named as the chip sees them.
const (
	stimulus probes.Line = "stimulus"
	echo     probes.Line = "echo"
	tx       probes.Line = "console-tx"
	rx       probes.Line = "console-rx"
)

var _ = bench.EachBoard("smoke", func(b *bench.Bench) {
	for _, image := range b.Images("echo") {
		ask := func(name string, watch []probes.Line, s stimulate, m func(harness.Observation) ([]measure.Sample, error)) {
			It(name, func(ctx context.Context) {
				b.Run(ctx, harness.Experiment{Name: name, Image: image, Watch: watch, Stimulate: s, Measure: m})
			})
		}
		Describe(image.Name, func() {
			ask("takes the image and greets", []probes.Line{tx, rx}, greetAgain, boot)
			ask("echoes a pin", []probes.Line{stimulus, echo}, togglePin, pinEcho)
			ask("echoes every byte", []probes.Line{tx, rx}, everyByte, none)
			ask("echoes a byte at once", []probes.Line{tx, rx}, zeros, uartEcho)
		})
	}
})

type stimulate = func(context.Context, *harness.Bench) (harness.Report, error)

// greetAgain has the greeting in the trace: the first one came before the
// capture began.
func greetAgain(ctx context.Context, b *harness.Bench) (harness.Report, error) {
	if err := b.Reset(ctx, rig.BootApp); err != nil {
		return harness.Report{}, err
	}
	_, err := b.Firmware.Hello(ctx, harness.Patience)
	return harness.Report{}, err
}

func none(harness.Observation) ([]measure.Sample, error) { return nil, nil }

// boot measures what went before the stimulus: the rates at which the image was
// written and read back, and how long the program took to greet.
func boot(o harness.Observation) ([]measure.Sample, error) {
	samples := []measure.Sample{{
		Name: measure.ResetToHello, Source: measure.Harness, Unit: measure.Nanoseconds,
		Resolution: 1, Assumption: measure.Nothing, Values: []int64{o.Boot.Nanoseconds()},
	}}
	rates := map[flash.Phase]string{flash.PhaseWrite: measure.FlashWrite, flash.PhaseVerify: measure.FlashVerify}
	for _, s := range o.Flash.Steps {
		if name, ok := rates[s.Phase]; ok && s.Duration > 0 {
			rate := int64(s.Bytes) * int64(time.Second) / int64(s.Duration)
			samples = append(samples, measure.Sample{
				Name: name, Source: measure.Harness, Unit: measure.BytesPerSecond,
				Resolution: 1, Assumption: measure.Nothing, Values: []int64{rate},
			})
		}
	}
	return samples, nil
}

func togglePin(ctx context.Context, b *harness.Bench) (harness.Report, error) {
	for i := range 200 {
		if err := b.Driver.Drive(ctx, stimulus, i%2 == 0); err != nil {
			return harness.Report{}, err
		}
		pause := 100*time.Microsecond + time.Duration(i*i%211)*113*time.Nanosecond // on every phase of the program
		if err := b.Clock().Sleep(ctx, pause); err != nil {
			return harness.Report{}, err
		}
	}
	return harness.Report{}, nil
}

func pinEcho(o harness.Observation) ([]measure.Sample, error) {
	rising := measure.Durations(measure.PinEcho, o.Capture, measure.Rise(stimulus), measure.Rise(echo))
	falling := measure.Durations(measure.PinEcho, o.Capture, measure.Fall(stimulus), measure.Fall(echo))
	rising.Values = append(rising.Values, falling.Values...)
	rising.Doubts = append(rising.Doubts, falling.Doubts...)
	return []measure.Sample{rising}, nil
}

func everyByte(ctx context.Context, b *harness.Bench) (harness.Report, error) {
	var all []byte
	for v := range 256 {
		all = append(all, byte(v))
	}
	back, err := b.Firmware.Exchange(ctx, all, harness.Patience)
	if err == nil && !bytes.Equal(back, all) {
		err = fmt.Errorf("sent every byte value once, got back % x", back)
	}
	return harness.Report{}, err
}

// zeros sends bytes whose only rising edge is the beginning of the stop bit.
func zeros(ctx context.Context, b *harness.Bench) (harness.Report, error) {
	for range 50 {
		if _, err := b.Firmware.Exchange(ctx, []byte{0}, harness.Patience); err != nil {
			return harness.Report{}, err
		}
		if err := b.Clock().Sleep(ctx, time.Millisecond); err != nil { // past the echo's stop bit
			return harness.Report{}, err
		}
	}
	return harness.Report{}, nil
}

func uartEcho(o harness.Observation) ([]measure.Sample, error) {
	return []measure.Sample{measure.Durations(measure.UARTEcho, o.Capture, measure.Rise(rx), measure.Fall(tx))}, nil
}
