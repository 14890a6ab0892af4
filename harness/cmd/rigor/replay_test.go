package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rigor/harness/record"
	"rigor/harness/rig"
)

// shortRun makes a bundle of a short run.
func shortRun(t *testing.T, flags ...string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	rigor(t, append([]string{"run", "--board", "f407", "--suite", "smoke", "--out", dir}, flags...)...).want(t, exitOK)
	return dir
}

// temporary gives the test a folder of its own for temporary ones, and looks what is left there.
func temporary(t *testing.T) (left func() []string) {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	return func() []string {
		found, _ := filepath.Glob(filepath.Join(dir, "rigor-*"))
		return found
	}
}

func TestReplay(t *testing.T) {
	dir := shortRun(t, "--repeat", "2")
	left := temporary(t)
	o := rigor(t, "replay", dir)
	o.want(t, exitOK, "[8/8] ok ")
	if want := "identical: 10 samples, digest " + load(t, dir).SamplesDigest + "\n"; o.stdout != want {
		t.Errorf("got %q, want %q", o.stdout, want)
	}
	if found := left(); found != nil {
		t.Errorf("left over: %v", found)
	}
}

func TestReplayAsJSON(t *testing.T) {
	dir, out := shortRun(t), filepath.Join(t.TempDir(), "again")
	o := rigor(t, "replay", "--json", "--out", out, dir)
	o.want(t, exitOK)
	var got struct {
		Identical      bool
		Samples        int
		Digest, Bundle string
		Departures     []string
		Recorded       struct{ Go string }
	}
	if err := json.Unmarshal([]byte(o.stdout), &got); err != nil {
		t.Fatal(err)
	}
	if !got.Identical || got.Samples != 5 || got.Digest != load(t, out).SamplesDigest || got.Bundle != out || got.Departures == nil || got.Recorded.Go == "" {
		t.Errorf("%+v", got)
	}
	if of := load(t, out).Invocation.ReplayOf; of != "run" {
		t.Errorf("a replay of %q, want run", of)
	}
}

// What a suite does otherwise than it did shows in the value.
func TestReplayTellsWhatDiffers(t *testing.T) {
	dir := shortRun(t)
	left := temporary(t)
	other := checkout(t, map[string]string{"suites/smoke/smoke_test.go": edited(t, "suites/smoke/smoke_test.go", "113*time.Nanosecond", "114*time.Nanosecond")})
	o := in(t, other, "replay", dir)
	o.want(t, exitWanting, "1 of 5 samples differ")
	for _, want := range []string{"samples/smoke.echoes-a-pin.f407.pin-echo.probe.json: ", " of 200 values differ, the first is value ", "recorded by rigor ", "replayed by rigor "} {
		if !strings.Contains(o.stdout, want) {
			t.Errorf("standard output lacks %q:\n%s", want, o.stdout)
		}
	}
	if found := left(); len(found) != 1 || !strings.Contains(o.stdout, "bundle "+filepath.Join(found[0], "run")) {
		t.Errorf("%v is left; told is\n%s", found, o.stdout)
	}
}

// A killed run has what its experiments need, and says that it is killed.
func TestReplayOfAKilledRun(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	c, _ := under(t, dir)
	if !record.Alive(dir) {
		t.Error("the run goes on and is not alive")
	}
	c.Process.Kill()
	c.Wait()
	for deadline := time.Now().Add(time.Minute); leftOver(dir) != nil; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the suite goes on: %v", leftOver(dir))
		}
	}
	events, err := record.Events(dir)
	if err != nil || record.Alive(dir) || len(events) == 0 || events[len(events)-1].Done < 2 || events[len(events)-1].Kind == record.Over {
		t.Errorf("%d events, %v", len(events), err)
	}
	o := rigor(t, "replay", dir)
	o.want(t, exitOK)
	if !strings.HasPrefix(o.stdout, "identical: ") || !strings.Contains(o.stdout, ", as far as the run got: its status is running\n") {
		t.Errorf("got %q", o.stdout)
	}
}

