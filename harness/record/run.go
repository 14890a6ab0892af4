package record

import (
	"cmp"
	"slices"
	"time"

	"rigor/harness/judge"
	"rigor/harness/judge/change"
	"rigor/harness/measure"
	"rigor/harness/rig"
	"rigor/harness/timebase"
	"rigor/probes"
)

// Schema is the version of run.json that this package writes. It changes
// whenever an older reader would misread the file.
const Schema = 1

// Status says how far a run got.
type Status string

// The states of a run. A killed run stays Running, which no finished one is.
const (
	Running     Status = "running"     // not complete: still going, or killed
	Complete    Status = "complete"    // all that was asked for was run
	Interrupted Status = "interrupted" // the user ended it
	Failed      Status = "failed"      // the rig or the harness ended it
)

// Run is the content of run.json.
type Run struct {
	Schema        int               `json:"schema"`
	Harness       string            `json:"harness"`           // version
	Sources       string            `json:"sources,omitempty"` // version of the checkout that the suites were built from
	Invocation    *Invocation       `json:"invocation,omitempty"`
	Rig           Rig               `json:"rig"`
	Host          Host              `json:"host"`
	Status        Status            `json:"status"`
	Started       time.Time         `json:"started"`
	Ended         time.Time         `json:"ended,omitzero"`
	Seeds         map[string]uint64 `json:"seeds,omitempty"` // what each was for
	Boards        []Board           `json:"boards"`
	SelfTests     []SelfTest        `json:"self_tests,omitempty"` // of the boards' probes
	Firmware      []Firmware        `json:"firmware"`
	Experiments   []Experiment      `json:"experiments"`
	Missing       []judge.Verdict   `json:"missing,omitempty"`    // required limits that nothing was measured for
	Quarantine    []judge.Isolation `json:"quarantine,omitempty"` // the entries about what could have been asked
	Warnings      []string          `json:"warnings,omitempty"`
	Work          []Work            `json:"work,omitempty"`
	Plots         []Plot            `json:"plots,omitempty"`
	SamplesDigest string            `json:"samples_digest"`
	Carried       map[string]string `json:"carried,omitempty"` // SHA-256 of the files that a replay needs, by their paths in the bundle

	dir string
}

// Invocation is what was asked for.
type Invocation struct {
	Suites   []string `json:"suites"`
	Boards   []string `json:"boards"`
	Label    string   `json:"label,omitempty"` // a filter
	Repeat   int      `json:"repeat"`
	Thorough bool     `json:"thorough,omitempty"`
	Whole    bool     `json:"whole,omitempty"`     // nothing was left out, so that what is required must be there
	Firmware string   `json:"firmware,omitempty"`  // folder of the images; empty: those of the harness
	ReplayOf string   `json:"replay_of,omitempty"` // name of the bundle
	Trial    bool     `json:"trial,omitempty"`     // of one state among others, as rigor ab asks: says nothing of the rig's day
}

// Rig names what the run ran on.
type Rig struct {
	Name string `json:"name"`
	Kind string `json:"kind"` // hardware or virtual
}

// Host is the machine that ran the harness.
type Host struct {
	OS   string `json:"os"`
	Arch string `json:"arch"`
	CPUs int    `json:"cpus"`
	Go   string `json:"go"`
}

// Board is a board of the rig.
type Board struct {
	Name string `json:"name"`
	Chip string `json:"chip"`
	ID   string `json:"id,omitempty"` // the chip's own identification, as its loader gave it
}

// SelfTest is what came back on one loop of a board's probe, before the board's
// first experiment.
type SelfTest struct {
	Board  string        `json:"board"`
	Loop   probes.Line   `json:"loop"`
	Report probes.Report `json:"report"`
}

// Plot is a picture made of the run's samples.
type Plot struct {
	Title string `json:"title"`
	Board string `json:"board"`
	File  string `json:"file"` // below the bundle's folder
}

// Firmware is an image that was flashed.
type Firmware struct {
	Program      string `json:"program"`
	Target       string `json:"target"`        // what it was built for
	Digest       string `json:"digest"`        // SHA-256 of the image, hexadecimal
	SourceDigest string `json:"source_digest"` // as the manifest and the firmware's greeting give it
	Toolchain    string `json:"toolchain"`
}

