package harness

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"rigor/firmware/wire"
	"rigor/harness/judge"
	"rigor/harness/measure"
	"rigor/harness/record"
	"rigor/harness/rig"
	"rigor/probes"
)

// runner is a Runner on the fake, with one required limit.
func runner(t *testing.T, f *fake) *Runner {
	t.Helper()
	now := time.Unix(1e9, 0)
	config := &rig.RigConfig{Name: "bench", Kind: rig.Virtual, Boards: []*rig.BoardConfig{f.station().Config}}
	bundle, err := NewBundle(filepath.Join(t.TempDir(), "run"), config, now)
	if err != nil {
		t.Fatal(err)
	}
	least := int64(1)
	limit := judge.Limit{
		Scope:     judge.Scope{Quantity: measure.GoroutineSwitch},
		Statistic: measure.Min, Unit: measure.Cycles, Min: &least, Required: true, Reason: "time passes",
	}
	return &Runner{
		Station: f.station(), RigKind: rig.Virtual, Bundle: bundle, Limits: &judge.Limits{Limits: []judge.Limit{limit}},
	}
}

// question is the experiment: it drives a pin, lets the program run, and takes
// both accounts of it.
func question(t *testing.T) Experiment {
	return Experiment{
		Suite: "latency", Name: "switch", Image: program(t), Watch: []probes.Line{start, end},
		Stimulate: func(ctx context.Context, b *Bench) (Report, error) {
			if err := b.Firmware.Start(ctx, command, Patience); err != nil {
				return Report{}, err
			}
			if err := b.Driver.Drive(ctx, start, true); err != nil {
				return Report{}, err
			}
			return b.Firmware.Collect(ctx, command, Patience)
		},
		Measure: func(o Observation) ([]measure.Sample, error) {
			own := measure.Sample{
				Name: measure.GoroutineSwitch, Source: measure.Firmware, Unit: measure.Cycles, Clock: clockHz,
				Resolution: 1, Assumption: measure.Nothing,
			}
			for _, v := range o.Report.Values {
				own.Values = append(own.Values, int64(v))
			}
			return []measure.Sample{own, measure.Durations(measure.GoroutineSwitch, o.Capture, measure.Rise(start), measure.Rise(end))}, nil
		},
	}
}

// outcomes of all verdicts of an experiment.
func outcomes(e record.Experiment) (all []judge.Outcome) {
	for _, m := range e.Measurements {
		for _, v := range m.Verdicts {
			all = append(all, v.Outcome)
		}
	}
	return all
}

// classes of an experiment's attempts, "" for one that went well.
func classes(e record.Experiment) (all []rig.Class) {
	for _, a := range e.Attempts {
		if a.Failure == nil {
			all = append(all, "")
		} else {
			all = append(all, a.Failure.Class)
		}
	}
	return all
}

const well = rig.Class("")

