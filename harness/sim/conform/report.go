package conform

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// maxMismatches is how many mismatches a report describes; it counts all.
const maxMismatches = 20

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
	if m.Reason != "" {
		fmt.Fprintf(&b, "\n    known deviation: %s", m.Reason)
	}
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

// WriteTable writes the counts per class, then what deviated as known, then the first mismatches.
func (r *Report) WriteTable(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "class\tpassed\tfailed\tdeviating\ttotal\t\n")
	for _, c := range append(slices.Clip(r.Classes), r.Total()) {
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%d\t\n", c.Name, c.Passed, c.Failed, c.Deviating, c.Total())
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("write report of %s: %w", r.File, err)
	}
	for _, m := range slices.Concat(r.Deviations, r.Mismatches) {
		if _, err := fmt.Fprintln(w, m); err != nil {
			return fmt.Errorf("write report of %s: %w", r.File, err)
		}
	}
	if more := r.Total().Failed - len(r.Mismatches); more > 0 {
		_, err := fmt.Fprintf(w, "%d more mismatches\n", more)
		return err
	}
	return nil
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
