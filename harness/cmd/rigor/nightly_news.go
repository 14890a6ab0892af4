package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"rigor/harness/history"
	"rigor/harness/judge/change"
	"rigor/harness/measure"
	"rigor/harness/measure/series"
	"rigor/harness/record"
	"rigor/harness/report"
)

// finding is what a night found: nightly.json.
type finding struct {
	Status int     `json:"status"` // exit status of the run
	Line   string  `json:"line"`   // the verdict
	News   []novel `json:"news"`   // figures that came to a new level
}

// novel is a figure's new level, which shows since this run.
type novel struct {
	history.Figure
	Statistic measure.Statistic `json:"statistic"`
	history.Change
}

func (v novel) String() string {
	return fmt.Sprintf("%s by %s on %s %s: %s %s -> %s %s since %s; suspect: %s", v.Quantity, v.Source, v.Board, v.Verdict,
		v.Statistic, number(v.Before), number(v.After), v.Unit, v.Run, v.Suspect)
}

// lately is how many runs are looked at: older ones say nothing about tonight.
const lately = 200

// news finds what the run has brought to light about the figures that it measured. Of
// a figure the median is told, or what else changed where values are exact.
func news(ctx context.Context, x *history.Index, rig, run string) (all []novel, err error) {
	figures, err := x.Figures(ctx, history.Pattern{Rig: rig})
	if err != nil {
		return nil, err
	}
	told := map[int64]bool{}
	for _, st := range []measure.Statistic{measure.Median, measure.Max, measure.Min} {
		of, err := x.SeriesOf(ctx, figures, st)
		if err != nil {
			return nil, err
		}
		for i, f := range figures {
			points := of[i][max(0, len(of[i])-lately):]
			if told[f.ID] || len(points) == 0 || points[len(points)-1].Run != run {
				continue
			}
			for _, c := range history.News(f, st, points, series.Options{}) {
				if st == measure.Median || c.Exact { // extremes of hardware scatter too much
					told[f.ID], all = true, append(all, novel{f, st, c})
				}
			}
		}
	}
	return all, nil
}

func (f *finding) worse() []novel {
	return slices.DeleteFunc(slices.Clone(f.News), func(v novel) bool { return v.Verdict != change.Worse })
}

// line is the verdict on the run, and the news in brief.
func (f *finding) line(r *record.Run) string {
	line := report.Line(r)
	if len(f.News) == 0 {
		return line
	}
	first, worse := f.News[0], f.worse()
	if len(worse) > 0 {
		first = worse[0]
	}
	return fmt.Sprintf("%s; %d figures at a new level, %d of them worse: %v", line, len(f.News), len(worse), first)
}

func (f *finding) write(w io.Writer) error { return writeJSON(w, f) }

// mostNews is how many rows the summary's table has at most; GitHub takes no summary
// above 1 MiB.
const mostNews = 50

// markdown is the summary of the run, if it left one, and of what is new.
func (f *finding) markdown(r *record.Run) string {
	if r == nil {
		return fmt.Sprintf("## %s\n\n", f.Line)
	}
	var b strings.Builder
	report.Markdown(&b, r) // a builder takes everything
	fmt.Fprintf(&b, "\n### New levels, to be seen since this run: %d\n\n", len(f.News))
	if len(f.News) == 0 {
		return b.String()
	}
	b.WriteString("| figure | | change | first run | whose |\n|---|---|---|---|---|\n")
	for _, v := range f.News[:min(len(f.News), mostNews)] {
		fmt.Fprintf(&b, "| %s by %s on %s, %s/%s | **%s** | %s %s -> %s %s | %s | %s: %s |\n", v.Quantity, v.Source, v.Board, v.Suite, cell(v.Experiment),
			v.Verdict, v.Statistic, number(v.Before), number(v.After), v.Unit, v.Run, v.Suspect, v.Reason)
	}
	if more := len(f.News) - mostNews; more > 0 {
		fmt.Fprintf(&b, "\n%d more are in `nightly.json`.\n", more)
	}
	return b.String()
}

// cell keeps text from ending its cell of a table.
func cell(text string) string { return strings.ReplaceAll(text, "|", "\\|") }
