package main

import (
	"crypto/sha256"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// echoK210 is the program for a K210, and as an image for its ROM.
func echoK210(t *testing.T) (elf, image []byte) {
	t.Helper()
	return echoOf(t, "k210")
}

// k210Image is code as an image for the ROM: flags, length, payload, hash.
func k210Image(code ...uint32) []byte {
	text := littleEndian(code)
	p := append(append([]byte{0}, littleEndian([]uint32{uint32(len(text))})...), text...)
	sum := sha256.Sum256(p)
	return append(p, sum[:]...)
}

// storeToKPU writes to a block that is not modelled, at 0x40800000.
var storeToKPU = k210Image(
	0x4080_0537, // lui a0, 0x40800
	0x0005_2023, // sw zero, 0(a0)
)

func TestSimRunK210(t *testing.T) {
	elf, image := echoK210(t)
	text := write(t, "text", []byte("hello, board\n"))
	for name, c := range map[string]struct {
		image  []byte
		args   []string
		status int
		stdout string // some of it
		stderr []string
	}{
		"program":            {elf, []string{"--for", "400ms", "--until", "echo@", "--stats"}, exitOK, "echo@", []string{"stop          text seen", "clock now 390000000 Hz"}},
		"as the ROM's image": {image, []string{"--for", "400ms", "--until", "echo@"}, exitOK, "echo@", nil},
		"input": {elf, []string{"--input", text, "--input-at", "300ms", "--for", "1s", "--until", "hello, board"},
			exitOK, "hello, board", nil},
		"not the UART": {elf, []string{"--uart", "uart1", "--for", "200ms"}, exitOK, "", nil},
		"no text":      {elf, []string{"--for", "200ms", "--until", "nothing"}, exitNoText, "echo@", []string{`"nothing" did not come within 200ms`}},
		"not modelled": {storeToKPU, []string{"--for", "1s", "--stats"}, exitNotModelled, "",
			[]string{"KPU", "not modelled", "PC 0x80000004", "stop          not modelled"}},
		"no such UART":    {elf, []string{"--uart", "uart0"}, exitSetup, "", []string{"the chip has uart1, uart2, uart3, uarths"}},
		"no such pin":     {elf, []string{"--input", text, "--pins", "PA2/PA3"}, exitSetup, "", []string{`no pin "PA2"`}},
		"another crystal": {elf, []string{"--crystal", "8000000"}, exitSetup, "", []string{"a crystal of 26 MHz always"}},
		"no program":      {[]byte("hello, world: this text is no image at all"), nil, exitSetup, "", []string{"no image for the k210's ROM"}},
		"spoilt":          {append(image[:len(image)-1:len(image)-1], image[len(image)-1]^1), nil, exitSetup, "", []string{"its SHA-256 is not that"}},
	} {
		t.Run(name, func(t *testing.T) {
			o := rigor(t, append([]string{"sim", "run", "--chip", "k210", write(t, "image", c.image)}, c.args...)...)
			o.want(t, c.status, c.stderr...)
			if !strings.Contains(o.stdout, c.stdout) || c.stdout == "" && o.stdout != "" {
				t.Errorf("standard output is %q, want %q in it", o.stdout, c.stdout)
			}
		})
	}
	elfC3, _ := echoC3(t)
	o := rigor(t, "sim", "run", "--chip", "k210", write(t, "image", elfC3))
	o.want(t, exitSetup, "the k210 takes EM_RISCV (ELFCLASS64)")
}

// A served board's loader answers a client of its pseudo terminal, as does that of a
// board with nothing in flash.
func TestSimServeK210(t *testing.T) {
	for _, boot := range []string{"loader", "app"} {
		serveTerminal(t, "k210", boot, answersGreeting)
	}
}

// answersGreeting greets the loader at a terminal as kflash does.
func answersGreeting(t *testing.T, f *os.File) {
	t.Helper()
	if _, err := io.WriteString(f, "\xC0\xC2"+strings.Repeat("\x00", 12)+"\xC0"); err != nil {
		t.Fatal(err)
	}
	reply := make([]byte, 4)
	if _, err := io.ReadFull(f, reply); err != nil || string(reply) != "\xC0\xC2\xE0\xC0" {
		t.Errorf("the loader answers % X, %v", reply, err)
	}
}

func TestSimServeK210Refuses(t *testing.T) {
	elf, _ := echoK210(t)
	free := filepath.Join(t.TempDir(), "link")
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"two ports for one UART": {[]string{"--rfc2217", "127.0.0.1:0", "--rfc2217-loader", "127.0.0.1:0"}, "program and boot loader have one UART"},
		"no such pin":            {[]string{"--pty", free, "--console", "IO48/IO4"}, `no pin "IO48"`},
		"another crystal":        {[]string{"--pty", free, "--crystal", "8000000"}, "a crystal of 26 MHz always"},
		"half a program":         {[]string{"--pty", free, "--flash", write(t, "half", elf[:len(elf)/2])}, "read ELF image"},
	} {
		t.Run(name, func(t *testing.T) {
			rigor(t, append([]string{"sim", "serve", "--chip", "k210"}, c.args...)...).want(t, exitSetup, c.want)
		})
	}
}
