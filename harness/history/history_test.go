package history

import (
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"rigor/harness/judge"
	"rigor/harness/judge/change"
	"rigor/harness/measure"
	"rigor/harness/record"
	"rigor/harness/rig"
)

// night is when the first synthetic run begins; each later one begins a day after.
var night = time.Date(2026, 11, 2, 2, 0, 0, 0, time.UTC)

// spec is a synthetic run.
type spec struct {
	rig, kind string // lab, hardware
	firmware  string // digest: "f1"
	harness   string // "h1"
	values    []int64
	repeats   int      // of the experiment beyond the first
	doubts    []string // of the sample
	attempts  []record.Attempt
	skipped   string
	replay    string // the bundle that it repeats
	trial     bool
	change    change.Verdict
	killed    bool
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// add records a run as bundle name begun at the given time.
func add(t testing.TB, runs, name string, at time.Time, s spec) {
	t.Helper()
	b, err := record.Create(filepath.Join(runs, name), record.Run{
		Harness: or(s.harness, "h1"), Rig: record.Rig{Name: or(s.rig, "lab"), Kind: or(s.kind, "hardware")}, Started: at,
		Invocation: &record.Invocation{ReplayOf: s.replay, Trial: s.trial},
		Boards:     []record.Board{{Name: "f407", Chip: "stm32f407", ID: "0x413"}, {Name: "c3", Chip: "esp32c3"}},
		Firmware:   []record.Firmware{{Program: "latency", Target: "stm32f407", Digest: or(s.firmware, "f1"), Toolchain: "tinygo"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range s.repeats + 1 {
		if err := b.Add(experiment(s, at, int64(i))); err != nil {
			t.Fatal(err)
		}
	}
	if s.killed {
		return
	}
	if err := b.Finish(record.Complete, at.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
}

// experiment is the question that every synthetic run asks; each repeat's values are one more.
func experiment(s spec, at time.Time, repeat int64) record.Experiment {
	e := record.Experiment{Suite: "latency", Name: "switch", Board: "f407", Firmware: or(s.firmware, "f1"), Attempts: s.attempts, Skipped: s.skipped}
	if s.attempts == nil && s.skipped == "" {
		e.Attempts = []record.Attempt{{Started: at, Took: time.Second}}
	}
	if s.values == nil {
		return e
	}
	sample := measure.Sample{Name: measure.GoroutineSwitch, Source: measure.Firmware, Unit: measure.Cycles, Clock: 16e6, Doubts: s.doubts}
	for _, v := range s.values {
		sample.Values = append(sample.Values, v+repeat)
	}
	verdicts := []judge.Verdict{{Outcome: judge.Pass, Statistic: measure.Median, Limit: "p50 <= 200 cycles"}, {Reason: judge.NoLimit}}
	e.Measurements = []record.Measurement{record.Measured(sample, 16e6, measure.Summarize(sample), verdicts, nil)}
	if s.change != "" {
		e.Measurements[0].Change = &change.Change{Verdict: s.change}
	}
	return e
}

// name is the folder of the n-th night's run.
func name(n int) string { return record.Name(night.AddDate(0, 0, n), "lab") }

// nights records a run a night with the given values.
func nights(t testing.TB, runs string, values ...int64) {
	t.Helper()
	for i, v := range values {
		add(t, runs, name(i), night.AddDate(0, 0, i), spec{values: []int64{v, v, v}})
	}
}

// open opens an index in a new folder and takes in runs.
func open(t testing.TB, runs string) *Index {
	t.Helper()
	x, err := Open(filepath.Join(t.TempDir(), File), func(text string) { t.Errorf("notice: %s", text) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.Close() })
	if _, err := x.Sync(t.Context(), runs); err != nil {
		t.Fatal(err)
	}
	return x
}

// medians are the values of the only figure.
func medians(t *testing.T, x *Index) (all []int64) {
	t.Helper()
	fs, err := x.Figures(t.Context(), Pattern{})
	if err != nil || len(fs) != 1 {
		t.Fatalf("%d figures, %v, want 1", len(fs), err)
	}
	points, err := x.Series(t.Context(), fs[0], measure.Median)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range points {
		all = append(all, p.Value)
	}
	return all
}

func TestSync(t *testing.T) {
	runs := t.TempDir()
	x := open(t, runs)
	see := func(when string, want Synced) {
		t.Helper()
		got, err := x.Sync(t.Context(), runs)
		if got.Unreadable == nil {
			got.Unreadable = want.Unreadable[:0:0]
		}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v, want %+v", when, got, err, want)
		}
	}
	see("no runs", Synced{})
	nights(t, runs, 160, 161)
	see("two runs", Synced{Added: 2})
	see("nothing new", Synced{})
	add(t, runs, name(2), night.AddDate(0, 0, 2), spec{values: []int64{162}, killed: true})
	see("one goes on", Synced{Added: 1})
	b, err := record.Open(filepath.Join(runs, name(2)))
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Finish(record.Complete, night.AddDate(0, 0, 3)); err != nil {
		t.Fatal(err)
	}
	see("it has ended", Synced{Updated: 1})
	if err := os.RemoveAll(filepath.Join(runs, name(0))); err != nil {
		t.Fatal(err)
	}
	see("one is removed", Synced{Removed: 1})
	if got, want := medians(t, x), []int64{161, 162}; !reflect.DeepEqual(got, want) {
		t.Errorf("medians %d, want %d", got, want)
	}
	if got, err := x.Sync(t.Context(), filepath.Join(runs, "nowhere")); err != nil || got.Removed != 2 {
		t.Errorf("without a folder: %+v, %v, want 2 removed", got, err)
	}
}

// What lies among bundles and is none, or is one that cannot be read.
func TestSyncPassesOver(t *testing.T) {
	runs := t.TempDir()
	nights(t, runs, 160)
	write := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Join(runs, filepath.Dir(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(runs, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("notes.txt", "not a folder")
	write("foreign/data.csv", "1,2")
	write("half/.run.json.123", "{")
	write("folder/run.json/x", "")
	write("cut/run.json", `{"schema": 1, "harness`)
	write("newer/run.json", fmt.Sprintf(`{"schema": %d}`, record.Schema+1))
	write("other/run.json", `{"name": "jogging"}`)
	write("text/run.json", "good run today")
	write(".hidden/run.json", "{}")
	write("absurd/run.json", `{"schema": 1, "rig": {"name": "lab"}, "boards": [{"name": "f407"}, {"name": "f407"}], "experiments": [{"suite": "latency", "measurements":
		[{"quantity": "pin-echo", "summary": {"n": 1}}, {"quantity": "pin-echo", "core_hz": 18000000000000000000, "summary": {"n": 1}}]}]}`)
	write("twice/run.json", `{"schema": 1, "rig": {"name": "lab"}, "boards": [{"name": "f407"}, {"name": "f407"}], "experiments": [{"suite": "latency"}, {"suite": "latency"}]}`)
	x := open(t, runs)
	got, err := x.Unreadable(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"absurd": "18000000000000000000 Hz", "cut": "ends too early", "newer": "newer rigor", "other": "not written by rigor", "text": "not written by rigor"}
	if len(got) != len(want) {
		t.Errorf("unreadable: %+v, want %d of them", got, len(want))
	}
	for _, p := range got {
		if !strings.Contains(p.Reason, want[p.Name]) || want[p.Name] == "" {
			t.Errorf("%s: %q, want %q", p.Name, p.Reason, want[p.Name])
		}
	}
	add(t, runs, "20261201T000000Z-lab", night, spec{})
	if err := os.Rename(filepath.Join(runs, "20261201T000000Z-lab", record.RunFile), filepath.Join(runs, "cut", record.RunFile)); err != nil {
		t.Fatal(err)
	}
	if s, err := x.Sync(t.Context(), runs); err != nil || s.Updated != 1 || len(s.Unreadable) != 4 {
		t.Errorf("once mended: %+v, %v", s, err)
	}
}

// Whatever the database's file has become, the index is made anew from the bundles.
func TestUnusableDatabase(t *testing.T) {
	runs := t.TempDir()
	nights(t, runs, 160, 161)
	for _, c := range []struct {
		name   string
		damage func(path string) error
		notice string
	}{
		{"text", func(path string) error {
			return os.WriteFile(path, []byte(strings.Repeat("not a database\n", 1000)), 0o644)
		}, "not a database"},
		{"pages overwritten", overwritten, "malformed"},
		{"cut off", func(path string) error { return os.Truncate(path, 8192) }, "malformed"},
		{"empty", func(path string) error { return os.Truncate(path, 0) }, ""},
		{"removed", os.Remove, ""},
		{"of another version", execute("PRAGMA user_version = 99"), "version 99"},
		{"of another program", execute("PRAGMA application_id = 7"), "another program"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var notices []string
			path := filepath.Join(t.TempDir(), File)
			x, err := Open(path, func(text string) { notices = append(notices, text) })
			if err != nil {
				t.Fatal(err)
			}
			defer x.Close()
			if _, err := x.Sync(t.Context(), runs); err != nil {
				t.Fatal(err)
			}
			if err := c.damage(path); err != nil {
				t.Fatal(err)
			}
			s, err := x.Sync(t.Context(), runs)
			if err != nil || s.Added != 2 {
				t.Fatalf("%+v, %v, want both runs added again", s, err)
			}
			if got := medians(t, x); !reflect.DeepEqual(got, []int64{160, 161}) {
				t.Errorf("medians %d", got)
			}
			if told := strings.Join(notices, "\n"); !strings.Contains(told, c.notice) || (told == "") != (c.notice == "") {
				t.Errorf("told %q, want %q", told, c.notice)
			}
			if _, err := os.Stat(path + ".old"); (err == nil) != (c.notice != "" && c.name != "of another version") {
				t.Errorf("what was there before: %v", err)
			}
		})
	}
}

// overwritten spoils all but the first page, which says what the file is.
func overwritten(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	for i := 4096; i < len(text); i++ {
		text[i] = 0xA5
	}
	return os.WriteFile(path, text, 0o644)
}

func execute(text string) func(string) error {
	return func(path string) error {
		db, err := sql.Open("sqlite", path)
		if err != nil {
			return err
		}
		_, err = db.Exec(text)
		return errors.Join(err, db.Close())
	}
}

// Several indexes on one file stand for several processes: nothing is shared between them
// but the file and its lock.
func TestManyAtOnce(t *testing.T) {
	runs, path := t.TempDir(), filepath.Join(t.TempDir(), File)
	nights(t, runs, 160, 161, 162, 163, 164)
	var all sync.WaitGroup
	for i := range 6 {
		all.Go(func() {
			x, err := Open(path, nil)
			if err != nil {
				t.Error(err)
				return
			}
			defer x.Close()
			for n := range 5 {
				if i == 0 && n == 2 {
					err = overwrittenBetween(x)
				} else if i == 1 {
					_, err = x.Rebuild(t.Context(), runs)
				} else {
					_, err = x.Sync(t.Context(), runs)
				}
				if err != nil {
					t.Error(err)
				}
				if _, err := x.Boards(t.Context(), time.Time{}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	x, err := Open(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	if _, err := x.Sync(t.Context(), runs); err != nil {
		t.Fatal(err)
	}
	if got := medians(t, x); len(got) != 5 {
		t.Errorf("medians %d, want 5", got)
	}
}

// overwrittenBetween spoils the database while no process uses it.
func overwrittenBetween(x *Index) error {
	return x.locked(syscall.LOCK_EX, func() error { return overwritten(x.path) })
}

func TestRuns(t *testing.T) {
	runs := t.TempDir()
	nights(t, runs, 160, 161, 162)
	tried := []record.Attempt{{Started: night, Failure: &record.Failure{Class: rig.Rig, Message: "port gone"}}, {Started: night.Add(time.Second)}}
	add(t, runs, "20261130T020000Z-desk", night.AddDate(0, 0, 28), spec{rig: "desk", attempts: tried, values: []int64{1}, killed: true, change: change.Worse})
	x := open(t, runs)
	for _, c := range []struct {
		name string
		Filter
		want []string
	}{
		{"all", Filter{}, []string{"20261130T020000Z-desk", name(2), name(1), name(0)}},
		{"of a rig", Filter{Rig: "lab"}, []string{name(2), name(1), name(0)}},
		{"the newest", Filter{Rig: "lab", Limit: 1}, []string{name(2)}},
		{"the next page", Filter{Limit: 2, Offset: 1}, []string{name(2), name(1)}},
		{"that were killed", Filter{Status: record.Running}, []string{"20261130T020000Z-desk"}},
		{"since", Filter{Rig: "lab", Since: night.AddDate(0, 0, 1)}, []string{name(2), name(1)}},
		{"until", Filter{Until: night.AddDate(0, 0, 1)}, []string{name(0)}},
		{"with a board that is not there", Filter{Board: "k210"}, nil},
		{"with a board", Filter{Board: "c3", Limit: 1}, []string{"20261130T020000Z-desk"}},
	} {
		all, err := x.Runs(t.Context(), c.Filter)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		var got []string
		for _, r := range all {
			got = append(got, r.Name)
		}
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	if n, err := x.Count(t.Context(), Filter{Rig: "lab", Limit: 1}); err != nil || n != 3 {
		t.Errorf("%d runs of the rig, %v, want 3", n, err)
	}
	got, err := x.Run(t.Context(), "20261130T020000Z-desk")
	if err != nil || got.Verdict() != Incomplete || got.Flaky != 1 || got.Answered != 1 || got.Pass != 1 || got.Unlimited != 1 || got.Worse != 1 || got.Better != 0 {
		t.Errorf("%+v, %v", got, err)
	}
	if len(got.Boards) != 2 || got.Boards[0].ID != "0x413" || len(got.Firmware) != 1 || got.Firmware[0].Digest != "f1" {
		t.Errorf("boards %+v, images %+v", got.Boards, got.Firmware)
	}
	if _, err := x.Run(t.Context(), "none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a run that is not there: %v", err)
	}
}

func TestSeries(t *testing.T) {
	runs := t.TempDir()
	add(t, runs, name(0), night, spec{values: []int64{10, 20, 30}, repeats: 2})
	add(t, runs, name(1), night.AddDate(0, 0, 1), spec{values: []int64{40}, doubts: []string{"lost edges"}, firmware: "f2", harness: "h2", change: change.Better})
	failed := []record.Attempt{{Started: night, Failure: &record.Failure{Class: rig.Firmware, Message: "witnesses disagree"}}}
	add(t, runs, name(2), night.AddDate(0, 0, 2), spec{values: []int64{50}, attempts: failed, killed: true})
	add(t, runs, name(3), night.AddDate(0, 0, 3), spec{values: []int64{9}, replay: name(0)})
	add(t, runs, name(4), night.AddDate(0, 0, 4), spec{values: []int64{9}, trial: true})
	x := open(t, runs)
	fs, err := x.Figures(t.Context(), Pattern{Rig: "l*", Suite: "latency", Quantity: "goroutine-*", Board: "f40[0-9]", Source: measure.Firmware, CoreHz: 16e6})
	if err != nil || len(fs) != 1 {
		t.Fatalf("%+v, %v", fs, err)
	}
	f := fs[0]
	if f.Runs != 3 || !f.First.Equal(night) || !f.Last.Equal(night.AddDate(0, 0, 2)) || f.Unit != measure.Cycles || f.Experiment != "switch" {
		t.Errorf("figure %+v", f)
	}
	got, err := x.Series(t.Context(), f, measure.Max)
	if err != nil {
		t.Fatal(err)
	}
	want := []Point{
		{Run: name(0), Status: record.Complete, Time: night, Value: 31, Lo: 30, Hi: 32, Repeats: []int64{30, 31, 32}, N: 9, Outcome: "pass", Harness: "h1", Firmware: "f1"},
		{Run: name(1), Status: record.Complete, Time: night.AddDate(0, 0, 1), Value: 40, Lo: 40, Hi: 40, N: 1, Outcome: "pass", Change: change.Better, Doubt: "lost edges", Harness: "h2", Firmware: "f2"},
		{Run: name(2), Status: record.Running, Time: night.AddDate(0, 0, 2), Value: 50, Lo: 50, Hi: 50, N: 1, Outcome: "pass",
			Doubt: "the experiment failed: witnesses disagree", Harness: "h1", Firmware: "f1"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
	if _, err := x.Series(t.Context(), f, "mode"); err == nil {
		t.Error("a statistic that is none is taken")
	}
	if fs, err := x.Figures(t.Context(), Pattern{Source: measure.Probe}); err != nil || fs != nil {
		t.Errorf("of a source that measured nothing: %+v, %v", fs, err)
	}
}
