package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"rigor/harness/flash/loaders"
	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
)

type simServeCmd struct {
	simChip
	PTY           string `type:"path" placeholder:"LINK" help:"Symbolic link to make to the pseudo terminal."`
	RFC2217       string `name:"rfc2217" placeholder:"ADDR" help:"Serve both UARTs by RFC 2217 at host:port, with DTR and RTS; with --rfc2217-loader the program's alone."`
	RFC2217Loader string `name:"rfc2217-loader" placeholder:"ADDR" help:"Serve the boot loader's UART at a port of its own."`
	Boot          string `default:"app" enum:"app,loader" help:"What the board boots: app or loader (default: ${default}). An STM32F407 has a jumper for that, the others a button, pressed at power-on alone."`
	Flash         string `type:"existingfile" placeholder:"FILE" help:"Program to have in flash."`
	Console       string `placeholder:"TX/RX" help:"Pins of the program's UART (default: PA2/PA3 of an STM32F407, GPIO21/GPIO20 of an ESP32-C3, IO5/IO4 of a K210)."`
	Loader        string `placeholder:"TX/RX" help:"Pins of the boot loader's UART (default: PB10/PB11, GPIO21/GPIO20, IO5/IO4)."`

	Circuit string         `enum:",direct,esp32,k210" default:"" placeholder:"NAME" help:"Between modem lines and straps: direct, DTR on reset and RTS on the boot strap; esp32, two transistors; k210, RTS on reset and DTR on the strap (default: direct; of the others their own)."`
	Rise    *time.Duration `placeholder:"TIME" help:"How long reset takes to end after its release, such as 60ms (default: 0; of an ESP32-C3 75ms)."`

	kind loaders.Kind
}

func (*simServeCmd) Help() string {
	return "The board's time follows the host's. It is offered at a pseudo terminal, by RFC 2217, or both.\n\n" +
		"Both UARTs of the board are on the one pseudo terminal: what is written there goes to both, at the baud rate that\n" +
		"the other program sets. A pseudo terminal has no parity; the board's loader side adds and strips the even parity\n" +
		"that the boot loader wants, so that its clients are told 8N1:\n\n" +
		"  rigor sim serve --chip stm32f407 --pty /tmp/f407 --boot loader &\n" +
		"  stm32flash -m 8n1 -w program.bin -v -g 0 /tmp/f407\n\n" +
		"RFC 2217 carries parity and modem lines, as a serial adapter does: the boot loader wants 8E1; DTR asserted holds NRST\n" +
		"low, RTS asserted holds BOOT0 high (--circuit has others), and both are released when the client goes. --rfc2217 alone serves both UARTs at one\n" +
		"port, as an adapter on both would; with --rfc2217-loader there are two ports, as there are two adapters on most boards,\n" +
		"and the lines of either act. A port has one client at a time; a second one is told so. A pseudo terminal has no modem\n" +
		"lines: rigs.yaml may take the bytes from there and the lines from an RFC 2217 port, `reset: {port: {rfc2217: ADDR}}`.\n\n" +
		"An ESP32-C3 has one adapter for program and boot loader, as its boards have, without parity. RTS asserted holds CHIP_EN\n" +
		"low and DTR GPIO9, neither if both are (--circuit esp32). Reset ends so late that pyserial's client of RFC 2217, which\n" +
		"takes 50 ms for each line, sets both in time:\n\n" +
		"  rigor sim serve --chip esp32c3 --rfc2217 localhost:2217 &\n" +
		"  esptool --chip esp32c3 --port rfc2217://localhost:2217 write-flash 0 program.bin\n\n" +
		"  rigor sim serve --chip esp32c3 --pty /tmp/c3 --boot loader &\n" +
		"  esptool --chip esp32c3 --port /tmp/c3 --before no-reset --after watchdog-reset write-flash 0 program.bin\n\n" +
		"So has a K210: RTS asserted holds reset low and DTR IO16 (--circuit k210), which its ROM looks at 75 ms after reset. kflash\n" +
		"knows that wiring as dan, bit and trainer, and --circuit direct as kd233 and goE:\n\n" +
		"  rigor sim serve --chip k210 --rfc2217 localhost:2217 &\n" +
		"  python3 harness/cmd/rigor/testdata/kflash.py kflash.py -p rfc2217://localhost:2217 -B dan -b 1500000 program.bin\n\n" +
		"That script is there since kflash itself opens no URLs, and no pseudo terminals. Its programs have headers put before them by\n" +
		"kflash; those for --flash have them already, or are ELF files.\n\n" +
		"A core that locks up, as with empty flash, waits for a reset where there are modem lines; else it ends the command.\n\n" +
		"Exit status: 0 when interrupted; 2 the board could not be set up or its terminal failed; 3 the core locked up;\n" +
		"4 the program needs something that is not modelled, which the message names."
}

