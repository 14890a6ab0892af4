package rig

import (
	"slices"
	"strings"
	"testing"
	"time"

	"rigor/harness/port"
)

const bench = `rigs:
  bench-1:
    kind: hardware
    boards:
      - name: f407
        chip: stm32f407
        uid: 001122334455667788990011
        console: {tx: PA2, rx: PA3, baud: 115200, port: {usb: {path: 1-1.4:1.0}}}
        loader: {tx: PB10, rx: PB11, baud: 115200, port: {usb: {vid: 0403, pid: 6001, serial: A1}}}
        reset: {dtr: nrst, rts: boot0, hold: 20ms}
      - name: other
        chip: stm32f407
        console: {tx: PB10, rx: PB11, baud: 115200, port: {device: /dev/serial/by-id/x}}
        loader: {tx: PB10, rx: PB11, baud: 115200, port: {device: /dev/serial/by-id/x}}
        reset: {dtr: boot0, rts: nrst, invert: true, port: {rfc2217: rack1:2217}}
`

func TestHardware(t *testing.T) {
	c, err := ParseConfig("rigs.yaml", []byte(bench))
	if err != nil {
		t.Fatal(err)
	}
	first, other := c.Rigs["bench-1"].Boards[0], c.Rigs["bench-1"].Boards[1]
	for got, want := range map[string]string{
		first.Console.Port.String(): "usb 1-1.4:1.0",
		first.Loader.Port.String():  "usb 0403:6001 serial A1",
		first.Line().String():       "usb 0403:6001 serial A1",
		other.Console.Port.String(): "/dev/serial/by-id/x",
		other.Line().String():       "rfc2217 rack1:2217",
	} {
		if got != want {
			t.Errorf("a port is %q, want %q", got, want)
		}
	}
	if first.Reset.Hold != 20*time.Millisecond || other.Reset.Hold != DefaultHold || !other.Reset.Invert {
		t.Errorf("reset %+v and %+v", first.Reset, other.Reset)
	}
}

// What a circuit leaves open is what its boards need.
func TestCircuits(t *testing.T) {
	const direct = "{dtr: nrst, rts: boot0, hold: 20ms}"
	ms := time.Millisecond
	for text, want := range map[string]ResetConfig{
		direct:             {Circuit: Direct, DTR: NRST, RTS: BOOT0, Hold: 20 * ms},
		"{circuit: esp32}": {Circuit: ESP32, DTR: BOOT0, RTS: NRST, Hold: 100 * ms, Sample: 50 * ms},
		"{circuit: k210, rise: 5ms, sample: 200ms}": {Circuit: K210, DTR: BOOT0, RTS: NRST, Hold: 100 * ms, Rise: 5 * ms, Sample: 200 * ms},
		"{circuit: k210, dtr: nrst, rts: boot0}":    {Circuit: K210, DTR: NRST, RTS: BOOT0, Hold: 100 * ms, Sample: 100 * ms},
	} {
		c, err := ParseConfig("rigs.yaml", []byte(strings.Replace(bench, direct, text, 1)))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := *c.Rigs["bench-1"].Boards[0].Reset; got != want {
			t.Errorf("%s: got %+v, want %+v", text, got, want)
		}
	}
}

// A chip's straps have its own names, of which one resets it.
func TestStraps(t *testing.T) {
	for chip, s := range strapsOf {
		if !s.reset.Resets() || s.boot.Resets() {
			t.Errorf("%s: %+v", chip, s)
		}
	}
}

// A virtual board may have modem lines, but not those of a port.
func TestVirtualReset(t *testing.T) {
	text := func(reset string) []byte {
		return []byte(strings.Replace(good, "seed: 1\n", "seed: 1\n        reset: "+reset+"\n", 1))
	}
	c, err := ParseConfig("rigs.yaml", text("{circuit: esp32, rise: 5ms}"))
	if err != nil {
		t.Fatal(err)
	}
	if r := c.Rigs["bench"].Boards[0].Reset; r.RTS != NRST || r.Circuit != ESP32 {
		t.Errorf("reset %+v", r)
	}
	_, err = ParseConfig("rigs.yaml", text("{dtr: nrst, rts: boot0, port: {device: /dev/x}}"))
	if err == nil || !strings.Contains(err.Error(), "for rigs of kind hardware") {
		t.Errorf("a virtual board with a port for reset: %v", err)
	}
}

