package monitoring

import (
	"fmt"
	"slices"
	"strings"

	"rigor/harness/export"
	"rigor/harness/measure"
)

// Dashboard is a page of Grafana's.
type Dashboard struct {
	UID       string
	Title     string
	What      string
	Variables []Variable // besides rig and board, which all have
	Panels    []Panel
}

// Variable is something to choose on a dashboard. Its values are asked of Prometheus.
type Variable struct {
	Name   string
	Label  string
	Query  string // label_values(…) of Grafana's Prometheus source
	Regex  string // of what to keep of each value, if not all: its first group
	First  string // value to begin with; "" for all
	Single bool
}

// Kind is how a panel shows its values.
type Kind string

// The kinds of panels.
const (
	Number    Kind = "stat"           // the present value of each series
	Series    Kind = "timeseries"     //
	Timeline  Kind = "state-timeline" // of states
	Table     Kind = "table"          // the present series with their labels
	Heatmap   Kind = "heatmap"
	Reference Kind = "text" // Markdown instead of a query
)

// Panel is one picture of a dashboard.
type Panel struct {
	Title  string
	Kind   Kind
	Of     string // metric or recorded rule that gives the description and the unit
	Exprs  []string
	Legend string
	Unit   string  // base unit where it is not that of Of
	Alarm  float64 // from where on it is red; 0: never
	Width  int     // of 24
	Repeat string
	Text   string
}

// on chooses series by the dashboard's rig and board.
func on(metric string, more ...string) string {
	return metric + "{" + strings.Join(append([]string{`rig=~"$rig"`, `board=~"$board"`}, more...), ",") + "}"
}

// onRig chooses series of what has no board.
func onRig(metric string, more ...string) string {
	return metric + "{" + strings.Join(append([]string{`rig=~"$rig"`}, more...), ",") + "}"
}

// figureKey are the labels that tell figures of a rig apart.
const figureKey = "rig, suite, experiment, board, source, clock_hz, quantity, statistic"

// Dashboards lists the pages.
func Dashboards() []Dashboard {
	return []Dashboard{overview(), boards(), figures(), distributions()}
}

func overview() Dashboard {
	return Dashboard{UID: "rigor-overview", Title: "Rigor: overview", What: "The newest run of each rig: did anything get worse, and whose fault is it?", Panels: []Panel{
		{Title: "Newest run began", Kind: Number, Of: RunAge, Exprs: []string{onRig(RunAge)}, Legend: "{{rig}}", Alarm: overdue, Width: 4},
		{Title: "How far it got", Kind: Number, Of: export.RunStatus, Exprs: []string{onRig(export.RunStatus) + " == 1"}, Legend: "{{rig}}: {{status}}", Width: 4},
		{Title: "Findings that fail it", Kind: Number, Of: Failures, Exprs: []string{"sum by (class) (" + on(Failures) + ")"}, Legend: "{{class}}", Alarm: 1, Width: 6},
		{Title: "Figures that are worse", Kind: Number, Of: Worse, Exprs: []string{"sum by (board) (" + on(Worse) + ")"}, Legend: "{{board}}", Alarm: 1, Width: 4},
		{Title: "Figures that are better", Kind: Number, Of: Better, Exprs: []string{"sum by (board) (" + on(Better) + ")"}, Legend: "{{board}}", Width: 3},
		{Title: "Boards that answer", Kind: Number, Of: export.BoardUp, Exprs: []string{"sum by (rig) (" + on(export.BoardUp) + ")"}, Legend: "{{rig}}", Width: 3},
		{Title: "What fails", Kind: Table, Of: Failures, Exprs: []string{"sort_desc(" + on(Failures) + " > 0)"}, Width: 12},
		{Title: "What changed since the baseline", Kind: Table, Of: export.ChangeRatio, Exprs: []string{fmt.Sprintf(
			"%s * on (%s) group_left (verdict) (%s == 1)", on(export.ChangeRatio), figureKey, on(export.Change, `verdict=~"worse|better|different"`))}, Width: 12},
		{Title: "Since which run", Kind: Table, Of: export.TrendChange, Exprs: []string{on(export.TrendChange)}, Width: 12},
		{Title: "Worse since a run", Kind: Series, Of: TrendWorse, Exprs: []string{on(TrendWorse)}, Legend: "{{suite}} {{board}} since {{run}}", Width: 12},
		{Title: "Experiments", Kind: Series, Of: Outcomes, Exprs: []string{onRig(Outcomes)}, Legend: "{{rig}} {{outcome}}", Width: 12},
		{Title: "Verdicts", Kind: Series, Of: Verdicts, Exprs: []string{onRig(Verdicts)}, Legend: "{{rig}} {{outcome}}", Width: 12},
		{Title: "Alerts", Kind: Table, Exprs: []string{`ALERTS{alertname=~"Rigor.+"}`}, Width: 12},
		{Title: "Quarantine", Kind: Table, Of: export.QuarantineExpiry, Exprs: []string{on(export.QuarantineExpiry) + " - time()"}, Width: 12},
		{Title: "Runs", Kind: Table, Of: export.RunInfo, Exprs: []string{onRig(export.RunInfo)}, Width: 12},
		{Title: "How long they took", Kind: Series, Of: export.RunEnd, Exprs: []string{onRig(export.RunEnd) + " - " + onRig(export.RunStart)}, Legend: "{{rig}}", Width: 12},
		{Title: "Firmware", Kind: Table, Of: export.FirmwareInfo, Exprs: []string{onRig(export.FirmwareInfo)}, Width: 24},
	}}
}