// Run serves until interrupted or until the chip cannot go on.
func (c *simServeCmd) Run(ctx context.Context) error {
	if c.PTY == "" && c.RFC2217 == "" {
		return errors.New("nowhere to serve: give --pty LINK, --rfc2217 HOST:PORT or both")
	}
	if c.RFC2217 == "" && c.RFC2217Loader != "" {
		return errors.New("--rfc2217-loader needs --rfc2217 for the program's UART")
	}
	k, err := c.settle()
	if err != nil {
		return err
	}
	b, bridges, err := c.board(k)
	if err != nil {
		return err
	}
	s := &server{board: b, bridges: bridges, resettable: c.RFC2217 != "", ops: make(chan *operation), done: make(chan struct{})}
	defer s.close()
	var places []string
	for _, open := range []func(*server) (string, error){c.listen, c.openTerminal} {
		place, err := open(s)
		if err != nil {
			return err
		}
		if place != "" {
			places = append([]string{place}, places...)
		}
	}
	b.SetBoot(c.Boot == "loader")
	b.SetPower(true)
	// Clients begin when they see the link, and one that is early has to be restarted: its first byte is lost.
	if err := s.advance(clock.Time(*c.Rise+c.kind.Startup) * clock.Nanosecond); err != nil {
		return err
	}
	if k.bootLow { // it is a button, which is let go: what the loader resets by itself is the program
		b.SetBoot(false)
	}
	if c.PTY != "" {
		if err := link(s.terminal.path, c.PTY); err != nil {
			return err
		}
		defer os.Remove(c.PTY)
	}
	fmt.Fprintf(os.Stderr, "%s at %s, booting its %s\n", c.Chip, strings.Join(places, " and "), c.Boot)
	return s.serve(ctx)
}

// settle fills in what is usual for the chip.
func (c *simServeCmd) settle() (k silicon, err error) {
	if k, err = c.silicon(); err != nil {
		return k, err
	}
	if c.kind, err = loaders.Of(c.Chip); err != nil {
		return k, err
	}
	if c.Console == "" {
		c.Console = k.uarts[k.console].pins
	}
	if c.Loader == "" {
		c.Loader = k.loader
	}
	if c.Circuit == "" {
		c.Circuit = k.circuit
	}
	if c.Rise == nil {
		c.Rise = &k.rise
	}
	return k, nil
}

// Names of the bridges.
const (
	consoleBridge = "console"
	loaderBridge  = "loader"
)

// adapter is on one UART, with what a client that can set no parity needs.
type adapter struct {
	name   string
	parity board.Parity
}

// board puts the chip on one, with its adapters: the loader's may be the console's.
func (c *simServeCmd) board(k silicon) (*board.Board, []adapter, error) {
	chip := k.make(&c.simChip, nil)
	if c.Flash != "" {
		if err := loadFlash(k, chip, c.Flash); err != nil {
			return nil, nil, err
		}
	}
	wiring := board.Wiring{Rise: clock.Time(*c.Rise) * clock.Nanosecond}
	uarts := []adapter{{consoleBridge, board.ParityNone}, {loaderBridge, board.Parity(c.kind.Parity)}}
	pins := []string{c.Console, c.Loader}
	if c.Console == c.Loader {
		uarts, pins = uarts[1:], pins[1:]
	}
	for i, u := range uarts {
		tx, rx, err := splitPins(pins[i], k.loader)
		if err != nil {
			return nil, nil, fmt.Errorf("the %s's UART: %w", u.name, err)
		}
		bridge := board.BridgeWiring{Name: u.name, TX: tx, RX: rx, DTR: board.StrapReset, RTS: board.StrapBoot}
		if c.Circuit != "direct" {
			bridge.DTR, bridge.RTS, bridge.Cross = board.StrapBoot, board.StrapReset, c.Circuit == "esp32"
		}
		wiring.Bridges = append(wiring.Bridges, bridge)
	}
	b, err := k.put(chip, wiring)
	return b, uarts, err
}

