package archtest

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A rule says what the files of a package may import of this module. A name
// ending in /... stands for everything below it too. Tests may import what is
// in tests besides.
type rule struct {
	pkg     string
	imports []string
	tests   []string
}

// contracts are what backends and suites are written against.
var contracts = []string{"harness/timebase", "harness/port", "harness/flash", "harness/rig", "probes"}

// rules cover every package, most from the pipeline's end that imports least.
// A package that none covers fails the test: say what it is for first.
var rules = []rule{
	{pkg: "harness/archtest", tests: []string{"harness/sim/soc/esp32c3", "harness/sim/soc/fidelity", "harness/sim/soc/k210", "harness/sim/soc/stm32f407"}},
	{pkg: "harness/timebase"},
	{pkg: "harness/yamlfile"},
	{pkg: "harness/wholefile"},
	{pkg: "harness/port"},
	{pkg: "harness/port/porttest", imports: []string{"harness/port", "harness/timebase"}},
	{pkg: "harness/port/serialport", imports: []string{"harness/port", "harness/timebase"}, tests: []string{"harness/port/porttest"}},
	{pkg: "harness/port/rfc2217", imports: []string{"harness/port", "harness/timebase"}, tests: []string{"harness/port/porttest"}},
	{pkg: "harness/flash", imports: []string{"harness/timebase"}, tests: []string{"harness/flash/flashtest"}},
	{pkg: "harness/flash/stm32", imports: []string{"harness/flash", "harness/port", "harness/timebase"},
		tests: []string{"harness/flash/flashtest/transcript"}},
	{pkg: "harness/flash/slip"},
	{pkg: "harness/flash/esp32", imports: []string{"harness/flash", "harness/flash/slip", "harness/port", "harness/timebase"},
		tests: []string{"harness/flash/flashtest/transcript"}},
	{pkg: "harness/flash/k210", imports: []string{"harness/flash", "harness/flash/slip", "harness/port", "harness/timebase"},
		tests: []string{"harness/flash/flashtest/transcript"}},
	{pkg: "harness/flash/loaders",
		imports: []string{"harness/flash", "harness/flash/esp32", "harness/flash/k210", "harness/flash/stm32", "harness/port", "harness/timebase", "firmware/images"}},
	{pkg: "harness/flash/flashtest", imports: []string{"harness/flash", "harness/timebase"}},
	{pkg: "harness/flash/flashtest/transcript", imports: []string{"harness/port"}},
	{pkg: "harness/rig", imports: []string{"harness/flash", "harness/port", "harness/timebase", "harness/yamlfile", "probes"}},
	{pkg: "harness/rig/rigtest", imports: append([]string{"firmware/wire"}, contracts...)},
	{pkg: "probes", imports: []string{"harness/timebase"}},
	{pkg: "probes/probestest", imports: []string{"harness/timebase", "probes"}},
	{pkg: "probes/virtual", imports: []string{"harness/timebase", "probes", "harness/sim/bme280", "harness/sim/board", "harness/sim/clock"},
		tests: []string{"probes/probestest"}},
	{pkg: "probes/player", imports: []string{"harness/timebase", "probes"}, tests: []string{"probes/probestest"}},
	{pkg: "probes/virtual/accesspoint", imports: []string{"probes", "firmware/network/tcp", "harness/sim/board", "harness/sim/clock"},
		tests: []string{"firmware/network", "probes/probestest"}},

	// The thin seam: the only package that knows both the rig's contracts and
	// the simulated silicon.
	{pkg: "harness/virtual",
		imports: append([]string{"harness/flash/loaders", "harness/sim/...", "probes/virtual", "probes/virtual/accesspoint"}, contracts...),
		tests: []string{"firmware/images", "firmware/wire", "harness", "harness/port/porttest", "harness/flash/flashtest",
			"harness/rig/rigtest", "harness/flash/stm32", "probes/probestest"}},

	{pkg: "harness/hardware",
		imports: append([]string{"harness/flash/loaders", "harness/port/serialport", "harness/port/rfc2217", "probes/player"}, contracts...),
		tests:   []string{"harness/port/porttest"}},
	{pkg: "harness/station", imports: []string{"harness/hardware", "harness/virtual", "harness/rig", "harness/timebase"}},
	// The fault engine knows flash operations and their times, and nothing of who makes them.
	{pkg: "harness/faults", imports: []string{"harness/sim/board", "harness/sim/clock"}},
	{pkg: "harness/faults/device",
		imports: []string{"firmware/ota", "firmware/wire", "firmware/wire/ota", "harness/faults", "harness/flash", "harness/ota", "harness/port", "harness/rig",
			"harness/sim/board", "harness/sim/clock", "harness/timebase", "harness/virtual"},
		tests: []string{"firmware/images", "firmware/ota/defect"}},

	// Pure numbers, and what becomes of them.
	{pkg: "harness/measure", imports: []string{"harness/timebase", "probes"}},
	{pkg: "harness/measure/noisetest"},
	{pkg: "harness/measure/series", tests: []string{"harness/measure/noisetest"}},
	{pkg: "harness/measure/extreme", imports: []string{"harness/measure"}},
	{pkg: "harness/judge/change", imports: []string{"harness/measure"}, tests: []string{"harness/measure/noisetest"}},
	{pkg: "harness/judge", imports: []string{"harness/judge/change", "harness/measure", "harness/rig", "harness/timebase", "harness/wholefile", "harness/yamlfile"}},
	{pkg: "harness/compare", imports: []string{"harness/judge", "harness/judge/change", "harness/measure", "harness/profile", "harness/record", "harness/rig"}},
	{pkg: "harness/record", imports: []string{"harness/judge", "harness/judge/change", "harness/measure", "harness/rig", "harness/timebase", "harness/wholefile", "probes"}},
	{pkg: "harness/export", imports: []string{"harness/history", "harness/judge", "harness/judge/change", "harness/measure", "harness/measure/series", "harness/record", "harness/rig", "harness/timebase"}, tests: []string{"probes"}},
	{pkg: "harness/export/monitoring", imports: []string{"harness/export", "harness/judge/change", "harness/measure", "harness/record", "harness/rig", "harness/wholefile"}, tests: []string{"harness/yamlfile"}},
	{pkg: "harness/export/otlp", imports: []string{"harness/export", "harness/record"},
		tests: []string{"harness/judge", "harness/judge/change", "harness/measure", "harness/rig"}},
	{pkg: "harness/report/sketch", imports: []string{"harness/timebase", "probes"}},
	{pkg: "harness/history", imports: []string{"harness/judge", "harness/judge/change", "harness/measure", "harness/measure/series", "harness/record", "harness/rig", "harness/timebase", "harness/yamlfile"}},
	{pkg: "harness/web",
		imports: []string{"harness/compare", "harness/history", "harness/judge", "harness/judge/change", "harness/measure", "harness/measure/series", "harness/record", "harness/report", "harness/rig", "harness/timebase"},
		tests:   []string{"harness/web/webtest"}},
	{pkg: "harness/web/webtest", imports: []string{"harness/judge", "harness/measure", "harness/record", "harness/rig"}},
	{pkg: "harness/report", imports: []string{"harness/judge", "harness/judge/change", "harness/measure", "harness/measure/extreme", "harness/profile", "harness/record", "harness/report/sketch", "harness/rig",
		"harness/timebase", "probes"}},

	// The host's half of updates.
	{pkg: "harness/ota/delta", imports: []string{"firmware/ota/patch"}, tests: []string{"firmware/images", "firmware/ota", "harness/ota"}},
	{pkg: "harness/ota/attack", imports: []string{"firmware/ota/...", "firmware/wire/ota", "harness/ota"}},
	{pkg: "harness/ota", imports: []string{"firmware/ota/...", "firmware/wire/...", "harness/flash", "harness/ota/delta", "harness/port", "harness/timebase", "probes"}, tests: []string{"harness/ota/attack"}},

	// Where cycles went, by function.
	{pkg: "harness/profile", imports: []string{"harness/rig"}, tests: []string{"firmware/images"}},

	// The pipeline itself knows contracts, never a backend.
	{pkg: "harness", imports: append([]string{"firmware/images", "firmware/wire", "harness/judge", "harness/measure", "harness/profile", "harness/record"}, contracts...), tests: []string{"harness/judge/change"}},

	// Simulated silicon knows nothing of the harness, and above all not flash:
	// its boot loaders are a second reading of the protocol.
	{pkg: "harness/sim/bus"},
	{pkg: "harness/sim/clock"},
	{pkg: "harness/sim/bme280", imports: []string{"harness/sim/clock"}},
	{pkg: "harness/sim/cells", imports: []string{"harness/sim/board", "harness/sim/clock"}},
	{pkg: "harness/sim/nor", imports: []string{"harness/sim/board", "harness/sim/cells", "harness/sim/clock"}},
	{pkg: "harness/sim/softfloat", tests: []string{"harness/sim/conform"}},
	{pkg: "harness/sim/conform", imports: []string{"harness/sim/softfloat"}},
	{pkg: "harness/sim/profile"},
	{pkg: "harness/sim/armv7m", imports: []string{"harness/sim/bus", "harness/sim/clock", "harness/sim/profile", "harness/sim/softfloat", "harness/sim/conform"}},
	{pkg: "harness/sim/riscv", imports: []string{"harness/sim/bus", "harness/sim/profile", "harness/sim/softfloat", "harness/sim/conform"}},
	{pkg: "harness/sim/board", imports: []string{"harness/sim/clock", "harness/sim/profile"}},
	{pkg: "harness/sim/soc/svd"},
	{pkg: "harness/sim/soc/agenda", imports: []string{"harness/sim/clock"}},
	{pkg: "harness/sim/soc/fidelity"},
	{pkg: "harness/sim/soc/pad", imports: []string{"harness/sim/board", "harness/sim/clock", "harness/sim/soc/agenda"}},
	{pkg: "harness/sim/soc/soctest", imports: []string{"firmware/wire", "harness/sim/board", "harness/sim/clock"}},
	{pkg: "harness/sim/soc/esp32c3",
		imports: []string{"harness/sim/riscv", "harness/sim/board", "harness/sim/bus", "harness/sim/cells", "harness/sim/clock", "harness/sim/nor", "harness/sim/profile", "harness/sim/soc/agenda", "harness/sim/soc/fidelity", "harness/sim/soc/pad", "harness/sim/soc/svd"},
		tests:   []string{"firmware/wire", "firmware/images", "firmware/network", "harness/sim/bme280", "harness/sim/soc/soctest"}},
	{pkg: "harness/sim/soc/k210",
		imports: []string{"harness/sim/riscv", "harness/sim/board", "harness/sim/bus", "harness/sim/cells", "harness/sim/clock", "harness/sim/nor", "harness/sim/profile", "harness/sim/soc/agenda", "harness/sim/soc/fidelity", "harness/sim/soc/pad", "harness/sim/soc/svd"},
		tests:   []string{"firmware/wire", "firmware/wire/audio", "firmware/images", "harness/sim/soc/soctest"}},
	{pkg: "harness/sim/soc/stm32f407",
		imports: []string{"harness/sim/armv7m", "harness/sim/board", "harness/sim/bus", "harness/sim/cells", "harness/sim/clock", "harness/sim/profile", "harness/sim/soc/agenda", "harness/sim/soc/fidelity", "harness/sim/soc/pad", "harness/sim/soc/svd"},
		tests:   []string{"firmware/wire", "firmware/images", "harness/sim/soc/soctest"}},

	{pkg: "harness/cmd/rigor", imports: []string{"harness/...", "probes/...", "firmware/images", "firmware/wire/ota"}},

	{pkg: "suites/internal/bench", imports: append([]string{"harness", "harness/judge", "harness/record", "harness/report", "harness/station", "firmware/images"}, contracts...)},
	{pkg: "suites/smoke", imports: suiteImports},
	{pkg: "suites/latency", imports: suiteImports},
	{pkg: "suites/jitter", imports: suiteImports},
	{pkg: "suites/analog", imports: append([]string{"harness/rig"}, suiteImports...)},
	{pkg: "suites/pwm", imports: suiteImports},
	{pkg: "suites/hub", imports: append([]string{"firmware/wire/hub", "suites/internal/broker"}, suiteImports...)},
	{pkg: "suites/flash", imports: append([]string{"harness/rig"}, suiteImports...)},
	{pkg: "suites/spectrum", imports: append([]string{"firmware/wire/audio"}, suiteImports...)},
	{pkg: "suites/ota", imports: append([]string{"firmware/ota/...", "firmware/wire/ota", "harness/faults", "harness/faults/device", "harness/ota", "harness/ota/attack", "harness/ota/delta", "harness/rig", "harness/sim/clock"}, suiteImports...)},
	{pkg: "suites/internal/listener", tests: []string{"suites/spectrum", "harness", "harness/flash", "harness/measure", "harness/port", "harness/rig", "harness/timebase",
		"probes", "firmware/images", "firmware/wire", "firmware/wire/audio"}},
	{pkg: "suites/internal/broker", imports: []string{"probes"}},
	{pkg: "suites/internal/virtualrig", imports: []string{"harness", "harness/judge", "harness/rig", "harness/virtual"}},
	{pkg: "suites/internal/planted", tests: []string{"suites/internal/virtualrig", "suites/ota", "harness", "firmware/ota/defect"}},
	{pkg: "suites/internal/slowed", tests: []string{"suites/internal/virtualrig", "suites/latency", "harness", "harness/measure", "harness/profile", "harness/record", "harness/timebase", "firmware/images"}},
	{pkg: "suites/internal/liar", tests: []string{"suites/internal/virtualrig", "suites/latency", "suites/hub", "harness", "harness/judge", "harness/measure",
		"harness/record", "harness/rig", "harness/timebase", "harness/virtual", "probes", "firmware/images"}},

	{pkg: "firmware/wire"},
	{pkg: "firmware/network", imports: []string{"firmware/network/tcp"}},
	{pkg: "firmware/network/tcp"},
	{pkg: "firmware/mqtt"},
	{pkg: "firmware/images"},
	{pkg: "firmware/mkimages", imports: []string{"firmware/images", "firmware/ota/defect"}},
	{pkg: "firmware/board", imports: []string{"firmware/wire"}},
	{pkg: "firmware/ota/boot", imports: []string{"firmware/board", "firmware/ota", "firmware/wire", "firmware/wire/ota"}},
	{pkg: "firmware/ota/app", imports: []string{"firmware/board", "firmware/fft", "firmware/network", "firmware/ota", "firmware/ota/sign", "firmware/wire", "firmware/wire/ota"}},
	{pkg: "firmware/echo", imports: []string{"firmware/board", "firmware/wire"}},
	{pkg: "firmware/latency", imports: []string{"firmware/board", "firmware/wire"}},
	{pkg: "firmware/runs", imports: []string{"firmware/board", "firmware/wire"}},
	{pkg: "firmware/jitter", imports: []string{"firmware/board", "firmware/runs", "firmware/wire"}},
	{pkg: "firmware/analog", imports: []string{"firmware/board", "firmware/runs", "firmware/wire"}},
	{pkg: "firmware/pwm", imports: []string{"firmware/board", "firmware/runs", "firmware/wire"}},
	{pkg: "firmware/wire/hub", imports: []string{"firmware/wire"}},
	{pkg: "firmware/hub", imports: []string{"firmware/board", "firmware/mqtt", "firmware/network", "firmware/network/tcp", "firmware/runs", "firmware/wire/hub"}},
	{pkg: "firmware/wire/audio"},
	{pkg: "firmware/fft"},
	{pkg: "firmware/audio", imports: []string{"firmware/board", "firmware/fft", "firmware/runs", "firmware/wire", "firmware/wire/audio"}},
	{pkg: "firmware/ota", imports: []string{"firmware/ota/defect", "firmware/ota/patch", "firmware/ota/sha2", "firmware/ota/sign", "firmware/wire/ota"}},
	{pkg: "firmware/ota/defect"},
	{pkg: "firmware/ota/patch"},
	{pkg: "firmware/ota/sha2"},
	{pkg: "firmware/ota/sign", imports: []string{"firmware/ota/defect", "firmware/ota/sha2"}},
	{pkg: "firmware/wire/ota", imports: []string{"firmware/wire"}},
	{pkg: "firmware/toolchain/mkroot"},
}

