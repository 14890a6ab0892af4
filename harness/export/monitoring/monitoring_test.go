package monitoring

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"rigor/harness/export"
	"rigor/harness/yamlfile"
)

var update = flag.Bool("update", false, "rewrite the files that are checked in")

// What is checked in is what the definitions give, and nothing is left over.
func TestFilesAreThoseOfTheDefinitions(t *testing.T) {
	want := map[string][]byte{"rules.yml": []byte(rulesFile())}
	for _, d := range Dashboards() {
		text, err := encode(d.grafana())
		if err != nil {
			t.Fatal(err)
		}
		want["dashboards/"+d.UID+".json"] = text
	}
	for name, text := range want {
		if *update {
			if err := os.WriteFile(name, text, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(name)
		if err != nil || !bytes.Equal(got, text) {
			t.Errorf("%s is not what the definitions give, %v; -update writes it", name, err)
		}
	}
	there, err := filepath.Glob("dashboards/*")
	if err != nil || len(there) != len(Dashboards()) {
		t.Errorf("%v, %v: want %d", there, err, len(Dashboards()))
	}
}

var metricName = regexp.MustCompile(`[a-z_]*:?rigor_[a-z_]+(?::[a-z_]+)?`)

// Whoever asks for a metric asks for one that there is.
func TestExpressionsNameWhatIsDefined(t *testing.T) {
	var names []string
	for _, m := range export.Metrics {
		names = append(names, m.Name)
	}
	check := func(where, expr string) {
		for _, name := range metricName.FindAllString(expr, -1) {
			if !slices.Contains(names, name) {
				t.Errorf("%s asks for %s, which is not defined", where, name)
			}
		}
	}
	for _, r := range recorded {
		check(r.Name, r.Expr)
	}
	for _, r := range recorded {
		names = append(names, r.Name)
	}
	for _, a := range alerts {
		check(a.Name, a.Expr)
	}
	for _, d := range Dashboards() {
		for _, p := range d.Panels {
			if p.Of != "" && !slices.Contains(names, p.Of) {
				t.Errorf("%s, %s is of %s, which is not defined", d.UID, p.Title, p.Of)
			}
			for _, e := range p.Exprs {
				check(d.UID+", "+p.Title, strings.NewReplacer("rigor_.+", "", "rigor_figure_.+", "").Replace(e))
			}
		}
	}
}

// A metric that is defined is shown: itself, or by a recorded rule made of it.
func TestEveryMetricIsOnADashboard(t *testing.T) {
	var asked strings.Builder
	for _, d := range Dashboards() {
		for _, p := range d.Panels {
			asked.WriteString(strings.Join(p.Exprs, "\n") + "\n")
		}
	}
	for _, r := range recorded {
		if strings.Contains(asked.String(), r.Name) {
			asked.WriteString(r.Expr + "\n")
		} else {
			t.Errorf("%s is on no dashboard", r.Name)
		}
	}
	shown := metricName.FindAllString(asked.String(), -1)
	for _, m := range export.Metrics {
		if !slices.Contains(shown, m.Name) {
			t.Errorf("%s is on no dashboard", m.Name)
		}
	}
}

// Panels neither overlap nor leave the page, and each unit has a name in Grafana.
func TestPanelsHaveTheirPlaces(t *testing.T) {
	for _, d := range Dashboards() {
		taken := map[[2]int]string{}
		for _, p := range d.grafana().Panels {
			for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
				for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
					if other := taken[[2]int{x, y}]; other != "" || x >= 24 {
						t.Fatalf("%s: %s lies on %q at %d, %d", d.UID, p.Title, other, x, y)
					}
					taken[[2]int{x, y}] = p.Title
				}
			}
			if p.FieldConfig != nil && p.FieldConfig.Defaults.Unit == "" {
				t.Errorf("%s: %s has no unit", d.UID, p.Title)
			}
		}
	}
}

// ruleTests is promtool's format of rule tests, the part that is used.
type ruleTests struct {
	RuleFiles          []string `yaml:"rule_files"`
	EvaluationInterval string   `yaml:"evaluation_interval"`
	Tests              []struct {
		Name        string `yaml:"name"`
		Interval    string `yaml:"interval"`
		InputSeries []struct {
			Series string `yaml:"series"`
			Values string `yaml:"values"`
		} `yaml:"input_series"`
		AlertRuleTest []struct {
			EvalTime  string `yaml:"eval_time"`
			AlertName string `yaml:"alertname"`
			ExpAlerts []struct {
				ExpLabels      map[string]string `yaml:"exp_labels"`
				ExpAnnotations map[string]string `yaml:"exp_annotations"`
			} `yaml:"exp_alerts"`
		} `yaml:"alert_rule_test"`
		PromQLExprTest []struct {
			Expr       string `yaml:"expr"`
			EvalTime   string `yaml:"eval_time"`
			ExpSamples []struct {
				Labels string  `yaml:"labels"`
				Value  float64 `yaml:"value"`
			} `yaml:"exp_samples"`
		} `yaml:"promql_expr_test"`
	} `yaml:"tests"`
}

// promtool runs the tests, see cmd/rigor; here we see that each alert is shown to fire and not
// to, and each recorded rule to give what it should.
func TestEveryRuleIsTested(t *testing.T) {
	text, err := os.ReadFile("rules_test.yml")
	if err != nil {
		t.Fatal(err)
	}
	var f ruleTests
	if _, err := yamlfile.Decode("rules_test.yml", text, &f); err != nil {
		t.Fatal(err)
	}
	fires, quiet, given := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, test := range f.Tests {
		for _, a := range test.AlertRuleTest {
			if len(a.ExpAlerts) > 0 {
				fires[a.AlertName] = true
			} else {
				quiet[a.AlertName] = true
			}
		}
		for _, e := range test.PromQLExprTest {
			given[e.Expr] = len(e.ExpSamples) > 0
		}
	}
	for _, a := range alerts {
		if !fires[a.Name] || !quiet[a.Name] {
			t.Errorf("%s is tested to fire: %v, to be quiet: %v", a.Name, fires[a.Name], quiet[a.Name])
		}
	}
	for _, r := range recorded {
		if !given[r.Name] {
			t.Errorf("%s is not tested", r.Name)
		}
	}
}

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	if err := Write(dir, "localhost:8090", 15*time.Second); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"prometheus.yml":                     "scrape_interval: 15000ms\n",
		"rules.yml":                          "alert: RigorRegression",
		"dashboards/rigor-overview.json":     `"uid": "rigor-overview"`,
		"provisioning/dashboards/rigor.yml":  "path: " + dir + "/dashboards",
		"provisioning/datasources/rigor.yml": "type: prometheus",
	} {
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || !strings.Contains(string(got), text) {
			t.Errorf("%s: %v, lacks %q", name, err, text)
		}
	}
	if err := Write("/dev/null/there", "x", time.Second); err == nil {
		t.Error("wrote below a device")
	}
}
