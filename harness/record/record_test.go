package record

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/perf/benchfmt"

	"rigor/harness/judge"
	"rigor/harness/measure"
	"rigor/harness/rig"
	"rigor/probes"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares got with testdata/name.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
	}
}

var start = time.Date(2026, 11, 2, 9, 30, 0, 0, time.UTC)

func meta() Run {
	return Run{
		Harness: "1.0", Rig: Rig{"virtual", "virtual"}, Host: Host{"linux", "amd64", 2, "go1.26"}, Started: start,
		Boards:    []Board{{"f407", "stm32f407", "0x413"}},
		SelfTests: []SelfTest{selfTest},
		Firmware:  []Firmware{{"latency", "stm32f407", "ab12", "cd34", "tinygo 0.41.1"}},
	}
}

var selfTest = SelfTest{"f407", "loop", probes.Report{Rate: 24e6, Resolution: 1, Skew: 0, Spread: 1, N: 32}}

// Each suite tests the probe anew; what it finds again is not news.
func TestSelfTestIsNotedOnce(t *testing.T) {
	r, other := meta(), selfTest
	other.Report.Spread = 2
	r.NoteSelfTest(selfTest)
	r.NoteSelfTest(other)
	earlier := other
	earlier.Board = "a" // what comes last is that of the board that happened to be slower
	r.NoteSelfTest(earlier)
	if want := []SelfTest{earlier, selfTest, other}; !slices.Equal(r.SelfTests, want) {
		t.Errorf("%+v, want %+v", r.SelfTests, want)
	}
}

func switches(values ...int64) Measurement {
	s := measure.Sample{Name: measure.GoroutineSwitch, Source: measure.Firmware, Unit: measure.Cycles, Clock: 16e6,
		Overhead: 4, Assumption: measure.Exact, Values: values}
	return Measured(s, 16e6, measure.Summarize(s), []judge.Verdict{{Outcome: judge.Pass, Statistic: measure.Median,
		Limit: "p50 <= 200 cycles", Reason: "p50 is 160 cycles"}}, nil)
}

func probed(values ...int64) Measurement {
	s := measure.Sample{Name: measure.GoroutineSwitch, Source: measure.Probe, Unit: measure.Ticks, Clock: 100e6,
		Resolution: 1, Assumption: measure.Nothing, Values: values}
	return Measured(s, 16e6, measure.Summarize(s), []judge.Verdict{{Reason: judge.NoLimit}}, nil)
}

func experiment(name string, ms ...Measurement) Experiment {
	return Experiment{Suite: "latency", Name: name, Board: "f407", Firmware: "ab12",
		Attempts: []Attempt{{Started: start, Took: 1500 * time.Millisecond}}, Measurements: ms}
}

