//go:build vendortools && esptool

// Espressif's esptool, of version 4.9 or later, is not in Debian: make esptool lets it judge
// where somebody has installed it.

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
)

// esptool is the command, by ESPTOOL or from PATH. Who asks for this test has it.
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
	t.Fatal("Espressif's esptool is not in PATH, and ESPTOOL does not name its command")
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
