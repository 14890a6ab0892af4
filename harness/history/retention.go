package history

import (
	"fmt"
	"os"
	"time"

	"rigor/harness/record"
	"rigor/harness/yamlfile"
)

// Policy says which bundles stay. A bundle stays if any of its rules keeps it; so does
// one that a baseline rests on, one whose run goes on, and whatever cannot be read.
type Policy struct {
	KeepDays       int `yaml:"keep_days"`        // every run younger than this
	KeepLast       int `yaml:"keep_last"`        // the newest of each rig, however old
	KeepFailedDays int `yaml:"keep_failed_days"` // runs younger than this that failed or are not complete
	KeepMonthly    int `yaml:"keep_monthly"`     // of each rig and month the last complete run, for so many months
}

// LoadPolicy reads a policy. Each of its rules must be there, so that none is zero by
// omission.
func LoadPolicy(path string) (Policy, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Policy{}, fmt.Errorf("read the policy of retention: %w", err)
	}
	var there map[string]int
	if _, err := yamlfile.Decode(path, text, &there); err != nil {
		return Policy{}, err
	}
	var p Policy
	f, err := yamlfile.Decode(path, text, &p)
	if err != nil {
		return Policy{}, err
	}
	for _, rule := range []string{"keep_days", "keep_last", "keep_failed_days", "keep_monthly"} {
		switch n, ok := there[rule]; {
		case !ok:
			return Policy{}, f.Errorf(nil, "%s is missing; 0 keeps nothing by it", rule)
		case n < 0:
			return Policy{}, f.Errorf([]any{rule}, "%s: %d: want 0 or more", rule, n)
		}
	}
	if p.KeepLast == 0 {
		return Policy{}, f.Errorf([]any{"keep_last"}, "keep_last: want 1 or more: a rig without a run shows nothing")
	}
	return p, nil
}

// Fate is what a policy has for a run.
type Fate struct {
	Run
	Keep string `json:"keep,omitempty"` // why it stays; empty: it goes
}

// Fates applies the policy to runs, the newest first. Rests names runs that a baseline rests
// on; alive reports whether a run goes on.
func (p Policy) Fates(runs []Run, rests map[string]bool, alive func(Run) bool, now time.Time) []Fate {
	last, monthly := map[string]int{}, map[string]bool{}
	all := make([]Fate, len(runs))
	for i, r := range runs {
		all[i].Run = r
		last[r.Rig.Name]++
		switch {
		case rests[r.Name]:
			all[i].Keep = "a baseline rests on it"
		case r.Status == record.Running && alive(r):
			all[i].Keep = "it goes on"
		case last[r.Rig.Name] <= p.KeepLast:
			all[i].Keep = fmt.Sprintf("among the newest %d of its rig", p.KeepLast)
		case younger(r, p.KeepDays, now):
			all[i].Keep = fmt.Sprintf("younger than %d days", p.KeepDays)
		case r.Verdict() != Passed && younger(r, p.KeepFailedDays, now):
			all[i].Keep = fmt.Sprintf("%s, and younger than %d days", r.Verdict(), p.KeepFailedDays)
		}
		if r.Status != record.Complete {
			continue
		}
		month := r.Started.Format("2006-01")
		if first := !monthly[r.Rig.Name+month]; first && all[i].Keep == "" && r.Started.AddDate(0, p.KeepMonthly, 0).After(now) {
			all[i].Keep = "the last complete one of its rig in " + month
		}
		monthly[r.Rig.Name+month] = true
	}
	return all
}

func younger(r Run, days int, now time.Time) bool {
	return now.Before(r.Started.AddDate(0, 0, days))
}
