package harness

import (
	"context"
	"fmt"

	"rigor/harness/record"
	"rigor/harness/rig"
	"rigor/harness/timebase"
	"rigor/probes"
)

// instruments are a station's probes as experiments use them: what they fail at
// is the rig's fault, and so is one that is not wired.
type instruments struct{ station *rig.Station }

func (p instruments) blame(what string, l probes.Line, err error) error {
	return blame(rig.Rig, p.station.Name(), fmt.Sprintf("%s %s", what, l), err)
}

// missing is the error of what no probe is wired for.
func missing(what string, l probes.Line) error {
	return &rig.MissingError{What: fmt.Sprintf("probe that %s %s", what, l)}
}

func (p instruments) Drive(ctx context.Context, l probes.Line, high bool) error {
	err := missing("drives", l)
	if d := p.station.Driver; d != nil {
		err = d.Drive(ctx, l, high)
	}
	return p.blame("drive", l, err)
}

func (p instruments) Set(ctx context.Context, l probes.Line, w probes.Waveform) error {
	err := missing("sets the voltage of", l)
	if s := p.station.Source; s != nil {
		err = s.Set(ctx, l, w)
	}
	return p.blame("set the voltage of", l, err)
}

func (p instruments) Voltage(ctx context.Context, l probes.Line) (v probes.MicroVolts, err error) {
	err = missing("measures the voltage of", l)
	if m := p.station.Meter; m != nil {
		v, err = m.Voltage(ctx, l)
	}
	return v, p.blame("measure the voltage of", l, err)
}

func (p instruments) Inject(ctx context.Context, l probes.Line, f probes.Fault) error {
	err := missing("injects faults into", l)
	if i := p.station.Faults; i != nil {
		err = i.Inject(ctx, l, f)
	}
	return p.blame(fmt.Sprintf("inject fault %v into", f.Kind), l, err)
}

func (p instruments) Clear(ctx context.Context, lines ...probes.Line) error {
	if p.station.Faults == nil {
		return nil
	}
	return blame(rig.Rig, p.station.Name(), "clear faults", p.station.Faults.Clear(ctx, lines...))
}

// heal ends the faults that an experiment left, so that none reaches the next.
func (r *Runner) heal(ctx context.Context) error {
	return instruments{r.Station}.Clear(context.WithoutCancel(ctx))
}

// selfTest lets the probe show on the rig's loops how well it sees, once, before
// the first experiment. The chip is in its boot loader meanwhile, where no program
// minds what is driven.
func (r *Runner) selfTest(ctx context.Context) error {
	s := r.Station
	loops := s.Config.Loops()
	if r.tests != nil || len(loops) == 0 || s.Capturer == nil || s.Driver == nil {
		return nil
	}
	defer r.phase(record.SelfTestPhase)()
	if err := s.Reset(ctx, rig.BootLoader); err != nil {
		return blame(rig.Rig, s.Name(), "reset for the probe's self-test", err)
	}
	var reports []probes.Report
	for _, loop := range loops {
		report, err := probes.SelfTest(ctx, s.Clock(), s.Capturer, s.Driver, s.Config.Lines[loop].Loop, loop)
		if err != nil {
			return blame(rig.Rig, s.Name(), "test the probe", err)
		}
		reports = append(reports, report)
	}
	r.tests = reports
	return r.Bundle.Update(func(run *record.Run) error {
		for i, loop := range loops {
			run.NoteSelfTest(record.SelfTest{Board: s.Name(), Loop: loop, Report: reports[i]})
		}
		return nil
	})
}

// known is within how many ticks the probe saw edges, by its self-tests.
func (r *Runner) known(rate timebase.Rate) (ticks timebase.Ticks) {
	for _, t := range r.tests {
		ticks = max(ticks, t.Known().Convert(t.Rate, rate))
	}
	return ticks
}