var suiteImports = []string{"suites/internal/bench", "harness", "harness/flash", "harness/measure", "harness/rig", "harness/timebase", "probes", "firmware/images", "firmware/wire"}

// sole are the only folders that may import a module, so that it can be
// replaced in one place.
var sole = map[string][]string{
	"go.bug.st/serial":                    {"harness/port/serialport"},
	"github.com/prometheus/client_golang": {"harness/export"},
	"github.com/onsi/ginkgo/v2":           {"suites/..."},
	"github.com/onsi/gomega":              {"suites/..."},
	"gonum.org/v1/gonum":                  {"harness/measure", "harness/measure/series", "harness/measure/extreme", "harness/judge/change"},
	"github.com/aclements/go-moremath":    {"harness/measure/series"},
	"gonum.org/v1/plot":                   {"harness/report"},
	"github.com/alecthomas/kong":          {"harness/cmd/rigor"},
	"go.yaml.in/yaml/v4":                  {"harness/yamlfile"},
	"golang.org/x/perf":                   {"harness/record", "harness/judge/change"},
	"github.com/prometheus/common":        {"harness/export"},
	"github.com/prometheus/client_model":  {"harness/export"},
	"google.golang.org/protobuf":          {"harness/export", "harness/export/otlp"},
	"go.opentelemetry.io/otel":            {"harness/export/otlp"},
	"go.opentelemetry.io/proto":           {"harness/export/otlp"},
	"github.com/creack/pty":               {"harness/cmd/rigor", "harness/port/serialport"},
	"golang.org/x/sys":                    {"harness/cmd/rigor", "harness/port/serialport", "harness/record"},
	"gvisor.dev/gvisor":                   {"probes/virtual/accesspoint"},
	"github.com/insomniacslk/dhcp":        {"probes/virtual/accesspoint"},
	"github.com/mochi-mqtt/server":        {"suites/internal/broker"},
	"github.com/soypat/lneto":             {"firmware/network/tcp"},
	"github.com/tinygo-org/tinygo":        {"firmware/toolchain"},
	"tinygo.org/x/drivers":                {"firmware/hub"},
	"modernc.org/sqlite":                  {"harness/history"},
	"github.com/chromedp/chromedp":        {"harness/cmd/rigor"},
	"github.com/chromedp/cdproto":         {"harness/cmd/rigor"},
	"filippo.io/edwards25519":             {"firmware/ota/sign"},
	"device/arm":                          {"firmware/board"}, // TinyGo's
	"device/stm32":                        {"firmware/board"},
	"machine":                             {"firmware/board", "firmware/echo", "firmware/latency"},
	"runtime/volatile":                    {"firmware/board", "firmware/echo", "firmware/latency", "firmware/jitter", "firmware/analog", "firmware/audio", "firmware/network"},
	"tinygo.org/x/espradio":               {"firmware/network"},
	"runtime/interrupt":                   {"firmware/board"},
}

