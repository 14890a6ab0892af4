package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"rigor/harness/flash"
	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
)

type simCmd struct {
	Run     simRunCmd     `cmd:"" help:"Run a program on a simulated chip and show what its UART says."`
	Serve   simServeCmd   `cmd:"" help:"Offer a simulated board to other programs at serial ports, in real time."`
	Conform simConformCmd `cmd:"" help:"Run conformance vectors on a simulated core."`
}

// Exit codes of sim run and sim serve, beside exitOK and exitSetup.
const (
	exitNoText      = 1 // the time was up before --until's text came
	exitLockup      = 3
	exitNotModelled = 4
	exitInterrupted = 5
)

type simRunCmd struct {
	simChip
	Image   string        `arg:"" type:"existingfile" help:"ELF, Intel hex or raw binary, for flash or, of an STM32F407, for RAM; the binary of the others is an image for their ROM, at 0, or of a K210 a program as kflash takes it."`
	For     time.Duration `placeholder:"TIME" help:"Stop after this much of the chip's time, such as 2s (default: never)."`
	Until   string        `placeholder:"TEXT" help:"Stop when the UART has said this."`
	UART    string        `placeholder:"NAME" help:"UART to copy to standard output: usart1 to usart6, uart4 and uart5 of an STM32F407; uart0, uart1 and usb of an ESP32-C3; uarths and uart1 to uart3 of a K210 (default: usart2, uart0, uarths)."`
	Input   string        `placeholder:"FILE" help:"Send this file to the UART; - is standard input, read to its end before the chip starts."`
	InputAt time.Duration `default:"100ms" placeholder:"TIME" help:"When input begins, by the chip's time (default: ${default})."`
	Baud    uint64        `default:"115200" placeholder:"RATE" help:"Of the input: 8 data bits, no parity (default: ${default})."`
	Pins    string        `placeholder:"TX/RX" help:"Pins of the UART, for input (default: the UART's first ones: PA2/PA3 of usart2, GPIO21/GPIO20 of uart0, IO5/IO4 of uarths)."`
	Stats   bool          `help:"Print statistics to standard error."`
}

func (*simRunCmd) Help() string {
	return "What the UART sends is copied byte for byte, whatever its rate and pins.\n\n" +
		"Input goes to the UART's pin byte after byte from --input-at on, so that the same input reaches the program in the same\n" +
		"cycles in every run; what comes before the program has set up its UART is lost, as on a board:\n\n" +
		"  echo hello | rigor sim run --chip stm32f407 echo.elf --input - --until hello --for 1s\n\n" +
		"Exit status: 0 the text of --until came, or the time of --for is up and there is no --until; 1 the time is up before\n" +
		"the text came; 2 the program could not be started; 3 the core locked up; 4 the program needs something that is\n" +
		"not modelled, which the message names; 5 interrupted."
}

// Run simulates until something ends it.
func (c *simRunCmd) Run(ctx context.Context) error {
	k, err := c.silicon()
	if err != nil {
		return err
	}
	if c.UART == "" {
		c.UART = k.console
	}
	watch := &watcher{text: []byte(c.Until)}
	watched, isUART := k.uarts[c.UART]
	chip := k.make(&c.simChip, func(uart int, b byte) {
		if isUART && uart == watched.number {
			watch.see(b)
		}
	})
	typist, b, err := c.wire(k, chip)
	if err != nil {
		return err
	}
	watch.usb = typist.usb
	if err := start(k, b, chip, c.Image); err != nil {
		return err
	}
	began := time.Now()
	reason, err := c.simulate(ctx, b, typist, watch)
	if c.Stats {
		printStats(chip, reason, time.Since(began))
	}
	if n := typist.left(); n > 0 {
		fmt.Fprintf(os.Stderr, "rigor: %d bytes of the input were not sent\n", n)
	}
	return err
}

// slice is how often a run looks up, in the chip's time.
const slice = clock.Millisecond