// Experiment is one question asked of one board.
type Experiment struct {
	Suite        string        `json:"suite"`
	Name         string        `json:"name"`
	Board        string        `json:"board"`
	Firmware     string        `json:"firmware,omitempty"` // digest, see Run.Firmware
	Attempts     []Attempt     `json:"attempts,omitempty"` // the last one counts
	Skipped      string        `json:"skipped,omitempty"`  // why it was not run
	Trace        string        `json:"trace,omitempty"`    // the last capture's file, below the bundle's folder
	Profile      string        `json:"profile,omitempty"`  // where cycles went in the last attempt, below the bundle's folder
	Measurements []Measurement `json:"measurements,omitempty"`
	Warnings     []string      `json:"warnings,omitempty"`

	// Quarantine is why a failure does not block, if it was in quarantine when it was asked.
	Quarantine *judge.Isolation `json:"quarantine,omitempty"`
}

// Attempt is one try. Only failures of the rig are tried again.
type Attempt struct {
	Started time.Time     `json:"started"`
	Took    time.Duration `json:"took_ns"`          // on the host's clock
	Phases  []Phase       `json:"phases,omitempty"` // one after the other; if it failed, in the last one
	Failure *Failure      `json:"failure,omitempty"`
}

// Phase is a part of an attempt. What there was no need for, such as to flash what is
// on the board already, is none.
type Phase struct {
	Name string        `json:"name"`
	Took time.Duration `json:"took_ns"` // on the host's clock
}

// The phases of an attempt.
const (
	SelfTestPhase = "self-test" // of the board's probe
	FlashPhase    = "flash"
	ObservePhase  = "observe"
	MeasurePhase  = "measure"
	JudgePhase    = "judge"
)

// Failure is why an attempt ended without an answer, or with a bad one.
type Failure struct {
	Class   rig.Class `json:"class"`
	Message string    `json:"message"`
}

// Measurement is one sample, summarised and judged. The values are in File.
type Measurement struct {
	Quantity   string              `json:"quantity"`
	Source     measure.Source      `json:"source"`
	Unit       measure.Unit        `json:"unit"`
	ClockHz    timebase.Rate       `json:"clock_hz,omitempty"`   // that cycles or ticks are counted by
	CoreHz     timebase.Rate       `json:"core_hz,omitempty"`    // of the core while it was measured
	Overhead   int64               `json:"overhead,omitempty"`   // already subtracted, in Unit
	Resolution int64               `json:"resolution,omitempty"` // of each value, in Unit
	Assumption measure.Assumption  `json:"assumption"`
	Summary    measure.Summary     `json:"summary"`
	Verdicts   []judge.Verdict     `json:"verdicts"`
	Claims     []judge.ClaimResult `json:"claims,omitempty"`
	Change     *change.Change      `json:"change,omitempty"` // against the baseline; nil: it has no such figure
	Warnings   []string            `json:"warnings,omitempty"`
	Doubts     []string            `json:"doubts,omitempty"`
	File       string              `json:"file"`   // below the bundle's folder
	Digest     string              `json:"digest"` // of the sample's values, see results/README.md

	values []int64
}

// Work is what a suite on a board took of the host.
type Work struct {
	Suite string        `json:"suite"`
	Board string        `json:"board"`
	Took  time.Duration `json:"took_ns"` // on the host's clock, as long as the board was open

	// Of virtual boards only: the instructions of the chip's cores, and how much
	// of the board's own time went by.
	Instructions uint64        `json:"instructions,omitempty"`
	Simulated    time.Duration `json:"simulated_ns,omitempty"`
}

// NoteWork records what a suite took.
func (r *Run) NoteWork(w Work) { r.Work = append(r.Work, w) }

// NoteBoard records a board, or what has become known of it.
func (r *Run) NoteBoard(b Board) {
	i := slices.IndexFunc(r.Boards, func(o Board) bool { return o.Name == b.Name })
	if i < 0 {
		r.Boards = append(r.Boards, b)
		return
	}
	r.Boards[i] = b
}

