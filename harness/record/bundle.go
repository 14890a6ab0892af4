package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"rigor/harness/judge"
	"rigor/harness/measure"
	"rigor/harness/timebase"
	"rigor/harness/wholefile"
	"rigor/probes"
)

// The files and folders of a bundle.
const (
	RunFile     = "run.json"
	BenchFile   = "bench.txt"
	JUnitFile   = "junit.xml"
	MetricsFile = "metrics.prom"
	ReportFile  = "report.html"
	EventsFile  = "events.jsonl" // progress, as it came
	RigsFile    = "rigs.yaml"    // as the run read it
	LimitsFile  = "limits.yaml"  // as the run read it

	FirmwareDir = "firmware" // the images that the run opened, with their manifest

	samplesDir = "samples"
	tracesDir  = "traces"
	consoleDir = "console"
	plotsDir   = "plots"
	lockFile   = ".lock"
)

// ErrTaken is a folder that cannot be a new bundle.
var ErrTaken = errors.New("already holds a run")

// Bundle is a run's folder, open for adding to it.
type Bundle struct{ dir string }

// Name is the folder's name for a run begun at t.
func Name(t time.Time, rig string) string {
	return t.UTC().Format("20060102T150405Z") + "-" + slug(rig)
}

// Create makes the folder dir and begins the run in it. The run's schema and
// status are set here. A folder that already holds a run is [ErrTaken].
func Create(dir string, r Run) (*Bundle, error) {
	for _, sub := range []string{FirmwareDir, samplesDir, tracesDir, consoleDir, plotsDir} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return nil, fmt.Errorf("create bundle: %w", err)
		}
	}
	b := &Bundle{dir}
	err := b.locked(func() error {
		if exists(filepath.Join(dir, RunFile)) {
			return fmt.Errorf("%s %w", dir, ErrTaken)
		}
		r.Schema, r.Status = Schema, Running
		return b.write(&r)
	})
	if err != nil {
		return nil, fmt.Errorf("create bundle: %w", err)
	}
	return b, nil
}

// Open opens the bundle at dir to add to it.
func Open(dir string) (*Bundle, error) {
	if _, err := Load(dir); err != nil {
		return nil, err
	}
	return &Bundle{dir}, nil
}

// Dir is the bundle's folder.
func (b *Bundle) Dir() string { return b.dir }

// Update changes the run and makes the change visible as a whole.
func (b *Bundle) Update(change func(*Run) error) error {
	return b.locked(func() error {
		r, err := Load(b.dir)
		if err != nil {
			return err
		}
		if err := change(r); err != nil {
			return err
		}
		return b.write(r)
	})
}

// Add records an experiment with the samples of its measurements.
func (b *Bundle) Add(e Experiment) error {
	err := b.Update(func(r *Run) error {
		e.Measurements = slices.Clone(e.Measurements)
		for i := range e.Measurements {
			if err := b.addSample(r, e, i); err != nil {
				return err
			}
		}
		r.insert(e)
		return nil
	})
	if err != nil {
		return fmt.Errorf("record %s %q: %w", e.Suite, e.Name, err)
	}
	return nil
}

// Finish ends the run.
func (b *Bundle) Finish(s Status, ended time.Time) error {
	return b.Update(func(r *Run) error {
		r.Status, r.Ended = s, ended.UTC()
		return nil
	})
}

// WriteFile puts a file made from the run into the bundle, as a whole.
func (b *Bundle) WriteFile(name string, write func(io.Writer) error) error {
	return wholefile.Write(filepath.Join(b.dir, name), write)
}

// Plot writes plots/NAME.svg, in place of an earlier one, and gives the file's path below
// the bundle's folder.
func (b *Bundle) Plot(name string, write func(io.Writer) error) (file string, err error) {
	file = filepath.Join(plotsDir, slug(name)+".svg")
	return file, b.WriteFile(file, write)
}

// Trace keeps a capture as traces/NAME.vcd, numbered if there is one of that name
// already, and gives the file's path below the bundle's folder.
func (b *Bundle) Trace(name string, c probes.Capture) (file string, err error) {
	base := filepath.Join(tracesDir, slug(name))
	file = base + ".vcd"
	for n := 2; exists(filepath.Join(b.dir, file)); n++ {
		file = fmt.Sprintf("%s.%d.vcd", base, n)
	}
	return file, b.WriteFile(file, func(w io.Writer) error { return WriteVCD(w, c, name) })
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// Console opens console/NAME.log to append to.
func (b *Bundle) Console(name string) (io.WriteCloser, error) {
	return os.OpenFile(filepath.Join(b.dir, consoleDir, slug(name)+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
}

// Measured makes the record of a sample that was taken with the core at the
// given rate. Its values are written when the experiment is added.
func Measured(s measure.Sample, core timebase.Rate, sum measure.Summary,
	v []judge.Verdict, c []judge.ClaimResult) Measurement {
	return Measurement{
		Quantity: s.Name, Source: s.Source, Unit: s.Unit, ClockHz: s.Clock, CoreHz: core,
		Overhead: s.Overhead, Resolution: s.Resolution, Assumption: s.Assumption, Summary: sum,
		Verdicts: v, Claims: c, Warnings: s.Warnings, Doubts: s.Doubts, values: s.Values,
	}
}

// locked runs f while no other process changes the bundle.
func (b *Bundle) locked(f func() error) error {
	file, err := os.OpenFile(filepath.Join(b.dir, lockFile), os.O_CREATE|os.O_RDWR, 0o644)
	if err == nil {
		defer file.Close() // releases the lock
		err = lock(file, unix.LOCK_EX)
	}
	if err != nil {
		return fmt.Errorf("lock bundle: %w", err)
	}
	return f()
}

// lock takes a lock that the kernel holds as long as the file is open.
func lock(f *os.File, how int) error {
	for {
		if err := unix.Flock(int(f.Fd()), how); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// write makes a state of the run visible; run.json comes last, since it is what
// a reader believes.
func (b *Bundle) write(r *Run) error {
	r.SamplesDigest = r.digest()
	if err := b.WriteFile(BenchFile, r.WriteBench); err != nil {
		return err
	}
	return b.WriteFile(RunFile, func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return e.Encode(r)
	})
}

// slug makes text fit for a file name or a part of a benchmark's name.
func slug(text string) string {
	keep := func(r rune) bool { return r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '.' || r == '_' }
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !keep(r) })
	return strings.Trim(strings.Join(words, "-"), ".")
}
