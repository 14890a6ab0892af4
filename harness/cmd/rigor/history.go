package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"rigor/harness"
	"rigor/harness/history"
	"rigor/harness/judge/change"
	"rigor/harness/measure"
	"rigor/harness/measure/series"
	"rigor/harness/record"
	"rigor/harness/report"
)

type historyCmd struct {
	Metric     string            `arg:"" optional:"" help:"Quantity whose history to show, such as goroutine-switch; * and ? stand for any letters (default: list the runs)."`
	Rig        string            `placeholder:"NAME" help:"Only on this rig."`
	Board      string            `placeholder:"NAME" help:"Only on this board."`
	Suite      string            `placeholder:"NAME" help:"Only as this suite measured it."`
	Experiment string            `placeholder:"NAME" help:"Only as this experiment measured it."`
	Source     measure.Source    `placeholder:"WHO" help:"Only as firmware, probe or harness measured it."`
	Statistic  measure.Statistic `default:"p50" enum:"min,p50,p95,p99,max" placeholder:"NAME" help:"min, p50, p95, p99 or max (default: ${default})."`
	Points     bool              `help:"Show each run's value, too, as is done where a single figure fits."`
	Limit      int               `default:"20" placeholder:"N" help:"Runs to list, the newest (default: ${default}; 0: all)."`
	JSON       bool              `name:"json" help:"Print JSON."`
	Rebuild    bool              `help:"Read all bundles anew, instead of those that changed."`
}

func (*historyCmd) Help() string {
	return "Shows what the bundles below results/runs have in common: without METRIC the runs and the health of their boards, with it how\n" +
		"a figure went from run to run, and where it came to a new level. A figure is a quantity as one experiment measures it\n" +
		"on one board at one clock.\n\n" +
		"On a virtual rig values are exact, and every difference is shown as a change. On hardware a change is a level of five runs\n" +
		"or more, 1 % or more from that before; single outliers are none, nor is a slow slide. Of each change you see the first\n" +
		"run with the new level, the last one with the old, and whose it most likely is. Replays and runs of rigor ab are left out.\n\n" +
		"    rigor history 'goroutine-*' --board f407\n" +
		"    rigor history goroutine-switch --board f407 --source firmware --statistic max --points\n\n" +
		"The index is results/history.db. It is made from the bundles, brought up to date at each call, and may be removed at any\n" +
		"time. The exit status is 0 whatever is shown, and 2 if there is nothing to show."
}

// Run shows runs or figures.
func (c *historyCmd) Run(ctx context.Context) error {
	root, err := harness.Root(".")
	if err != nil {
		return err
	}
	x, _, err := openHistory(ctx, root, c.Rebuild)
	if err != nil {
		return err
	}
	defer x.Close()
	if c.Metric == "" {
		return c.runs(ctx, x, filepath.Join(root, "results", "runs"))
	}
	trends, err := c.trends(ctx, x)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(trends)
	}
	for i, t := range trends {
		if i > 0 {
			fmt.Println()
		}
		if err := t.print(os.Stdout, c.Points || len(trends) == 1); err != nil {
			return err
		}
	}
	return nil
}

// openHistory opens the index of the project's runs and brings it up to date. What is
// to be known of it is told on standard error.
func openHistory(ctx context.Context, root string, rebuild bool) (*history.Index, history.Synced, error) {
	x, err := history.Open(filepath.Join(root, "results", history.File), func(text string) { fmt.Fprintln(os.Stderr, "note:", text) })
	if err != nil {
		return nil, history.Synced{}, err
	}
	update := x.Sync
	if rebuild {
		update = x.Rebuild
	}
	synced, err := update(ctx, filepath.Join(root, "results", "runs"))
	if err != nil {
		x.Close()
		return nil, synced, err
	}
	for _, p := range synced.Unreadable {
		fmt.Fprintf(os.Stderr, "note: run %s cannot be read: %s\n", p.Name, p.Reason)
	}
	return x, synced, nil
}

// overview is what there is without a metric.
type overview struct {
	Runs   []history.Run   `json:"runs"`
	Boards []history.Board `json:"boards"`
}

