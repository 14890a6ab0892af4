package main

import (
	"bufio"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rigor/firmware/images"
	"rigor/harness/flash"
)

// echoC3 is the program for an ESP32-C3, and as an image for its ROM.
func echoC3(t *testing.T) (elf, image []byte) {
	t.Helper()
	return echoOf(t, "esp32c3")
}

func echoOf(t *testing.T, chip string) (elf, image []byte) {
	t.Helper()
	program, err := images.Open("echo-" + chip)
	if err != nil {
		t.Fatal(err)
	}
	part, err := flash.PartOf(chip)
	if err != nil {
		t.Fatal(err)
	}
	m, err := flash.Read(program.Data, part)
	if err != nil {
		t.Fatal(err)
	}
	return program.Data, m.Segments[0].Data
}

// romImage is code at the beginning of IRAM as an image for the ROM: one segment,
// a checksum that ends 16 bytes, no hash (esptool documentation, Firmware Image Format).
func romImage(code ...uint32) []byte {
	const iram = 0x4038_0000
	p := append([]byte{0xE9, 1, 2, 0x2F}, littleEndian([]uint32{iram})...)
	p = append(p, 0xEE, 0, 0, 0, 5, 0, 0, 0, 0, 0xFF, 0xFF, 0, 0, 0, 0, 0)
	text := littleEndian(code)
	p = append(append(p, littleEndian([]uint32{iram, uint32(len(text))})...), text...)
	sum := byte(0xEF)
	for _, b := range text {
		sum ^= b
	}
	return append(append(p, make([]byte, 15-len(p)%16)...), sum)
}

// storeToSPI2 writes to a block that is not modelled, at 0x60024000.
var storeToSPI2 = romImage(
	0x6002_4537, // lui a0, 0x60024
	0x0005_2023, // sw zero, 0(a0)
)

func TestSimRunC3(t *testing.T) {
	elf, image := echoC3(t)
	text := write(t, "text", []byte("hello, board\n"))
	for name, c := range map[string]struct {
		image  []byte
		args   []string
		status int
		stdout string // some of it
		stderr []string
	}{
		"ROM and program": {elf, []string{"--for", "200ms", "--until", "echo@", "--stats"}, exitOK, "boot:0xc (SPI_FAST_FLASH_BOOT)",
			[]string{"stop          text seen", "clock now 160000000 Hz"}},
		"as the ROM's image": {image, []string{"--for", "200ms", "--until", "echo@"}, exitOK, "echo@", nil},
		"input":              {elf, []string{"--input", text, "--for", "1s", "--until", "hello, board"}, exitOK, "hello, board", nil},
		"the ROM on USB":     {elf, []string{"--uart", "usb", "--for", "100ms"}, exitOK, "ESP-ROM:esp32c3-api1-20210207", nil},
		"not the UART":       {elf, []string{"--uart", "uart1", "--for", "50ms"}, exitOK, "", nil},
		"no text":            {elf, []string{"--for", "50ms", "--until", "nothing"}, exitNoText, "echo@", []string{`"nothing" did not come within 50ms`}},
		"not modelled": {storeToSPI2, []string{"--for", "1s", "--stats"}, exitNotModelled, "ESP-ROM:",
			[]string{"not modelled", "PC 0x40380004", "stop          not modelled"}},
		"no such UART":    {elf, []string{"--uart", "usart2"}, exitSetup, "", []string{"the chip has uart0, uart1, usb"}},
		"no such pin":     {elf, []string{"--input", text, "--pins", "PA2/PA3"}, exitSetup, "", []string{`no pin "PA2"`}},
		"another crystal": {elf, []string{"--crystal", "8000000"}, exitSetup, "", []string{"a crystal of 40 MHz always"}},
		"no program":      {[]byte("hello, world: this text is no image"), nil, exitSetup, "", []string{"no image for the esp32c3's ROM"}},
		"another chip":    {littleEndian(make([]uint32, 16)), nil, exitSetup, "", []string{"it begins with 0x00, not 0xe9"}},
	} {
		t.Run(name, func(t *testing.T) {
			o := rigor(t, append([]string{"sim", "run", "--chip", "esp32c3", write(t, "image", c.image)}, c.args...)...)
			o.want(t, c.status, c.stderr...)
			if !strings.Contains(o.stdout, c.stdout) || c.stdout == "" && o.stdout != "" {
				t.Errorf("standard output is %q, want %q in it", o.stdout, c.stdout)
			}
		})
	}
	o := simRun(t, write(t, "image", elf))
	o.want(t, exitSetup, "the stm32f407 takes EM_ARM")
}

