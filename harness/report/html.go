package report

import (
	"html/template"
	"io"
	"strings"

	"rigor/harness/judge"
	"rigor/harness/record"
)

// page writes the report that people read: one file that needs no other, on a screen of any
// width and on paper. It says what [Terminal] says, with the plots.
func page(w io.Writer, r *record.Run, all []figure) error {
	var pictures []picture
	for _, f := range all {
		var svg strings.Builder
		if err := f.chart.writeSVG(&svg); err != nil {
			return err
		}
		pictures = append(pictures, picture{template.HTML(svg.String()), f.caption}) // our own, its texts escaped
	}
	var totals, troubles strings.Builder
	totals.WriteString(paint(false).totals(r))
	paint(false).troubles(&troubles, r)
	return layout.Execute(w, struct {
		*record.Run
		Totals, Troubles string
		Rows             []row
		Claims           []claimRow
		Pictures         []picture
	}{r, totals.String(), troubles.String(), rows(r), claimRows(r), pictures})
}

type picture struct {
	SVG     template.HTML
	Caption string
}

// row is a measurement as in the terminal's table.
type row struct {
	Who, Numbers   []string
	Verdict, Class string
}

func rows(r *record.Run) (all []row) {
	for _, e := range r.Experiments {
		for _, m := range e.Measurements {
			c := cells(e, m)
			all = append(all, row{c[:4], c[4:], paint(false).verdicts(m), class(m.Verdicts)})
		}
	}
	return all
}

// class is the look of the verdicts.
func class(all []judge.Verdict) string {
	look := ""
	for _, v := range all {
		switch {
		case v.Blocks():
			return "bad"
		case v.Outcome == judge.Pass && look == "":
			look = "good"
		}
	}
	return look
}

type claimRow struct {
	judge.ClaimResult
	By string
}

func claimRows(r *record.Run) (all []claimRow) {
	for _, e := range r.Experiments {
		for _, m := range e.Measurements {
			for _, c := range m.Claims {
				all = append(all, claimRow{c, string(m.Source) + " on " + e.Board})
			}
		}
	}
	return all
}

var layout = template.Must(template.New("report").Parse(`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Rigor: {{.Rig.Name}}, {{.Started.UTC.Format "2006-01-02 15:04"}}</title>
<style>
body { font: 16px/1.4 sans-serif; margin: 1rem auto; max-width: 72rem; padding: 0 1rem; color: #000; background: #fff }
h1 { font-size: 1.5rem } h2 { font-size: 1.2rem; break-after: avoid }
code { overflow-wrap: anywhere }
.wide { overflow-x: auto }
table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums }
th, td { padding: .15rem .6rem; text-align: left; border-bottom: 1px solid #ddd; vertical-align: top }
tr { break-inside: avoid }
.claims { min-width: 56rem }
.n { text-align: right } .n, .measurements td { white-space: nowrap }
.good { color: #006b47 } .bad { color: #b00000; font-weight: bold }
figure { display: inline-block; margin: .5rem 0; width: 30rem; max-width: 100%; break-inside: avoid }
figcaption { font-size: .85rem; text-align: center; color: #444 }
svg { width: 100%; height: auto }
pre { white-space: pre-wrap; font-size: .85rem }
@media (max-width: 40rem) { .measurements td:first-child { white-space: normal } }
@page wide { size: landscape }
@media print {
	body { max-width: none; padding: 0 }
	.wide { overflow: visible }
	.claims { min-width: 0 }
	table { font-size: .6rem }
	th, td { padding: .1rem .25rem }
	.measurements { page: wide }
	.measurements td:last-child { white-space: normal }
	figure { width: 48% }
}
</style>
</head>
<body>
<h1>{{.Rig.Name}} ({{.Rig.Kind}}), {{.Started.UTC.Format "2006-01-02 15:04 UTC"}}</h1>
<p>{{.Totals}}</p>
<p>Boards: {{range $i, $b := .Boards}}{{if $i}}, {{end}}{{.Name}}: {{or .ID .Chip}}{{end}}. Harness {{.Harness}}. Samples digest <code>{{.SamplesDigest}}</code>.</p>
{{with .Claims}}<h2>Claims</h2>
<div class="wide" role="region" aria-label="Claims" tabindex="0"><table class="claims">
<tr><th>Claim</th><th>Measured</th><th>By</th><th>Finding</th><th>Why</th></tr>
{{range .}}<tr><td>{{.Claim}}</td><td>{{.Measured}}</td><td>{{.By}}</td><td>{{.Finding}}</td><td>{{.Reason}}</td></tr>
{{end}}</table></div>
{{end}}{{with .Pictures}}<h2>Plots</h2>
{{range .}}<figure>{{.SVG}}<figcaption>{{.Caption}}</figcaption></figure>
{{end}}{{end}}{{with .Troubles}}<h2>To look at</h2>
<pre>{{.}}</pre>
{{end}}<section class="measurements">
<h2>Measurements</h2>
<div class="wide" role="region" aria-label="Measurements" tabindex="0"><table>
<tr><th>Quantity</th><th>Board</th><th>Clock</th><th>Source</th><th class="n">N</th><th class="n">Min</th><th class="n">p50</th><th class="n">p99</th><th class="n">Max</th><th class="n">Unit</th><th class="n">Cost</th><th class="n">p50 time</th><th>Verdict</th></tr>
{{range .Rows}}<tr>{{range .Who}}<td>{{.}}</td>{{end}}{{range .Numbers}}<td class="n">{{.}}</td>{{end}}<td class="{{.Class}}">{{.Verdict}}</td></tr>
{{end}}</table></div>
</section>
</body>
</html>
`))