func TestRunner(t *testing.T) {
	pass := []judge.Outcome{judge.Pass, judge.Pass}
	for name, c := range map[string]struct {
		spoil    func(*fake, *Experiment)
		attempts []rig.Class
		verdicts []judge.Outcome
		message  string // of the last failure, or a warning
	}{
		"all is well": {func(*fake, *Experiment) {}, []rig.Class{well}, pass, ""},
		"another program answers": {func(f *fake, _ *Experiment) { f.greeting = wire.AppendHello(nil, hello) },
			[]rig.Class{rig.Firmware}, nil, "the program that answers is echo of sources c0de"},
		"no program answers": {func(f *fake, _ *Experiment) { f.greeting = nil },
			[]rig.Class{rig.Firmware}, nil, "no greeting from the firmware"},
		"the program refuses": {func(f *fake, _ *Experiment) {
			f.answer = func([]byte) []byte { return wire.AppendStatus(nil, wire.Status{Code: wire.StatusUnknown}) }
		}, []rig.Class{rig.Firmware}, nil, "refused"},
		"the program dies": {func(f *fake, _ *Experiment) { f.answer = func([]byte) []byte { return accepted() } },
			[]rig.Class{rig.Firmware}, nil, "no sample 0"},
		"the line damages a frame": {func(f *fake, _ *Experiment) {
			f.answer = func([]byte) []byte {
				if f.calls["write"] == 0 {
					return slices.Concat(accepted(), damaged(reported(interval)), finished(4))
				}
				return slices.Concat(accepted(), reported(interval), finished(4))
			}
		}, []rig.Class{rig.Rig, well}, pass, ""},
		"the program lies": {func(f *fake, _ *Experiment) {
			f.answer = func([]byte) []byte { return slices.Concat(accepted(), reported(interval+3), finished(4)) }
		}, []rig.Class{rig.Firmware}, pass, "firmware and probe differ on 4 of 4 events"},
		"the program is off by what the counters allow": {func(f *fake, _ *Experiment) {
			f.answer = func([]byte) []byte { return slices.Concat(accepted(), reported(interval+2), finished(4)) }
		}, []rig.Class{well}, pass, ""},
		"the program marks too little": {func(f *fake, _ *Experiment) { f.capture.Edges = f.capture.Edges[:12] },
			[]rig.Class{rig.Firmware}, pass, "4 events against 3"},
		"the probe loses edges": {func(f *fake, _ *Experiment) { f.capture.Edges, f.capture.Lost = f.capture.Edges[:12], 4 },
			[]rig.Class{well}, []judge.Outcome{judge.Pass, judge.Unset}, "the probe lost 4 edges"},
		"the numbers cannot be made": {func(_ *fake, x *Experiment) {
			x.Measure = func(Observation) ([]measure.Sample, error) { return nil, errors.New("no idea") }
		}, []rig.Class{rig.Harness}, nil, "measure: no idea"},
		"the simulated chip lacks something": {func(f *fake, _ *Experiment) {
			f.fail["read"] = []error{&rig.Error{Class: rig.Harness, Board: "fake", Op: "read", Err: errors.New("not modelled")}}
		}, []rig.Class{rig.Harness}, nil, "not modelled"},
		"the board carries another chip": {func(f *fake, _ *Experiment) { f.chip = "stm32 0x419" },
			[]rig.Class{rig.Rig, rig.Rig}, nil, "nothing was erased"},
		"the flash reads back wrong once": {func(f *fake, _ *Experiment) { f.fail["spoil"] = []error{errCable} },
			[]rig.Class{rig.Rig, well}, pass, ""},
		"the flash holds what was not written": {func(f *fake, _ *Experiment) { f.fail["spoil"] = []error{errCable, errCable} },
			[]rig.Class{rig.DUT}, nil, "read back"},
		"no probe is wired": {func(_ *fake, x *Experiment) {}, []rig.Class{well}, []judge.Outcome{judge.Pass}, "no probe that watches"},
	} {
		f, x := honest(t), question(t)
		c.spoil(f, &x)
		r := runner(t, f)
		if name == "no probe is wired" {
			r.Station.Capturer = nil
		}
		e, err := r.Run(t.Context(), x)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		check(t, name, e, c.attempts, c.verdicts, c.message)
		check(t, name+", as recorded", recorded(t, r), c.attempts, c.verdicts, c.message)
	}
}

func check(t *testing.T, name string, e record.Experiment, attempts []rig.Class, verdicts []judge.Outcome, message string) {
	t.Helper()
	if got := classes(e); !slices.Equal(got, attempts) {
		t.Errorf("%s: attempts %q, want %q", name, got, attempts)
	}
	if got := outcomes(e); !slices.Equal(got, verdicts) {
		t.Errorf("%s: verdicts %v, want %v", name, got, verdicts)
	}
	text := strings.Join(e.Warnings, "\n")
	if f := e.Attempts[len(e.Attempts)-1].Failure; f != nil {
		text += f.Message
	}
	if !strings.Contains(text, message) || message == "" && text != "" {
		t.Errorf("%s: it says %q, want %q", name, text, message)
	}
}

// recorded is the one experiment that the bundle holds.
func recorded(t *testing.T, r *Runner) record.Experiment {
	t.Helper()
	run, err := record.Load(r.Bundle.Dir())
	if err != nil {
		t.Fatal(err)
	}
	if len(run.Experiments) != 1 {
		t.Fatalf("the bundle holds %d experiments", len(run.Experiments))
	}
	for _, m := range run.Experiments[0].Measurements {
		if s, err := run.Sample(m); err != nil || len(s.Values) != m.Summary.N {
			t.Errorf("sample %s: %v, %v", m.File, s.Values, err)
		}
	}
	return run.Experiments[0]
}