func boards() Dashboard {
	return Dashboard{UID: "rigor-boards", Title: "Rigor: boards and rigs", What: "Is it the firmware or the rig? How well boards, loaders and probes work.", Panels: []Panel{
		{Title: "Boards that answer", Kind: Timeline, Of: export.BoardUp, Exprs: []string{on(export.BoardUp)}, Legend: "{{rig}} {{board}}", Width: 12},
		{Title: "Boards", Kind: Table, Of: export.BoardInfo, Exprs: []string{on(export.BoardInfo)}, Width: 12},
		{Title: "Since the last answer", Kind: Number, Of: export.BoardLastAnswer, Exprs: []string{"time() - " + on(export.BoardLastAnswer)}, Legend: "{{rig}} {{board}}", Alarm: overdue, Width: 12},
		{Title: "Asked in vain for", Kind: Number, Of: Silence, Exprs: []string{on(Silence)}, Legend: "{{rig}} {{board}}", Alarm: silent, Width: 12},
		{Title: "Attempts that fail for the rig's sake", Kind: Series, Of: RigFailures, Exprs: []string{on(RigFailures)}, Legend: "{{rig}} {{board}}", Width: 8},
		{Title: "Flashes that fail", Kind: Series, Of: FlashFailures, Exprs: []string{on(FlashFailures)}, Legend: "{{rig}} {{board}}", Width: 8},
		{Title: "Answers that took more than one attempt", Kind: Series, Of: FlakyAnswers, Exprs: []string{on(FlakyAnswers)}, Legend: "{{suite}} {{board}}", Width: 8},
		{Title: "Failed attempts of 30 days", Kind: Series, Of: export.RecentFailures, Exprs: []string{on(export.RecentFailures)}, Legend: "{{board}} {{class}}", Width: 8},
		{Title: "Failed attempts of the newest run", Kind: Series, Of: export.AttemptFailures, Exprs: []string{"sum by (board, class) (" + on(export.AttemptFailures) + ")"}, Legend: "{{board}} {{class}}", Width: 8},
		{Title: "Experiments that were tried most often", Kind: Table, Of: export.ExperimentAttempts, Exprs: []string{"topk(10, " + on(export.ExperimentAttempts) + ")"}, Width: 8},
		{Title: "Samples that can't be judged by", Kind: Series, Of: DoubtedSamples, Exprs: []string{on(DoubtedSamples)}, Legend: "{{rig}} {{board}}", Width: 8},
		{Title: "Probes' skew", Kind: Series, Of: export.ProbeSkew, Exprs: []string{on(export.ProbeSkew)}, Legend: "{{board}} {{loop}}", Width: 8},
		{Title: "Probes' spread", Kind: Series, Of: export.ProbeSpread, Exprs: []string{on(export.ProbeSpread)}, Legend: "{{board}} {{loop}}", Width: 8},
		{Title: "Suites' time on the host", Kind: Series, Of: export.SuiteDuration, Exprs: []string{on(export.SuiteDuration)}, Legend: "{{suite}} {{board}}", Width: 8},
		{Title: "Speed of simulation", Kind: Series, Of: Simulation, Exprs: []string{on(Simulation)}, Legend: "{{suite}} {{board}}", Unit: "events", Width: 8},
		{Title: "Experiments that take longest", Kind: Table, Of: export.ExperimentDuration, Exprs: []string{"topk(10, " + on(export.ExperimentDuration) + ")"}, Width: 8},
		{Title: "Failures that are excused", Kind: Table, Of: export.Quarantined, Exprs: []string{on(export.Quarantined) + " == 1"}, Width: 24},
	}}
}