func (c *historyCmd) runs(ctx context.Context, x *history.Index, dir string) error {
	var all overview
	var err error
	if all.Runs, err = x.Runs(ctx, history.Filter{Rig: c.Rig, Board: c.Board, Limit: c.Limit}); err != nil {
		return err
	}
	if all.Boards, err = x.Boards(ctx, time.Time{}); err != nil {
		return err
	}
	all.Boards = slices.DeleteFunc(all.Boards, func(b history.Board) bool {
		return c.Rig != "" && b.Rig.Name != c.Rig || c.Board != "" && b.Name != c.Board
	})
	switch {
	case len(all.Runs) == 0:
		return fmt.Errorf("no runs to show; `rigor run` makes one")
	case c.JSON:
		return printJSON(all)
	}
	return all.print(dir)
}

func (o overview) print(dir string) error {
	err := table("RUN\tSTATUS\tVERDICT\tTOOK\tANSWERED\tFAILED\tSKIPPED\tFLAKY\tPASS\tFAIL\tUNSET\tWORSE\tHARNESS\tNOTE", func(w io.Writer) {
		for _, r := range o.Runs {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%s\t%s\n", r.Name, howFar(dir, r), r.Verdict(), took(r),
				r.Answered, r.Broken, r.Skipped, r.Flaky, r.Pass, r.Fail, r.Unset, r.Worse, short(r.Harness), aside(r))
		}
	})
	if err != nil {
		return err
	}
	fmt.Println()
	return table("RIG\tBOARD\tCHIP\tRUNS\tANSWERED\tFAILED\tFLAKY\tFLASHED\tFAILED TO\tATTEMPTS FAILED BY\tLAST SEEN\tLAST OK", func(w io.Writer) {
		for _, b := range o.Boards {
			fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%s\t%s\t%s\n", b.Rig.Name, b.Name, b.Chip, b.Runs, b.Answered, b.Broken, b.Flaky,
				b.Flashes, b.FlashFailures, culprits(b), when(b.LastSeen), when(b.LastOK))
		}
	})
}

// howFar is a run's status, or "killed" where nobody is left to change it.
func howFar(dir string, r history.Run) string {
	if r.Status == record.Running && !record.Alive(filepath.Join(dir, r.Name)) {
		return "killed"
	}
	return string(r.Status)
}

// aside says why a run is in no series, if it is in none.
func aside(r history.Run) string {
	switch {
	case r.ReplayOf != "":
		return "replay of " + r.ReplayOf
	case r.Aside:
		return "one of two states"
	}
	return ""
}

func took(r history.Run) string {
	if r.Ended.IsZero() {
		return "-"
	}
	return r.Ended.Sub(r.Started).Round(time.Second).String()
}

// culprits lists whose the failures on a board were.
func culprits(b history.Board) string {
	var all []string
	for _, f := range b.Failures {
		all = append(all, fmt.Sprintf("%s %d", f.Class, f.N))
	}
	return cmp.Or(strings.Join(all, ", "), "-")
}

func when(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.Format("2006-01-02 15:04")
}

// short keeps the head of a version or digest.
func short(s string) string { return s[:min(len(s), 12)] }

// trend is a figure's history.
type trend struct {
	history.Figure
	Statistic measure.Statistic `json:"statistic"`
	Series    []history.Point   `json:"points"`
	Changes   []history.Change  `json:"changes"`
}

func (c *historyCmd) trends(ctx context.Context, x *history.Index) ([]trend, error) {
	figures, err := x.Figures(ctx, history.Pattern{
		Rig: c.Rig, Suite: c.Suite, Experiment: c.Experiment, Board: c.Board, Quantity: c.Metric, Source: c.Source,
	})
	if err != nil {
		return nil, err
	}
	if len(figures) == 0 {
		return nil, noFigure(ctx, x, c.Metric)
	}
	all, err := x.SeriesOf(ctx, figures, c.Statistic)
	if err != nil {
		return nil, err
	}
	trends := make([]trend, len(figures))
	for i, f := range figures {
		trends[i] = trend{f, c.Statistic, all[i], history.Changes(f, c.Statistic, all[i], series.Options{})}
	}
	return trends, nil
}

// noFigure says what could have been asked for.
func noFigure(ctx context.Context, x *history.Index, metric string) error {
	all, err := x.Figures(ctx, history.Pattern{})
	if err != nil {
		return err
	}
	var there []string
	for _, f := range all {
		there = append(there, f.Quantity)
	}
	slices.Sort(there)
	there = slices.Compact(there)
	if slices.Contains(there, metric) {
		return fmt.Errorf("no run measured %s with what the options name; `rigor history %s` shows who did", metric, metric)
	}
	return fmt.Errorf("no run measured %q; there are %s", metric, cmp.Or(strings.Join(there, ", "), "no runs at all: `rigor run` makes one"))
}

