// Package judge holds measurements against limits, against what was accepted
// before, and against what others claim. A limit bounds one statistic of one quantity on
// some boards, with the reason for it and its source; a claim is a figure
// published elsewhere; a [Baseline] holds the figures of a rig that somebody
// accepted. All are data in checked-in files, and so is the [Quarantine] of
// experiments whose failure is known.
//
// A verdict needs evidence: where the confidence interval lies across the
// limit, where the sample has doubts, or where there is no limit, the outcome
// is Unset. Unset is never a pass, and fails the run where the limit is required.
//
// Left out: what tells a change from noise, see package change.
package judge

import (
	"fmt"
	"math/big"

	"rigor/harness/measure"
	"rigor/harness/rig"
	"rigor/harness/timebase"
)

// Outcome is what a verdict says.
type Outcome uint8

// The outcomes. Unset is the zero value: nothing passes by omission.
const (
	Unset Outcome = iota // it cannot be told
	Pass
	Fail
)

var outcomes = [...]string{Unset: "unset", Pass: "pass", Fail: "fail"}

func (o Outcome) String() string { return outcomes[o] }

// MarshalText writes the outcome as in run.json.
func (o Outcome) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (o *Outcome) UnmarshalText(text []byte) error {
	for i, s := range outcomes {
		if s == string(text) {
			*o = Outcome(i)
			return nil
		}
	}
	return fmt.Errorf("unknown outcome %q", text)
}

// Subject is what was measured on.
type Subject struct {
	RigKind  string        // hardware or virtual
	Chip     string        // stm32f407, …
	Core     timebase.Rate // of the core's clock; turns a limit in cycles into time
	Firmware string        // digest of the image; tells whose a change is
}

// virtual reports whether the rig repeats itself to the cycle.
func (s Subject) virtual() bool { return s.RigKind == string(rig.Virtual) }

// NoLimit is the reason of the verdict on a quantity that nothing limits.
const NoLimit = "recorded, no limit"

// Verdict is the judgement of one statistic.
type Verdict struct {
	Outcome   Outcome           `json:"outcome"`
	Statistic measure.Statistic `json:"statistic,omitempty"`
	Limit     string            `json:"limit,omitempty"`    // "p99 <= 200 cycles"
	Bounds    []Bound           `json:"bounds,omitempty"`   // its sides; none of one against the baseline
	Required  bool              `json:"required,omitempty"` // Unset fails the run
	Reason    string            `json:"reason"`             // what the outcome rests on
	Because   string            `json:"because,omitempty"`  // why the limit is what it is, with its source
	Class     rig.Class         `json:"class,omitempty"`    // whose it is that a limit was not kept or could not be told
}

// Bound is one side of a limit.
type Bound struct {
	Value int64        `json:"value"`
	Unit  measure.Unit `json:"unit"`
}

// Blocks reports whether the verdict fails the run.
func (v Verdict) Blocks() bool { return v.Outcome == Fail || v.Outcome == Unset && v.Required }

// Judge gives a verdict for every limit on the sample, or a single Unset one
// with the reason [NoLimit]. Accepted is the figure of the baseline, nil if there is none.
func (l *Limits) Judge(on Subject, s measure.Sample, sum measure.Summary, accepted *Figure) []Verdict {
	var vs []Verdict
	for _, lim := range l.Limits {
		if lim.covers(on, Measured{s.Name, s.Source, on.Core}) {
			v := lim.judge(on, s, sum, accepted)
			if v.Outcome != Pass {
				v.Class = culprit(on, s, sum, accepted)
			}
			vs = append(vs, v)
		}
	}
	if vs == nil {
		vs = []Verdict{{Reason: NoLimit}}
	}
	return vs
}

