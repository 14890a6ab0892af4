package monitoring

import (
	"fmt"
	"strings"

	"rigor/harness/export"
	"rigor/harness/judge/change"
	"rigor/harness/record"
	"rigor/harness/rig"
)

// Recorded is a recording rule.
type Recorded struct {
	Name string
	Expr string
	Help string
}

// Names of what is recorded.
const (
	RunAge         = "rig:rigor_run_age:seconds"
	Outcomes       = "rig_outcome:rigor_experiment_outcome:sum"
	Verdicts       = "rig_outcome:rigor_verdict:sum"
	Failures       = "rig_suite_board_class:rigor_run_failures:sum"
	Worse          = "rig_suite_board:rigor_change_worse:sum"
	Better         = "rig_suite_board:rigor_change_better:sum"
	TrendWorse     = "rig_suite_board_run_suspect:rigor_trend_change_worse:count"
	RigFailures    = "rig_board:rigor_board_recent_rig_failures:ratio"
	FlashFailures  = "rig_board:rigor_board_recent_flash_failures:ratio"
	FlakyAnswers   = "rig_suite_board:rigor_experiment_recent_flaky_answers:ratio"
	DoubtedSamples = "rig_board:rigor_sample_doubts:count"
	Silence        = "rig_board:rigor_board_silence:seconds"
	Simulation     = "rig_suite_board:rigor_suite_simulated:ratio"
)

// recorded lists the recording rules: what alerts and dashboards both ask for.
var recorded = []Recorded{
	{RunAge, fmt.Sprintf("time() - max by (rig) (%s)", export.RunStart),
		"Time since a rig's newest run began."},
	{Outcomes, fmt.Sprintf("sum by (rig, outcome) (%s)", export.ExperimentOutcome),
		"Experiments of a rig's newest run, by what became of them."},
	{Verdicts, fmt.Sprintf("sum by (rig, outcome) (%s)", export.Verdict),
		"Verdicts of a rig's newest run."},
	{Failures, fmt.Sprintf("sum by (rig, suite, board, class) (%s)", export.RunFailures),
		"What fails a rig's newest run, by who is to blame."},
	{Worse, fmt.Sprintf("sum by (rig, suite, board) (%s{verdict=%q})", export.Change, change.Worse),
		"Figures that are worse than the baseline."},
	{Better, fmt.Sprintf("sum by (rig, suite, board) (%s{verdict=%q})", export.Change, change.Better),
		"Figures that are better than the baseline."},
	{TrendWorse, fmt.Sprintf("count by (rig, suite, board, run, suspect) (%s{verdict=%q})", export.TrendChange, change.Worse),
		"Figures that have been worse since a run of the last 7 days."},
	{RigFailures, fmt.Sprintf("sum by (rig, board) (%s{class=%q}) / (sum by (rig, board) (%s) > 0)", export.RecentFailures, rig.Rig, export.RecentAttempts),
		"Share of the last 30 days' attempts that failed for the rig's sake."},
	{FlashFailures, fmt.Sprintf("sum by (rig, board) (%s) / (sum by (rig, board) (%s) > 0)", export.RecentFlashFailures, export.RecentFlashes),
		"Share of the last 30 days' flashes that failed."},
	{FlakyAnswers, fmt.Sprintf("sum by (rig, suite, board) (%s) / (sum by (rig, suite, board) (%s) > 0)", export.RecentFlakyAnswers, export.RecentAnswers),
		"Share of the last 30 days' answers that took more than one attempt."},
	{DoubtedSamples, fmt.Sprintf("sum by (rig, board) (%s > bool 0)", export.SampleDoubts),
		"Samples of a rig's newest run that nothing may be judged by."},
	{Silence, fmt.Sprintf("max by (rig, board) (%s) - max by (rig, board) (%s)", export.BoardLastSeen, export.BoardLastAnswer),
		"Time between a board's last answer and the last attempt to get one."},
	{Simulation, fmt.Sprintf("sum by (rig, suite, board) (%s) / (sum by (rig, suite, board) (%s) > 0)", export.SuiteSimulated, export.SuiteDuration),
		"Time that went by on a virtual board to a second of the host's."},
}

// Alert is an alerting rule.
type Alert struct {
	Name     string
	Expr     string
	For      string
	Keep     string // how long it fires on: the metrics of a run under way are those of what it has asked so far
	Severity string // critical: the night's answer is missing or bad; warning: look at it by day
	Summary  string
	What     string // to do
}

// A night's run begins once a day; an hour or two of delay is no news.
const (
	overdue = 26 * 3600
	stuck   = 6 * 3600
	silent  = 24 * 3600
	soon    = 7 * 24 * 3600
)

// enough is how many attempts a rate must rest on: of fewer, one failure is more than 5 %.
const enough = 20

// newestRun names the bundle of a rig in an annotation.
const newestRun = `{{ with printf "` + export.RunInfo + `{rig=%q}" .Labels.rig | query }}{{ . | first | label "run" }}{{ end }}`

// untilAsked is longer than a run takes.
const untilAsked = "1h"

