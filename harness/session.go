package harness

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"rigor/harness/judge"
	"rigor/harness/record"
	"rigor/harness/rig"
)

// Root finds the project's folder, which holds rigs.yaml, suites and results:
// dir or the nearest folder above it with the go.mod of module rigor.
func Root(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	for at := dir; ; at = filepath.Dir(at) {
		text, err := os.ReadFile(filepath.Join(at, "go.mod"))
		if err == nil && strings.HasPrefix(string(text), "module rigor\n") {
			return at, nil
		}
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return "", err
		}
		if at == filepath.Dir(at) {
			return "", fmt.Errorf("%s is not inside a checkout of rigor: go to one, where go.mod and rigs.yaml are", dir)
		}
	}
}

// BaselineFile is where the baseline of a rig is kept.
func BaselineFile(root, rigName string) string {
	return filepath.Join(root, "results", "baseline", rigName+".json")
}

// Baseline reads the baseline of a rig. One that nobody accepted yet is nil.
func Baseline(root, rigName string) (*judge.Baseline, error) {
	b, err := judge.LoadBaseline(BaselineFile(root, rigName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return b, err
}

// Quarantine reads the list of failures that don't block.
func Quarantine(root string) (*judge.Quarantine, error) {
	return judge.LoadQuarantine(filepath.Join(root, "suites", "quarantine.yaml"))
}

// BeginRun begins the run's bundle below the project's results/runs, in a folder
// named by the time and the rig. Of runs that begin in the same second each has
// the next one that is free for its name.
func BeginRun(root string, c *rig.RigConfig, now time.Time) (*record.Bundle, error) {
	for name := now; ; name = name.Add(time.Second) {
		b, err := NewBundle(filepath.Join(root, "results", "runs", record.Name(name, c.Name)), c, now)
		if !errors.Is(err, record.ErrTaken) {
			return b, err
		}
	}
}

// NewBundle begins the run's bundle in dir.
func NewBundle(dir string, c *rig.RigConfig, now time.Time) (*record.Bundle, error) {
	run := record.Run{
		Harness: Version(),
		Rig:     record.Rig{Name: c.Name, Kind: string(c.Kind)},
		Host:    record.Host{OS: runtime.GOOS, Arch: runtime.GOARCH, CPUs: runtime.NumCPU(), Go: runtime.Version()},
		Started: now.UTC(),
		Seeds:   map[string]uint64{},
	}
	for _, b := range c.Boards {
		run.Seeds["board "+b.Name] = b.Seed
		run.NoteBoard(record.Board{Name: b.Name, Chip: b.Chip})
	}
	return record.Create(dir, run)
}

// Sources names the state of the checkout at root, which suites are built from,
// as Version does that of the harness.
func Sources(root string) string {
	git := func(args ...string) (string, error) {
		out, err := exec.Command("git", append([]string{"--no-optional-locks", "-C", root}, args...)...).Output()
		return strings.TrimSpace(string(out)), err
	}
	commit, err := git("rev-parse", "--short=12", "HEAD")
	if err != nil { // not a clone, or no git
		return "unknown"
	}
	if changes, err := git("status", "--porcelain"); err != nil || changes != "" {
		commit += "+changes"
	}
	return commit
}

// Version names the build of the harness: its commit, as far as Go's build
// recorded it.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	commit, dirty := "unknown", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			commit = s.Value[:min(12, len(s.Value))]
		case s.Key == "vcs.modified" && s.Value == "true":
			dirty = "+changes"
		}
	}
	return commit + dirty
}
