package report

import (
	"fmt"
	"path/filepath"

	"rigor/harness/profile"
	"rigor/harness/record"
)

// mostFunctions is how many of a profile are shown.
const mostFunctions = 10

// share is what a function took of a profile.
type share struct {
	Name           string
	Percent        string
	Width          int // per cent, of its bar
	Cycles, Called uint64
}

// shares are where an experiment's cycles went, if it was profiled, the most first; and what they are counted of.
func shares(r *record.Run, e record.Experiment) (all []share, of string, err error) {
	if e.Profile == "" {
		return nil, "", nil
	}
	if !filepath.IsLocal(e.Profile) {
		return nil, "", fmt.Errorf("the profile %s is outside of the bundle", e.Profile)
	}
	p, err := profile.Load(filepath.Join(r.Dir(), e.Profile))
	if err != nil {
		return nil, "", err
	}
	sum := float64(max(p.Cycles(), 1))
	for _, f := range p.Functions {
		if f.Name == profile.Sleep || len(all) == mostFunctions {
			continue
		}
		part := 100 * float64(f.Cycles) / sum
		all = append(all, share{f.Name, fmt.Sprintf("%.1f %%", part), int(part), f.Cycles, f.Calls})
	}
	of = fmt.Sprintf("%d cycles in all", p.Cycles())
	if p.Intervals > 0 {
		of = fmt.Sprintf("%d cycles in %s between marks", p.Cycles(), plural(p.Intervals, "interval"))
	}
	return all, of, nil
}