// NoteSelfTest records what a probe showed, once: suites test it anew.
func (r *Run) NoteSelfTest(t SelfTest) {
	if !slices.Contains(r.SelfTests, t) {
		r.SelfTests = append(r.SelfTests, t)
		slices.SortStableFunc(r.SelfTests, func(a, b SelfTest) int { return cmp.Compare(a.Board, b.Board) }) // boards run at once
	}
}

// NoteFirmware records an image once.
func (r *Run) NoteFirmware(f Firmware) {
	if !slices.Contains(r.Firmware, f) {
		r.Firmware = append(r.Firmware, f)
	}
}

// ChipOf gives the chip of a board of the run, or "".
func (r *Run) ChipOf(board string) string {
	for _, b := range r.Boards {
		if b.Name == board {
			return b.Chip
		}
	}
	return ""
}

// Program gives the name of an image of the run by its digest, or "".
func (r *Run) Program(digest string) string {
	for _, f := range r.Firmware {
		if f.Digest == digest {
			return f.Program
		}
	}
	return ""
}

// Outcome says whether an experiment answered its question.
type Outcome string

// The outcomes of experiments.
const (
	Answered Outcome = "answered" // the numbers are there; verdicts judge them
	Broken   Outcome = "failed"   // the last attempt failed
	Skipped  Outcome = "skipped"
)

// Outcome is that of the last attempt.
func (e *Experiment) Outcome() Outcome {
	switch n := len(e.Attempts); {
	case e.Skipped != "":
		return Skipped
	case n > 0 && e.Attempts[n-1].Failure != nil:
		return Broken
	}
	return Answered
}

// Failed reports whether the last attempt failed.
func (e *Experiment) Failed() bool { return e.Outcome() == Broken }

// Part is what a suite found on a board.
func (r *Run) Part(suite, board string) *Run {
	part := &Run{}
	for _, e := range r.Experiments {
		if e.Suite == suite && e.Board == board {
			part.Experiments = append(part.Experiments, e)
		}
	}
	return part
}

// MeasuredOn lists what was measured on a board, without the values.
func (r *Run) MeasuredOn(board string) []judge.Measured {
	var all []judge.Measured
	for _, e := range r.Experiments {
		for _, m := range e.Measurements {
			if e.Board == board {
				all = append(all, judge.Measured{Quantity: m.Quantity, Source: m.Source, Core: m.CoreHz})
			}
		}
	}
	return all
}

// Findings counts what is wrong with the experiment: its failure, and verdicts
// that are Fail or Unset though required.
func (e *Experiment) Findings() int {
	n := one(e.Failed())
	for _, m := range e.Measurements {
		for _, v := range m.Verdicts {
			n += one(v.Blocks())
		}
	}
	return n
}

// Quarantined reports whether something is wrong that does not block, since it is known.
func (e *Experiment) Quarantined() bool { return e.Quarantine != nil && e.Findings() > 0 }

// Expired are the entries of the quarantine that had ended when the run began.
func (r *Run) Expired() (all []judge.Isolation) {
	for _, i := range r.Quarantine {
		if i.Expired(r.Started) {
			all = append(all, i)
		}
	}
	return all
}

// Idle are the entries of the quarantine that are about no experiment of the run.
func (r *Run) Idle() (all []judge.Isolation) {
	for _, i := range r.Quarantine {
		is := func(e Experiment) bool {
			return e.Suite == i.Suite && e.Name == i.Experiment && e.Board == i.Board
		}
		if !slices.ContainsFunc(r.Experiments, is) {
			all = append(all, i)
		}
	}
	return all
}

// Blocking counts what fails the run: the findings of experiments that are not in
// quarantine, quarantine that has expired, required limits that nothing was measured for.
func (r *Run) Blocking() int {
	n := len(r.Expired())
	for _, v := range r.Missing {
		n += one(v.Blocks())
	}
	for _, e := range r.Experiments {
		if e.Quarantine == nil {
			n += e.Findings()
		}
	}
	return n
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}
