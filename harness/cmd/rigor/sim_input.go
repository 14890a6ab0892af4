package main

import (
	"fmt"
	"io"
	"os"

	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
)

// usbBuffer is more than a chip's own USB port can hold for the host.
const usbBuffer = 1 << 16

// typist sends a run's input.
type typist struct {
	input  []byte
	at     clock.Time
	bridge *board.Bridge   // nil: there is no input, or the UART is the chip's USB
	usb    board.USBSerial // nil: the UART is none
}

// wire puts the chip on a board, and the input on its UART.
func (c *simRunCmd) wire(k silicon, chip simulated) (t *typist, b *board.Board, err error) {
	t = &typist{at: clock.Time(c.InputAt) * clock.Nanosecond}
	if c.Input != "" {
		if t.input, err = readInput(c.Input); err != nil {
			return nil, nil, fmt.Errorf("read the input: %w", err)
		}
	}
	if usb, ok := chip.(board.USBSerial); ok && c.UART == "usb" {
		t.usb = usb
		b, err = k.put(chip, board.Wiring{})
		return t, b, err
	}
	pins, err := k.pins(c.UART)
	if err != nil {
		return nil, nil, err
	}
	if c.Input == "" {
		b, err = k.put(chip, board.Wiring{})
		return t, b, err
	}
	if c.Pins != "" {
		pins = c.Pins
	}
	tx, rx, err := splitPins(pins, k.loader)
	if err != nil {
		return nil, nil, fmt.Errorf("--pins: %w", err)
	}
	b, err = k.put(chip, board.Wiring{Bridges: []board.BridgeWiring{{Name: c.UART, TX: tx, RX: rx}}})
	if err != nil {
		return nil, nil, err
	}
	t.bridge = b.Bridge(c.UART)
	return t, b, t.bridge.SetMode(board.Mode{Baud: c.Baud})
}

func readInput(file string) ([]byte, error) {
	if file == "-" {
		return io.ReadAll(os.Stdin)
	}
	return os.ReadFile(file)
}

// due is when something is to be sent.
func (t *typist) due() clock.Time {
	if len(t.input) == 0 {
		return clock.NeverTime
	}
	return t.at
}

// write puts the input on the line once it is due. What the chip sends is heard
// elsewhere.
func (t *typist) write(now clock.Time) {
	switch {
	case t.usb != nil && now >= t.due():
		t.input = t.input[t.usb.USBWrite(t.input):]
		t.at = now + slice // for what found no room
	case t.bridge != nil:
		t.bridge.DiscardInput()
		if now >= t.due() {
			t.bridge.Write(t.input)
			t.input = nil
		}
	}
}

// left is how many bytes are not wholly on the line.
func (t *typist) left() int {
	if t.bridge == nil {
		return len(t.input)
	}
	return len(t.input) + t.bridge.Unsent()
}