// A served board boots, and says so to a client of its pseudo terminal.
func TestSimServeC3(t *testing.T) { serveTerminal(t, "esp32c3", "loader", answersSync) }

// serveTerminal serves a board with nothing in flash at a pseudo terminal, has a client talk to it there, and
// interrupts.
func serveTerminal(t *testing.T, chip, boot string, talk func(t *testing.T, f *os.File)) {
	t.Helper()
	link := filepath.Join(t.TempDir(), chip)
	c := command("sim", "serve", "--chip", chip, "--pty", link, "--boot", boot)
	stderr, err := c.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	bound(t, c, patience)
	line, err := bufio.NewReader(stderr).ReadString('\n')
	if err != nil || !strings.Contains(line, chip+" at "+link) {
		t.Fatalf("%q, %v", line, err)
	}
	f := openTerminal(t, link)
	talk(t, f)
	f.Close()
	c.Process.Signal(os.Interrupt)
	if c.Wait(); c.ProcessState.ExitCode() != exitOK {
		t.Errorf("exit status %d, want %d", c.ProcessState.ExitCode(), exitOK)
	}
	if _, err := os.Lstat(link); !os.IsNotExist(err) {
		t.Errorf("the link is still there: %v", err)
	}
}

// openTerminal opens a served pseudo terminal for bytes as they are.
func openTerminal(t *testing.T, link string) *os.File {
	t.Helper()
	f, err := os.OpenFile(link, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	if err := rawMode(f); err != nil {
		t.Fatal(err)
	}
	return f
}

// answersSync sends SYNC to the loader at a terminal, twice since it measures the
// rate by the first, and wants the first of the eight replies (esptool documentation,
// Serial Protocol).
func answersSync(t *testing.T, f *os.File) {
	t.Helper()
	sync := "\xC0\x00\x08\x24\x00\x00\x00\x00\x00\x07\x07\x12\x20" + strings.Repeat("\x55", 32) + "\xC0"
	if _, err := io.WriteString(f, sync+sync); err != nil {
		t.Fatal(err)
	}
	said := bufio.NewReader(f)
	if text, err := said.ReadString('\xC0'); err != nil || !strings.HasSuffix(text, "waiting for download\r\n\xC0") {
		t.Errorf("before its answer the ROM says %q, %v", text, err)
	}
	reply := make([]byte, 13)
	if _, err := io.ReadFull(said, reply); err != nil || string(reply) != "\x01\x08\x04\x00\x07\x07\x12\x20\x00\x00\x00\x00\xC0" {
		t.Errorf("the loader answers % X, %v", reply, err)
	}
}

func TestSimServeC3Refuses(t *testing.T) {
	elf, _ := echoC3(t)
	free := filepath.Join(t.TempDir(), "link")
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"nowhere":                  {nil, "nowhere to serve"},
		"two ports for one UART":   {[]string{"--rfc2217", "127.0.0.1:0", "--rfc2217-loader", "127.0.0.1:0"}, "program and boot loader have one UART"},
		"no such pin":              {[]string{"--pty", free, "--console", "GPIO99/GPIO1"}, `no pin "GPIO99"`},
		"another crystal":          {[]string{"--pty", free, "--crystal", "8000000"}, "a crystal of 40 MHz always"},
		"a program for a Cortex":   {[]string{"--pty", free, "--flash", echo(t)["elf"]}, "the esp32c3 takes EM_RISCV"},
		"half a program":           {[]string{"--pty", free, "--flash", write(t, "half", elf[:len(elf)/2])}, "read ELF image"},
		"a file where the link is": {[]string{"--pty", write(t, "taken", nil)}, "a file of that name exists"},
	} {
		t.Run(name, func(t *testing.T) {
			rigor(t, append([]string{"sim", "serve", "--chip", "esp32c3"}, c.args...)...).want(t, exitSetup, c.want)
		})
	}
}

func TestSimServeC3EndsWithItsChip(t *testing.T) {
	o := rigor(t, "sim", "serve", "--chip", "esp32c3", "--pty", filepath.Join(t.TempDir(), "link"),
		"--flash", write(t, "image", storeToSPI2))
	o.want(t, exitNotModelled, "not modelled", "PC 0x40380004")
}
