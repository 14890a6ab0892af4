//go:build vendortools

// Other people's clients of the ESP32-C3's boot loader. With their stub they have
// a program of theirs run in the chip's RAM.

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rigor/harness"
	"rigor/harness/rig"
)

// serveC3 offers a board in its loader at a pseudo terminal, which has no modem
// lines; others reset it.
func serveC3(t *testing.T) (board served, link string) {
	t.Helper()
	link = filepath.Join(t.TempDir(), "c3")
	return serveChip(t, "esp32c3", "--pty", link, "--boot", "loader"), link
}

// resetC3 resets a served board into its program.
func (s served) resetC3(t *testing.T) *rig.Station {
	t.Helper()
	b := openServed(t, benchOf(boardC3(tcp(s.addrs[0]), "")))
	if err := b.Reset(t.Context(), rig.BootApp); err != nil {
		t.Fatal(err)
	}
	return b
}

// greetsC3 resets a served board into its program, which must greet.
func (s served) greetsC3(t *testing.T) {
	t.Helper()
	b := s.resetC3(t)
	defer b.Close()
	h, err := harness.NewConsole(b.Console(), b.Clock(), new(bytes.Buffer)).Hello(t.Context(), 5*time.Second)
	if err != nil || h.Program != "echo" {
		t.Errorf("after the reset: %+v, %v", h, err)
	}
}

// espflasher is what `tinygo flash` uses. Of its own accord it asks with
// GET_SECURITY_INFO for the chip, uploads its stub, changes the rate and verifies.
func TestEspflasher(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	espflasher := filepath.Join(t.TempDir(), "espflasher")
	tool(t, "go", "build", "-C", "firmware/toolchain", "-o", espflasher, "tinygo.org/x/espflasher").succeed(t)
	_, image := echoC3(t)
	file := write(t, "echo.bin", image)
	for name, args := range map[string][]string{
		"deflated":  nil,
		"plain":     {"-no-compress", "-baud", "115200"},
		"erase all": {"-erase-all", "-chip", "esp32c3"},
	} {
		t.Run(name, func(t *testing.T) {
			board, link := serveC3(t)
			tool(t, espflasher, append(args, "-port", link, "-reset", "no-reset", file)...).
				succeed(t, "Detected chip: ESP32-C3", "Stub running.", "MD5 verified")
			board.greetsC3(t)
		})
	}
}

// What a user of TinyGo does with a board: its stock target, whose program prints.
func TestTinyGoFlash(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	t.Setenv("TINYGOROOT", filepath.Join(root, ".build/firmware/root"))
	tinygo := filepath.Join(root, ".build/firmware/bin/tinygo")
	if _, err := os.Stat(tinygo); err != nil {
		t.Fatalf("%v: `make firmware` builds it", err)
	}
	program := write(t, "main.go", []byte("package main\n\nfunc main() {\n\tprintln(\"hello from TinyGo\")\n\tselect {}\n}\n"))
	board, link := serveC3(t)
	tool(t, tinygo, "flash", "-target", "esp32c3-generic", "-serial", "uart", "-port", link, program).succeed(t, "MD5 verified")
	b := board.resetC3(t)
	defer b.Close()
	var said []byte
	for !bytes.Contains(said, []byte("hello from TinyGo")) {
		if err := b.Console().SetReadDeadline(b.Clock().Now().Add(5 * time.Second)); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 256)
		n, err := b.Console().Read(buf)
		if err != nil {
			t.Fatalf("the program says %q, %v", said, err)
		}
		said = append(said, buf[:n]...)
	}
}

// esptool is Espressif's own, which Debian does not have: ESPTOOL is its command,
// of version 4.9 or later.
func esptool(t *testing.T) []string {
	t.Helper()
	if command := strings.Fields(os.Getenv("ESPTOOL")); len(command) > 0 {
		return command
	}
	for _, name := range []string{"esptool", "esptool.py"} {
		if path, err := exec.LookPath(name); err == nil {
			return []string{path}
		}
	}
	t.Skip("NOT CHECKED against Espressif's esptool: it is not in PATH, and ESPTOOL does not name its command")
	return nil
}

func TestEsptool(t *testing.T) {
	command := esptool(t)
	t.Setenv("TMPDIR", t.TempDir())
	_, image := echoC3(t)
	file := write(t, "echo.bin", image)
	for _, stub := range [][]string{{"--no-stub"}, nil} {
		with := map[bool]string{true: "stub", false: "ROM"}[stub == nil]
		t.Run(with+" at a pseudo terminal", func(t *testing.T) {
			_, link := serveC3(t)
			// Without a reset the ROM keeps a rate that it was changed to, so that the next call would not be heard.
			e := espClient{slices.Concat(command, stub, []string{"--port", link, "--before", "no_reset", "--after", "no_reset"})}
			e.work(t, file, image)
			e.erases(t)
		})
		t.Run(with+" by RFC 2217", func(t *testing.T) {
			board := serveChip(t, "esp32c3")
			e := espClient{slices.Concat(command, stub, []string{"--port", "rfc2217://" + board.addrs[0], "--baud", "460800"})}
			e.work(t, file, image)
			board.greetsC3(t)
			e.erases(t)
		})
	}
}

// espClient is esptool's command, on a port.
type espClient struct{ command []string }

func (e espClient) run(t *testing.T, args ...string) outcome {
	t.Helper()
	return tool(t, e.command[0], slices.Concat(e.command[1:], []string{"--chip", "esp32c3"}, args)...)
}

// work identifies, writes, verifies and reads back.
func (e espClient) work(t *testing.T, file string, image []byte) {
	t.Helper()
	e.run(t, "flash_id").succeed(t, "Manufacturer: ef", "Device: 4016", "4MB")
	e.run(t, "write_flash", "--flash_mode", "keep", "--flash_size", "keep", "--flash_freq", "keep", "0", file).succeed(t, "Hash of data verified")
	e.run(t, "verify_flash", "--flash_mode", "keep", "--flash_size", "keep", "--flash_freq", "keep", "0", file).succeed(t, "digest matched")
	e.wantFlash(t, image)
}

// wantFlash reads flash from its start.
func (e espClient) wantFlash(t *testing.T, want []byte) {
	t.Helper()
	back := filepath.Join(t.TempDir(), "back.bin")
	e.run(t, "read_flash", "0", fmt.Sprint(len(want)), back).succeed(t)
	if got, err := os.ReadFile(back); err != nil || !bytes.Equal(got, want) {
		t.Errorf("read back %d bytes that differ from the %d wanted, %v", len(got), len(want), err)
	}
}

// erases erases two sectors.
func (e espClient) erases(t *testing.T) {
	t.Helper()
	e.run(t, "erase_region", "0", "0x2000").succeed(t)
	e.wantFlash(t, bytes.Repeat([]byte{0xFF}, 0x2000))
}
