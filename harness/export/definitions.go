package export

import (
	"maps"
	"slices"

	"rigor/harness/measure"
)

// Metric defines a gauge. Dashboards, rules and their tests are made from
// these definitions; so is the registry.
type Metric struct {
	Name   string
	Help   string
	Unit   string   // base unit as Prometheus has it, "" for what is merely counted or is a state
	Labels []string // the last one is the state's, if there are States
	States []string // from the worst to the best: one series each, 1 for the present one
}

// Names of the metrics, but for those of single quantities.
const (
	RunInfo            = "rigor_run_info"
	RunStatus          = "rigor_run_status"
	RunStart           = "rigor_run_start_timestamp_seconds"
	RunEnd             = "rigor_run_end_timestamp_seconds"
	RunFailures        = "rigor_run_failures"
	BoardInfo          = "rigor_board_info"
	BoardUp            = "rigor_board_up"
	FirmwareInfo       = "rigor_firmware_info"
	ExperimentOutcome  = "rigor_experiment_outcome"
	ExperimentAttempts = "rigor_experiment_attempts"
	ExperimentDuration = "rigor_experiment_duration_seconds"
	AttemptFailures    = "rigor_attempt_failures"
	Verdict            = "rigor_verdict"
	SampleDoubts       = "rigor_sample_doubts"
	SuiteDuration      = "rigor_suite_duration_seconds"
	SuiteSimulated     = "rigor_suite_simulated_seconds"
	ProbeSkew          = "rigor_probe_skew_seconds"
	ProbeSpread        = "rigor_probe_spread_seconds"
	Change             = "rigor_change"
	ChangeRatio        = "rigor_change_ratio"

	TrendChange      = "rigor_trend_change_ratio"
	QuarantineExpiry = "rigor_quarantine_expiry_timestamp_seconds"
	Quarantined      = "rigor_experiment_quarantined"

	// Of the runs of the last [Recent] days, as the history has them.
	BoardLastSeen       = "rigor_board_last_seen_timestamp_seconds"
	BoardLastAnswer     = "rigor_board_last_answer_timestamp_seconds"
	RecentAttempts      = "rigor_board_recent_attempts"
	RecentFailures      = "rigor_board_recent_failures"
	RecentFlashes       = "rigor_board_recent_flashes"
	RecentFlashFailures = "rigor_board_recent_flash_failures"
	RecentAnswers       = "rigor_experiment_recent_answers"
	RecentFlakyAnswers  = "rigor_experiment_recent_flaky_answers"
)

var (
	rigLabels        = []string{"rig", "rig_kind"}
	boardLabels      = with(rigLabels, "board")
	suiteLabels      = with(rigLabels, "suite", "board")
	experimentLabels = with(rigLabels, "suite", "experiment", "board")
	sampleLabels     = with(experimentLabels, "chip", "firmware", "clock_hz", "source")
	statisticLabels  = with(sampleLabels, "quantity", "statistic")
)

