package history

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rigor/harness/record"
)

func TestPolicy(t *testing.T) {
	now := time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC)
	p := Policy{KeepDays: 7, KeepLast: 2, KeepFailedDays: 30, KeepMonthly: 3}
	rests := map[string]bool{"old and accepted": true}
	alive := func(r Run) bool { return r.Name == "goes on" }
	run := func(rig, name string, days int, status record.Status, blocking int) Run {
		return Run{Name: name, Rig: record.Rig{Name: rig}, Status: status, Started: now.AddDate(0, 0, -days), Blocking: blocking}
	}
	cases := []struct {
		run  Run
		keep string
	}{
		{run("lab", "tonight", 0, record.Complete, 0), "newest 2"},
		{run("lab", "last night", 1, record.Complete, 0), "newest 2"},
		{run("desk", "the only one of its rig", 6, record.Failed, 0), "newest 2"},
		{run("lab", "a failure of this week", 6, record.Complete, 1), "younger than 7 days"},
		{run("lab", "a week and a moment old", 7, record.Complete, 0), ""},
		{run("lab", "a failure of this month", 8, record.Complete, 1), "fail, and younger than 30 days"},
		{run("lab", "killed this month", 9, record.Running, 0), "incomplete, and younger than 30 days"},
		{run("lab", "goes on", 31, record.Running, 0), "goes on"},
		{run("lab", "an old failure", 32, record.Failed, 0), ""},
		{run("lab", "the last of October", 33, record.Complete, 0), "in 2026-10"},
		{run("lab", "not the last of October", 34, record.Complete, 0), ""},
		{run("lab", "the last of September, a failure", 70, record.Complete, 3), "in 2026-09"},
		{run("lab", "the last of August, too old", 93, record.Complete, 0), ""},
		{run("lab", "old and accepted", 900, record.Complete, 0), "baseline rests on it"},
	}
	var runs []Run
	for _, c := range cases {
		runs = append(runs, c.run)
	}
	for i, f := range p.Fates(runs, rests, alive, now) {
		if want := cases[i].keep; !strings.Contains(f.Keep, want) || (f.Keep == "") != (want == "") {
			t.Errorf("%s: kept by %q, want %q", f.Name, f.Keep, want)
		}
	}
}

func TestLoadPolicy(t *testing.T) {
	const good = "keep_days: 30\nkeep_last: 20\nkeep_failed_days: 90\nkeep_monthly: 24\n"
	for _, c := range []struct{ name, text, problem string }{
		{"good", good, ""},
		{"a rule is missing", strings.Replace(good, "keep_monthly: 24\n", "", 1), "keep_monthly is missing"},
		{"negative", strings.Replace(good, "30", "-1", 1), ":1: keep_days: -1"},
		{"no run at all", strings.Replace(good, "20", "0", 1), ":2: keep_last"},
		{"an unknown rule", good + "keep_weekly: 1\n", "unknown key keep_weekly"},
		{"no number", strings.Replace(good, "30", "month", 1), ":1: "},
		{"empty", "", "empty"},
	} {
		path := filepath.Join(t.TempDir(), "retention.yaml")
		if err := os.WriteFile(path, []byte(c.text), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := LoadPolicy(path)
		if (err == nil) != (c.problem == "") || err != nil && !strings.Contains(err.Error(), c.problem) {
			t.Errorf("%s: %v, want %q", c.name, err, c.problem)
		}
	}
	if _, err := LoadPolicy("../../results/retention.yaml"); err != nil {
		t.Errorf("the project's own: %v", err)
	}
}