func (t trend) print(w io.Writer, points bool) error {
	at := ""
	if t.CoreHz != 0 {
		at = fmt.Sprintf(" at %v", t.CoreHz)
	}
	fmt.Fprintf(w, "%s by %s, %s on %s%s, %s/%s: %s in %s\n", t.Quantity, t.Source, t.Board, t.Rig.Name, at, t.Suite, t.Experiment, t.Statistic, t.Unit)
	last := t.Series[len(t.Series)-1]
	fmt.Fprintf(w, "  %d runs from %s to %s, now %d", len(t.Series), when(t.Series[0].Time), when(last.Time), last.Value)
	if report.IsTerminal(os.Stdout) && len(t.Series) > 1 {
		fmt.Fprintf(w, "  %s", sparkline(t.Series))
	}
	fmt.Fprintln(w)
	for _, c := range t.Changes {
		printChange(w, c)
	}
	if !points {
		return nil
	}
	return t.table()
}

// printChange writes what a change is, since when, and how to learn more.
func printChange(w io.Writer, c history.Change) {
	by := number(c.After - c.Before)
	if c.After > c.Before {
		by = "+" + by
	}
	if c.Relative != 0 {
		by += fmt.Sprintf(" (%+.2g %%)", 100*c.Relative)
	}
	sure := fmt.Sprintf("p = %.1g", c.P)
	switch {
	case c.Exact:
		sure = "exact"
	case c.P < 1e-9:
		sure = "p < 1e-9"
	}
	fmt.Fprintf(w, "  %s %s -> %s, %s, %s\n", strings.ToUpper(string(c.Verdict)), number(c.Before), number(c.After), by, sure)
	fmt.Fprintf(w, "    first in %s, last as before in %s; %s: %s\n", c.Run, c.LastRun, c.Suspect, c.Reason)
	if c.Exact {
		fmt.Fprintf(w, "    rigor compare %s %s --where names the functions\n", c.LastRun, c.Run)
	}
}

// number writes a mean of counts, to two decimals if it has any.
func number(f float64) string { return strconv.FormatFloat(math.Round(f*100)/100, 'f', -1, 64) }

func (t trend) table() error {
	verdicts := map[int]change.Verdict{}
	for _, c := range t.Changes {
		verdicts[c.At] = c.Verdict
	}
	return table("  RUN\tBEGAN\tVALUE\tOF\tLIMITS\tCHANGE\tIMAGE\tHARNESS\tNOTE", func(w io.Writer) {
		for i, p := range t.Series {
			fmt.Fprintf(w, "  %s\t%s\t%d\t%d\t%s\t%s\t%s\t%s\t%s\n", p.Run, when(p.Time), p.Value, p.N, cmp.Or(p.Outcome, "-"),
				cmp.Or(string(verdicts[i]), "-"), cmp.Or(short(p.Firmware), "-"), short(p.Harness), note(p))
		}
	})
}

// note says what is special about a point.
func note(p history.Point) string {
	var all []string
	if p.Repeats != nil {
		all = append(all, fmt.Sprintf("median of %d repeats", len(p.Repeats)))
	}
	if p.Doubt != "" {
		all = append(all, "not judged: "+p.Doubt)
	}
	return strings.Join(all, "; ")
}

// sparkWidth is how many of the last points a sparkline shows.
const sparkWidth = 60

// sparkline draws the last points with the eighths of a block (Unicode 2581 to
// 2588), lowest to highest.
func sparkline(points []history.Point) string {
	points = points[max(0, len(points)-sparkWidth):]
	value := func(p history.Point) int64 { return p.Value }
	byValue := func(a, b history.Point) int { return cmp.Compare(a.Value, b.Value) }
	lo, hi := value(slices.MinFunc(points, byValue)), value(slices.MaxFunc(points, byValue))
	var b strings.Builder
	for _, p := range points {
		level := 3.5 // of what never changes
		if hi > lo {
			level = 7 * (float64(p.Value) - float64(lo)) / (float64(hi) - float64(lo))
		}
		b.WriteRune('▁' + rune(math.Round(level)))
	}
	return b.String()
}