// A failure of the rig is tried once more, whatever it hit, and stays visible.
func TestRigFailuresAreTriedAgain(t *testing.T) {
	for _, op := range []string{"loader", "identify", "erase", "flash", "discard", "reset", "read", "write", "deadline", "arm", "drive", "stop"} {
		for tries := range Tries {
			f := honest(t)
			f.fail[op] = slices.Repeat([]error{errCable}, tries+1)
			want := slices.Repeat([]rig.Class{rig.Rig}, tries+1)
			if len(want) < Tries {
				want = append(want, well)
			}
			r := runner(t, f)
			e, err := r.Run(t.Context(), question(t))
			if err != nil {
				t.Fatal(err)
			}
			if got := classes(e); !slices.Equal(got, want) || !strings.Contains(e.Attempts[0].Failure.Message, errCable.Error()) {
				t.Errorf("%s fails %d times: attempts %q, want %q", op, tries+1, got, want)
			}
			if got := classes(recorded(t, r)); !slices.Equal(got, want) {
				t.Errorf("%s fails %d times: recorded %q, want %q", op, tries+1, got, want)
			}
		}
	}
}

// An image is flashed once, and again when the flash of another one has spoiled
// it, or an experiment did that or, having gone wrong, may have.
func TestFlashOnlyWhenNeeded(t *testing.T) {
	f := honest(t)
	r := runner(t, f)
	ask := func(x Experiment, flashed int) {
		t.Helper()
		if _, err := r.Run(t.Context(), x); err != nil {
			t.Fatal(err)
		}
		if f.calls["erase"] != flashed {
			t.Errorf("flashed %d times, want %d", f.calls["erase"], flashed)
		}
	}
	ask(question(t), 1)
	ask(question(t), 1)
	other := question(t)
	other.Image.SHA256 = "another"
	f.fail["flash"] = []error{errCable, errCable}
	ask(other, 1+Tries)
	ask(question(t), 1+Tries+1)
	wrong := question(t)
	wrong.Stimulate = func(context.Context, *Bench) (Report, error) { return Report{}, errors.New("silence") }
	ask(wrong, 1+Tries+1)
	ask(question(t), 1+Tries+2)
	repeat := question(t)
	repeat.Repeat = 1
	ask(repeat, 1+Tries+3)
	ask(repeat, 1+Tries+3)
	spoils := repeat
	spoils.Spoils = true
	ask(spoils, 1+Tries+3)
	ask(spoils, 1+Tries+4)
}

// Each attempt says how far it got, and only what was done has taken time.
func TestAttemptsHavePhases(t *testing.T) {
	f := honest(t)
	r := runner(t, f)
	for _, c := range []struct {
		fail string
		want [][]string
	}{
		{"", [][]string{{"flash", "observe", "measure", "judge"}}},
		{"", [][]string{{"observe", "measure", "judge"}}}, // it is on the board already
		{"arm", [][]string{{"observe"}, {"flash", "observe", "measure", "judge"}}},
		{"flash", [][]string{{"flash"}, {"flash", "observe", "measure", "judge"}}},
	} {
		x := question(t)
		if c.fail != "" {
			f.fail[c.fail] = []error{errCable}
		}
		if c.fail == "flash" {
			x.Image.SHA256 = "another"
		}
		e, err := r.Run(t.Context(), x)
		if err != nil {
			t.Fatal(err)
		}
		var got [][]string
		for _, a := range e.Attempts {
			var names []string
			for _, p := range a.Phases {
				names = append(names, p.Name)
				a.Took -= p.Took
			}
			if got = append(got, names); a.Took < 0 {
				t.Errorf("%v take longer than their attempt", names)
			}
		}
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s fails: phases %q, want %q", c.fail, got, c.want)
		}
	}
}

// A trace tells of one try; the next has a file of its own.
func TestTracesOfRepeatsAreKept(t *testing.T) {
	r := runner(t, honest(t))
	for i, want := range []string{"traces/fake-latency-latency-stm32f407-16mhz-switch.vcd", "traces/fake-latency-latency-stm32f407-16mhz-switch.2.vcd"} {
		x := question(t)
		x.Repeat = i
		e, err := r.Run(t.Context(), x)
		if err != nil || e.Trace != want {
			t.Errorf("%v, trace %q, want %q", err, e.Trace, want)
		}
		if _, err := os.Stat(filepath.Join(r.Bundle.Dir(), want)); err != nil {
			t.Error(err)
		}
	}
}

