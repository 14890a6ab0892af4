package profile

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
)

// Change is a function whose cost differs between two profiles. One that is in only one of them
// is all zero in the other.
type Change struct {
	Name     string   `json:"name"`
	Core     int      `json:"core"`
	Old, New Function `json:"-"`

	Cycles       int64 `json:"cycles"` // new minus old, as the others
	Instructions int64 `json:"instructions"`
	Calls        int64 `json:"calls"`
}

// Moved says that the function executed the same, in other cycles: what it waits for differs, such as
// flash and caches, which depend on where code lies and on what was executed before, or another core.
func (c Change) Moved() bool { return c.Instructions == 0 && c.Calls == 0 }

// Diff gives the functions that differ: first those that executed something else, which are the reason if
// there is one in the program, each kind with those first whose cycles differ most.
func Diff(old, new *Profile) []Change {
	type key struct {
		name string
		core int
	}
	was := map[key]Function{}
	for _, f := range old.Functions {
		was[key{f.Name, f.Core}] = f
	}
	var all []Change
	note := func(o, n Function) {
		c := Change{Name: cmp.Or(n.Name, o.Name), Core: max(o.Core, n.Core), Old: o, New: n,
			Cycles: less(n.Cycles, o.Cycles), Instructions: less(n.Instructions, o.Instructions), Calls: less(n.Calls, o.Calls)}
		if c.Cycles != 0 || c.Instructions != 0 || c.Calls != 0 {
			all = append(all, c)
		}
	}
	for _, n := range new.Functions {
		k := key{n.Name, n.Core}
		note(was[k], n)
		delete(was, k)
	}
	for _, o := range was {
		note(o, Function{})
	}
	slices.SortFunc(all, func(a, b Change) int {
		return cmp.Or(order(a.Moved(), b.Moved()), cmp.Compare(size(b.Cycles), size(a.Cycles)), cmp.Compare(size(b.Instructions), size(a.Instructions)),
			cmp.Compare(a.Name, b.Name), cmp.Compare(a.Core, b.Core))
	})
	return all
}

// order puts what is not before what is.
func order(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

func less(a, b uint64) int64 { return int64(a - b) }

func size(n int64) int64 { return max(n, -n) }

func (c Change) label() string {
	label := c.Name
	if c.Core > 0 {
		label += fmt.Sprintf(" on core %d", c.Core)
	}
	if c.Moved() && c.Name != Sleep && c.Name != Exceptions {
		label += ", executing the same"
	}
	return label
}

// Table prints the first changes, at most n of them.
func Table(w io.Writer, changes []Change, n int) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "cycles\tinstructions\tcalls\t  function")
	for _, c := range changes[:min(n, len(changes))] {
		fmt.Fprintf(t, "%+d\t%+d\t%+d\t  %s\n", c.Cycles, c.Instructions, c.Calls, c.label())
	}
	if rest := len(changes) - n; rest > 0 {
		fmt.Fprintf(t, "\t\t\t  and %d more\n", rest)
	}
	return t.Flush()
}
