package judge

import (
	"fmt"
	"math/big"

	"rigor/harness/measure"
)

// Claim is a figure that someone published: Value in Unit, known to half of its last digit.
type Claim struct {
	Scope     `yaml:",inline"`
	Text      string            `yaml:"text"`      // as it was put: "1.2 us switch at 16 MHz"
	Statistic measure.Statistic `yaml:"statistic"` // what it speaks of
	Unit      measure.Unit      `yaml:"unit"`
	AtLeast   int64             `yaml:"at_least"` // the range that the figure is a rounding of
	AtMost    int64             `yaml:"at_most"`
	Reason    string            `yaml:"reason"` // how the range was read from the text; what is known about it
}

// Finding says what became of a claim.
type Finding string

// The findings.
const (
	Confirmed  Finding = "confirmed"
	Refuted    Finding = "refuted"
	CannotTell Finding = "cannot tell"
)

// ClaimResult is a claim beside a measurement.
type ClaimResult struct {
	Claim    string  `json:"claim"`    // the claim's text
	Claimed  string  `json:"claimed"`  // its range
	Measured string  `json:"measured"` // statistic and interval
	Finding  Finding `json:"finding"`
	Reason   string  `json:"reason"`
}

// Check holds the sample against every claim about it.
func (l *Limits) Check(on Subject, s measure.Sample, sum measure.Summary) []ClaimResult {
	var rs []ClaimResult
	for i := range l.Claims {
		if c := &l.Claims[i]; c.covers(on, Measured{s.Name, s.Source, on.Core}) {
			rs = append(rs, c.check(on, s, sum))
		}
	}
	return rs
}

// check confirms a claim if the whole interval lies in its range, and refutes
// it if the whole interval lies outside.
func (c *Claim) check(on Subject, s measure.Sample, sum measure.Summary) ClaimResult {
	r := ClaimResult{Claim: c.Text, Finding: CannotTell, Reason: c.Reason,
		Claimed: fmt.Sprintf("%s %d..%d %s", c.Statistic, c.AtLeast, c.AtMost, c.Unit)}
	e, why := evidence(c.Statistic, s, sum)
	if why != "" {
		r.Measured = why
		return r
	}
	r.Measured = fmt.Sprintf("%s %s", c.Statistic, describe(e, s.Unit)) + inTime(e, s)
	above := bound{limit: c.AtMost, unit: c.Unit, upper: true}.compare(on, s, e)
	below := bound{limit: c.AtLeast, unit: c.Unit}.compare(on, s, e)
	switch {
	case above == Fail || below == Fail:
		r.Finding = Refuted
	case above == Pass && below == Pass:
		r.Finding = Confirmed
	}
	return r
}

// inTime writes an estimate in cycles or ticks as microseconds too.
func inTime(e measure.Estimate, s measure.Sample) string {
	t, ok := s.Seconds(e.Value)
	if !ok {
		return ""
	}
	return fmt.Sprintf(" = %s us at %v", t.Mul(t, big.NewRat(1e6, 1)).FloatString(3), s.Clock)
}
