package board

import (
	"fmt"

	"rigor/harness/sim/clock"
)

// I2SReceiver is what a chip that can receive I2S has besides.
type I2SReceiver interface {
	// ConnectI2S puts a microphone on three pins: the chip clocks it by sck and ws and
	// receives sd, in the slot of the left channel, ws low, or of the right one (I2S bus
	// specification, Philips 1996, §3.2). The chip calls source once a frame, at the
	// edge of ws that begins the slot, and only if the pins are those of one receiver;
	// it gives a sample of 24 bits, -2^23 to 2^23-1, and is a pure function of world
	// time. Like a source of voltage it is outside the chip: no part of a snapshot or
	// a digest.
	ConnectI2S(sck, ws, sd Pin, right bool, source func(at clock.Time) int32) error
}

// MicrophoneWiring puts a digital microphone on three pins.
type MicrophoneWiring struct {
	Name        string
	SCK, WS, SD string
	Right       bool // its L/R pin is high
}

// fullScale is the largest sample.
const fullScale = 1<<23 - 1

// Microphone is one with an I2S output, such as an MSM261S4030H0: 24 bits, two's
// complement. It is ideal: it hears all frequencies alike and at once, and adds no
// noise; what is louder than full scale it cuts off.
type Microphone struct {
	name  string
	sound func(at clock.Time) int32
}

// Hear lets it hear a sound, in place of an earlier one: samples as a pure function
// of world time; nil is silence. Sounds are no part of snapshots and digests.
func (m *Microphone) Hear(sound func(at clock.Time) int32) { m.sound = sound }

// Sample is what the microphone says of the sound at a time.
func (m *Microphone) Sample(at clock.Time) int32 {
	if m.sound == nil {
		return 0
	}
	return min(max(m.sound(at), -fullScale-1), fullScale)
}

// Name is that of its wiring.
func (m *Microphone) Name() string { return m.name }

// Microphone finds a microphone by its wiring's name, or nil.
func (b *Board) Microphone(name string) *Microphone {
	for _, m := range b.microphones {
		if m.name == name {
			return m
		}
	}
	return nil
}

func (b *Board) addMicrophone(w MicrophoneWiring) error {
	chip, ok := b.chip.(I2SReceiver)
	if !ok {
		return fmt.Errorf("an %s cannot receive I2S", b.chip.Name())
	}
	var pins [3]Pin
	for i, name := range []string{w.SCK, w.WS, w.SD} {
		p, err := b.chip.PinByName(name)
		if err != nil {
			return err
		}
		pins[i] = p
	}
	m := &Microphone{name: w.Name}
	if err := chip.ConnectI2S(pins[0], pins[1], pins[2], w.Right, m.Sample); err != nil {
		return err
	}
	b.microphones = append(b.microphones, m)
	return nil
}