// The steps are those of Espressif's and Canaan's tools (esptool's reset
// strategies, kflash's), and of the ESP32-C3's TRM, table 30.3-2.
func TestSequence(t *testing.T) {
	none, dtr, rts, both := port.Lines{}, port.Lines{DTR: true}, port.Lines{RTS: true}, port.Lines{DTR: true, RTS: true}
	const ms = time.Millisecond
	for text, want := range map[string]struct{ app, loader []LineStep }{
		"{circuit: direct, dtr: en, rts: gpio9, rise: 1ms}": {
			[]LineStep{{dtr, 10 * ms}, {none, ms}}, []LineStep{{both, 10 * ms}, {rts, ms}}},
		"{circuit: direct, dtr: en, rts: gpio9, invert: true}": {
			[]LineStep{{rts, 10 * ms}, {both, 0}}, []LineStep{{none, 10 * ms}, {dtr, 0}}},
		"{circuit: esp32, rise: 5ms}": {
			[]LineStep{{rts, 100 * ms}, {none, 5 * ms}}, []LineStep{{rts, 100 * ms}, {dtr, 55 * ms}, {none, 0}}},
		"{circuit: k210}": { // dan, bit and trainer
			[]LineStep{{rts, 100 * ms}, {none, 0}}, []LineStep{{rts, 100 * ms}, {dtr, 100 * ms}, {none, 0}}},
		"{circuit: k210, dtr: reset, rts: io16}": { // kd233 and goE
			[]LineStep{{dtr, 100 * ms}, {none, 0}}, []LineStep{{dtr, 100 * ms}, {rts, 100 * ms}, {none, 0}}},
		"{circuit: usb}": {
			[]LineStep{{none, 0}, {rts, 100 * ms}, {none, 100 * ms}},
			[]LineStep{{none, 100 * ms}, {dtr, 100 * ms}, {both, 0}, {rts, 100 * ms}, {none, 100 * ms}}},
	} {
		board := c3
		if strings.Contains(text, "k210") {
			board = bit
		}
		c, err := ParseConfig("rigs.yaml", []byte(board+"        reset: "+text+"\n"))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		r := c.Rigs["bench"].Boards[0].Reset
		if app, loader := r.Sequence(false), r.Sequence(true); !slices.Equal(app, want.app) || !slices.Equal(loader, want.loader) {
			t.Errorf("%s: %v and %v, want %v and %v", text, app, loader, want.app, want.loader)
		}
	}
}

// realBit is a real board with a K210, whose microphone is played to.
const realBit = `rigs:
  bench-1:
    kind: hardware
    boards:
      - name: k210
        chip: k210
        uid: d4611234567890ab
        console: {tx: IO5, rx: IO4, baud: 115200, port: {usb: {path: "1-1.4:1.0"}}}
        loader: {tx: IO5, rx: IO4, baud: 1500000, port: {usb: {path: "1-1.4:1.0"}}}
        reset: {circuit: k210}
        microphone: {sck: IO18, ws: IO19, sd: IO20}
        audio: {player: [aplay, -q, -D, "plughw:1"], delay: 80ms, within: 40ms}
`

func TestHardwareK210(t *testing.T) {
	c, err := ParseConfig("rigs.yaml", []byte(realBit))
	if err != nil {
		t.Fatal(err)
	}
	b := c.Rigs["bench-1"].Boards[0]
	if b.Reset.DTR != IO16 || b.Reset.RTS != RST || b.Audio.Delay != 80*time.Millisecond || b.Audio.Within != 40*time.Millisecond || len(b.Audio.Player) != 4 {
		t.Errorf("reset %+v, audio %+v", b.Reset, b.Audio)
	}
	for name, m := range map[string]struct{ old, new, line, fix string }{
		"uid":           {"d4611234567890ab", "d4611234567890", "7", "want 16 lower-case"},
		"strap":         {"circuit: k210", "circuit: k210, dtr: en, rts: io16", "10", "reset for one and io16"},
		"no player":     {"player: [aplay, -q, -D, \"plughw:1\"]", "player: []", "12", "[aplay, -q]"},
		"early":         {"delay: 80ms", "delay: -80ms", "12", "cannot be"},
		"not known":     {", within: 40ms", "", "12", "needs `within`"},
		"no microphone": {"        microphone: {sck: IO18, ws: IO19, sd: IO20}\n", "", "11", "no microphone to play to"},
	} {
		_, err := ParseConfig("rigs.yaml", []byte(strings.Replace(realBit, m.old, m.new, 1)))
		if err == nil || !strings.Contains(err.Error(), "rigs.yaml:"+m.line) || !strings.Contains(err.Error(), m.fix) {
			t.Errorf("%s: %v, want line %s and %q", name, err, m.line, m.fix)
		}
	}
}

