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
		"unknown chip":         {"chip: stm32f407", "chip: stm32f470", "6", "want one of: esp32c3, k210, stm32f407"},
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

// c3 is a board with an ESP32-C3, whose console and loader are one adapter.
const c3 = `rigs:
  bench:
    kind: virtual
    boards:
      - name: c3
        chip: esp32c3
        console: {tx: GPIO21, rx: GPIO20, baud: 115200}
        loader: {tx: GPIO21, rx: GPIO20, baud: 460800}
        targets:
          bme280: {sda: GPIO6, scl: GPIO7, address: 0x76}
        lines:
          scl: {pin: GPIO7}
          analog: {pin: GPIO0, drive: true, analog: true}
        access_point: true
        rom_loader: true
`

func TestC3(t *testing.T) {
	c, err := ParseConfig("rigs.yaml", []byte(c3))
	if err != nil {
		t.Fatal(err)
	}
	b := c.Rigs["bench"].Boards[0]
	if !b.OneUART() || b.Targets["bme280"] != (TargetConfig{"GPIO6", "GPIO7", 0x76}) || !b.AccessPoint || !b.ROMLoader {
		t.Errorf("board is %+v", b)
	}
	for name, m := range map[string]struct{ old, new, line, fix string }{
		"pin of the flash":   {"{pin: GPIO7}", "{pin: GPIO12}", "12", "no pin of the chip (such as GPIO0)"},
		"console elsewhere":  {"GPIO21, rx: GPIO20, baud: 115200", "GPIO6, rx: GPIO7, baud: 115200", "10", "wired to console.tx already"},
		"loader elsewhere":   {"GPIO21, rx: GPIO20, baud: 460800", "GPIO20, rx: GPIO21, baud: 460800", "8", "want one of GPIO21/GPIO20"},
		"loader too fast":    {"460800", "1000000", "8", "want 1200 to 921600"},
		"no such target":     {"bme280:", "bmp180:", "10", "there are: bme280"},
		"no such address":    {"0x76", "0x78", "10", "want one of [0x76 0x77]"},
		"target on no pin":   {"sda: GPIO6", "sda: SDA", "10", "no pin of the chip"},
		"target driven over": {"scl: {pin: GPIO7}", "scl: {pin: GPIO7, drive: true}", "12", "wired to bme280.scl already"},
		"no ADC there":       {"pin: GPIO0", "pin: GPIO5", "13", "no input of a converter"},
		"no DAC":             {"pin: GPIO0, drive: true", "pin: GPIO0", "13", "no converter that gives volts"},
		"crystal":            {"chip: esp32c3", "chip: esp32c3\n        crystal_hz: 26000000", "7", "a crystal of 40000000 Hz only"},
		"no radio": {c3[strings.Index(c3, "      - name"):],
			good[strings.Index(good, "      - name"):] + "        access_point: true\n", "18", "no radio"},
		"no flasher": {c3[strings.Index(c3, "      - name"):],
			good[strings.Index(good, "      - name"):] + "        rom_loader: true\n", "18", "only an ESP32-C3"},
	} {
		_, err := ParseConfig("rigs.yaml", []byte(strings.Replace(c3, m.old, m.new, 1)))
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		if want := "rigs.yaml:" + m.line; !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), m.fix) {
			t.Errorf("%s: %q, want it to hold %q and %q", name, err, want, m.fix)
		}
	}
}

// bit is a board with a K210 and a microphone.
const bit = `rigs:
  bench:
    kind: virtual
    boards:
      - name: k210
        chip: k210
        crystal_hz: 26000000
        console: {tx: IO5, rx: IO4, baud: 115200}
        loader: {tx: IO5, rx: IO4, baud: 1500000}
        microphone: {sck: IO18, ws: IO19, sd: IO20, right: true}
        lines:
          stimulus: {pin: IO21, drive: true}
          ws: {pin: IO19}
`

func TestK210(t *testing.T) {
	c, err := ParseConfig("rigs.yaml", []byte(bit))
	if err != nil {
		t.Fatal(err)
	}
	b := c.Rigs["bench"].Boards[0]
	if !b.OneUART() || b.Loader.Baud != 1_500_000 || *b.Microphone != (MicrophoneConfig{"IO18", "IO19", "IO20", true}) {
		t.Errorf("board is %+v", b)
	}
	for name, m := range map[string]struct{ old, new, line, fix string }{
		"no such pin":         {"pin: IO21", "pin: IO48", "12", "no pin of the chip (such as IO0)"},
		"loader elsewhere":    {"IO5, rx: IO4, baud: 1500000", "IO4, rx: IO5, baud: 1500000", "9", "want one of IO5/IO4"},
		"loader too fast":     {"1500000", "3000000", "9", "want 1200 to 2000000"},
		"microphone's pin":    {"sck: IO18", "sck: GPIO18", "10", "microphone.sck"},
		"one pin for two":     {"ws: IO19, sd: IO20", "ws: IO19, sd: IO19", "10", "wired to microphone.ws already"},
		"no pin at all":       {"sck: IO18, ", "", "10", "microphone.sck"},
		"driven over":         {"pin: IO21, drive: true", "pin: IO20, drive: true", "12", "wired to microphone.sd already"},
		"no ADC":              {"drive: true", "drive: true, analog: true", "12", "no converter that takes volts"},
		"crystal":             {"26000000", "40000000", "7", "a crystal of 26000000 Hz only"},
		"no radio":            {"crystal_hz: 26000000", "access_point: true", "7", "no radio"},
		"no choice of loader": {"crystal_hz: 26000000", "rom_loader: true", "7", "only an ESP32-C3"},
		"a player":            {"        lines:", "        audio: {player: [aplay], within: 40ms}\n        lines:", "11", "for rigs of kind hardware"},
		"no microphone": {"        microphone: {sck: IO18, ws: IO19, sd: IO20, right: true}",
			"        audio: {player: [aplay], within: 40ms}", "10", "no microphone to play to"},
		"no I2S": {bit[strings.Index(bit, "      - name"):],
			good[strings.Index(good, "      - name"):] + "        microphone: {sck: PB10, ws: PB9, sd: PC3}\n", "18", "receives no I2S"},
	} {
		_, err := ParseConfig("rigs.yaml", []byte(strings.Replace(bit, m.old, m.new, 1)))
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
