package faults

import (
	"fmt"
	"time"

	"rigor/harness/sim/clock"
)

// Verdict is what a fault leads to.
type Verdict uint8

// Verdicts.
const (
	RunsOld Verdict = iota // the device comes up with the old image, and takes the update
	RunsNew                // it comes up with the new image, and keeps it
	Refuses                // it comes up with neither, and says so: right only after damage
	Fails                  // anything else
	numVerdicts
)

func (v Verdict) String() string {
	return [...]string{"old", "new", "refuses", "fails"}[v]
}

// Tally counts cuts, by how far the operation got and what they lead to.
type Tally [numHows][numVerdicts]int

// Add adds another tally.
func (t *Tally) Add(o *Tally) {
	for h := range t {
		for v := range t[h] {
			t[h][v] += o[h][v]
		}
	}
}

// Of is how many led to v.
func (t *Tally) Of(v Verdict) (n int) {
	for h := range t {
		n += t[h][v]
	}
	return n
}

// Total is how many there are.
func (t *Tally) Total() (n int) {
	for v := range numVerdicts {
		n += t.Of(v)
	}
	return n
}

// Result is what came out.
type Result struct {
	// Closed says that every state that cuts can lead to was tried, however many
	// cuts it takes, but for those beyond the horizon.
	Closed bool
	Cuts   Tally // fault points: a state, an operation, and how far it got
	// Repeated points are of operations that had been cut in the very same state.
	Repeated  int
	States    int   // different contents of flash in which an operation was cut
	Levels    []int // classes found after no cut, after one, two and so on
	Beyond    int   // classes beyond the horizon, judged but not cut
	Splits    int   // recoveries whose states had to be told apart by what they do not read
	Boots     int   // different boots executed
	Executed  int   // different recoveries executed
	Rechecked int   // points executed again, without what was known
	// Others counts the other faults, by verdict.
	Others map[Kind][numVerdicts]int
	// Timeline is the update without faults, operation by operation.
	Timeline []Point
	Failures []Failure // the first few
	Failed   int       // how many there are
	Elapsed  time.Duration
}

// Point is an operation of the update, and what cuts in it lead to.
type Point struct {
	Start, End clock.Time
	Area       string
	Erase      bool
	Off, Len   uint32
	Cuts       Tally
}

// Classes is how many classes of states there are.
func (r *Result) Classes() (n int) {
	for _, l := range r.Levels {
		n += l
	}
	return n
}

// Points is how many fault points were tried, of all kinds.
func (r *Result) Points() int {
	n := r.Cuts.Total()
	for _, o := range r.Others {
		for _, v := range o {
			n += v
		}
	}
	return n
}

// Failure is a counterexample.
type Failure struct {
	Faults Sequence
	Err    error
}

func (f *Failure) Error() string { return fmt.Sprintf("%s: %v", f.Faults, f.Err) }

// Unwrap gives what went wrong.
func (f *Failure) Unwrap() error { return f.Err }

// Spec is the counterexample as a Ginkgo spec.
func (f *Failure) Spec() string {
	return fmt.Sprintf(`It("comes up after %s", func(ctx SpecContext) {
	// %v
	Expect(faults.Replay(ctx, config, %q)).To(Succeed())
})
`, f.Faults, f.Err, f.Faults)
}

// few is how many counterexamples are kept.
const few = 5

func (r *Result) fail(s Sequence, err error) {
	r.Failed++
	if len(r.Failures) < few {
		r.Failures = append(r.Failures, Failure{Faults: s, Err: err})
	}
}

// count adds what a job found.
func (r *Result) count(j *job) {
	for i := range j.findings.tallies {
		t := &j.findings.tallies[i]
		r.Cuts.Add(t)
		if at := j.from + i; j.c.depth == 0 && at < len(r.Timeline) {
			r.Timeline[at].Cuts = *t
		}
	}
	r.Repeated += j.findings.repeated
}
