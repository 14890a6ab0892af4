package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"rigor/harness/judge"
	"rigor/harness/judge/change"
	"rigor/harness/measure"
	"rigor/harness/record"
	"rigor/harness/rig"
)

// Finding is something that a reader should look at first, worst first.
type Finding struct {
	Class      rig.Class // whose it is; "" of nobody in particular
	Fails      bool      // the run
	Where      string    // suite/experiment on board, or what is missing
	What       string    // one line
	Why        string    // the limit's reason, or the rest of a message
	Quarantine string    // why it doesn't fail the run although it would

	experiment  int // index, -1: none
	measurement int // index in the experiment, -1: none
	again       bool
}

// Findings are what fails the run, what got worse, what was tried again, and what would fail the run if it were not in
// quarantine.
func Findings(r *record.Run) (all []Finding) {
	for _, v := range r.Missing {
		all = append(all, Finding{Class: v.Class, Fails: v.Blocks(), Where: v.Limit, What: v.Reason, Why: v.Because, experiment: -1, measurement: -1})
	}
	for _, i := range r.Expired() {
		all = append(all, Finding{Fails: true, Where: i.Where(), What: fmt.Sprintf("the quarantine expired on %s: %s is to fix it or to say why it goes on", i.Expires, i.Owner),
			Why: i.Reason + " (" + i.Issue + ")", experiment: -1, measurement: -1})
	}
	for i, e := range r.Experiments {
		all = append(all, findingsOf(i, e)...)
	}
	slices.SortStableFunc(all, func(a, b Finding) int { return cmp.Compare(a.rank(), b.rank()) })
	return all
}

// findingsOf are those of the i-th experiment.
func findingsOf(i int, e record.Experiment) (all []Finding) {
	add := func(f Finding) {
		f.Where, f.experiment = place(e), i
		if e.Quarantine != nil && f.Fails {
			f.Fails, f.Quarantine = false, e.Quarantine.String()
		}
		all = append(all, f)
	}
	if n := len(e.Attempts); n > 1 && !e.Failed() && e.Attempts[n-2].Failure != nil {
		f := e.Attempts[n-2].Failure
		add(Finding{Class: f.Class, What: fmt.Sprintf("answered at attempt %d; before: %s", n, firstLine(clean([]byte(f.Message)))), measurement: -1, again: true})
	}
	if e.Failed() {
		f := e.Attempts[len(e.Attempts)-1].Failure
		message := clean([]byte(f.Message))
		add(Finding{Class: f.Class, Fails: true, What: firstLine(message), Why: rest(message), measurement: -1})
	}
	for k, m := range e.Measurements {
		for _, v := range m.Verdicts {
			if v.Blocks() {
				add(Finding{Class: v.Class, Fails: true, What: about(m, v), Why: v.Because, measurement: k})
			}
		}
	}
	if !slices.ContainsFunc(all, func(f Finding) bool { return !f.again }) { // or else it is looked at anyway
		for k, m := range e.Measurements {
			if c := m.Change; c != nil && c.Verdict == change.Worse {
				add(Finding{What: fmt.Sprintf("%s by %s got worse: %s", m.Quantity, m.Source, transition(m)), Why: c.Reason, measurement: k})
			}
		}
	}
	return all
}

// classes are in the order in which a reader wants to know: what the run is about first.
var classes = []rig.Class{rig.DUT, rig.Firmware, "", rig.Harness, rig.Rig}

// rank is lower for what to look at first.
func (f Finding) rank() int {
	switch {
	case f.Fails:
		return slices.Index(classes, f.Class)
	case f.again:
		return 20
	case f.Quarantine == "":
		return 10
	}
	return 30
}

// place names an experiment.
func place(e record.Experiment) string { return e.Suite + "/" + e.Name + " on " + e.Board }

// about says what a verdict on a measurement rests on, in time too where it is of cycles or ticks.
func about(m record.Measurement, v judge.Verdict) string {
	why := v.Reason
	if e, ok := m.Summary.Estimate(v.Statistic); ok && m.ClockHz != 0 {
		if t, ok := measure.Seconds(e.Value, m.Unit, m.ClockHz); ok {
			is := fmt.Sprintf("%s is %d %s", v.Statistic, e.Value, m.Unit) // as package judge writes it
			why = strings.Replace(why, is, is+" = "+micro(Time(t)), 1)
		}
	}
	return fmt.Sprintf("%s by %s: %s; wanted %s", m.Quantity, m.Source, why, v.Limit)
}