// figures has a panel for each unit that there is.
func figures() Dashboard {
	const chosen = `quantity=~"$quantity",statistic=~"$statistic",source=~"$source"`
	d := Dashboard{UID: "rigor-figures", Title: "Rigor: figures", What: "Statistics of each quantity, exact to a count, from run to run.", Variables: []Variable{
		{Name: "quantity", Label: "Quantity", Query: `label_values({__name__=~"rigor_figure_.+"}, quantity)`},
		{Name: "statistic", Label: "Statistic", Query: `label_values({__name__=~"rigor_figure_.+"}, statistic)`, First: string(measure.Median)},
		{Name: "source", Label: "Measured by", Query: `label_values({__name__=~"rigor_figure_.+"}, source)`},
	}}
	const legend = "{{quantity}} {{statistic}} {{board}} {{clock_hz}} {{source}} {{experiment}}"
	d.Panels = append(d.Panels,
		Panel{Title: "Verdicts", Kind: Series, Of: export.Verdict, Exprs: []string{"sum by (outcome) (" + on(export.Verdict, `quantity=~"$quantity",source=~"$source"`) + ")"}, Legend: "{{outcome}}", Width: 12},
		Panel{Title: "Change since the baseline", Kind: Series, Of: export.ChangeRatio, Exprs: []string{on(export.ChangeRatio, chosen)}, Legend: legend, Width: 12})
	for _, u := range slices.Concat([]string{"cycles", "seconds"}, others()) {
		d.Panels = append(d.Panels, Panel{Title: "In " + strings.ReplaceAll(u, "_", " "), Kind: Series, Of: export.Figure(u),
			Exprs: []string{on(export.Figure(u), chosen)}, Legend: legend, Width: 12})
	}
	d.Panels = append(d.Panels, Panel{Title: "What is measured", Kind: Reference, Text: quantities(), Width: 24})
	return d
}

func others() []string {
	return slices.DeleteFunc(export.FigureUnits(), func(u string) bool { return u == "cycles" || u == "seconds" })
}

// quantities explains them as a table.
func quantities() string {
	var b strings.Builder
	b.WriteString("| quantity | what it is | better is |\n|---|---|---|\n")
	for _, q := range measure.Quantities {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", q.Name, q.Help, q.Better)
	}
	return b.String()
}

// distributions repeats its panels for each histogram.
func distributions() Dashboard {
	const (
		native  = `{__name__=~"$metric",rig=~"$rig",board=~"$board"}`
		classic = `{__name__=~"${metric}_bucket",rig=~"$rig",board=~"$board"}`
		by      = "board, source, clock_hz, experiment"
	)
	quantile := func(q string) string {
		return fmt.Sprintf("histogram_quantile(%s, sum by (%s) (%s)) or on () histogram_quantile(%s, sum by (le, %s) (%s))", q, by, native, q, by, classic)
	}
	return Dashboard{UID: "rigor-distributions", Title: "Rigor: distributions", What: "All values of the quantities that are times; the worst one of each leads to its run.", Variables: []Variable{
		{Name: "metric", Label: "Histogram", Query: `label_values({__name__=~"rigor_.+_(seconds|cycles)(_count)?",__name__!~"rigor_figure_.+",chip!=""}, __name__)`,
			Regex: "/(.+?)(?:_count)?$/", First: "rigor_goroutine_switch_seconds"},
	}, Panels: []Panel{
		{Title: "$metric", Kind: Heatmap, Exprs: []string{fmt.Sprintf("sum (%s) or on () sum by (le) (%s)", native, classic)}, Width: 12, Repeat: "metric"},
		{Title: "$metric: half, 99 % of the values are below", Kind: Series, Exprs: []string{quantile("0.5"), quantile("0.99")},
			Legend: "{{board}} {{clock_hz}} {{source}} {{experiment}}", Width: 12, Repeat: "metric"},
	}}
}