// simulate runs the chip to its end and says why it ended.
func (c *simRunCmd) simulate(ctx context.Context, b *board.Board, t *typist, w *watcher) (reason string, err error) {
	end := clock.NeverTime
	if c.For > 0 {
		end = clock.Time(c.For) * clock.Nanosecond
	}
	for {
		stop := b.Advance(min(b.Now()+slice, end, t.due()))
		t.write(b.Now())
		if err := w.flush(); err != nil {
			return "output failed", err
		}
		switch {
		case w.seen:
			return "text seen", nil
		case stop.Kind == board.Lockup:
			return "lockup", stopped(stop)
		case stop.Kind == board.NotModelled:
			return "not modelled", stopped(stop)
		case b.Now() >= end && c.Until != "":
			return "time is up", &exitError{exitNoText, fmt.Errorf("%q did not come within %v", c.Until, c.For)}
		case b.Now() >= end:
			return "time is up", nil
		case ctx.Err() != nil:
			return "interrupted", &exitError{exitInterrupted, errors.New("interrupted")}
		}
	}
}

// stopped is the exit of a chip that cannot go on.
func stopped(s board.Stop) error {
	if s.Kind == board.Lockup {
		return &exitError{exitLockup, s}
	}
	return &exitError{exitNotModelled, s}
}

// watcher copies what a UART sends and looks for a text in it.
type watcher struct {
	usb     board.USBSerial // what is copied, if not a UART
	text    []byte
	tail    []byte // the last bytes, as many as the text has
	pending bytes.Buffer
	seen    bool
}

func (w *watcher) see(b byte) {
	if w.seen {
		return
	}
	w.pending.WriteByte(b)
	if len(w.text) == 0 {
		return
	}
	if len(w.tail) == len(w.text) {
		w.tail = w.tail[1:]
	}
	w.tail = append(w.tail, b)
	w.seen = bytes.Equal(w.tail, w.text)
}

func (w *watcher) flush() error {
	if w.usb != nil {
		for _, b := range w.usb.USBRead(usbBuffer) {
			w.see(b)
		}
	}
	_, err := w.pending.WriteTo(os.Stdout)
	return err
}

// start loads a program and lets the chip out of reset, strapped to boot from
// where the program is.
func start(k silicon, b *board.Board, chip simulated, file string) error {
	image, err := readImage(k, chip.Name(), file)
	if err != nil {
		return err
	}
	b.SetReset(true)
	b.SetPower(true)
	inRAM := slices.ContainsFunc(image.Segments, func(s flash.Segment) bool { return len(k.ram) > 0 && s.Addr == k.ram[0].Addr })
	for _, s := range image.Segments {
		load := chip.LoadFlash
		if len(k.ram) > 0 && s.Addr >= k.ram[0].Addr {
			load = chip.LoadRAM
		}
		if err := load(s.Addr, s.Data); err != nil {
			return fmt.Errorf("load %s: %w", file, err)
		}
	}
	if inRAM { // RM0090 §2.4: BOOT0 and BOOT1 high
		b.SetBoot(true)
		pin, err := chip.PinByName("PB2")
		if err != nil {
			return err
		}
		b.Drive(pin, board.Drive{Kind: board.DriveHigh})
	}
	b.SetReset(false)
	return nil
}

// readImage reads a program for flash or RAM.
func readImage(k silicon, chip, file string) (*flash.Image, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	part, err := flash.PartOf(chip)
	if err != nil {
		return nil, err
	}
	part.Memory = append(slices.Clone(part.Memory), k.ram...)
	image, err := flash.Read(text, part)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return image, nil
}

func printStats(chip board.Chip, reason string, host time.Duration) {
	s, virtual := chip.Stats(), time.Duration(chip.Now()/clock.Nanosecond)
	fmt.Fprintf(os.Stderr, "\nstop          %s\n", reason)
	fmt.Fprintf(os.Stderr, "instructions  %d\n", s.Instructions)
	fmt.Fprintf(os.Stderr, "cycles        %d, of them %d asleep; clock now %d Hz\n", s.Cycles, s.Slept, s.ClockHz)
	fmt.Fprintf(os.Stderr, "virtual time  %v\n", virtual)
	fmt.Fprintf(os.Stderr, "host time     %v, %.1f times real time, %.0f MIPS\n", host.Round(time.Microsecond),
		virtual.Seconds()/host.Seconds(), float64(s.Instructions)/host.Seconds()/1e6)
	for _, w := range chip.Warnings() {
		fmt.Fprintf(os.Stderr, "warning       %s\n", w)
	}
}
