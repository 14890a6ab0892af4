package liar

import (
	"bytes"
	"context"
	"io"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"rigor/firmware/images"
	"rigor/harness"
	"rigor/harness/judge"
	"rigor/harness/record"
	"rigor/harness/rig"
	"rigor/probes"
	"rigor/suites/hub"
	"rigor/suites/internal/virtualrig"
)

// What is not as it is told. Each embeds what it falsifies.
type (
	warmer     struct{ probes.BusTarget }   // the air is 0.05 °C warmer
	stubborn   struct{ probes.BusTarget }   // misbehaviour does not end
	forgetful  struct{ probes.BusTarget }   // one byte of its log is another
	harmless   struct{ probes.BusTarget }   // there is no misbehaviour
	open       struct{ probes.AccessPoint } // the key is the wrong one
	falsifying struct {                     // what arrives at a port is another
		probes.AccessPoint
		falsify func([]byte) []byte
	}
	falseService struct {
		probes.Service
		falsify func([]byte) []byte
	}
	falseConnection struct {
		probes.Connection
		falsify func([]byte) []byte
	}
	quiet      struct{ probes.NetworkFaults } // there is no load and no loss
	slow       struct{ probes.Capturer }      // its clock is 1 % slow
	slowRecord struct{ probes.Recording }
)

func (w warmer) SetEnvironment(ctx context.Context, e probes.Environment) error {
	e.MilliCelsius = min(e.MilliCelsius+50, 85_000)
	return w.BusTarget.SetEnvironment(ctx, e)
}

func (stubborn) Clear(context.Context) error { return nil }

func (f forgetful) Log(ctx context.Context) (probes.BusLog, error) {
	log, err := f.BusTarget.Log(ctx)
	if n := len(log.Transactions); n > 1 {
		log.Transactions[n/2].Bytes[1].Value ^= 1
	}
	return log, err
}

func (harmless) Misbehave(context.Context, probes.Misbehaviour) error { return nil }

func (o open) Start(ctx context.Context, n probes.Network) error {
	n.Key = "wrong horse"
	return o.AccessPoint.Start(ctx, n)
}

func (f falsifying) Serve(ctx context.Context, port uint16, s probes.Service) (io.Closer, error) {
	return f.AccessPoint.Serve(ctx, port, falseService{s, f.falsify})
}

func (f falseService) Open(from netip.AddrPort) probes.Connection {
	return falseConnection{f.Service.Open(from), f.falsify}
}

func (f falseConnection) Take(at time.Time, data []byte) ([]byte, error) {
	return f.Connection.Take(at, f.falsify(data))
}

// misdirect has one reading go to a topic that nobody reads.
func misdirect(data []byte) []byte {
	return bytes.ReplaceAll(data, []byte("reading\x00\x10"), []byte("trading\x00\x10"))
}

// warm alters a digit.
func warm(data []byte) []byte {
	return bytes.ReplaceAll(data, []byte("temperature=2"), []byte("temperature=3"))
}

func (quiet) Load(context.Context, probes.Load) error           { return nil }
func (quiet) DropOut(context.Context, probes.Outage) error      { return nil }
func (quiet) Disturb(context.Context, probes.Disturbance) error { return nil }

func (s slow) Arm(ctx context.Context, c probes.CaptureSpec) (probes.Recording, error) {
	r, err := s.Capturer.Arm(ctx, c)
	return slowRecord{r}, err
}

func (s slowRecord) Stop(ctx context.Context) (probes.Capture, error) {
	c, err := s.Recording.Stop(ctx)
	c.Rate = c.Rate / 100 * 101
	return c, err
}

// target falsifies the rig's sensor.
func target(f func(probes.BusTarget) probes.BusTarget) func(*rig.Station) {
	return func(s *rig.Station) { s.Targets = map[string]probes.BusTarget{"bme280": f(s.Targets["bme280"])} }
}

func TestHubIsNotFooled(t *testing.T) {
	image, err := images.Open("hub-esp32c3")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		plant      func(*rig.Station)
		experiment string
		want       string // of the failure's message, or the quantity whose limit is broken
	}{
		"warm air":         {target(func(b probes.BusTarget) probes.BusTarget { return warmer{b} }), "readings against the air", "temperature-error"},
		"lasting fault":    {target(func(b probes.BusTarget) probes.BusTarget { return stubborn{b} }), "recovery from nack", "no reading is right after nack is over"},
		"false log":        {target(func(b probes.BusTarget) probes.BusTarget { return forgetful{b} }), "transactions", "i2c-agreement"},
		"no fault":         {target(func(b probes.BusTarget) probes.BusTarget { return harmless{b} }), "recovery from sda-stuck", "0 readings of 30 suffered from sda-stuck"},
		"any key":          {func(s *rig.Station) { s.AP = open{s.AP} }, "wrong key", "want a refusal for reason 15"},
		"lost messages":    {func(s *rig.Station) { s.AP = falsifying{s.AP, misdirect} }, "published readings", "publish-share-clear"},
		"altered messages": {func(s *rig.Station) { s.AP = falsifying{s.AP, warm} }, "published readings", "which the program did not read"},
		"no load":          {func(s *rig.Station) { s.Net = quiet{s.Net} }, "beside a busy network", "the network was not busy"},
		"no loss":          {func(s *rig.Station) { s.Net = quiet{s.Net} }, "beside a failing network", "the network did not fail"},
		"no outage":        {func(s *rig.Station) { s.Net = quiet{s.Net} }, "return after a loss that is told", "after one loss the program says"},
		"no delay":         {func(s *rig.Station) { s.Net = quiet{s.Net} }, "published readings with delay", "publish-delay-slow"},
		"wrong clock":      {func(s *rig.Station) { s.Capturer = slow{s.Capturer} }, "clock of 400 kHz", "scl-frequency-exact"},
	} {
		t.Run(name, func(t *testing.T) {
			runner := virtualrig.Open(t, "c3")
			c.plant(runner.Station)
			all := hub.Experiments(image)
			i := slices.IndexFunc(all, func(x harness.Experiment) bool { return x.Name == c.experiment })
			e, err := runner.Run(t.Context(), all[i])
			if err != nil {
				t.Fatal(err)
			}
			if got := complaint(e); !strings.Contains(got, c.want) {
				t.Errorf("%q complains of %q, want of %q", c.experiment, got, c.want)
			}
		})
	}
}

// complaint is what an experiment fails for: its failure, or else the quantities
// whose limits are broken.
func complaint(e record.Experiment) string {
	if e.Failed() {
		return e.Attempts[len(e.Attempts)-1].Failure.Message
	}
	var broken []string
	for _, m := range e.Measurements {
		if slices.ContainsFunc(m.Verdicts, judge.Verdict.Blocks) {
			broken = append(broken, m.Quantity)
		}
	}
	return strings.Join(broken, ", ")
}