// grafana makes the JSON model.
func (d Dashboard) grafana() grafana {
	g := grafana{
		UID: d.UID, Title: d.Title, Description: d.What, Tags: []string{"rigor"}, SchemaVersion: 39, GraphTooltip: 1,
		Time: timeRange{"now-30d", "now"}, Refresh: "1m", Annotations: list[string]{[]string{}},
		Links: []link{{Title: "Rigor", Type: "dashboards", Tags: []string{"rigor"}, AsDropdown: true, IncludeVars: true, KeepTime: true}},
	}
	g.Templating.List = []variable{{Name: "datasource", Label: "Source", Type: "datasource", Query: "prometheus"}}
	common := []Variable{
		{Name: "rig", Label: "Rig", Query: fmt.Sprintf("label_values(%s, rig)", export.RunInfo)},
		{Name: "board", Label: "Board", Query: fmt.Sprintf("label_values(%s, board)", export.BoardInfo)},
	}
	for _, v := range slices.Concat(common, d.Variables) {
		g.Templating.List = append(g.Templating.List, v.grafana())
	}
	at := gridPos{}
	for i, p := range d.Panels {
		at = at.next(p.Width, p.height())
		g.Panels = append(g.Panels, p.grafana(i+1, at))
	}
	return g
}

// next is the place after this one for a panel: beside it or in a new line.
func (g gridPos) next(w, h int) gridPos {
	if g.X+g.W+w > 24 {
		return gridPos{H: h, W: w, X: 0, Y: g.Y + g.H}
	}
	return gridPos{H: h, W: w, X: g.X + g.W, Y: g.Y}
}

func (v Variable) grafana() variable {
	g := variable{Name: v.Name, Label: v.Label, Type: "query", Query: v.Query, Regex: v.Regex, Datasource: datasource,
		Multi: !v.Single, IncludeAll: !v.Single, Refresh: 2, Sort: 1, Current: &choice{v.First, v.First}}
	if v.First == "" {
		g.Current = &choice{"All", "$__all"}
	}
	if !v.Single {
		g.AllValue = ".+"
	}
	return g
}

func (p Panel) height() int {
	if p.Kind == Number {
		return 5
	}
	return 9
}

func (p Panel) grafana(id int, at gridPos) panel {
	g := panel{ID: id, Type: string(p.Kind), Title: p.Title, GridPos: at, Repeat: p.Repeat, Options: p.options()}
	if p.Repeat != "" {
		g.Direction = "v"
	}
	if p.Kind == Reference {
		return g
	}
	help, unit := describe(p.Of)
	if p.Unit != "" {
		unit = p.Unit
	}
	g.Description, g.Datasource = help, datasource
	g.FieldConfig = &fieldConfig{Defaults: fieldDefaults{Unit: units[unit], Thresholds: p.thresholds()}, Overrides: []string{}}
	for i, expr := range p.Exprs {
		g.Targets = append(g.Targets, p.target(string(rune('A'+i)), expr))
	}
	if p.Kind == Table {
		g.Transform = []transform{{"organize", map[string]any{"excludeByName": map[string]bool{"Time": true, "__name__": true, "job": true, "instance": true, "rig_kind": true}}}}
	}
	return g
}

func (p Panel) target(id, expr string) target {
	now := p.Kind == Number || p.Kind == Table
	t := target{RefID: id, Expr: expr, Legend: p.Legend, Format: "time_series", Instant: now, Range: !now, Exemplar: p.Repeat != ""}
	switch p.Kind {
	case Table:
		t.Format = "table"
	case Heatmap:
		t.Format = "heatmap"
	}
	return t
}

// thresholds color what is as large as the alarm.
func (p Panel) thresholds() *thresholds {
	steps := []step{{"green", nil}}
	if p.Alarm > 0 {
		steps = append(steps, step{"red", &p.Alarm})
	}
	return &thresholds{"absolute", steps}
}

func (p Panel) options() map[string]any {
	switch p.Kind {
	case Number:
		return map[string]any{"reduceOptions": map[string]any{"calcs": []string{"lastNotNull"}}, "textMode": "value_and_name", "colorMode": "value"}
	case Reference:
		return map[string]any{"mode": "markdown", "content": p.Text}
	case Series:
		return map[string]any{"legend": map[string]any{"displayMode": "table", "placement": "bottom", "calcs": []string{"lastNotNull"}}}
	}
	return nil
}

// describe gives help and base unit of a metric or a recorded rule.
func describe(name string) (help, unit string) {
	for _, m := range export.Metrics {
		if m.Name == name {
			return m.Help, m.Unit
		}
	}
	for _, r := range recorded {
		if r.Name == name {
			return r.Help, recordedUnits[r.Name[strings.LastIndex(r.Name, ":")+1:]]
		}
	}
	return "", ""
}

// recordedUnits are the units of recorded rules by the last part of their names; the
// others count.
var recordedUnits = map[string]string{"seconds": "seconds", "ratio": "ratio"}
