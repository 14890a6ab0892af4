package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"rigor/harness/record"
)

// aNight is rigor nightly in a checkout, with the least that it can run, and what it
// tells whom.
func aNight(t *testing.T, root string, args ...string) (o outcome, notice, summary string) {
	t.Helper()
	told, sum := filepath.Join(root, "notice"), filepath.Join(root, "summary.md")
	args = append([]string{"nightly", "--notify", "cat > " + told, "--summary", sum, "--textfile", filepath.Join(root, "rigor.prom"),
		"--output", filepath.Join(root, "output")}, args...)
	o = in(t, root, args...)
	line, _ := os.ReadFile(told)
	text, _ := os.ReadFile(sum)
	return o, string(line), string(text)
}

// least are the flags for a run that is soon over.
var least = []string{"--", "--suite", "latency", "--board", "f407", "--label", "chip:stm32f407"}

// Two nights on the virtual rig are the same; a cycle more than a night before, which
// somebody writes into the past, is told wherever a night is.
func TestNightly(t *testing.T) {
	root := checkout(t, nil)
	if err := os.MkdirAll(filepath.Join(root, "results"), 0o755); err != nil {
		t.Fatal(err)
	}
	policy := original(t, "results/retention.yaml")
	if err := os.WriteFile(filepath.Join(root, "results", "retention.yaml"), []byte(policy), 0o644); err != nil {
		t.Fatal(err)
	}
	first, notice, summary := aNight(t, root, least...)
	first.want(t, exitOK)
	if !strings.HasPrefix(notice, "PASS virtual: ") || strings.Count(notice, "\n") != 1 || !strings.Contains(first.stdout, notice) ||
		!strings.Contains(summary, "New levels, to be seen since this run: 0") || !strings.Contains(first.stdout, "pruned 0 of 1 bundles") {
		t.Errorf("notice %q, summary\n%s\nstandard output\n%s", notice, summary, first.stdout)
	}
	if text, err := os.ReadFile(filepath.Join(root, "rigor.prom")); err != nil || !strings.Contains(string(text), "rigor_run_") {
		t.Errorf("the text file: %v\n%.300s", err, text)
	}
	if text, err := os.ReadFile(filepath.Join(root, "output")); !regexp.MustCompile(`^name=(\S+-virtual)\nbundle=/.*-virtual\n$`).Match(text) {
		t.Errorf("output %q, %v", text, err)
	}
	lowerThePast(t, root)
	second, notice, summary := aNight(t, root, least...)
	second.want(t, exitWanting, "came to a worse level", "goroutine-switch by firmware on f407 worse")
	if !strings.Contains(notice, "1 of them worse") || !strings.Contains(summary, "**worse**") {
		t.Errorf("notice %q, summary\n%s", notice, summary)
	}
	checkNightlyJSON(t, root)
}

// lowerThePast takes a cycle off the only run's goroutine switch, and makes the run a day
// older.
func lowerThePast(t *testing.T, root string) {
	t.Helper()
	runs, err := filepath.Glob(filepath.Join(root, "results", "runs", "*"))
	if err != nil || len(runs) != 1 {
		t.Fatalf("runs %q, %v", runs, err)
	}
	b, err := record.Open(runs[0])
	if err != nil {
		t.Fatal(err)
	}
	err = b.Update(func(r *record.Run) error {
		r.Started = r.Started.AddDate(0, 0, -1)
		for i := range r.Experiments {
			for k := range r.Experiments[i].Measurements {
				if m := &r.Experiments[i].Measurements[k]; m.Quantity == "goroutine-switch" && m.Source == "firmware" && m.CoreHz == 16e6 {
					m.Summary.Median.Value--
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func checkNightlyJSON(t *testing.T, root string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "results", "runs", "*", "nightly.json"))
	if err != nil || len(files) != 2 {
		t.Fatalf("%q, %v, want one a night", files, err)
	}
	text, err := os.ReadFile(files[1])
	if err != nil {
		t.Fatal(err)
	}
	var got finding
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if len(got.News) != 1 || got.Status != exitOK || got.News[0].Quantity != "goroutine-switch" || got.News[0].After-got.News[0].Before != 1 {
		t.Errorf("%s", text)
	}
}

// A run that takes too long is ended, and the rest of the night goes on.
func TestNightlyEndsARun(t *testing.T) {
	root := checkout(t, nil)
	o, notice, _ := aNight(t, root, append([]string{"--within", "1s"}, least[:3]...)...)
	o.want(t, exitSetup, "step run: ended after 1s; --within allows more")
	if !regexp.MustCompile(`^(INCOMPLETE|FAIL) virtual: `).MatchString(notice) {
		t.Errorf("notice %q", notice)
	}
}

func TestNightlySaysWhatFails(t *testing.T) {
	root := empty(t)
	rigs := original(t, "rigs.yaml")
	if err := os.WriteFile(filepath.Join(root, "rigs.yaml"), []byte(rigs), 0o644); err != nil {
		t.Fatal(err)
	}
	o, notice, summary := aNight(t, root)
	o.want(t, exitSetup, "step judge", "the run left nothing to judge", "step prune", "retention.yaml")
	if want := "FAIL virtual: the nightly run left no bundle"; !strings.HasPrefix(notice, want) || !strings.Contains(summary, want) {
		t.Errorf("notice %q, summary %q", notice, summary)
	}
	in(t, root, "nightly", "--notify", "cat > /dev/null; exit 3", "--keep").want(t, exitSetup, "step publish", "exit status 3")
	in(t, root, "nightly", "--rig", "nowhere").want(t, exitSetup, "nowhere")
	in(t, root, "nightly", "--", "--rig=other").want(t, exitSetup, "--rig after --: nightly gives it")
}
