package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
	"rigor/harness/sim/soc/stm32f407"
)

// uartPins are the first that the datasheet gives each UART (DS8626 §4, alternate functions).
var uartPins = map[string]string{
	"usart1": "PA9/PA10", "usart2": "PA2/PA3", "usart3": "PB10/PB11",
	"uart4": "PA0/PA1", "uart5": "PC12/PD2", "usart6": "PC6/PC7",
}

// typist sends a run's input.
type typist struct {
	input  []byte
	at     clock.Time
	bridge *board.Bridge // nil: there is no input
}

// wire puts the chip on a board, and the input on its UART.
func (c *simRunCmd) wire(chip *stm32f407.Chip) (*typist, *board.Board, error) {
	if c.Input == "" {
		b, err := board.New(chip, board.Wiring{})
		return &typist{}, b, err
	}
	t := &typist{at: clock.Time(c.InputAt) * clock.Nanosecond}
	var err error
	if t.input, err = readInput(c.Input); err != nil {
		return nil, nil, fmt.Errorf("read the input: %w", err)
	}
	pins := c.Pins
	if pins == "" {
		pins = uartPins[c.UART]
	}
	tx, rx, ok := strings.Cut(pins, "/")
	if !ok {
		return nil, nil, fmt.Errorf("--pins %s: want TX/RX, such as PA2/PA3", pins)
	}
	b, err := board.New(chip, board.Wiring{Bridges: []board.BridgeWiring{{Name: c.UART, TX: tx, RX: rx}}})
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
	if t.bridge == nil {
		return
	}
	t.bridge.DiscardInput()
	if now >= t.due() {
		t.bridge.Write(t.input)
		t.input = nil
	}
}

// left is how many bytes are not wholly on the line.
func (t *typist) left() int {
	if t.bridge == nil {
		return 0
	}
	return len(t.input) + t.bridge.Unsent()
}
