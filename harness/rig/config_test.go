package rig

import (
	"os"
	"slices"
	"strings"
	"testing"

	"rigor/probes"
)

const good = `rigs:
  bench:
    kind: virtual
    boards:
      - name: f407
        chip: stm32f407
        required: true
        crystal_hz: 8000000
        seed: 1
        console: {tx: PA2, rx: PA3, baud: 115200}
        loader: {tx: PB10, rx: PB11, baud: 115200}
        lines:
          stimulus: {pin: PA0, drive: true}
          echo: {pin: PD12}
          loop: {loop: stimulus}
          volts-in: {pin: PC5, drive: true, analog: true}
          volts-out: {pin: PA4, analog: true}
`

func TestParseConfig(t *testing.T) {
	c, err := ParseConfig("rigs.yaml", []byte(good))
	if err != nil {
		t.Fatal(err)
	}
	r, err := c.Rig("bench")
	if err != nil {
		t.Fatal(err)
	}
	b := r.Boards[0]
	if r.Name != "bench" || b.Console.Baud != 115200 || !b.Lines["stimulus"].Drive || !slices.Equal(b.Watched(), []probes.Line{"echo", "loop", "stimulus"}) || !slices.Equal(b.Loops(), []probes.Line{"loop"}) {
		t.Errorf("got %+v, board %+v", r, b)
	}
	if _, err := c.Rig("bnech"); err == nil || !strings.Contains(err.Error(), "it has: bench") {
		t.Errorf("unknown rig: %v", err)
	}
}

func TestProjectsOwnRigs(t *testing.T) {
	text, err := os.ReadFile("../../rigs.yaml")
	if err != nil {
		t.Fatal(err)
	}
	c, err := ParseConfig("rigs.yaml", text)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Rig("virtual"); err != nil {
		t.Error(err)
	}
}

// Each mistake is one edit of the good file; the error must name its line and
// the fix.
func TestConfigMistakes(t *testing.T) {
	for name, m := range map[string]struct{ old, new, line, fix string }{
		"unknown key":          {"required: true", "requird: true", "7", "unknown key requird"},
		"wrong type":           {"seed: 1", "seed: one", "9", "`one` is of the wrong type"},
		"duplicate key":        {"seed: 1", "seed: 1\n        seed: 2", "10", "seed"},
		"unknown kind":         {"kind: virtual", "kind: vritual", "3", "want virtual or hardware"},
		"no boards":            {good[strings.Index(good, "    boards:"):], "    boards: []\n", "2", "list at least one"},
		"no rigs":              {good, "rigs: {}\n", "1", "needs a map"},
		"empty rig":            {good, "rigs:\n  bench:\n", "2", "needs kind and boards"},
		"unknown chip":         {"chip: stm32f407", "chip: stm32f470", "6", "want one of: stm32f407"},
		"board name":           {"name: f407", "name: F 407", "5", "lower-case"},
		"twice the same board": {"      - name: f407", "      - {name: f407, chip: stm32f407, console: {tx: PA2, rx: PA3, baud: 9600}, loader: {tx: PA9, rx: PA10, baud: 9600}}\n      - name: f407", "6", "names must differ"},
		"pin taken":            {"pin: PA0,", "pin: PA2,", "13", "wired to console.tx already"},
		"two lines on a pin":   {"pin: PD12", "pin: PA0", "13", "give one of them another pin"},
		"no such pin":          {"pin: PD12", "pin: PD16", "14", "no pin of the chip"},
		"swapped console":      {"tx: PA2, rx: PA3", "tx: PA3, rx: PA2", "10", "PA2/PA3"},
		"loader elsewhere":     {"tx: PB10, rx: PB11", "tx: PA2, rx: PA3", "11", "PB10/PB11"},
		"loader too fast":      {"rx: PB11, baud: 115200", "rx: PB11, baud: 921600", "11", "want 1200 to 115200"},
		"loop of nothing":      {"loop: stimulus", "loop: stimulsu", "15", "no line with `drive: true`"},
		"loop of a watcher":    {"loop: stimulus", "loop: echo", "15", "no line with `drive: true`"},
		"loop of volts":        {"loop: stimulus", "loop: volts-in", "15", "that carries levels"},
		"loop at a pin":        {"loop: stimulus", "loop: stimulus, pin: PD1", "15", "keep `loop` alone"},
		"no ADC there":         {"pin: PC5", "pin: PC6", "16", "no input of a converter"},
		"no DAC there":         {"pin: PA4", "pin: PA6", "17", "no output of a converter"},
		"not YAML":             {"kind: virtual", "kind: [virtual", "", "rigs.yaml:"},
	} {
		_, err := ParseConfig("rigs.yaml", []byte(strings.Replace(good, m.old, m.new, 1)))
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		if want := "rigs.yaml:" + m.line; !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), m.fix) {
			t.Errorf("%s: %q, want it to hold %q and %q", name, err, want, m.fix)
		}
	}
}

func TestAllMistakesAtOnce(t *testing.T) {
	text := strings.NewReplacer("PD12", "PX1", "kind: virtual", "kind: other").Replace(good)
	_, err := ParseConfig("rigs.yaml", []byte(text))
	if err == nil || strings.Count(err.Error(), "rigs.yaml:") != 2 {
		t.Errorf("want two errors, got: %v", err)
	}
}

func FuzzParseConfig(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte("rigs: {a: {kind: virtual, boards: [null]}}"))
	f.Fuzz(func(t *testing.T, text []byte) { ParseConfig("rigs.yaml", text) })
}