// bundle makes a finished bundle of two experiments and one that was skipped.
func bundle(t *testing.T) *Bundle {
	t.Helper()
	b, err := Create(filepath.Join(t.TempDir(), Name(start, "virtual")), meta())
	if err != nil {
		t.Fatal(err)
	}
	flash := measure.Sample{Name: measure.FlashWrite, Source: measure.Harness, Unit: measure.BytesPerSecond, Values: []int64{9600}, Assumption: measure.Exact}
	for _, e := range []Experiment{
		experiment("switch at 16 MHz", switches(160, 160, 161), probed(1000, 1000, 1006)),
		experiment("flashing", Measured(flash, 0, measure.Summarize(flash), []judge.Verdict{{Reason: judge.NoLimit}}, nil)),
		{Suite: "smoke", Name: "brown-out", Board: "f407", Skipped: "no supply to cut"},
	} {
		if err := b.Add(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Finish(Complete, start.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	return b
}

func TestRunGolden(t *testing.T) {
	b := bundle(t)
	for _, name := range []string{RunFile, BenchFile, "samples/latency.switch-at-16-mhz.f407.goroutine-switch.firmware.json"} {
		text, err := os.ReadFile(filepath.Join(b.Dir(), name))
		if err != nil {
			t.Fatal(err)
		}
		golden(t, filepath.Base(name), text)
	}
}

func TestLoadGivesBackWhatWasRecorded(t *testing.T) {
	b := bundle(t)
	r, err := Load(b.Dir())
	if err != nil {
		t.Fatal(err)
	}
	if r.Status != Complete || !r.Ended.Equal(start.Add(time.Minute)) || len(r.Experiments) != 3 {
		t.Fatalf("%+v", r)
	}
	m := r.Experiments[1].Measurements[1]
	s, err := r.Sample(m)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(s.Values, []int64{1000, 1000, 1006}) || s.Clock != 100e6 || s.Unit != measure.Ticks || s.Source != measure.Probe || s.Resolution != 1 {
		t.Errorf("%+v", s)
	}
	want := []judge.Measured{{Quantity: measure.FlashWrite, Source: measure.Harness},
		{Quantity: measure.GoroutineSwitch, Source: measure.Firmware, Core: 16e6}, {Quantity: measure.GoroutineSwitch, Source: measure.Probe, Core: 16e6}}
	if got := r.MeasuredOn("f407"); !slices.Equal(got, want) {
		t.Errorf("measured %+v, want %+v", got, want)
	}
	if got := r.MeasuredOn("another"); got != nil {
		t.Errorf("measured on another board: %+v", got)
	}
}

// The digest is the same whatever the order of suites, and changes with any value.
// Its value is that of printf and sha256sum, following results/README.md.
func TestSamplesDigest(t *testing.T) {
	digest := func(es ...Experiment) string {
		b, err := Create(filepath.Join(t.TempDir(), "run"), meta())
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range es {
			if err := b.Add(e); err != nil {
				t.Fatal(err)
			}
		}
		r, err := Load(b.Dir())
		if err != nil {
			t.Fatal(err)
		}
		return r.SamplesDigest
	}
	a, c := experiment("a", switches(1, 2)), experiment("c", switches(3))
	again := experiment("a", switches(9))
	if digest(a, c, again) != digest(c, again, a) {
		t.Error("digest depends on the order of experiments")
	}
	if digest(a, c) == digest(experiment("a", switches(1, 3)), c) {
		t.Error("digest does not depend on a value")
	}
	if digest(a) == digest(a, a) {
		t.Error("digest does not depend on a repeat")
	}
	const want = "32928060ba5fe929b3598845d261ccd36a729cbe4db1c814d8ce8ef5ce23d4d2"
	if got := digest(a); got != want {
		t.Errorf("digest %s, want %s", got, want)
	}
}

// Several processes append to one bundle; here as goroutines, whose locks are
// as separate as those of processes.
func TestWritersTakeTurns(t *testing.T) {
	b, err := Create(filepath.Join(t.TempDir(), "run"), meta())
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			other, err := Open(b.Dir())
			if err == nil {
				err = other.Add(experiment("same", switches(int64(i))))
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	r, err := Load(b.Dir())
	if err != nil {
		t.Fatal(err)
	}
	var seen []int64
	for _, e := range r.Experiments {
		s, err := r.Sample(e.Measurements[0])
		if err != nil {
			t.Fatal(err)
		}
		seen = append(seen, s.Values...)
	}
	slices.Sort(seen)
	if !slices.Equal(seen, []int64{0, 1, 2, 3, 4, 5, 6, 7}) {
		t.Errorf("recorded %v", seen)
	}
}

func TestCreateKeepsAnOlderRun(t *testing.T) {
	b := bundle(t)
	if _, err := Create(b.Dir(), meta()); err == nil {
		t.Error("a second run took the folder of the first")
	}
}

const helperDir = "RECORD_TEST_DIR"

// TestMain turns the test binary into the process that TestKill kills.
func TestMain(m *testing.M) {
	if dir := os.Getenv(helperDir); dir != "" {
		writeForEver(dir)
	}
	flag.Parse()
	os.Exit(m.Run())
}

func writeForEver(dir string) {
	b, err := Open(dir)
	for i := 0; err == nil; i++ {
		err = b.Add(experiment(fmt.Sprintf("experiment %d of process %d", i, os.Getpid()), switches(int64(i), 2, 3)))
		fmt.Println(i)
	}
	fmt.Println(err)
	os.Exit(1)
}

// However a writer is killed, the bundle reads, says that it is not complete,
// and holds every experiment whose Add returned.
func TestKill(t *testing.T) {
	b, err := Create(filepath.Join(t.TempDir(), "run"), meta())
	if err != nil {
		t.Fatal(err)
	}
	done := 0
	for i := range 20 {
		done += killAfter(t, b.Dir(), 1+i%3, time.Duration(i)*700*time.Microsecond)
		r, err := Load(b.Dir())
		if err != nil {
			t.Fatal(err)
		}
		if r.Status != Running {
			t.Fatalf("status %q", r.Status)
		}
		if len(r.Experiments) < done {
			t.Fatalf("%d experiments are left of %d", len(r.Experiments), done)
		}
		for _, e := range r.Experiments {
			if _, err := r.Sample(e.Measurements[0]); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// killAfter runs a writer, kills it some time after it reported n experiments,
// and gives how many it reported.
func killAfter(t *testing.T, dir string, n int, more time.Duration) int {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), helperDir+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, 1)
	for seen := 0; seen < n; {
		if _, err := out.Read(line); err != nil {
			t.Fatalf("writer ended by itself: %v", err)
		}
		if line[0] == '\n' {
			seen++
		}
	}
	time.Sleep(more)
	cmd.Process.Kill()
	rest, _ := io.ReadAll(out)
	cmd.Wait()
	if strings.ContainsAny(string(rest), "abcdefghijklmnopqrstuvwxyz") {
		t.Fatalf("writer: %s", rest)
	}
	return n + bytes.Count(rest, []byte("\n"))
}

func TestLoadSaysWhatIsWrong(t *testing.T) {
	whole, err := os.ReadFile(filepath.Join(bundle(t).Dir(), RunFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, text string
		want       error
	}{
		{"empty", "", ErrTruncated},
		{"cut", string(whole[:len(whole)/2]), ErrTruncated},
		{"not JSON", "<html>", ErrForeign},
		{"another JSON", `{"name": "x"}`, ErrForeign},
		{"a list", "[]", ErrForeign},
		{"future", `{"schema": 99}`, ErrSchema},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, RunFile), []byte(c.text), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := Load(dir)
		var f *FormatError
		if !errors.Is(err, c.want) || !errors.As(err, &f) || filepath.Base(f.File) != RunFile {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
	if _, err := Load(t.TempDir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no run: %v", err)
	}
}

func TestChangedSampleIsNoticed(t *testing.T) {
	b := bundle(t)
	r, err := Load(b.Dir())
	if err != nil {
		t.Fatal(err)
	}
	m := r.Experiments[1].Measurements[0]
	path := filepath.Join(b.Dir(), m.File)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	outside := m
	outside.File = "../run.json"
	if _, err := r.Sample(outside); !errors.Is(err, ErrForeign) {
		t.Errorf("file outside of the bundle: %v", err)
	}
	for _, c := range []struct {
		text string
		want error
	}{
		{strings.Replace(string(text), "161", "162", 1), ErrDigest},
		{string(text[:len(text)-10]), ErrTruncated},
		{"", ErrTruncated},
	} {
		if err := os.WriteFile(path, []byte(c.text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Sample(m); !errors.Is(err, c.want) {
			t.Errorf("%v, want %v", err, c.want)
		}
	}
}

// What Go's own reader makes of bench.txt.
func TestBenchIsGoBenchmarkFormat(t *testing.T) {
	b := bundle(t)
	f, err := os.Open(filepath.Join(b.Dir(), BenchFile))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var got []string
	r := benchfmt.NewReader(f, BenchFile)
	for r.Scan() {
		switch rec := r.Result().(type) {
		case *benchfmt.Result:
			v, ok := rec.Value("sec")
			if !ok {
				v, _ = rec.Value("B/s")
			}
			got = append(got, fmt.Sprintf("%s %d %s chip=%s kind=%s", rec.Name, rec.Iters,
				strconv.FormatFloat(v, 'g', -1, 64), rec.GetConfig("chip"), rec.GetConfig("rig-kind")))
		case *benchfmt.SyntaxError:
			t.Error(rec)
		}
	}
	want := []string{
		"FlashWrite/in=flashing/board=f407/source=harness 1 9600 chip=stm32f407 kind=virtual",
		"GoroutineSwitch/in=switch-at-16-mhz/board=f407/source=firmware/clock=16MHz 3 1e-05 chip=stm32f407 kind=virtual",
		"GoroutineSwitch/in=switch-at-16-mhz/board=f407/source=probe/clock=16MHz 3 1e-05 chip=stm32f407 kind=virtual",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if m := r.Units().Get("cycles", "assume"); m == nil || m.Value != "exact" {
		t.Errorf("cycles are assumed %v", m)
	}
}

// Stock benchstat compares two exact runs: one cycle more is a change.
func TestBenchstat(t *testing.T) {
	files := make([]string, 2)
	for i := range files {
		b, err := Create(filepath.Join(t.TempDir(), "run"), meta())
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Add(experiment("switch", switches(int64(100+i)))); err != nil {
			t.Fatal(err)
		}
		files[i] = filepath.Join(b.Dir(), BenchFile)
	}
	out, err := exec.Command("go", "tool", "benchstat", files[0], files[1]).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "+1.00%") || strings.Contains(string(out), "need >=") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestHardwareAssumesNothing(t *testing.T) {
	r := meta()
	r.Rig.Kind = "hardware"
	var text bytes.Buffer
	if err := r.WriteBench(&text); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(text.String(), "assume") {
		t.Errorf("hardware times are assumed:\n%s", &text)
	}
}

func TestBlocking(t *testing.T) {
	r := meta()
	failed := experiment("failed")
	failed.Attempts = []Attempt{{Failure: &Failure{rig.Rig, "port gone"}}, {Failure: &Failure{rig.DUT, "silent"}}}
	retried := experiment("retried")
	retried.Attempts = []Attempt{{Failure: &Failure{rig.Rig, "port gone"}}, {}}
	bad := switches(1)
	bad.Verdicts = []judge.Verdict{{Outcome: judge.Fail}, {Outcome: judge.Unset, Required: true}, {Outcome: judge.Unset}, {Outcome: judge.Pass, Required: true}}
	r.Experiments = []Experiment{failed, retried, experiment("bad", bad)}
	r.Missing = []judge.Verdict{{Required: true}}
	if got := r.Blocking(); got != 4 {
		t.Errorf("%d things block the run, want 4", got)
	}
}

func TestLatestOfEachRig(t *testing.T) {
	runs := t.TempDir()
	for i, rigName := range []string{"bench", "virtual", "bench", "virtual"} {
		m := meta()
		m.Rig.Name, m.Started = rigName, start.Add(time.Duration(i)*time.Hour)
		if _, err := Create(filepath.Join(runs, Name(m.Started, rigName)), m); err != nil {
			t.Fatal(err)
		}
	}
	got, err := Latest(runs)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || !got[0].Started.Equal(start.Add(2*time.Hour)) || !got[1].Started.Equal(start.Add(3*time.Hour)) {
		t.Errorf("%+v", got)
	}
	if _, err := Latest(t.TempDir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("latest of none: %v", err)
	}
}

// Whatever run.json holds, reading and rendering it doesn't panic.
func FuzzLoad(f *testing.F) {
	whole, err := os.ReadFile(filepath.Join("testdata", RunFile))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	f.Add([]byte(`{"schema": 1, "experiments": [{"measurements": [{"summary": {"n": 1}, "file": "../x"}]}]}`))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := os.WriteFile(filepath.Join(dir, RunFile), text, 0o644); err != nil {
			t.Fatal(err)
		}
		r, err := Load(dir)
		if err != nil {
			return
		}
		r.Blocking()
		if err := r.WriteBench(io.Discard); err != nil {
			t.Error(err)
		}
		for _, e := range r.Experiments {
			for _, m := range e.Measurements {
				if _, err := r.Sample(m); err == nil {
					t.Errorf("read a sample of a bundle without any")
				}
			}
		}
	})
}
