package conform

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// What a report describes at most; it counts all.
const (
	maxMismatches = 20
	maxExamples   = 3 // of each known deviation
)

// Report is what came out of one file.
type Report struct {
	File       string
	Classes    []Class // by name
	Mismatches []Mismatch
	Deviations []Mismatch // those that deviations.tsv explains
	suite      string
	known      map[vector]string
}

// Class counts the vectors of one instruction class.
type Class struct {
	Name                      string
	Passed, Failed, Deviating int // Deviating differ and are known to
}

// Total is how many vectors of the class were run.
func (c Class) Total() int { return c.Passed + c.Failed + c.Deviating }

// Mismatch is a vector that came out differently.
type Mismatch struct {
	File   string
	Line   int
	ID     string
	Class  string
	Asm    string
	Start  string // the registers that Asm names
	Diffs  []Diff
	Reason string // of a known deviation
}

// Diff is one difference.
type Diff struct{ What, Got, Want string }

// String describes the mismatch in a few lines, the first of which begins with file:line.
func (m Mismatch) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:%d: id %s (%s) %s", m.File, m.Line, m.ID, m.Class, m.Asm)
	if m.Start != "" {
		fmt.Fprintf(&b, "\n    start %s", m.Start)
	}
	for _, d := range m.Diffs {
		fmt.Fprintf(&b, "\n    %-12s got %s, want %s", d.What, d.Got, d.Want)
	}
	return b.String()
}

// Total sums up all classes.
func (r *Report) Total() Class {
	all := Class{Name: "all"}
	for _, c := range r.Classes {
		all.Passed += c.Passed
		all.Failed += c.Failed
		all.Deviating += c.Deviating
	}
	return all
}

// OK tells whether nothing failed.
func (r *Report) OK() bool { return r.Total().Failed == 0 }

// WriteTable writes the counts per class, then known deviations with a few examples, then the first mismatches.
func (r *Report) WriteTable(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "class\tpassed\tfailed\tdeviating\ttotal\t\n")
	for _, c := range append(slices.Clip(r.Classes), r.Total()) {
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%d\t\n", c.Name, c.Passed, c.Failed, c.Deviating, c.Total())
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("write report of %s: %w", r.File, err)
	}
	_, err := io.WriteString(w, r.deviations()+r.mismatches())
	if err != nil {
		return fmt.Errorf("write report of %s: %w", r.File, err)
	}
	return nil
}

// deviations counts the known deviations by their reasons, each with examples.
func (r *Report) deviations() string {
	count, examples := map[string]int{}, map[string]string{}
	var reasons []string
	for _, m := range r.Deviations {
		if count[m.Reason]++; count[m.Reason] == 1 {
			reasons = append(reasons, m.Reason)
		}
		if count[m.Reason] <= maxExamples {
			examples[m.Reason] += m.String() + "\n"
		}
	}
	var b strings.Builder
	for _, reason := range reasons {
		fmt.Fprintf(&b, "known deviation of %d: %s\n%s", count[reason], reason, examples[reason])
	}
	return b.String()
}

func (r *Report) mismatches() string {
	var b strings.Builder
	for _, m := range r.Mismatches {
		fmt.Fprintln(&b, m)
	}
	if more := r.Total().Failed - len(r.Mismatches); more > 0 {
		fmt.Fprintf(&b, "%d more mismatches\n", more)
	}
	return b.String()
}

// class returns the counter of a class, in order of names.
func (r *Report) class(name string) *Class {
	i, found := slices.BinarySearchFunc(r.Classes, name, func(c Class, name string) int { return strings.Compare(c.Name, name) })
	if !found {
		r.Classes = slices.Insert(r.Classes, i, Class{Name: name})
	}
	return &r.Classes[i]
}

func (r *Report) pass(class string) { r.class(class).Passed++ }

// differ counts a vector that came out differently.
func (r *Report) differ(m Mismatch) {
	m.File = r.File
	if m.Reason = r.known[vector{r.suite, m.ID}]; m.Reason != "" {
		r.class(m.Class).Deviating++
		r.Deviations = append(r.Deviations, m)
		return
	}
	r.class(m.Class).Failed++
	if len(r.Mismatches) < maxMismatches {
		r.Mismatches = append(r.Mismatches, m)
	}
}
