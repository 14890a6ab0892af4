package rig

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"rigor/harness/timebase"
	"rigor/harness/yamlfile"
	"rigor/probes"
)

// wiring is what a chip allows to be wired.
type wiring struct {
	pin        *regexp.Regexp
	example    string         // of a pin's name
	uarts      []UARTConfig   // pin pairs that carry a UART; nil: any two pins do
	loaders    []UARTConfig   // what the boot loader listens on
	loaderBaud int            // of which it can do so much
	adc        *regexp.Regexp // pins that a converter can take; nil: there is none
	dac        *regexp.Regexp // pins that one can give; nil: there is none
	crystal    timebase.Rate  // the only one it takes; 0: any
	uidDigits  int            // of its unique identification
	radio      bool
	i2s        bool // it can receive a microphone
	flasher    bool // its ROM's loader is given a program to write by
}

var wirings = map[string]wiring{
	"stm32f407": {
		example: "PA0", uidDigits: 24,
		pin: regexp.MustCompile(`^P([A-H](\d|1[0-5])|I(\d|1[01]))$`), // DS8626 table 7, the largest package
		// DS8626 table 9.
		uarts: []UARTConfig{
			{TX: "PA9", RX: "PA10"}, {TX: "PB6", RX: "PB7"}, // USART1
			{TX: "PA2", RX: "PA3"}, {TX: "PD5", RX: "PD6"}, // USART2
			{TX: "PB10", RX: "PB11"}, {TX: "PC10", RX: "PC11"}, {TX: "PD8", RX: "PD9"}, // USART3
			{TX: "PA0", RX: "PA1"},                          // UART4
			{TX: "PC12", RX: "PD2"},                         // UART5
			{TX: "PC6", RX: "PC7"}, {TX: "PG14", RX: "PG9"}, // USART6
		},
		// AN2606, section "STM32F40xxx/41xxx devices".
		loaders:    []UARTConfig{{TX: "PA9", RX: "PA10"}, {TX: "PB10", RX: "PB11"}, {TX: "PC10", RX: "PC11"}},
		loaderBaud: 115200, // what ST tested
		// DS8626 table 7, additional functions.
		adc: regexp.MustCompile(`^(PA[0-7]|PB[01]|PC[0-5]|PF([3-9]|10))$`),
		dac: regexp.MustCompile(`^PA[45]$`),
	},
	"esp32c3": {
		example: "GPIO0", uidDigits: 12, radio: true, flasher: true,
		// Datasheet §2.2; GPIO11 to GPIO17 serve the flash.
		pin: regexp.MustCompile(`^GPIO(\d|10|18|19|20|21)$`),
		// The GPIO matrix takes a UART to any pins; the ROM's loader has UART0's usual ones.
		loaders:    []UARTConfig{{TX: "GPIO21", RX: "GPIO20"}},
		loaderBaud: 921600, // esptool's highest default
		// Datasheet §4.2.2.1: ADC1; ADC2 does not work (errata).
		adc:     regexp.MustCompile(`^GPIO[0-4]$`),
		crystal: 40_000_000,
	},
	"k210": {
		example: "IO0", uidDigits: 16, i2s: true,
		// Any function goes to any pin (Kendryte K210 datasheet, FPIOA), but the ROM's.
		pin:        regexp.MustCompile(`^IO(\d|[123]\d|4[0-7])$`),
		loaders:    []UARTConfig{{TX: "IO5", RX: "IO4"}},
		loaderBaud: 2_000_000, // kflash's highest for boards that it knows
		crystal:    26_000_000,
	},
}

// models are the devices that may be on an I2C bus, with their addresses.
var models = map[string][]int{
	"bme280": {0x76, 0x77}, // BST-BME280-DS002 §6.2
}

// Bounds of a UART's rate.
const minBaud, maxBaud = 1200, 3_000_000

