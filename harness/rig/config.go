package rig

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"rigor/harness/timebase"
	"rigor/harness/yamlfile"
	"rigor/probes"
)

// Kind of rig.
type Kind string

// The kinds. Virtual rigs are simulated, in process; hardware is real boards on
// serial ports.
const (
	Virtual  Kind = "virtual"
	Hardware Kind = "hardware"
)

// Config is what rigs.yaml holds, by the names of the rigs.
type Config struct {
	Rigs map[string]*RigConfig `yaml:"rigs" json:"rigs"`
}

// RigConfig is one rig.
type RigConfig struct {
	Name   string         `yaml:"-" json:"-"`
	Kind   Kind           `yaml:"kind" json:"kind"`
	Boards []*BoardConfig `yaml:"boards" json:"boards"`
}

// BoardConfig is one board of a rig, and what is wired to it.
type BoardConfig struct {
	Name string `yaml:"name" json:"name"`
	Chip string `yaml:"chip" json:"chip"`
	// Required boards fail a run in which they could not be judged.
	Required bool `yaml:"required" json:"required"`
	// CrystalHz is the rate of the board's crystal; 0: none is fitted.
	CrystalHz timebase.Rate `yaml:"crystal_hz" json:"crystal_hz"`
	// Seed feeds all that is random in a virtual board: the chip's random
	// number generator and what RAM holds after power-on.
	Seed uint64 `yaml:"seed" json:"seed"`
	// Console is the adapter between host and firmware, Loader the one on the
	// pins that the chip's boot loader listens on.
	Console UARTConfig `yaml:"console" json:"console"`
	Loader  UARTConfig `yaml:"loader" json:"loader"`
	// ROMLoader has an ESP32-C3 flashed by the loader in its ROM alone, without the
	// program that this puts into RAM to write faster.
	ROMLoader bool `yaml:"rom_loader" json:"rom_loader,omitempty"`
	// UID is the chip's unique identification as hexadecimal digits: 96 bits of an
	// STM32F407 in order of address, the MAC address of an ESP32-C3, the 64 bits of the
	// flash chip beside a K210, which has none itself. A board that says another is not
	// flashed. Hardware only.
	UID string `yaml:"uid" json:"uid,omitempty"`
	// Reset is how modem lines reset the board. A real board has no other means; a
	// virtual one without it has no modem lines.
	Reset *ResetConfig `yaml:"reset" json:"reset,omitempty"`
	// Lines are the wires of the probes, by the names that suites use.
	Lines map[probes.Line]LineConfig `yaml:"lines" json:"lines"`
	// Targets are the devices on the board's I2C buses, by their models.
	Targets map[string]TargetConfig `yaml:"targets" json:"targets,omitempty"`
	// AccessPoint puts a wireless network of the harness's into the air of the
	// board's radio. Virtual only.
	AccessPoint bool `yaml:"access_point" json:"access_point,omitempty"`
	// Microphone is one with an I2S output.
	Microphone *MicrophoneConfig `yaml:"microphone" json:"microphone,omitempty"`
	// Audio is what plays to the microphone of a real board.
	Audio *AudioConfig `yaml:"audio" json:"audio,omitempty"`
}

// MicrophoneConfig is a microphone on the pins of a receiver of I2S.
type MicrophoneConfig struct {
	SCK   string `yaml:"sck" json:"sck"`
	WS    string `yaml:"ws" json:"ws"`
	SD    string `yaml:"sd" json:"sd"`
	Right bool   `yaml:"right" json:"right,omitempty"` // its slot is the right channel's
}

// AudioConfig is a sound device of the host's, by a command that plays to it.
type AudioConfig struct {
	Player []string      `yaml:"player" json:"player"` // the name of a WAV file is appended
	Delay  time.Duration `yaml:"delay" json:"delay"`   // from the command's start to the first sound
	Within time.Duration `yaml:"within" json:"within"` // how well that is known
}

// TargetConfig is a device on an I2C bus.
type TargetConfig struct {
	SDA     string `yaml:"sda" json:"sda"`
	SCL     string `yaml:"scl" json:"scl"`
	Address uint8  `yaml:"address" json:"address"` // 7 bits
}

// UARTConfig is a serial adapter on two pins, named as the chip sees them.
type UARTConfig struct {
	TX   string `yaml:"tx" json:"tx"`
	RX   string `yaml:"rx" json:"rx"`
	Baud int    `yaml:"baud" json:"baud"`
	// Port is where the adapter is to be found. Hardware only.
	Port *PortConfig `yaml:"port" json:"port,omitempty"`
}

// LineConfig is one wire between a pin and a probe.
type LineConfig struct {
	Pin string `yaml:"pin" json:"pin,omitempty"`
	// Drive says that the probe sets the pin's level; otherwise it only watches.
	Drive bool `yaml:"drive" json:"drive"`
	// Analog says that the probe drives volts, or that it measures them where it
	// only watches.
	Analog bool `yaml:"analog" json:"analog,omitempty"`
	// Loop names the driven line that this one is wired to in place of a pin:
	// what is driven there comes back here, which shows the probe's own error.
	Loop probes.Line `yaml:"loop" json:"loop,omitempty"`
}

// LoadConfig reads rigs.yaml. Every mistake is reported, each with file:line
// and what to do about it.
func LoadConfig(path string) (*Config, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the rigs: %w", err)
	}
	return ParseConfig(path, text)
}

// ParseConfig reads the text of rigs.yaml; name is for messages.
func ParseConfig(name string, text []byte) (*Config, error) {
	c := new(Config)
	file, err := yamlfile.Decode(name, text, c)
	if err != nil {
		return nil, err
	}
	var errs []error
	v := scoped{file: file, errs: &errs}
	if len(c.Rigs) == 0 {
		v.errorf("no rigs: the file needs a map `rigs:` from names to rigs")
	}
	for _, rig := range slices.Sorted(maps.Keys(c.Rigs)) {
		v.at("rigs", rig).rig(rig, c.Rigs[rig])
	}
	return c, errors.Join(errs...)
}

// Rig finds a rig by name.
func (c *Config) Rig(name string) (*RigConfig, error) {
	if r, ok := c.Rigs[name]; ok {
		return r, nil
	}
	known := strings.Join(slices.Sorted(maps.Keys(c.Rigs)), ", ")
	return nil, fmt.Errorf("no rig %q in rigs.yaml; it has: %s", name, known)
}

// Watched are the lines that a capture may watch, in order of name: all that
// carry levels.
func (b *BoardConfig) Watched() []probes.Line {
	return b.linesThat(func(l LineConfig) bool { return !l.Analog })
}

// Loops are the lines that come back from a driven one, in order of name.
func (b *BoardConfig) Loops() []probes.Line {
	return b.linesThat(func(l LineConfig) bool { return l.Loop != "" })
}

func (b *BoardConfig) linesThat(fit func(LineConfig) bool) []probes.Line {
	var lines []probes.Line
	for _, name := range slices.Sorted(maps.Keys(b.Lines)) {
		if fit(b.Lines[name]) {
			lines = append(lines, name)
		}
	}
	return lines
}
