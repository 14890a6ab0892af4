package judge

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"

	"rigor/harness/measure"
)

// relative writes a limit against the baseline as a condition.
func (l *Limit) relative() string {
	allowed := fmt.Sprintf("%s %%", decimal(l.percent()))
	if l.TolerancePercent == nil {
		allowed = fmt.Sprintf("%d %s", *l.Tolerance, l.Unit)
	}
	form := map[measure.Better]string{
		measure.Lower: "%s <= baseline + %s", measure.Higher: "%s >= baseline - %s", measure.NearerZero: "|%s| <= |baseline| + %s",
	}[l.better()]
	if form == "" {
		form = "%s = baseline +- %s"
	}
	return fmt.Sprintf(form, l.Statistic, allowed)
}

func (l *Limit) percent() float64 {
	if l.TolerancePercent == nil {
		return 0
	}
	return *l.TolerancePercent
}

func decimal(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

func (l *Limit) better() measure.Better {
	q, _ := measure.Describe(l.Quantity)
	return q.Better
}

// around are the sides of a limit against the baseline: the one that is worse,
// or both where neither is.
func (l *Limit) around(s measure.Sample, f *Figure) []bound {
	accepted, _ := f.Summary.Estimate(l.Statistic)
	v := accepted.Value
	above, below := l.beyond(v, 1, s, f), l.beyond(v, -1, s, f)
	switch l.better() {
	case measure.Lower:
		return []bound{above}
	case measure.Higher:
		return []bound{below}
	case measure.NearerZero:
		size := max(v, -v)
		return []bound{l.beyond(size, 1, s, f), l.beyond(-size, -1, s, f)}
	}
	return []bound{above, below}
}

// beyond is the bound that lies the tolerance above an accepted value (sign 1)
// or below it (-1).
func (l *Limit) beyond(accepted, sign int64, s measure.Sample, f *Figure) bound {
	b := bound{unit: l.Unit, upper: sign > 0, base: &base{accepted, f.Unit, f.ClockHz, big.NewRat(1, 1)}}
	if l.TolerancePercent == nil {
		b.limit = sign * *l.Tolerance
		return b
	}
	if accepted < 0 { // whose share is further down the larger it is
		sign = -sign
	}
	percent, _ := new(big.Rat).SetString(decimal(l.percent()))
	b.base.share.Add(b.base.share, percent.Mul(percent, big.NewRat(sign, 100)))
	if b.unit = s.Unit; b.unit == measure.Ticks { // of which even none needs a clock
		b.unit = measure.Picoseconds
	}
	return b
}

// leastNoise is how many runs of the same firmware tell how far one may lie off.
const leastNoise = 10

// besides gives the estimate as it may be held against an accepted one, or the
// reason why it may not. The virtual rig repeats itself, so that there the value is
// all there is to know. On hardware runs differ by more than the values of one run do: the interval is as wide
// as what was seen of that.
func besides(on Subject, e measure.Estimate, accepted *Figure) (measure.Estimate, string) {
	switch {
	case accepted == nil:
		return e, "nothing to compare with was accepted (rigor baseline accept)"
	case on.virtual():
		return measure.Estimate{Value: e.Value, Lo: e.Value, Hi: e.Value}, ""
	case accepted.Noise == nil || accepted.Noise.Runs < leastNoise:
		return e, "the noise from run to run was not measured (rigor ab)"
	case accepted.Noise.Unsteady != "":
		return e, accepted.Noise.Unsteady
	}
	wide := int64(math.Ceil(accepted.Noise.Widest * math.Abs(float64(e.Value))))
	e.Lo, e.Hi = min(e.Lo, e.Value-wide), max(e.Hi, e.Value+wide)
	return e, ""
}

// was tells what was accepted.
func (l *Limit) was(accepted *Figure) string {
	e, _ := accepted.Summary.Estimate(l.Statistic)
	return fmt.Sprintf(", accepted was %d %s", e.Value, accepted.Unit)
}

func (l *Limit) validRelative() error {
	switch {
	case l.Against != AgainstBaseline:
		return fmt.Errorf("a tolerance needs against: %s", AgainstBaseline)
	case l.Min != nil || l.Max != nil:
		return errors.New("against the baseline there is a tolerance, and neither min nor max")
	case (l.Tolerance == nil) == (l.TolerancePercent == nil):
		return errors.New("against the baseline: want one of tolerance and tolerance_percent; 0 allows nothing")
	case l.TolerancePercent != nil:
		return l.validPercent()
	case *l.Tolerance < 0:
		return fmt.Errorf("tolerance %d is below 0", *l.Tolerance)
	}
	return checkFigure(l.Statistic, l.Unit, l.Reason)
}

func (l *Limit) validPercent() error {
	if p := *l.TolerancePercent; !(p >= 0) || math.IsInf(p, 0) {
		return fmt.Errorf("tolerance_percent %v: want 0 or more", p)
	}
	if l.Unit != "" {
		return errors.New("tolerance_percent is of the accepted value and has no unit")
	}
	return checkFigure(l.Statistic, measure.Percent, l.Reason)
}
