package archtest

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"rigor/harness/sim/soc/esp32c3"
	"rigor/harness/sim/soc/fidelity"
	"rigor/harness/sim/soc/k210"
	"rigor/harness/sim/soc/stm32f407"
)

var update = flag.Bool("update", false, "write the README's generated table anew")

const readme = "../../README.md"

// Every folder that the README's map names is there, and every package that
// is no part of another's entry is named.
func TestReadmeMap(t *testing.T) {
	text := read(t)
	var named []string
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|").FindAllStringSubmatch(text, -1) {
		named = append(named, strings.TrimSuffix(m[1], "/"))
		if _, err := os.Stat(filepath.Join("../..", m[1])); err != nil {
			t.Errorf("the README's map names %s: %v", m[1], err)
		}
	}
	folders, err := filepath.Glob("../../harness/*/*.go")
	folders = dirs(folders)
	if err != nil || len(folders) == 0 || len(named) == 0 {
		t.Fatalf("%d folders below harness, %d named: %v", len(folders), len(named), err)
	}
	for _, f := range folders {
		if name := "harness/" + filepath.Base(f); !slices.Contains(named, name) {
			t.Errorf("the README's map lacks %s", name)
		}
	}
}

// fidelityTables are the chips' own lists by the name that the README's sections have.
var fidelityTables = map[string]fidelity.Table{
	"stm32f407": stm32f407.Fidelity(),
	"esp32c3":   esp32c3.Fidelity(),
	"k210":      k210.Fidelity(),
}

// The fidelity tables are the models' own lists.
func TestReadmeFidelity(t *testing.T) {
	text := read(t)
	want := text
	for chip, rows := range fidelityTables {
		begin, end := "<!-- fidelity: "+chip+" -->\n", "<!-- end -->"
		before, rest, ok := strings.Cut(want, begin)
		_, after, ok2 := strings.Cut(rest, end)
		if !ok || !ok2 {
			t.Fatalf("the README has no section between %q and %q", begin, end)
		}
		want = before + begin + markdown(chip, rows) + end + after
	}
	if *update {
		if err := os.WriteFile(readme, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if text != want {
		t.Error("the README's fidelity tables are not the models': run make golden")
	}
}

// markdown is a table in Markdown. Blocks like another share its line, and so
// do all that is said of one block and all that fault.
func markdown(chip string, rows fidelity.Table) string {
	type line struct {
		blocks, notes []string
		status        fidelity.Status
	}
	var order []string
	lines := map[string]*line{}
	for _, r := range rows {
		key := r.Block
		if as, ok := strings.CutPrefix(r.Notes, "as "); ok && slices.ContainsFunc(rows, func(o fidelity.Row) bool { return o.Block == as }) {
			key = as
		}
		if r.Status == fidelity.Faults {
			key = string(r.Status)
		}
		l := lines[key]
		if l == nil {
			l = &line{status: r.Status}
			lines[key] = l
			order = append(order, key)
		}
		l.blocks = append(l.blocks, r.Block)
		if key == r.Block && r.Notes != "" {
			l.notes = append(l.notes, note(r.Notes, len(l.notes)))
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\n| %s | status | what is modelled, what is not |\n|---|---|---|\n", strings.ToUpper(chip))
	for _, key := range order {
		l := lines[key]
		fmt.Fprintf(&b, "| %s | %s | %s |\n", strings.Join(slices.Compact(l.blocks), ", "), l.status, strings.Join(l.notes, "; "))
	}
	b.WriteString("\n")
	return b.String()
}

// note is the nth thing that is said of a block: "lacks" is said once.
func note(text string, n int) string {
	if n > 0 {
		return strings.TrimPrefix(text, "lacks ")
	}
	return text
}

// dirs gives the folders of files, each once.
func dirs(files []string) []string {
	for i, f := range files {
		files[i] = filepath.Dir(f)
	}
	return slices.Compact(files)
}

func read(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