// A run that the user ends is no failure to be tried again, and leaves a bundle
// that can be read.
func TestCancelled(t *testing.T) {
	f, x := honest(t), question(t)
	ctx, cancel := context.WithCancel(t.Context())
	stimulate := x.Stimulate
	x.Stimulate = func(ctx context.Context, b *Bench) (Report, error) {
		cancel()
		return stimulate(ctx, b)
	}
	r := runner(t, f)
	e, err := r.Run(ctx, x)
	if err != nil {
		t.Fatal(err)
	}
	check(t, "cancelled", e, []rig.Class{rig.Rig}, nil, "context canceled")
	check(t, "cancelled, as recorded", recorded(t, r), []rig.Class{rig.Rig}, nil, "context canceled")
}

// Whatever came of it, what was seen and said is kept.
func TestTracesAndConsoleAreKept(t *testing.T) {
	for name, answer := range map[string][]byte{
		"well":  slices.Concat(accepted(), reported(interval), finished(4)),
		"badly": slices.Concat(accepted(), []byte("panic: nil map\r\n")),
	} {
		f := honest(t)
		f.answer = func([]byte) []byte { return answer }
		r := runner(t, f)
		if _, err := r.Run(t.Context(), question(t)); err != nil {
			t.Fatal(err)
		}
		log := only(t, r.Bundle.Dir(), "console/*.log")
		if want := slices.Concat(f.greeting, answer); string(log) != string(want) {
			t.Errorf("%s: the console's log is %q, want %q", name, log, want)
		}
		if vcd := only(t, r.Bundle.Dir(), "traces/*.vcd"); !strings.Contains(string(vcd), "$var") {
			t.Errorf("%s: the trace is %q", name, vcd)
		}
	}
}

// only reads the one file of a pattern.
func only(t *testing.T, dir, pattern string) []byte {
	t.Helper()
	names, err := fs.Glob(os.DirFS(dir), pattern)
	if err != nil || len(names) != 1 {
		t.Fatalf("%s: %v, %v", pattern, names, err)
	}
	text, err := os.ReadFile(filepath.Join(dir, names[0]))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestRunnerRecordsBoardAndFirmware(t *testing.T) {
	r := runner(t, honest(t))
	if _, err := r.Run(t.Context(), question(t)); err != nil {
		t.Fatal(err)
	}
	run, err := record.Load(r.Bundle.Dir())
	if err != nil {
		t.Fatal(err)
	}
	image := program(t)
	if len(run.Firmware) != 1 || run.Firmware[0].Digest != image.SHA256 || run.Firmware[0].SourceDigest != image.SourceDigest {
		t.Errorf("firmware: %+v", run.Firmware)
	}
	board := record.Board{Name: "fake", Chip: "stm32f407", ID: "stm32f407 (id 0x413, boot loader 3.1)"}
	if !slices.Equal(run.Boards, []record.Board{board}) {
		t.Errorf("boards: %+v", run.Boards)
	}
	if m := run.Experiments[0].Measurements[0]; m.CoreHz != clockHz {
		t.Errorf("measured at a core clock of %v", m.CoreHz)
	}
}

// A question that only a probe can answer is skipped where there is none, with
// the reason, and is no pass.
func TestRunnerSkipsWhatNeedsAProbe(t *testing.T) {
	for name, spoil := range map[string]func(*Experiment){
		"only the probe measures": func(x *Experiment) {
			both := x.Measure
			x.Measure = func(o Observation) ([]measure.Sample, error) {
				all, err := both(o)
				return slices.DeleteFunc(all, func(s measure.Sample) bool { return s.Source != measure.Probe }), err
			}
		},
		"the stimulus is driven": func(x *Experiment) {
			x.Stimulate = func(ctx context.Context, b *Bench) (Report, error) {
				return Report{}, b.Driver.Drive(ctx, "stimulus", true)
			}
		},
	} {
		f, x := honest(t), question(t)
		spoil(&x)
		r := runner(t, f)
		r.Station.Capturer, r.Station.Driver = nil, nil
		if _, err := r.Run(t.Context(), x); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		e := recorded(t, r)
		if e.Outcome() != record.Skipped || !strings.Contains(e.Skipped, "the rig has no probe that") || len(e.Attempts)+len(e.Measurements) != 0 {
			t.Errorf("%s: %s %q, %d attempts, %d measurements", name, e.Outcome(), e.Skipped, len(e.Attempts), len(e.Measurements))
		}
	}
}