func TestReplayRefuses(t *testing.T) {
	original := shortRun(t)
	run := func(change func(*record.Run)) func(string) error {
		return func(dir string) error {
			b, err := record.Open(dir)
			if err != nil {
				return err
			}
			return b.Update(func(r *record.Run) error { change(r); return nil })
		}
	}
	file := func(name, text string) func(string) error {
		return func(dir string) error { return os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644) }
	}
	left := temporary(t)
	for name, c := range map[string]struct {
		harm func(dir string) error
		want []string
	}{
		"real boards":             {run(func(r *record.Run) { r.Rig.Kind, r.Rig.Name = "hardware", "bench-1" }), []string{"bench-1 is hardware", "rigor run --rig bench-1 --firmware "}},
		"an older rigor's":        {run(func(r *record.Run) { r.Invocation = nil }), []string{"does not carry what a replay needs"}},
		"nothing recorded":        {run(func(r *record.Run) { r.Experiments = nil }), []string{"no experiment"}},
		"another image":           {file("firmware/echo-stm32f407.elf", "x"), []string{"not as it was recorded", "echo-stm32f407.elf"}},
		"other rigs":              {file("rigs.yaml", "rigs:\n"), []string{"rigs.yaml", "not the file that was recorded"}},
		"other values":            {file("samples/smoke.echoes-a-pin.f407.pin-echo.probe.json", `{"values": [1]}`), []string{"pin-echo", "not those that were recorded"}},
		"images without a list":   {file("firmware/manifest.json", ""), []string{"manifest"}},
		"a suite that is no more": {run(func(r *record.Run) { r.Invocation.Suites = []string{"gone"} }), []string{`no suite "gone"`}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "run")
			if err := os.CopyFS(dir, os.DirFS(original)); err != nil {
				t.Fatal(err)
			}
			if err := c.harm(dir); err != nil {
				t.Fatal(err)
			}
			rigor(t, "replay", dir).want(t, exitSetup, append(c.want, "replay "+dir)...)
			if found := left(); found != nil {
				t.Errorf("left over: %v", found)
			}
		})
	}
	rigor(t, "replay", t.TempDir()).want(t, exitSetup, "run.json")
}

// The images of a bundle serve another run, and no others do where they lack one.
func TestRunWithFirmwareOfABundle(t *testing.T) {
	dir, again := shortRun(t), filepath.Join(t.TempDir(), "again")
	firmware := filepath.Join(dir, record.FirmwareDir)
	rigor(t, "run", "--board", "f407", "--suite", "smoke", "--firmware", firmware, "--out", again).want(t, exitOK)
	sameSamples(t, load(t, again), load(t, dir), 5)
	if got := load(t, again).Invocation.Firmware; got != firmware {
		t.Errorf("recorded %q, want %q", got, firmware)
	}
	out := filepath.Join(t.TempDir(), "pwm")
	rigor(t, "run", "--board", "f407", "--suite", "pwm", "--firmware", firmware, "--out", out).
		want(t, exitSetup, "suite pwm on f407 ended early", `image "pwm-stm32f407`, firmware, "there is no such image, only echo-stm32f407")
	rigor(t, "run", "--suite", "smoke", "--firmware", t.TempDir()).want(t, exitSetup, "manifest.json")
	rigor(t, "run", "--suite", "smoke", "--firmware", filepath.Join(dir, "none")).want(t, exitSetup, "--firmware", "none")
}

// Who holds a real board is waited for and told. The board itself does not come to be asked.
func TestRunWaits(t *testing.T) {
	temporary(t)
	dir := checkout(t, map[string]string{"rigs.yaml": bench(device("/dev/none"), device("/dev/none"), "")})
	lease, err := rig.AcquireForRun(rig.Leases(), "bench", "f407", time.Unix(1e9, 0))
	if err != nil {
		t.Fatal(err)
	}
	defer lease.Release()
	run := []string{"run", "--rig", "bench", "--suite", "smoke", "--out", filepath.Join(dir, "out")}
	const holder = "leased by process"
	if o := in(t, dir, run...); strings.Contains(o.stderr, "waiting") {
		t.Errorf("it waits without being asked to:\n%s", o.stderr)
	} else {
		o.want(t, exitSetup, "board f407 is "+holder, "since 2001-09-09T01:46:40Z", "--wait")
	}
	in(t, dir, append(run, "--wait", "10ms")...).want(t, exitSetup, "waiting up to 10ms for board f407, "+holder, "waited 10ms: ")
	if _, err := os.Lstat(filepath.Join(dir, "out")); err == nil {
		t.Error("it leaves a bundle")
	}
	lease.Release()
	in(t, dir, append(run, "--wait", "1m")...).want(t, exitSetup, "/dev/none")
}
