package judge

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"rigor/harness/measure"
	"rigor/harness/rig"
	"rigor/harness/timebase"
	"rigor/harness/yamlfile"
)

// Limits is a limits file.
type Limits struct {
	Limits []Limit `yaml:"limits"`
	Claims []Claim `yaml:"claims"`
}

// Scope says which measurements a limit or claim is about. A field left out
// admits anything.
type Scope struct {
	Quantity string         `yaml:"quantity"`
	Source   measure.Source `yaml:"source"`
	Rigs     []string       `yaml:"rigs"` // kinds: hardware, virtual
	Chip     string         `yaml:"chip"`
	ClockHz  timebase.Rate  `yaml:"clock_hz"` // of the core
}

// Measured says what was measured: the quantity, by whom, at which core clock.
type Measured struct {
	Quantity string
	Source   measure.Source
	Core     timebase.Rate
}

func (c *Scope) covers(on Subject, m Measured) bool {
	return c.Quantity == m.Quantity &&
		(c.Source == "" || c.Source == m.Source) &&
		(c.ClockHz == 0 || c.ClockHz == m.Core) &&
		c.reaches(on)
}

// reaches reports whether the scope is about this kind of rig and this chip.
func (c *Scope) reaches(on Subject) bool {
	return (len(c.Rigs) == 0 || slices.Contains(c.Rigs, on.RigKind)) &&
		(c.Chip == "" || c.Chip == on.Chip)
}

// Limit bounds one statistic. Min, Max and Tolerance are in Unit; a limit in cycles is
// one in the core's cycles, whoever measured.
//
// Against the baseline a statistic may be worse than what was accepted by the
// tolerance, which is chosen for each limit and may be 0. Where neither direction is better
// it may differ by that.
type Limit struct {
	Scope            `yaml:",inline"`
	Statistic        measure.Statistic `yaml:"statistic"`
	Unit             measure.Unit      `yaml:"unit"` // not with TolerancePercent
	Min              *int64            `yaml:"min"`
	Max              *int64            `yaml:"max"`
	Against          string            `yaml:"against"` // baseline; then one of the tolerances instead of min and max
	Tolerance        *int64            `yaml:"tolerance"`
	TolerancePercent *float64          `yaml:"tolerance_percent"` // of the accepted value
	Required         bool              `yaml:"required"`          // without a pass the run fails
	Reason           string            `yaml:"reason"`            // why this figure, with its source
}

// AgainstBaseline is the value of Limit.Against.
const AgainstBaseline = "baseline"

// String writes the limit as a condition.
func (l *Limit) String() string {
	switch {
	case l.Against != "":
		return l.relative()
	case l.Min == nil:
		return fmt.Sprintf("%s <= %d %s", l.Statistic, *l.Max, l.Unit)
	case l.Max == nil:
		return fmt.Sprintf("%s >= %d %s", l.Statistic, *l.Min, l.Unit)
	}
	return fmt.Sprintf("%d <= %s <= %d %s", *l.Min, l.Statistic, *l.Max, l.Unit)
}

// sides are the limit's, as far as they are numbers.
func (l *Limit) sides() (all []Bound) {
	for _, side := range []*int64{l.Min, l.Max} {
		if side != nil {
			all = append(all, Bound{*side, l.Unit})
		}
	}
	return all
}

// bounds are the limit's sides. Those of a limit against the baseline stand on what
// was accepted.
func (l *Limit) bounds(s measure.Sample, accepted *Figure) (b []bound) {
	if l.Against != "" {
		return l.around(s, accepted)
	}
	if l.Min != nil {
		b = append(b, bound{limit: *l.Min, unit: l.Unit})
	}
	if l.Max != nil {
		b = append(b, bound{limit: *l.Max, unit: l.Unit, upper: true})
	}
	return b
}

// Missing gives a verdict that blocks for every required limit that reaches
// the subject and covers nothing that was measured on it: who asks no question that is required
// is the harness. The subject's core clock doesn't matter.
func (l *Limits) Missing(on Subject, measured []Measured) []Verdict {
	var vs []Verdict
	for i := range l.Limits {
		lim := &l.Limits[i]
		covered := slices.ContainsFunc(measured, func(m Measured) bool { return lim.covers(on, m) })
		if lim.Required && lim.reaches(on) && !covered {
			vs = append(vs, Verdict{Statistic: lim.Statistic, Limit: lim.Quantity + ": " + lim.String(),
				Required: true, Reason: "not measured", Because: lim.Reason, Class: rig.Harness})
		}
	}
	return vs
}

// Parse reads a limits file strictly: an unknown key, a wrong type, a limit
// without bound or reason is an error that begins with file:line.
func Parse(file string, text []byte) (*Limits, error) {
	var l Limits
	f, err := yamlfile.Decode(file, text, &l)
	if err != nil {
		return nil, err
	}
	var errs []error
	for i := range l.Limits {
		if err := l.Limits[i].valid(); err != nil {
			errs = append(errs, f.Errorf([]any{"limits", i}, "limit %d: %w", i+1, err))
		}
	}
	for i := range l.Claims {
		if err := l.Claims[i].valid(); err != nil {
			errs = append(errs, f.Errorf([]any{"claims", i}, "claim %d: %w", i+1, err))
		}
	}
	return &l, errors.Join(errs...)
}

// Load reads the limits file at path.
func Load(path string) (*Limits, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read limits: %w", err)
	}
	return Parse(path, text)
}

func (c *Scope) valid() error {
	if _, ok := measure.Describe(c.Quantity); !ok {
		return fmt.Errorf("unknown quantity %q", c.Quantity)
	}
	if c.Source != "" && !slices.Contains([]measure.Source{measure.Firmware, measure.Probe, measure.Harness}, c.Source) {
		return fmt.Errorf("unknown source %q", c.Source)
	}
	for _, k := range c.Rigs {
		if k != "hardware" && k != "virtual" {
			return fmt.Errorf("unknown kind of rig %q: want hardware or virtual", k)
		}
	}
	return nil
}

func checkFigure(st measure.Statistic, u measure.Unit, reason string) error {
	switch {
	case !slices.Contains(measure.Statistics, st):
		return fmt.Errorf("unknown statistic %q: want one of %v", st, measure.Statistics)
	case !u.Valid() || u == measure.Ticks:
		return fmt.Errorf("unknown unit %q", u)
	case strings.TrimSpace(reason) == "":
		return errors.New("no reason: say where the figure comes from")
	}
	return nil
}

func (l *Limit) valid() error {
	if err := l.Scope.valid(); err != nil {
		return err
	}
	if l.Against != "" || l.Tolerance != nil || l.TolerancePercent != nil {
		return l.validRelative()
	}
	if l.Min == nil && l.Max == nil {
		return errors.New("neither min nor max")
	}
	if l.Min != nil && l.Max != nil && *l.Min > *l.Max {
		return fmt.Errorf("min %d is above max %d", *l.Min, *l.Max)
	}
	return checkFigure(l.Statistic, l.Unit, l.Reason)
}

func (c *Claim) valid() error {
	if err := c.Scope.valid(); err != nil {
		return err
	}
	if c.Text == "" || c.AtMost < c.AtLeast || c.AtMost == 0 {
		return errors.New("needs text, at_least and at_most, the latter not below the former")
	}
	return checkFigure(c.Statistic, c.Unit, c.Reason)
}
