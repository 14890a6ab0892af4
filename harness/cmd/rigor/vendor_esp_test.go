//go:build vendortools

// Other people's clients of the ESP32-C3's boot loader. With their stub they have
// a program of theirs run in the chip's RAM.

package main

import (
	"bytes"
	"os"
	"path/filepath"
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