// scoped checks the entry at path of the file; mistakes of all entries are
// collected in errs.
type scoped struct {
	file *yamlfile.File
	path []any
	errs *[]error
}

// at checks an entry below.
func (s scoped) at(step ...any) scoped {
	s.path = append(slices.Clone(s.path), step...)
	return s
}

func (s scoped) errorf(format string, args ...any) {
	*s.errs = append(*s.errs, s.file.Errorf(s.path, format, args...))
}

func (s scoped) rig(name string, r *RigConfig) {
	if r == nil {
		s.errorf("rig %q is empty: it needs kind and boards", name)
		return
	}
	r.Name = name
	if r.Kind != Virtual && r.Kind != Hardware {
		s.at("kind").errorf("rig %q: kind is %q; want virtual or hardware", name, r.Kind)
	}
	if len(r.Boards) == 0 {
		s.errorf("rig %q has no boards: list at least one under boards", name)
	}
	seen := map[string]bool{}
	for i, b := range r.Boards {
		at := s.at("boards", i)
		if b == nil {
			at.errorf("board %d is empty", i+1)
			continue
		}
		if seen[b.Name] {
			at.at("name").errorf("two boards are named %q: names must differ within a rig", b.Name)
		}
		seen[b.Name] = true
		at.board(b)
		switch r.Kind {
		case Virtual:
			at.virtual(b)
		case Hardware:
			at.hardware(b)
		}
	}
	s.shared(r)
}