// Metrics lists the definitions, but for the metrics of single quantities:
// those are named by the quantity and its unit, and their help is the quantity's.
var Metrics = append(figures(), []Metric{
	{RunInfo, "What made the run, and the name of its bundle.", "", with(rigLabels, "harness", "samples_digest", "run"), nil},
	{RunStatus, "How far the run got.", "", with(rigLabels, "status"), runStates},
	{RunStart, "When the run began, since the Unix epoch.", "seconds", rigLabels, nil},
	{RunEnd, "When the run ended, since the Unix epoch.", "seconds", rigLabels, nil},
	{RunFailures, "What fails the run, by who is to blame.", "", with(suiteLabels, "class"), nil},
	{BoardInfo, "A board of the rig.", "", with(boardLabels, "chip", "id"), nil},
	{BoardUp, "Whether the board answered any experiment of the run.", "", boardLabels, nil},
	{FirmwareInfo, "An image that was flashed.", "", with(rigLabels, "firmware", "target", "digest", "source_digest", "toolchain"), nil},
	{ExperimentOutcome, "What became of the experiment.", "", with(experimentLabels, "outcome"), experimentStates},
	{ExperimentAttempts, "How often the experiment was tried.", "", experimentLabels, nil},
	{ExperimentDuration, "How long the last attempt took on the host.", "seconds", experimentLabels, nil},
	{AttemptFailures, "Attempts that failed, by who is to blame; those that were followed by an answer, too.", "", with(suiteLabels, "class"), nil},
	{Verdict, "Judgement of a statistic; unset is not a pass.", "", with(statisticLabels, "limit", "outcome"), verdictStates},
	{SampleDoubts, "Reasons for which nothing may be judged by the sample.", "", with(sampleLabels, "quantity"), nil},
	{SuiteDuration, "How long the suite had the board, on the host.", "seconds", suiteLabels, nil},
	{SuiteSimulated, "How much of a virtual board's own time went by.", "seconds", suiteLabels, nil},
	{ProbeSkew, "How much a loop's end is behind its beginning, as the probe saw it: the median.", "seconds", with(boardLabels, "loop"), nil},
	{ProbeSpread, "How far the delays of a loop lie apart, as the probe saw them.", "seconds", with(boardLabels, "loop"), nil},
	{Change, "What became of a statistic since the baseline.", "", with(statisticLabels, "verdict"), changeStates},
	{ChangeRatio, "How much a statistic differs from the baseline, as a part of that; where that is 0, of one unit.", "ratio", statisticLabels, nil},
	{TrendChange, "The newest change of a figure's level from run to run in the last 7 days, as a part of what it was; run is the first of the new level.",
		"ratio", with(rigLabels, "suite", "experiment", "board", "clock_hz", "source", "quantity", "statistic", "verdict", "suspect", "run"), nil},
	{QuarantineExpiry, "When a quarantine ends, since the Unix epoch; a failure then fails the run again.", "seconds", with(experimentLabels, "owner", "issue"), nil},
	{Quarantined, "Whether a failure of the experiment is excused.", "", experimentLabels, nil},
	{BoardLastSeen, "When the board was last asked something, since the Unix epoch.", "seconds", boardLabels, nil},
	{BoardLastAnswer, "When the board last answered, since the Unix epoch.", "seconds", boardLabels, nil},
	{RecentAttempts, "Attempts on the board in the last 30 days.", "", boardLabels, nil},
	{RecentFailures, "Attempts on the board in the last 30 days that failed, by who is to blame.", "", with(boardLabels, "class"), nil},
	{RecentFlashes, "How often the board was flashed in the last 30 days.", "", boardLabels, nil},
	{RecentFlashFailures, "How often flashing the board failed in the last 30 days.", "", boardLabels, nil},
	{RecentAnswers, "How often the experiment was answered in the last 30 days.", "", experimentLabels, nil},
	{RecentFlakyAnswers, "How often the experiment was answered only when tried again, in the last 30 days.", "", experimentLabels, nil},
}...)

// definition finds a metric; that there is none is our own mistake.
func definition(name string) Metric {
	i := slices.IndexFunc(Metrics, func(m Metric) bool { return m.Name == name })
	if i < 0 {
		panic("BUG: no metric " + name)
	}
	return Metrics[i]
}

// Figure is the name of the metric that holds the statistics of all quantities
// of a unit: exact to a count, as histograms are not.
func Figure(unit string) string { return "rigor_figure_" + unit }

// FigureUnits lists the units that figures come in.
func FigureUnits() []string {
	units := map[string]bool{"seconds": true, "cycles": true}
	for _, u := range gaugeUnits {
		units[u.name] = true
	}
	return slices.Sorted(maps.Keys(units))
}

func figures() []Metric {
	var all []Metric
	for _, u := range FigureUnits() {
		all = append(all, Metric{Figure(u), "Statistics of the samples of each quantity, in " + words(u) + ".", u, statisticLabels, nil})
	}
	return all
}

// figureStatistics are those that are exported of each sample.
var figureStatistics = []measure.Statistic{measure.Min, measure.Median, measure.P99, measure.Max}

// with appends labels to a copy.
func with(labels []string, more ...string) []string {
	return append(labels[:len(labels):len(labels)], more...)
}