// loadFlash puts a program into flash.
func loadFlash(k silicon, chip simulated, file string) error {
	k.ram = nil // flash is what was asked for
	image, err := readImage(k, chip.Name(), file)
	if err != nil {
		return err
	}
	for _, s := range image.Segments {
		if err := chip.LoadFlash(s.Addr, s.Data); err != nil {
			return fmt.Errorf("load %s: %w", file, err)
		}
	}
	return nil
}

// link makes path a link to the terminal. A link of an earlier run is replaced,
// anything else is left alone.
func link(terminal, path string) error {
	if info, err := os.Lstat(path); err == nil {
		if info.Mode()&os.ModeSymlink == 0 {
			return fmt.Errorf("make the link %s: a file of that name exists; choose another", path)
		}
		if err := os.Remove(path); err != nil {
			return fmt.Errorf("replace the link %s: %w", path, err)
		}
	}
	if err := os.Symlink(terminal, path); err != nil {
		return fmt.Errorf("make the link %s: %w", path, err)
	}
	return nil
}

// tick is how often the board's time catches up with the host's. It is what a
// byte may be late by.
const tick = 250 * time.Microsecond

// A board that is slower than real time is let run in slices, between which
// others are heard; what it is behind by more than maxLag is given up.
const maxSlice, maxLag = 2 * time.Millisecond, 100 * time.Millisecond

// server lets the board's time follow the host's and carries bytes both ways.
// The board is touched by serve alone; others send it operations.
type server struct {
	board      *board.Board
	bridges    []adapter
	resettable bool // it has modem lines
	stopped    bool // its core has locked up and waits for a reset
	terminal   *terminal
	outlets    []*outlet
	ops        chan *operation
	queue      []*operation
	done       chan struct{} // closed when serve has ended
}

// operation is something that a client wants done to the board, in its turn and
// when it is ready.
type operation struct {
	ready  func() bool
	do     func() error
	result chan error
}

// serve ends with the context or with the chip.
func (s *server) serve(ctx context.Context) error {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	last := time.Now()
	for {
		select {
		case <-ctx.Done():
			return nil
		case op := <-s.ops:
			s.queue = append(s.queue, op)
		case <-ticker.C:
		}
		lag := min(time.Since(last), maxLag)
		step := min(lag, maxSlice)
		last = time.Now().Add(step - lag)
		if err := s.advance(clock.Time(step) * clock.Nanosecond); err != nil {
			return err
		}
		s.operate()
		if err := s.deliver(); err != nil {
			return err
		}
	}
}

// advance lets the board run for a time. A core that locked up is an error
// unless a client can reset it.
func (s *server) advance(d clock.Time) error {
	stop := s.board.Advance(s.board.Now() + d)
	locked := stop.Kind == board.Lockup && s.resettable
	if locked && !s.stopped {
		fmt.Fprintf(os.Stderr, "the core waits for a reset: %v\n", stop.Err())
	}
	s.stopped = locked
	if stop.Kind == board.Running || locked {
		return nil
	}
	return stopped(stop)
}

// operate does what waits, in order, as far as it is ready. Nothing leaves a
// board that stands still, so nothing waits for it then.
func (s *server) operate() {
	for len(s.queue) > 0 && (s.stopped || s.queue[0].ready()) {
		s.queue[0].result <- s.queue[0].do()
		s.queue = s.queue[1:]
	}
}

// call has serve do something, and waits for it.
func (s *server) call(ready func() bool, do func() error) error {
	op := &operation{ready, do, make(chan error, 1)}
	select {
	case s.ops <- op:
	case <-s.done:
		return os.ErrClosed
	}
	select {
	case err := <-op.result:
		return err
	case <-s.done:
		return os.ErrClosed
	}
}

// deliver passes on what the UARTs sent.
func (s *server) deliver() error {
	for _, u := range slices.Backward(s.bridges) {
		var out []byte
		for r, ok := s.board.Bridge(u.name).Next(); ok; r, ok = s.board.Bridge(u.name).Next() {
			out = append(out, r.Byte)
		}
		if len(out) == 0 {
			continue
		}
		for _, o := range s.outlets {
			o.give(u.name, out)
		}
		if s.terminal != nil {
			if err := s.terminal.give(out); err != nil {
				return err
			}
		}
	}
	return s.followTerminal()
}

// close ends what was opened, and all clients.
func (s *server) close() {
	close(s.done)
	for _, o := range s.outlets {
		o.close()
	}
	if s.terminal != nil {
		s.terminal.close()
	}
}
