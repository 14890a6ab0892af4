package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"rigor/harness"
	"rigor/harness/history"
	"rigor/harness/judge"
	"rigor/harness/record"
)

type pruneCmd struct {
	DryRun bool `help:"Only show what would be removed."`
	All    bool `help:"List what stays, too, with the rule that keeps it."`
	JSON   bool `name:"json" help:"Print JSON."`
}

func (*pruneCmd) Help() string {
	return "Removes the run bundles below results/runs that no rule of results/retention.yaml keeps. What a baseline rests on\n" +
		"stays, and so does a run that goes on, and whatever cannot be read as a bundle, such as one of a newer rigor.\n\n" +
		"A bundle vanishes as a whole. The exit status is 0 if all went well and 2 if not."
}

// Run prunes.
func (c *pruneCmd) Run(ctx context.Context) error {
	root, err := harness.Root(".")
	if err != nil {
		return err
	}
	x, _, err := openHistory(ctx, root, false)
	if err != nil {
		return err
	}
	defer x.Close()
	p, err := newPruning(ctx, root, x, time.Now())
	if err != nil {
		return err
	}
	if !c.DryRun {
		err = p.remove(ctx, x)
	}
	if c.JSON {
		return errors.Join(err, printJSON(p.fates))
	}
	return errors.Join(err, c.print(p))
}

// pruning is what goes and what stays.
type pruning struct {
	dir   string // of the bundles
	fates []fate
	gone  int
	bytes int64 // of those that go
}

type fate struct {
	history.Fate
	Bytes int64 `json:"bytes,omitempty"` // of what goes
}

func newPruning(ctx context.Context, root string, x *history.Index, now time.Time) (*pruning, error) {
	policy, err := history.LoadPolicy(filepath.Join(root, "results", "retention.yaml"))
	if err != nil {
		return nil, err
	}
	rests, err := foundations(root)
	if err != nil {
		return nil, err
	}
	runs, err := x.Runs(ctx, history.Filter{})
	if err != nil {
		return nil, err
	}
	p := &pruning{dir: filepath.Join(root, "results", "runs")}
	alive := func(r history.Run) bool { return record.Alive(filepath.Join(p.dir, r.Name)) }
	for _, f := range policy.Fates(runs, rests, alive, now) {
		all := fate{Fate: f}
		if f.Keep == "" {
			all.Bytes = history.Size(p.dir, f.Name)
			p.gone++
			p.bytes += all.Bytes
		}
		p.fates = append(p.fates, all)
	}
	return p, nil
}

// foundations names the runs that baselines rest on. A baseline that cannot be read
// is an error: nobody knows what it rests on.
func foundations(root string) (map[string]bool, error) {
	files, err := filepath.Glob(harness.BaselineFile(root, "*"))
	if err != nil {
		return nil, fmt.Errorf("find baselines: %w", err)
	}
	all := map[string]bool{}
	for _, f := range files {
		b, err := judge.LoadBaseline(f)
		if err != nil {
			return nil, err
		}
		for _, name := range b.Runs() {
			all[name] = true
		}
	}
	return all, nil
}

// remove removes what goes, until ctx ends.
func (p *pruning) remove(ctx context.Context, x *history.Index) error {
	if _, err := os.Stat(p.dir); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	failed := history.Sweep(p.dir)
	for _, f := range p.fates {
		if f.Keep == "" && ctx.Err() == nil {
			failed = errors.Join(failed, history.Remove(p.dir, f.Name))
		}
	}
	_, err := x.Sync(ctx, p.dir)
	return errors.Join(failed, err)
}

func (p *pruning) String() string {
	return fmt.Sprintf("%d of %d bundles, %.1f MB", p.gone, len(p.fates), float64(p.bytes)/1e6)
}

func (c *pruneCmd) print(p *pruning) error {
	verb := "removed"
	if c.DryRun {
		verb = "would remove"
	}
	if p.gone == 0 && !c.All {
		fmt.Printf("%s nothing: rules keep all of %d bundles\n", verb, len(p.fates))
		return nil
	}
	err := table("RUN\tSTATUS\tVERDICT\tSTAYS, SINCE", func(w io.Writer) {
		for _, f := range p.fates {
			if f.Keep == "" || c.All {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", f.Name, f.Status, f.Verdict(), cmp.Or(f.Keep, "-"))
			}
		}
	})
	fmt.Printf("\n%s %v\n", verb, p)
	return err
}
