package main

import (
	"bytes"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"

	"rigor/firmware/images"
	"rigor/harness/record"
	"rigor/harness/rig"
)

// spoiler is a bad wire from a board to its host: it passes on everything but
// one greeting, which it spoils.
type spoiler struct {
	nth   int // greeting, from 1
	spoil func(frame []byte) []byte
	held  []byte // since the last zero: maybe a frame
}

// flip turns a bit over in the middle of a frame.
func flip(frame []byte) []byte {
	frame[len(frame)/2] ^= 4
	return frame
}

// cut leaves the first half of a frame.
func cut(frame []byte) []byte { return frame[:len(frame)/2] }

// telnetCommand is the byte that begins a command of RFC 2217, and no segment of a frame
// that is shorter than 254 bytes.
const telnetCommand = 0xFF

// take gives what is to be passed on of what came.
func (s *spoiler) take(p []byte) (out []byte) {
	for _, b := range p {
		s.held = append(s.held, b)
		if b == 0 {
			out = append(out, s.release()...)
		}
	}
	if len(s.held) > 0 && s.held[0] == telnetCommand {
		out = append(out, s.release()...)
	}
	return out
}

func (s *spoiler) release() []byte {
	segment := s.held
	s.held = nil
	if greets(segment) {
		if s.nth--; s.nth == 0 {
			return s.spoil(segment)
		}
	}
	return segment
}

// greets reports whether a segment is a frame that names the chip, with the name's
// length before it: a greeting, as firmware/wire has it.
func greets(segment []byte) bool {
	return bytes.HasSuffix(segment, []byte{0}) && bytes.Contains(segment, []byte("\tstm32f407"))
}

// quiet is after how long a segment that does not end is no frame.
const quiet = 500 * time.Millisecond

// carry passes on until either side closes.
func (s *spoiler) carry(to io.Writer, from io.Reader) {
	chunks := make(chan []byte)
	go func() {
		defer close(chunks)
		for {
			p := make([]byte, 4096)
			n, err := from.Read(p)
			if err != nil {
				return
			}
			chunks <- p[:n]
		}
	}()
	for {
		var out []byte
		select {
		case p, ok := <-chunks:
			if !ok {
				return
			}
			out = s.take(p)
		case <-time.After(quiet):
			out = s.release()
		}
		to.Write(out)
	}
}

// overTCP is the wire to an RFC 2217 port, of which it gives the address.
func (s *spoiler) overTCP(t *testing.T, addr string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			host, err := l.Accept()
			if err != nil {
				return
			}
			board, err := net.Dial("tcp", addr)
			if err != nil {
				host.Close()
				continue
			}
			go func() { io.Copy(board, host); board.Close() }()
			go func() { s.carry(host, board); host.Close() }()
		}
	}()
	return l.Addr().String()
}

// overTerminal is the wire to a pseudo terminal, of which it gives the path of
// another.
func (s *spoiler) overTerminal(t *testing.T, link string) string {
	t.Helper()
	board, err := os.OpenFile(link, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	master, slave, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { board.Close(); slave.Close(); master.Close() })
	if err := rawMode(slave); err != nil {
		t.Fatal(err)
	}
	go io.Copy(board, master)
	go s.carry(master, board)
	return slave.Name()
}

// What arrives spoiled is told from a program that says nothing, and from one
// that says the wrong thing. Before a program was understood it may be at fault
// itself, by its baud rate; afterwards it is the line, and is asked again.
func TestHardwareOnABadLine(t *testing.T) {
	for name, c := range map[string]struct {
		wire     spoiler
		terminal bool
		status   int
		attempts []rig.Class
		want     string
	}{
		"corrupt":                    {spoiler{nth: 1, spoil: flip}, false, exitWanting, []rig.Class{rig.Firmware}, "no greeting from the firmware within 5s; 1 frames came damaged"},
		"truncated":                  {spoiler{nth: 1, spoil: cut}, false, exitWanting, []rig.Class{rig.Firmware}, "bytes came that are no whole frame, see the console's log"},
		"corrupt once":               {spoiler{nth: 2, spoil: flip}, false, exitOK, []rig.Class{rig.Rig, ""}, "1 frames came damaged"},
		"corrupt, pseudo terminal":   {spoiler{nth: 1, spoil: flip}, true, exitWanting, []rig.Class{rig.Firmware}, "1 frames came damaged"},
		"truncated, pseudo terminal": {spoiler{nth: 1, spoil: cut}, true, exitWanting, []rig.Class{rig.Firmware}, "bytes came that are no whole frame"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			link := filepath.Join(t.TempDir(), "f407")
			args := []string{"--rfc2217-loader", "127.0.0.1:0"}
			if c.terminal {
				args = append(args, "--pty", link)
			}
			board := serveBoard(t, args...)
			loader, console := tcp(board.addrs[1]), ""
			if c.terminal {
				console = device(c.wire.overTerminal(t, link))
			} else {
				console = tcp(c.wire.overTCP(t, board.addrs[0]))
			}
			o, run := smoke(t, bench(console, loader, loader))
			o.want(t, c.status)
			checkFirst(t, run, c.attempts, c.want)
		})
	}
}

// The loader's cable is on one board, and that of the console on another.
func TestHardwareOfAnotherProgram(t *testing.T) {
	t.Parallel()
	image, err := images.Open("latency-stm32f407-16mhz")
	if err != nil {
		t.Fatal(err)
	}
	flashed := serveBoard(t, "--boot", "loader", "--rfc2217-loader", "127.0.0.1:0")
	heard := serveBoard(t, "--flash", write(t, "latency", image.Data))
	console := tcp(heard.addrs[0])
	o, run := smoke(t, bench(console, tcp(flashed.addrs[1]), console))
	o.want(t, exitWanting)
	checkFirst(t, run, []rig.Class{rig.Firmware}, "the program that answers is latency of sources")
}

// smoke runs that suite on a rig.
func smoke(t *testing.T, rigs string) (outcome, *record.Run) {
	t.Helper()
	dir := checkout(t, map[string]string{"rigs.yaml": rigs, "suites/limits.yaml": relaxed(t)})
	c := exec.Command(binary, "run", "--rig", "bench", "--suite", "smoke", "--out", "out")
	c.Dir, c.Env = dir, append(os.Environ(), "TMPDIR="+t.TempDir(), "GOFLAGS="+os.Getenv("GOFLAGS")+" -trimpath")
	return finish(t, c), load(t, filepath.Join(dir, "out"))
}

// checkFirst checks how the tries at the experiment ended that is asked first.
func checkFirst(t *testing.T, run *record.Run, want []rig.Class, message string) {
	t.Helper()
	for _, e := range run.Experiments {
		if e.Name != "takes the image and greets" {
			continue
		}
		if len(e.Attempts) != len(want) {
			t.Fatalf("attempts %+v, want %q", e.Attempts, want)
		}
		for i, a := range e.Attempts {
			switch {
			case a.Failure == nil && want[i] != "", a.Failure != nil && a.Failure.Class != want[i]:
				t.Errorf("attempt %d: %+v, want %q", i+1, a.Failure, want[i])
			case a.Failure != nil && !strings.Contains(a.Failure.Message, message):
				t.Errorf("attempt %d says %q, want %q", i+1, a.Failure.Message, message)
			}
		}
		return
	}
	t.Error("the experiment is not recorded")
}