var boardName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`)

func (s scoped) board(b *BoardConfig) {
	if !boardName.MatchString(b.Name) {
		s.at("name").errorf("board name %q: want lower-case letters, digits and hyphens", b.Name)
	}
	w, ok := wirings[b.Chip]
	if !ok {
		known := strings.Join(slices.Sorted(maps.Keys(wirings)), ", ")
		s.at("chip").errorf("board %q: chip %q is not known; want one of: %s", b.Name, b.Chip, known)
		return
	}
	if w.crystal != 0 && b.CrystalHz != 0 && b.CrystalHz != w.crystal {
		s.at("crystal_hz").errorf("board %q: the chip takes a crystal of %d Hz only", b.Name, w.crystal)
	}
	if b.AccessPoint && !w.radio {
		s.at("access_point").errorf("board %q: the chip has no radio; remove it", b.Name)
	}
	if b.ROMLoader && !w.flasher {
		s.at("rom_loader").errorf("board %q: only an ESP32-C3 is flashed by its ROM or a program in RAM, as one likes; remove it", b.Name)
	}
	used := map[string]string{}
	s.at("console").uart("console", b.Console, w, w.uarts, maxBaud, used)
	if b.OneUART() {
		delete(used, b.Console.TX)
		delete(used, b.Console.RX)
	}
	s.at("loader").uart("loader", b.Loader, w, w.loaders, w.loaderBaud, used)
	s.targets(b, w, used)
	s.microphone(b, w, used)
	s.lines(b, w, used)
}

// microphone checks the microphone, and what plays to it.
func (s scoped) microphone(b *BoardConfig, w wiring, used map[string]string) {
	m := b.Microphone
	if b.Audio != nil && m == nil {
		s.at("audio").errorf("board %q: there is no microphone to play to; add one or remove audio", b.Name)
	}
	if m == nil {
		return
	}
	at := s.at("microphone")
	if !w.i2s {
		at.errorf("board %q: the chip receives no I2S; remove the microphone", b.Name)
		return
	}
	at.at("sck").claim(m.SCK, "microphone.sck", w, used)
	at.at("ws").claim(m.WS, "microphone.ws", w, used)
	at.at("sd").claim(m.SD, "microphone.sd", w, used)
}

// targets checks what is on the I2C buses.
func (s scoped) targets(b *BoardConfig, w wiring, used map[string]string) {
	for _, model := range slices.Sorted(maps.Keys(b.Targets)) {
		at, t := s.at("targets", model), b.Targets[model]
		addresses, ok := models[model]
		if !ok {
			at.errorf("no target %q is known; there are: %s", model, strings.Join(slices.Sorted(maps.Keys(models)), ", "))
			continue
		}
		if !slices.Contains(addresses, int(t.Address)) {
			at.at("address").errorf("target %q: it has no address %#02x; want one of %#02x", model, t.Address, addresses)
		}
		at.at("sda").claim(t.SDA, model+".sda", w, used)
		at.at("scl").claim(t.SCL, model+".scl", w, used)
	}
}

// lines lets a line that only watches share a pin with an adapter, but not with
// another line.
func (s scoped) lines(b *BoardConfig, w wiring, used map[string]string) {
	watched := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(b.Lines)) {
		at, l, use := s.at("lines", string(name)), b.Lines[name], fmt.Sprintf("line %q", name)
		if l.Loop != "" {
			at.loop(use, l, b.Lines)
			continue
		}
		pin := at.at("pin")
		if !pin.claim(l.Pin, use, w, watched) {
			continue
		}
		if l.Drive {
			pin.claim(l.Pin, use, w, used)
		}
		if l.Analog {
			pin.analog(use, l, w)
		}
	}
}

// loop checks a line that is wired to another one.
func (s scoped) loop(use string, l LineConfig, lines map[probes.Line]LineConfig) {
	if l.Pin != "" || l.Drive || l.Analog {
		s.errorf("%s: a loop has no pin and is neither driven nor analog: keep `loop` alone", use)
	}
	if from := lines[l.Loop]; !from.Drive || from.Analog {
		s.at("loop").errorf("%s: it comes from %q, which is no line with `drive: true` that carries levels", use, l.Loop)
	}
}

// analog checks that the chip has a converter at the pin.
func (s scoped) analog(use string, l LineConfig, w wiring) {
	switch {
	case l.Drive && w.adc == nil:
		s.errorf("%s: the chip has no converter that takes volts; remove the line", use)
	case l.Drive && !w.adc.MatchString(l.Pin):
		s.errorf("%s: %s is no input of a converter; want one of those that match %v", use, l.Pin, w.adc)
	case !l.Drive && w.dac == nil:
		s.errorf("%s: the chip has no converter that gives volts; remove the line", use)
	case !l.Drive && !w.dac.MatchString(l.Pin):
		s.errorf("%s: %s is no output of a converter; want one of those that match %v", use, l.Pin, w.dac)
	}
}

func (s scoped) uart(use string, u UARTConfig, w wiring, pairs []UARTConfig, most int, used map[string]string) {
	if u.Baud < minBaud || u.Baud > most {
		s.at("baud").errorf("%s: baud %d is out of range; want %d to %d", use, u.Baud, minBaud, most)
	}
	fits := func(p UARTConfig) bool { return p.TX == u.TX && p.RX == u.RX }
	if pairs != nil && !slices.ContainsFunc(pairs, fits) {
		s.at("tx").errorf("%s: tx %q and rx %q are no pair that the chip offers for it; want one of %s (tx/rx as the chip sees them)",
			use, u.TX, u.RX, pairList(pairs))
		return
	}
	s.at("tx").claim(u.TX, use+".tx", w, used)
	s.at("rx").claim(u.RX, use+".rx", w, used)
}

// claim takes a pin for one use, if it is free.
func (s scoped) claim(pin, use string, w wiring, used map[string]string) bool {
	if !w.pin.MatchString(pin) {
		s.errorf("%s: %q is no pin of the chip (such as %s)", use, pin, w.example)
		return false
	}
	if other, taken := used[pin]; taken {
		s.errorf("%s: pin %s is wired to %s already; give one of them another pin", use, pin, other)
		return false
	}
	used[pin] = use
	return true
}

func pairList(pairs []UARTConfig) string {
	var text []string
	for _, p := range pairs {
		text = append(text, p.TX+"/"+p.RX)
	}
	return strings.Join(text, ", ")
}