// file is one import of one file.
type imported struct {
	file, path string
	test       bool
}

const module = "rigor/"

func TestImports(t *testing.T) {
	used := map[string]bool{}
	for pkg, imports := range tree(t, os.DirFS("../..")) {
		r := slices.IndexFunc(rules, func(r rule) bool { return r.pkg == pkg })
		if r < 0 {
			t.Errorf("no rule covers package %s: add what it may import to rules", pkg)
			continue
		}
		used[pkg] = true
		for _, i := range imports {
			if problem := check(rules[r], i); problem != "" {
				t.Errorf("%s: %s", i.file, problem)
			}
		}
	}
	for _, r := range rules {
		if !used[r.pkg] {
			t.Errorf("the rule for %s covers nothing: remove it", r.pkg)
		}
	}
}

// check says what is wrong with an import, or nothing.
func check(r rule, i imported) string {
	if own, ok := strings.CutPrefix(i.path, module); ok {
		if own == r.pkg && i.test || matches(r.imports, own) || i.test && matches(r.tests, own) {
			return ""
		}
		return r.pkg + " must not import " + own
	}
	for mod, only := range sole {
		if (i.path == mod || strings.HasPrefix(i.path, mod+"/")) && !matches(only, r.pkg) {
			return mod + " is for " + strings.Join(only, ", ") + " alone"
		}
	}
	first, _, _ := strings.Cut(i.path, "/")
	if strings.Contains(first, ".") && !slices.ContainsFunc(known(), func(m string) bool { return i.path == m || strings.HasPrefix(i.path, m+"/") }) {
		return "no rule says who may import " + i.path
	}
	return ""
}