// transition is a change from the baseline in few words: "p50 160 → 162 cycles, +2 cycles, +1.25 %".
func transition(m record.Measurement) string {
	c := m.Change
	write := func(n int64) string { return amount(n, c.Unit, m.ClockHz) }
	text := fmt.Sprintf("%s %s → %s", c.Statistic, bare(write(c.Old.Value), write(c.New.Value)), write(c.New.Value))
	if c.Effect == nil {
		by := write(c.New.Value - c.Old.Value)
		if c.New.Value > c.Old.Value {
			by = "+" + by
		}
		text += ", " + by
	}
	return text + comma(relative(c))
}

// bare is an amount without its unit, if another that follows has the same.
func bare(amount, next string) string {
	n, unit, _ := strings.Cut(amount, " ")
	if strings.HasSuffix(next, " "+unit) {
		return n
	}
	return amount
}

func comma(text string) string {
	if text == "" {
		return ""
	}
	return ", " + text
}

// relative is a change in per cent of the old value, with its interval if values scatter, or "" for next to nothing.
func relative(c *change.Change) string {
	if e := c.Effect; e != nil {
		return fmt.Sprintf("%+.2f %% (%+.2f to %+.2f)", 100*e.Relative, 100*e.Lo, 100*e.Hi)
	}
	percent := 100 * float64(c.New.Value-c.Old.Value) / math.Abs(float64(c.Old.Value))
	if c.Old.Value == 0 || math.Abs(percent) < 0.01 {
		return ""
	}
	return fmt.Sprintf("%+.2f %%", percent)
}

// rest is what follows the first line of a message.
func rest(message string) string {
	first := firstLine(message)
	if len(first) == len(message) {
		return ""
	}
	return message[len(first)+1:]
}

// tally counts what came of a run.
type tally struct {
	Experiments, Failed, Skipped, Retried, Isolated int
	Pass, Fail, Unset, Unlimited                    int
	Changes                                         map[change.Verdict]int
	Blocking                                        map[rig.Class]int
}

func tallyOf(r *record.Run) tally {
	t := tally{Experiments: len(r.Experiments), Changes: map[change.Verdict]int{}, Blocking: map[rig.Class]int{}}
	for _, e := range r.Experiments {
		t.Failed += one(e.Failed())
		t.Skipped += one(e.Outcome() == record.Skipped)
		t.Retried += one(len(e.Attempts) > 1)
		t.Isolated += one(e.Quarantined())
		for _, m := range e.Measurements {
			t.verdicts(m.Verdicts)
			if m.Change != nil {
				t.Changes[m.Change.Verdict]++
			}
		}
	}
	for _, f := range Findings(r) {
		if f.Fails {
			t.Blocking[f.Class]++
		}
	}
	return t
}

func (t *tally) verdicts(all []judge.Verdict) {
	for _, v := range all {
		t.Unlimited += one(v.Reason == judge.NoLimit)
		t.Pass += one(v.Outcome == judge.Pass)
		t.Fail += one(v.Outcome == judge.Fail)
		t.Unset += one(v.Outcome == judge.Unset && v.Reason != judge.NoLimit)
	}
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

// result is the run's in a word.
func result(r *record.Run) string {
	switch {
	case r.Blocking() > 0 || r.Status == record.Failed:
		return "FAIL"
	case r.Status != record.Complete:
		return "INCOMPLETE"
	}
	return "PASS"
}

// blocking says of each verdict that fails the run whose it is and what it is about.
func blocking(e record.Experiment) (lines []string) {
	for _, m := range e.Measurements {
		for _, v := range m.Verdicts {
			if v.Blocks() {
				lines = append(lines, classed(v.Class)+m.Quantity+" by "+string(m.Source)+", "+sentence(v))
			}
		}
	}
	return lines
}

func classed(c rig.Class) string {
	if c == "" {
		return ""
	}
	return "[" + string(c) + "] "
}

// sentence tells a verdict with its grounds.
func sentence(v judge.Verdict) string {
	return fmt.Sprintf("%s is %s: %s (limit: %s)", v.Limit, words[v.Outcome], v.Reason, v.Because)
}

var words = map[judge.Outcome]string{judge.Pass: "kept", judge.Fail: "broken", judge.Unset: "unset"}