func (l *Limit) judge(on Subject, s measure.Sample, sum measure.Summary, accepted *Figure) Verdict {
	v := Verdict{Statistic: l.Statistic, Limit: l.String(), Bounds: l.sides(), Required: l.Required, Because: l.Reason}
	e, reason := evidence(l.Statistic, s, sum)
	if reason == "" && l.Against != "" {
		e, reason = besides(on, e, accepted)
	}
	if reason != "" {
		v.Reason = reason
		return v
	}
	v.Outcome, v.Reason = Pass, fmt.Sprintf("%s is %s", l.Statistic, describe(e, s.Unit))
	for _, b := range l.bounds(s, accepted) {
		switch o := b.compare(on, s, e); {
		case o == Fail:
			v.Outcome = Fail
		case o == Unset && v.Outcome == Pass:
			v.Outcome = Unset
			v.Reason += ", too uncertain to compare with " + b.String()
		}
	}
	if l.Against != "" {
		v.Reason += l.was(accepted)
	}
	return v
}

// evidence gives the estimate to judge, or the reason why there is none.
func evidence(st measure.Statistic, s measure.Sample, sum measure.Summary) (measure.Estimate, string) {
	if len(s.Doubts) > 0 {
		return measure.Estimate{}, s.Doubts[0]
	}
	e, ok := sum.Estimate(st)
	if !ok {
		return measure.Estimate{}, "no values"
	}
	return e, ""
}

// bound is one side of a limit.
type bound struct {
	limit int64
	unit  measure.Unit
	upper bool  // values above the limit break it
	base  *base // what the limit counts from; nil: from 0
}

// base is an accepted value, and what share of it counts.
type base struct {
	value int64
	unit  measure.Unit
	clock timebase.Rate
	share *big.Rat
}

func (b bound) String() string {
	if b.base != nil {
		return fmt.Sprintf("%d %s of the baseline", b.base.value, b.base.unit)
	}
	return fmt.Sprintf("%d %s", b.limit, b.unit)
}

// compare gives Pass if the whole interval keeps the bound, Fail if the whole
// interval breaks it. Units that cannot be converted give Unset.
func (b bound) compare(on Subject, s measure.Sample, e measure.Estimate) Outcome {
	lo, okLo := against(e.Lo, s, b, on)
	hi, okHi := against(e.Hi, s, b, on)
	if !okLo || !okHi {
		return Unset
	}
	if !b.upper {
		lo, hi = -hi, -lo
		e.OpenLo, e.OpenHi = e.OpenHi, e.OpenLo
	}
	switch {
	case hi <= 0 && !e.OpenHi:
		return Pass
	case lo > 0 && !e.OpenLo:
		return Fail
	}
	return Unset
}

// against compares n of the sample's units with the bound's limit: as numbers
// if all are of one unit, else as times.
func against(n int64, s measure.Sample, b bound, on Subject) (sign int, ok bool) {
	plain := s.Unit == b.unit && s.Unit != measure.Ticks && (b.base == nil || b.base.unit == s.Unit)
	number := func(n int64, u measure.Unit, clock timebase.Rate) (*big.Rat, bool) {
		if plain {
			return new(big.Rat).SetInt64(n), true
		}
		return measure.Seconds(n, u, clock)
	}
	got, ok := number(n, s.Unit, s.Clock)
	want, ok2 := number(b.limit, b.unit, on.Core)
	if !ok || !ok2 {
		return 0, false
	}
	if b.base != nil {
		from, ok := number(b.base.value, b.base.unit, b.base.clock)
		if !ok {
			return 0, false
		}
		want.Add(want, from.Mul(from, b.base.share))
	}
	return got.Cmp(want), true
}

// describe writes an estimate with its interval, as far as it has one.
func describe(e measure.Estimate, u measure.Unit) string {
	if e.Lo == e.Hi && !e.OpenLo && !e.OpenHi {
		return fmt.Sprintf("%d %s", e.Value, u)
	}
	open := func(is bool) string {
		if is {
			return "?"
		}
		return ""
	}
	return fmt.Sprintf("%d %s (%s%d..%d%s)", e.Value, u, open(e.OpenLo), e.Lo, e.Hi, open(e.OpenHi))
}