// Each mistake is one edit; the error must name its line and the fix.
func TestHardwareMistakes(t *testing.T) {
	for name, m := range map[string]struct{ old, new, line, fix string }{
		"virtual with ports":   {"kind: hardware", "kind: virtual", "8", "for rigs of kind hardware"},
		"no port":              {", port: {usb: {path: 1-1.4:1.0}}", "", "8", "needs a port"},
		"two forms":            {"{usb: {path: 1-1.4:1.0}}", "{usb: {path: 1-1.4:1.0}, device: /dev/ttyS0}", "8", "give one"},
		"no form":              {"{usb: {path: 1-1.4:1.0}}", "{}", "8", "give one"},
		"device that moves":    {"{usb: {path: 1-1.4:1.0}}", "{device: /dev/ttyUSB0}", "8", "usb: {path: …}"},
		"relative device":      {"{usb: {path: 1-1.4:1.0}}", "{device: ttyAMA0}", "8", "path from the root"},
		"usb path":             {"1-1.4:1.0", "1-1.4", "8", "such as 1-1.4:1.0"},
		"usb both ways":        {"{path: 1-1.4:1.0}", "{path: 1-1.4:1.0, vid: 0403}", "8", "or vid, pid and serial"},
		"no serial":            {", serial: A1", "", "9", "found by its path"},
		"vid":                  {"vid: 0403", "vid: 0x403", "9", "four lower-case hexadecimal"},
		"server without port":  {"rack1:2217", "rack1", "15", "host:port"},
		"no reset":             {"        reset: {dtr: nrst, rts: boot0, hold: 20ms}\n", "", "5", "reset: {dtr: nrst, rts: boot0}"},
		"both lines the same":  {"rts: boot0, hold", "rts: nrst, hold", "10", "nrst for one and boot0"},
		"unknown strap":        {"rts: boot0, hold", "rts: en, hold", "10", "nrst for one and boot0"},
		"another chip's":       {"rts: boot0, hold", "rts: gpio9, hold", "10", "nrst for one and boot0"},
		"circuit":              {"hold: 20ms", "circuit: crossed", "10", "want direct, esp32, k210 or usb"},
		"no USB of its own":    {"hold: 20ms", "circuit: usb", "10", "no USB port that resets it"},
		"rise":                 {"hold: 20ms", "rise: 1h", "10", "up to 10s"},
		"sample of direct":     {"hold: 20ms", "sample: 20ms", "10", "remove sample"},
		"hold":                 {"hold: 20ms", "hold: 1h", "10", "up to 10s"},
		"hold without unit":    {"hold: 20ms", "hold: fast", "10", "wrong type"},
		"uid":                  {"uid: 001122", "uid: 0x1122", "7", "rigor rigs check"},
		"seed":                 {"uid: 001122334455667788990011", "seed: 1", "7", "no seed"},
		"one port, two boards": {"{usb: {path: 1-1.4:1.0}}", "{device: /dev/serial/by-id/x}", "1", "already"},
		"two UARTs, one pin":   {"tx: PB10, rx: PB11, baud: 115200, port: {device: /dev/serial/by-id/x}", "tx: PB10, rx: PB11, baud: 115200, port: {device: /dev/ttyS0}", "14", "wired to console.tx already"},
	} {
		if !strings.Contains(bench, m.old) {
			t.Fatalf("%s: nothing to edit", name)
		}
		_, err := ParseConfig("rigs.yaml", []byte(strings.Replace(bench, m.old, m.new, 1)))
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		if want := "rigs.yaml:" + m.line; !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), m.fix) {
			t.Errorf("%s: %q, want it to hold %q and %q", name, err, want, m.fix)
		}
	}
}
