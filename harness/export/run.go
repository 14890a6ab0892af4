package export

import (
	"cmp"
	"time"

	"rigor/harness/judge"
	"rigor/harness/judge/change"
	"rigor/harness/measure"
	"rigor/harness/record"
	"rigor/harness/rig"
)

// States, from the worst to the best.
var (
	runStates        = []string{string(record.Failed), string(record.Interrupted), string(record.Running), string(record.Complete)}
	experimentStates = []string{string(record.Broken), string(record.Skipped), string(record.Answered)}
	changeStates     = []string{string(change.Worse), string(change.Different), string(change.CannotTell), string(change.Same), string(change.Better)}
	verdictStates    = []string{judge.Fail.String(), judge.Unset.String(), judge.Pass.String()}
)

var classes = []rig.Class{rig.DUT, rig.Firmware, rig.Rig, rig.Harness}

func (m *metrics) addRun(r *record.Run) error {
	on := []string{r.Rig.Name, r.Rig.Kind}
	m.gauge(RunInfo, with(on, r.Harness, r.SamplesDigest, r.Name())...).Set(1)
	m.state(RunStatus, string(r.Status), on...)
	m.gauge(RunStart, on...).Set(float64(r.Started.Unix()))
	if !r.Ended.IsZero() {
		m.gauge(RunEnd, on...).Set(float64(r.Ended.Unix()))
	}
	for _, b := range r.Boards {
		m.gauge(BoardInfo, with(on, b.Name, b.Chip, b.ID)...).Set(1)
	}
	for _, f := range r.Firmware {
		m.gauge(FirmwareInfo, with(on, f.Program, f.Target, f.Digest, f.SourceDigest, f.Toolchain)...).Set(1)
	}
	for _, w := range r.Work {
		m.gauge(SuiteDuration, with(on, w.Suite, w.Board)...).Add(w.Took.Seconds())
		if w.Simulated > 0 {
			m.gauge(SuiteSimulated, with(on, w.Suite, w.Board)...).Add(w.Simulated.Seconds())
		}
	}
	for _, t := range r.SelfTests {
		m.addSelfTest(on, t)
	}
	for _, q := range r.Quarantine {
		m.addQuarantine(on, q)
	}
	for _, v := range r.Missing {
		m.blame(on, "", "", v)
	}
	for _, e := range r.Experiments {
		if err := m.addExperiment(r, e); err != nil {
			return err
		}
	}
	return nil
}

// addSelfTest shows the last one of a loop that was tested more than once.
func (m *metrics) addSelfTest(on []string, t record.SelfTest) {
	labels := with(on, t.Board, string(t.Loop))
	if skew, ok := measure.Seconds(int64(t.Report.Skew), measure.Ticks, t.Report.Rate); ok {
		f, _ := skew.Float64()
		m.gauge(ProbeSkew, labels...).Set(f)
	}
	if spread, ok := measure.Seconds(int64(t.Report.Spread), measure.Ticks, t.Report.Rate); ok {
		f, _ := spread.Float64()
		m.gauge(ProbeSpread, labels...).Set(f)
	}
}

func (m *metrics) addExperiment(r *record.Run, e record.Experiment) error {
	labels := []string{r.Rig.Name, r.Rig.Kind, e.Suite, e.Name, e.Board}
	m.state(ExperimentOutcome, string(e.Outcome()), labels...)
	m.gauge(ExperimentAttempts, labels...).Set(float64(len(e.Attempts)))
	if n := len(e.Attempts); n > 0 {
		m.gauge(ExperimentDuration, labels...).Set(e.Attempts[n-1].Took.Seconds())
	}
	m.addBlame(r, e)
	for _, ms := range e.Measurements {
		s, err := r.Sample(ms)
		if err != nil {
			return err
		}
		m.addSample(sample{r, e, ms, s})
	}
	return nil
}

// addBlame counts what failed, by who is to blame. Each class has a series, so
// that what is well reads as 0 and is not merely absent.
func (m *metrics) addBlame(r *record.Run, e record.Experiment) {
	on := []string{r.Rig.Name, r.Rig.Kind, e.Suite, e.Board}
	for _, c := range classes {
		m.gauge(AttemptFailures, with(on, string(c))...).Add(0)
		m.gauge(RunFailures, with(on, string(c))...).Add(0)
	}
	for _, a := range e.Attempts {
		if a.Failure != nil {
			m.gauge(AttemptFailures, with(on, string(a.Failure.Class))...).Inc()
		}
	}
	if len(e.Attempts) > 0 {
		up := m.gauge(BoardUp, r.Rig.Name, r.Rig.Kind, e.Board)
		if !e.Failed() {
			up.Set(1)
		}
	}
	excused := 0.0
	if e.Quarantined() {
		excused = 1
	}
	m.gauge(Quarantined, r.Rig.Name, r.Rig.Kind, e.Suite, e.Name, e.Board).Set(excused)
	if e.Quarantine == nil {
		m.addFindings(r, e)
	}
}

// addFindings counts what fails the run.
func (m *metrics) addFindings(r *record.Run, e record.Experiment) {
	on := []string{r.Rig.Name, r.Rig.Kind}
	if e.Failed() {
		last := e.Attempts[len(e.Attempts)-1]
		m.gauge(RunFailures, with(on, e.Suite, e.Board, string(last.Failure.Class))...).Inc()
	}
	for _, ms := range e.Measurements {
		for _, v := range ms.Verdicts {
			m.blame(on, e.Suite, e.Board, v)
		}
	}
}

// blame counts a verdict that fails the run. That nothing was measured says nothing of the
// firmware, and so is the rig's.
func (m *metrics) blame(on []string, suite, board string, v judge.Verdict) {
	if v.Blocks() {
		m.gauge(RunFailures, with(on, suite, board, string(cmp.Or(v.Class, rig.Rig)))...).Inc()
	}
}

func (m *metrics) addQuarantine(on []string, q judge.Isolation) {
	if ends, err := time.Parse(time.DateOnly, string(q.Expires)); err == nil {
		m.moment(QuarantineExpiry, ends, with(on, q.Suite, q.Experiment, q.Board, q.Owner, q.Issue)...)
	}
}
