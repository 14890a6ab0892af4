package compare

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"text/tabwriter"

	"rigor/harness/judge/change"
	"rigor/harness/rig"
)

// verdicts lists them, those that a reader looks for first.
var verdicts = []change.Verdict{change.Worse, change.Better, change.Different, change.CannotTell, change.Same}

// Write writes what differs besides the figures, a table of those that changed (or of
// all), and the counts. Paint colours a verdict, or leaves it.
func (c *Comparison) Write(w io.Writer, all bool, paint func(change.Verdict) string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s -> %s\n", c.Old, c.New)
	for _, class := range []rig.Class{rig.Firmware, rig.Harness, rig.Rig} {
		fmt.Fprintf(&b, "  %-9s %s\n", class, c.differing(class))
	}
	if c.shown(all) > 0 {
		b.WriteString("\n")
		c.table(&b, all, paint)
	}
	b.WriteString("\n")
	for _, f := range c.Failed {
		fmt.Fprintf(&b, "FAILED in %s alone: %s\n", c.New, f)
	}
	c.counts(&b)
	_, err := io.WriteString(w, b.String())
	return err
}

// differing tells in what a class differs.
func (c *Comparison) differing(class rig.Class) string {
	var all []string
	for _, d := range c.Differs {
		if d.Class == class {
			all = append(all, fmt.Sprintf("%s: %s -> %s", d.What, d.Old, d.New))
		}
	}
	if all == nil {
		return "the same"
	}
	return strings.Join(all, ", ")
}

func (c *Comparison) shown(all bool) (n int) {
	for _, r := range c.Rows {
		if all || r.Changed() {
			n++
		}
	}
	return n
}

// table is made of tab-separated cells; the verdict is last, so that colours,
// which tabwriter counts as text, move nothing.
func (c *Comparison) table(w io.Writer, all bool, paint func(change.Verdict) string) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "QUANTITY\tEXPERIMENT\tBOARD\tCLOCK\tSOURCE\tSTATISTIC\tOLD\tNEW\tUNIT\tCHANGE\tWHOSE\tVERDICT")
	for _, v := range verdicts {
		for _, r := range c.largest(v) {
			if all || r.Changed() {
				fmt.Fprintln(t, strings.Join(append(r.cells(), paint(v)+": "+r.Change.Reason), "\t"))
			}
		}
	}
	for _, r := range c.Rows {
		if all && r.Only != "" {
			fmt.Fprintln(t, strings.Join(append(r.cells(), "only in the "+r.Only), "\t"))
		}
	}
	t.Flush()
}

// largest are the rows of a verdict, the largest relative change first.
func (c *Comparison) largest(v change.Verdict) (rows []Row) {
	for _, r := range c.Rows {
		if r.Only == "" && r.Change.Verdict == v {
			rows = append(rows, r)
		}
	}
	slices.SortStableFunc(rows, func(a, b Row) int { return cmp.Compare(math.Abs(b.relative()), math.Abs(a.relative())) })
	return rows
}

func (r *Row) cells() []string {
	clock := "-"
	if r.CoreHz != 0 {
		clock = r.CoreHz.String()
	}
	who := []string{r.Quantity, r.Suite + "/" + r.Experiment, r.Board, clock, string(r.Source)}
	if r.Only != "" {
		return append(who, "-", "-", "-", "-", "-", "-")
	}
	ch := r.Change
	return append(who, string(ch.Statistic), fmt.Sprint(ch.Old.Value), fmt.Sprint(ch.New.Value), string(ch.Unit), r.percent(), r.suspects())
}

// relative is the change in parts of the old value, or the number of units if that
// is 0.
func (r *Row) relative() float64 {
	if e := r.Change.Effect; e != nil {
		return e.Relative
	}
	old, now := float64(r.Change.Old.Value), float64(r.Change.New.Value)
	return (now - old) / max(1, math.Abs(old))
}

func (r *Row) percent() string {
	if r.Change.Old.Value == 0 || r.relative() == 0 {
		return "-"
	}
	return fmt.Sprintf("%+.2f %%", 100*r.relative())
}

func (r *Row) suspects() string {
	var all []string
	for _, class := range r.Whose {
		all = append(all, string(class))
	}
	if all == nil {
		return "-"
	}
	return strings.Join(all, " or ")
}

// counts writes how many figures there are of each verdict, why some could not
// be told, and what was in one of the two states only.
func (c *Comparison) counts(w io.Writer) {
	var all []string
	for _, v := range verdicts {
		all = append(all, fmt.Sprintf("%d %s", c.Count(v), v))
	}
	fmt.Fprintf(w, "%s\n", strings.Join(all, ", "))
	why := map[string]int{}
	for _, r := range c.Rows {
		if r.Only == "" && r.Change.Verdict == change.CannotTell {
			why[r.Change.Reason]++
		}
	}
	for _, reason := range slices.Sorted(maps.Keys(why)) {
		fmt.Fprintf(w, "  %d cannot tell: %s\n", why[reason], reason)
	}
	c.alone(w, "old")
	c.alone(w, "new")
}

// alone writes of which suites one side alone has figures.
func (c *Comparison) alone(w io.Writer, side string) {
	of := map[string]int{}
	for _, r := range c.Rows {
		if r.Only == side {
			of[r.Suite+" on "+r.Board]++
		}
	}
	var all []string
	for _, where := range slices.Sorted(maps.Keys(of)) {
		all = append(all, fmt.Sprintf("%d of %s", of[where], where))
	}
	if all != nil {
		fmt.Fprintf(w, "only in the %s: %s\n", side, strings.Join(all, ", "))
	}
}