func known() (modules []string) {
	for m := range sole {
		modules = append(modules, m)
	}
	return modules
}

func matches(patterns []string, pkg string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		below, all := strings.CutSuffix(p, "/...")
		return p == pkg || all && (pkg == below || strings.HasPrefix(pkg, below+"/"))
	})
}

// tree finds the imports of every package in the tree.
func tree(t *testing.T, root fs.FS) map[string][]imported {
	t.Helper()
	packages := map[string][]imported{}
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := path.Base(name)
		if d.IsDir() && name != "." && (strings.HasPrefix(base, ".") || base == "testdata" || name == "results/runs") {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, ".go") {
			return nil
		}
		text, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ImportsOnly)
		if err != nil {
			return err
		}
		pkg := path.Dir(name)
		if packages[pkg] == nil {
			packages[pkg] = []imported{} // a package even without imports
		}
		for _, spec := range f.Imports {
			p, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			packages[pkg] = append(packages[pkg], imported{name, p, strings.HasSuffix(name, "_test.go")})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return packages
}

// The check itself must be able to fail.
func TestCheckFindsViolations(t *testing.T) {
	r := rule{pkg: "harness/sim/board", imports: []string{"harness/sim/clock"}, tests: []string{"firmware/wire"}}
	for _, c := range []struct {
		i    imported
		good bool
	}{
		{imported{"a.go", "fmt", false}, true},
		{imported{"a.go", "rigor/harness/sim/clock", false}, true},
		{imported{"a.go", "rigor/harness/flash", false}, false},
		{imported{"a.go", "rigor/firmware/wire", false}, false},
		{imported{"a_test.go", "rigor/firmware/wire", true}, true},
		{imported{"a.go", "github.com/onsi/gomega", false}, false},
		{imported{"a.go", "example.com/new", false}, false},
	} {
		if got := check(r, c.i); (got == "") != c.good {
			t.Errorf("%+v: %q", c.i, got)
		}
	}
}