var alerts = []Alert{
	{"RigorRegression", Worse + " > 0", "0m", untilAsked, "warning",
		"{{ $labels.suite }} on {{ $labels.board }}: figures worse than the baseline: {{ $value }}",
		"rigor compare baseline " + newestRun + " --where names the functions; rigor bisect finds the commit."},
	{"RigorTrendWorse", TrendWorse + " > 0", "0m", "", "warning",
		"{{ $labels.suite }} on {{ $labels.board }}: figures worse since run {{ $labels.run }}: {{ $value }}; suspect: {{ $labels.suspect }}",
		"rigor history --board {{ $labels.board }} shows the figures from run to run; rigor bisect finds the commit on the virtual rig."},
	{"RigorRunFailing", Failures + " > 0", "0m", untilAsked, "critical",
		"{{ if $labels.suite }}{{ $labels.suite }} on {{ $labels.board }}{{ else }}Limits that nothing was measured for{{ end }}: findings that fail the run: {{ $value }}; to blame: {{ $labels.class }}",
		"rigor report " + newestRun + " shows them."},
	{"RigorRunIncomplete", fmt.Sprintf(`max by (rig, status) (%s{status=~"%s|%s"}) == 1`, export.RunStatus, record.Failed, record.Interrupted), "0m", "", "critical",
		"The newest run of rig {{ $labels.rig }} did not get to its end: {{ $labels.status }}",
		"rigor report " + newestRun + " shows how far it got."},
	{"RigorRunStuck", fmt.Sprintf("(%s > %d) and on (rig) max by (rig) (%s{status=%q}) == 1", RunAge, stuck, export.RunStatus, record.Running), "5m", "", "critical",
		"The run of rig {{ $labels.rig }} has been going on for {{ $value | humanizeDuration }}, or was killed",
		"rigor serve shows what it does; a killed run stays as it is until the next."},
	{"RigorRunOverdue", fmt.Sprintf("%s > %d", RunAge, overdue), "15m", "", "critical",
		"No run on rig {{ $labels.rig }} for {{ $value | humanizeDuration }}",
		"systemctl status rigor-nightly@{{ $labels.rig }}.timer rigor-nightly@{{ $labels.rig }}.service"},
	{"RigorExporterDown", fmt.Sprintf("up{job=%q} == 0 or absent(up{job=%q})", job, job), "10m", "", "critical",
		"Nothing can be told about any rig: the exporter does not answer",
		"rigor serve or rigor export --listen must run and have a bundle that it can read; its /metrics says what is wrong."},
	{"RigorBoardOffline", fmt.Sprintf("max by (rig, board) (%s) == 0 or %s > %d", export.BoardUp, Silence, silent), "0m", untilAsked, "critical",
		"Board {{ $labels.board }} of rig {{ $labels.rig }} does not answer",
		"Power, cable, port and boot straps: rigor flash --rig {{ $labels.rig }} --board {{ $labels.board }} tries the loader alone."},
	{"RigorFlashFailures", fmt.Sprintf("%s > 0.05 and on (rig, board) sum by (rig, board) (%s) >= %d", FlashFailures, export.RecentFlashes, enough), "0m", "", "warning",
		"{{ $value | humanizePercentage }} of the flashes of board {{ $labels.board }} fail",
		"A failing flash that repeats itself is worn memory; one that does not is the line: try a lower rate."},
	{"RigorSuiteFlaky", fmt.Sprintf("%s > 0.05 and on (rig, suite, board) sum by (rig, suite, board) (%s) >= %d", FlakyAnswers, export.RecentAnswers, enough), "0m", "", "warning",
		"{{ $value | humanizePercentage }} of the answers of {{ $labels.suite }} on {{ $labels.board }} take more than one attempt",
		"rigor history --board {{ $labels.board }} shows since when; the attempts are in each run's report."},
	{"RigorRigUnwell", fmt.Sprintf("%s > 0.05 and on (rig, board) sum by (rig, board) (%s) >= %d", RigFailures, export.RecentAttempts, enough), "0m", "", "warning",
		"{{ $value | humanizePercentage }} of the attempts on board {{ $labels.board }} fail for the rig's sake",
		"What fails for the rig's sake says nothing about the firmware: ports, probes, power."},
	{"RigorSamplesDoubted", DoubtedSamples + " > 0", "0m", untilAsked, "warning",
		"Board {{ $labels.board }}: samples that can't be judged by: {{ $value }}",
		"A probe that loses edges has too slow a host or too fast a signal; " + newestRun + " has the reasons."},
	{"RigorQuarantineExpiring", fmt.Sprintf("0 <= (%s - time()) < %d", export.QuarantineExpiry, soon), "0m", "", "warning",
		"The quarantine of {{ $labels.suite }}, {{ $labels.experiment }} ends in {{ $value | humanizeDuration }}; {{ $labels.owner }} answers for it",
		"See {{ $labels.issue }}; suites/quarantine.yaml."},
	{"RigorQuarantineExpired", export.QuarantineExpiry + " - time() < 0", "0m", "", "critical",
		"The quarantine of {{ $labels.suite }}, {{ $labels.experiment }} has ended and fails each run; {{ $labels.owner }} answers for it",
		"See {{ $labels.issue }}; suites/quarantine.yaml."},
}

// Rules counts the rules, of both kinds.
func Rules() int { return len(recorded) + len(alerts) }

// rulesFile writes the rules as Prometheus reads them.
func rulesFile() string {
	var b strings.Builder
	b.WriteString("# Made by harness/export/monitoring, whose tests write it anew. One group, since its rules are asked in turn: alerts rest on what is recorded.\n")
	b.WriteString("groups:\n  - name: rigor\n    rules:\n")
	for _, r := range recorded {
		fmt.Fprintf(&b, "      # %s\n      - record: %s\n        expr: %s\n", r.Help, r.Name, quote(r.Expr))
	}
	for _, a := range alerts {
		fmt.Fprintf(&b, "      - alert: %s\n        expr: %s\n        for: %s\n", a.Name, quote(a.Expr), a.For)
		if a.Keep != "" {
			fmt.Fprintf(&b, "        keep_firing_for: %s\n", a.Keep)
		}
		fmt.Fprintf(&b, "        labels:\n          severity: %s\n        annotations:\n          summary: %s\n          description: %s\n",
			a.Severity, quote(a.Summary), quote(a.What))
	}
	return b.String()
}
