package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"rigor/harness/flash/stm32"
	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
	"rigor/harness/sim/soc/stm32f407"
)

type simServeCmd struct {
	simChip
	PTY     string `required:"" type:"path" placeholder:"LINK" help:"Symbolic link to make to the pseudo terminal."`
	Boot    string `default:"app" enum:"app,loader" help:"What the board does out of reset: app or loader (default: ${default})."`
	Flash   string `type:"existingfile" placeholder:"FILE" help:"Program to have in flash."`
	Console string `default:"PA2/PA3" placeholder:"TX/RX" help:"Pins of the program's UART (default: ${default})."`
	Loader  string `default:"PB10/PB11" placeholder:"TX/RX" help:"Pins of the boot loader's UART (default: ${default})."`
}

func (*simServeCmd) Help() string {
	return "Both UARTs of the board are on the one pseudo terminal: what is written there goes to both, at the baud rate that\n" +
		"the other program sets. A pseudo terminal has no parity; the board's loader side adds and strips the even parity\n" +
		"that the boot loader wants, so that its clients are told 8N1:\n\n" +
		"  rigor sim serve --chip stm32f407 --pty /tmp/f407 --boot loader &\n" +
		"  stm32flash -m 8n1 -w program.bin -v -g 0 /tmp/f407\n\n" +
		"Exit status: 0 when interrupted; 2 the board could not be set up or its terminal failed; 3 the core locked up;\n" +
		"4 the program needs something that is not modelled, which the message names."
}

// Run serves until interrupted or until the chip cannot go on.
func (c *simServeCmd) Run(ctx context.Context) error {
	b, err := c.board()
	if err != nil {
		return err
	}
	master, slave, err := pty.Open()
	if err != nil {
		return fmt.Errorf("open a pseudo terminal: %w", err)
	}
	defer master.Close()
	defer slave.Close() // held open, so that a client may come and go
	if err := rawMode(slave); err != nil {
		return fmt.Errorf("set up %s: %w", slave.Name(), err)
	}
	b.SetBoot(c.Boot == "loader")
	b.SetPower(true)
	// Clients begin when they see the link, and one that is early has to be restarted: its first byte is lost.
	if stop := b.Advance(clock.Time(stm32.Startup) * clock.Nanosecond); stop.Kind != board.Running {
		return stopped(stop)
	}
	if err := link(slave.Name(), c.PTY); err != nil {
		return err
	}
	defer os.Remove(c.PTY)
	fmt.Fprintf(os.Stderr, "%s at %s (%s), booting its %s\n", c.Chip, c.PTY, slave.Name(), c.Boot)
	return serve(ctx, b, master)
}

// Names of the bridges.
const (
	consoleBridge = "console"
	loaderBridge  = "loader"
)

func (c *simServeCmd) board() (*board.Board, error) {
	chip := stm32f407.New(c.options())
	if c.Flash != "" {
		image, err := readImage(c.Flash)
		if err != nil {
			return nil, err
		}
		for _, s := range image.Segments {
			if err := chip.LoadFlash(s.Addr, s.Data); err != nil {
				return nil, fmt.Errorf("load %s: %w", c.Flash, err)
			}
		}
	}
	wiring := board.Wiring{Boot: "BOOT0"}
	for _, w := range []struct{ name, pins string }{{consoleBridge, c.Console}, {loaderBridge, c.Loader}} {
		tx, rx, ok := strings.Cut(w.pins, "/")
		if !ok {
			return nil, fmt.Errorf("pins %q of the %s: want TX/RX, such as PA2/PA3", w.pins, w.name)
		}
		wiring.Bridges = append(wiring.Bridges, board.BridgeWiring{Name: w.name, TX: tx, RX: rx})
	}
	return board.New(chip, wiring)
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

// tick is how often the board's time catches up with the host's.
const tick = time.Millisecond

// serve lets the board's time follow the host's and carries bytes both ways. A
// board that is slower than real time falls behind and stays behind: its time is not skipped.
func serve(ctx context.Context, b *board.Board, master *os.File) error {
	in := make(chan []byte)
	go readAll(master, in)
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	last := time.Now()
	for {
		select {
		case <-ctx.Done():
			return nil
		case data, ok := <-in:
			if !ok {
				return errors.New("the pseudo terminal was closed")
			}
			if err := send(b, master, data); err != nil {
				return err
			}
		case <-ticker.C:
		}
		now := time.Now()
		stop := b.Advance(b.Now() + clock.Time(now.Sub(last))*clock.Nanosecond)
		last = now
		if err := receive(b, master); err != nil {
			return err
		}
		if stop.Kind != board.Running {
			return stopped(stop)
		}
	}
}

func readAll(r io.Reader, to chan<- []byte) {
	defer close(to)
	for {
		buf := make([]byte, 4096)
		n, err := r.Read(buf)
		if n > 0 {
			to <- buf[:n]
		}
		if err != nil {
			return
		}
	}
}

// send writes to both bridges, at the rate that the client has set.
func send(b *board.Board, master *os.File, data []byte) error {
	baud, err := clientBaud(master)
	if err != nil {
		return fmt.Errorf("read the client's baud rate: %w", err)
	}
	for _, side := range []struct {
		name   string
		parity board.Parity
	}{{consoleBridge, board.ParityNone}, {loaderBridge, board.ParityEven}} {
		bridge := b.Bridge(side.name)
		if err := bridge.SetMode(board.Mode{Baud: baud, Parity: side.parity}); err != nil {
			return err
		}
		bridge.Write(data)
	}
	return nil
}

// receive passes on what either bridge got.
func receive(b *board.Board, to io.Writer) error {
	for _, name := range []string{loaderBridge, consoleBridge} {
		var out []byte
		for {
			r, ok := b.Bridge(name).Next()
			if !ok {
				break
			}
			out = append(out, r.Byte)
		}
		if _, err := to.Write(out); err != nil {
			return fmt.Errorf("write to the pseudo terminal: %w", err)
		}
	}
	return nil
}

// clientBaud is the rate of the terminal's other side: on Linux the master
// shows the settings of the slave.
func clientBaud(master *os.File) (uint64, error) {
	t, err := unix.IoctlGetTermios(int(master.Fd()), unix.TCGETS2)
	if err != nil {
		return 0, err
	}
	if t.Ospeed == 0 {
		return board.DefaultMode.Baud, nil
	}
	return uint64(t.Ospeed), nil
}

// rawMode is the terminal's setting until a client comes with its own:
// nothing is echoed or translated.
func rawMode(f *os.File) error {
	t, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS2)
	if err != nil {
		return err
	}
	t.Iflag, t.Oflag, t.Lflag = 0, 0, 0
	t.Cflag = unix.CS8 | unix.CREAD | unix.CLOCAL | unix.B115200
	t.Ispeed, t.Ospeed = 115200, 115200
	return unix.IoctlSetTermios(int(f.Fd()), unix.TCSETS2, t)
}
