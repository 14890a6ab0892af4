// Package webtest makes histories of runs to show, without rigs: nights of a virtual rig and
// of one of boards, with what happens on such rigs. It is for tests.
package webtest

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"time"

	"rigor/harness/judge"
	"rigor/harness/measure"
	"rigor/harness/record"
	"rigor/harness/rig"
)

// Script is what firmware might say to whoever shows it unescaped.
const Script = `<script>document.title="taken"</script>`

// What happens, by the number of the night.
const (
	Slower = 14 // first night in which a goroutine switch takes a cycle more on the virtual rig, and 3 % more on the bench
	Bad    = 6  // an experiment fails
	Flaky  = 9  // one answers when asked again
)

// Nights makes bundles below runs: of each night from begin on a run of rig virtual and one of rig bench-1.
func Nights(runs string, begin time.Time, nights int) error {
	noise := rand.New(rand.NewPCG(1, 2))
	for n := range nights {
		for _, r := range []record.Rig{{Name: "virtual", Kind: "virtual"}, {Name: "bench-1", Kind: "hardware"}} {
			if err := night(runs, begin, n, r, noise); err != nil {
				return fmt.Errorf("make night %d of rig %s: %w", n, r.Name, err)
			}
		}
	}
	return nil
}

// Name is the bundle of a night.
func Name(begin time.Time, night int, rig string) string {
	return record.Name(begin.AddDate(0, 0, night), rig)
}

func night(runs string, begin time.Time, n int, r record.Rig, noise *rand.Rand) error {
	at := begin.AddDate(0, 0, n)
	b, err := Start(runs, at, r)
	if err != nil {
		return err
	}
	for _, e := range []record.Experiment{experiment(n, at, r, "f407", 118, noise), experiment(n, at, r, "c3", 240, noise), troubled(n, at)} {
		if err := b.Add(e); err != nil {
			return err
		}
	}
	return b.Finish(record.Complete, at.Add(4*time.Minute))
}

// Start begins a run below runs that stays under way.
func Start(runs string, at time.Time, r record.Rig) (*record.Bundle, error) {
	return record.Create(filepath.Join(runs, record.Name(at, r.Name)), record.Run{
		Harness: "0123456789ab", Rig: r, Started: at, Host: record.Host{OS: "linux", Arch: "amd64", CPUs: 2, Go: "go1.26"},
		Seeds:  map[string]uint64{"board f407": 1},
		Boards: []record.Board{{Name: "f407", Chip: "stm32f407", ID: "003a00355430500620363358"}, {Name: "c3", Chip: "esp32c3"}},
		Firmware: []record.Firmware{{Program: "latency", Target: "latency-stm32f407", Digest: "48bead97882568679a1735cba650727668f7e2ce80e17311a023c6f6c46c57c8",
			SourceDigest: "8e1baed1f97b03a0", Toolchain: "tinygo 0.41.1"}},
	})
}

// experiment measures how long a goroutine switch takes.
func experiment(n int, at time.Time, r record.Rig, board string, cycles int64, noise *rand.Rand) record.Experiment {
	s := measure.Sample{Name: measure.GoroutineSwitch, Source: measure.Firmware, Unit: measure.Cycles, Clock: 168e6, Assumption: measure.Exact}
	level := float64(cycles)
	if n >= Slower && r.Kind == "virtual" {
		level++
	}
	for range 20 {
		s.Values = append(s.Values, int64(level))
	}
	if r.Kind == "hardware" {
		s.Assumption, s.Unit, s.Clock, s.Values = measure.Nothing, measure.Nanoseconds, 0, nil
		if n >= Slower {
			level *= 1.03
		}
		level *= 100 * (1 + 0.002*noise.NormFloat64())
		for range 20 {
			s.Values = append(s.Values, int64(level*(1+0.004*noise.NormFloat64())))
		}
	}
	sum := measure.Summarize(s)
	v := judge.Verdict{Outcome: judge.Pass, Statistic: measure.Max, Limit: fmt.Sprintf("max <= %d %s", 2*sum.Max, s.Unit),
		Reason: fmt.Sprintf("max is %d %s", sum.Max, s.Unit), Because: "a test says so"}
	return record.Experiment{Suite: "latency", Name: "goroutine switch at 168 MHz", Board: board,
		Attempts:     []record.Attempt{{Started: at, Took: 3 * time.Second}},
		Measurements: []record.Measurement{record.Measured(s, 168e6, sum, []judge.Verdict{v}, nil)}}
}

// troubled is an experiment that goes wrong at times.
func troubled(n int, at time.Time) record.Experiment {
	e := record.Experiment{Suite: "smoke", Name: "echoes every byte", Board: "c3"}
	try := func(f *record.Failure) {
		e.Attempts = append(e.Attempts, record.Attempt{Started: at, Took: time.Second, Failure: f})
	}
	switch n {
	case Bad:
		try(&record.Failure{Class: rig.Firmware, Message: "the firmware said " + Script})
	case Flaky:
		try(&record.Failure{Class: rig.Rig, Message: "open the console: device or resource busy"})
		try(nil)
	default:
		try(nil)
	}
	return e
}
