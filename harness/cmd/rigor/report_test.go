package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rigor/harness/record"
)

// empty is a checkout without a run.
func empty(t *testing.T) string {
	t.Helper()
	return filepath.Dir(write(t, "go.mod", []byte("module rigor\n")))
}

// recorded is a bundle below results/runs of a checkout, with one experiment that was skipped.
func recorded(t *testing.T, root, rig string, at time.Time) (dir string) {
	t.Helper()
	dir = filepath.Join(root, "results", "runs", record.Name(at, rig))
	b, err := record.Create(dir, record.Run{Started: at, Rig: record.Rig{Name: rig, Kind: "virtual"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Add(record.Experiment{Suite: "smoke", Name: "hello", Board: "f407", Skipped: "no <time>"}); err != nil {
		t.Fatal(err)
	}
	if err := b.Finish(record.Complete, at.Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// A run is found by its folder, by its name, or since it is the newest, and written in each format.
func TestReport(t *testing.T) {
	root := empty(t)
	at := time.Date(2026, 11, 2, 9, 30, 0, 0, time.UTC)
	old, last := recorded(t, root, "virtual", at), recorded(t, root, "lab", at.Add(time.Hour)) // names begin with the time
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{old}, "SKIPPED smoke/hello on f407: no <time>\n"},
		{[]string{old, "--format", "html"}, "skipped: no &lt;time&gt;</span>"},
		{[]string{filepath.Base(old), "--format", "junit"}, `<skipped message="no &lt;time&gt;">`},
		{[]string{filepath.Base(old), "--format", "markdown"}, "## ✅ PASS: nothing was judged"},
		{[]string{"--format", "line"}, "PASS lab: nothing was judged; 1 experiment, 1s; " + filepath.Base(last) + "\n"},
	} {
		o := in(t, root, append([]string{"report"}, c.args...)...)
		o.want(t, exitOK)
		if !strings.Contains(o.stdout, c.want) || o.stderr != "" {
			t.Errorf("%v: %q is not in\n%s%s", c.args, c.want, o.stdout, o.stderr)
		}
	}
}

func TestReportInAFile(t *testing.T) {
	root := empty(t)
	dir := recorded(t, root, "virtual", time.Date(2026, 11, 2, 9, 30, 0, 0, time.UTC))
	file := filepath.Join(t.TempDir(), "line.txt")
	o := in(t, root, "report", dir, "--format", "line", "-o", file)
	o.want(t, exitOK)
	if got, err := os.ReadFile(file); err != nil || !strings.HasPrefix(string(got), "PASS virtual") || o.stdout != "" {
		t.Errorf("%q, %v; printed %q", got, err, o.stdout)
	}
}

// A run's name is that of its folder, from wherever it is looked at; a folder needs no checkout around it.
func TestReportFromWithin(t *testing.T) {
	dir := recorded(t, empty(t), "virtual", time.Date(2026, 11, 2, 9, 30, 0, 0, time.UTC))
	if o := in(t, dir, "report", ".", "--format", "line"); !strings.HasSuffix(o.stdout, "; "+filepath.Base(dir)+"\n") {
		t.Errorf("%s%s", o.stdout, o.stderr)
	}
	in(t, t.TempDir(), "report", dir, "--format", "line").want(t, exitOK)
	in(t, t.TempDir(), "report").want(t, exitSetup, "checkout")
}

func TestReportRefuses(t *testing.T) {
	root := empty(t)
	in(t, root, "report").want(t, exitSetup, `no run "latest"`)
	in(t, root, "report", "20261102T093000Z-lab").want(t, exitSetup, `no run "20261102T093000Z-lab"`)
	in(t, root, "report", "--format", "pdf").want(t, exitSetup, "--format")
}
