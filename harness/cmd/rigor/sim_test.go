package main

import (
	"bufio"
	"bytes"
	"context"
	le "encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"rigor/firmware/images"
	"rigor/harness"
	"rigor/harness/flash"
	"rigor/harness/rig"
	"rigor/harness/virtual"
)

// Where hand-made programs go, and registers that they use (RM0090 §2.3, §6.3, §30.6).
const (
	inFlash = 0x0800_0000
	inRAM   = 0x2000_0000

	rccAPB1ENR = 0x4002_3840
	usart2EN   = 1 << 17
	uart4EN    = 1 << 19
	usart2     = 0x4000_4400
	uart4      = 0x4000_4C00
	dr, brr    = 0x04, 0x08
	cr1        = 0x0C
	enable     = 1<<13 | 1<<3 // UE, TE

	can1MCR = 0x4000_6400 // of a block that is not modelled
)

// stores makes a program by hand: it writes each value to its address in turn,
// then loops for ever.
func stores(base uint32, pairs ...uint32) []byte {
	words := []uint32{inRAM + 0x1000, base + 0x11, 0, 0}
	code := []uint16{
		0x4C03, // 10: ldr r4, [pc, #12]
		0x6820, // 12: ldr r0, [r4]
		0xB118, // 14: cbz r0, 1e
		0x6861, // 16: ldr r1, [r4, #4]
		0x6001, // 18: str r1, [r0]
		0x3408, // 1a: adds r4, #8
		0xE7F9, // 1c: b 12
		0xE7FE, // 1e: b 1e
	}
	for i := 0; i < len(code); i += 2 {
		words = append(words, uint32(code[i])|uint32(code[i+1])<<16)
	}
	words = append(words, base+0x24)
	return littleEndian(append(append(words, pairs...), 0))
}

func littleEndian(words []uint32) []byte {
	b, _ := le.Append(nil, le.LittleEndian, words)
	return b
}

// hello says hi on a UART. The transmitter begins with an idle frame, so that
// the second letter has to wait for its turn; 40 stores take longer.
func hello(base, uart, clock uint32) []byte {
	pairs := []uint32{rccAPB1ENR, clock, uart + brr, 16, uart + cr1, enable, uart + dr, 'h'}
	pairs = append(pairs, slices.Repeat([]uint32{uart + brr, 16}, 40)...)
	return stores(base, append(pairs, uart+dr, 'i')...)
}

// intelHex writes 16 bytes to a record, after the record of the upper half of
// the address.
func intelHex(base uint32, data []byte) []byte {
	var b strings.Builder
	record := func(addr uint32, kind byte, data []byte) {
		r := append([]byte{byte(len(data)), byte(addr >> 8), byte(addr), kind}, data...)
		sum := byte(0)
		for _, v := range r {
			sum -= v
		}
		fmt.Fprintf(&b, ":%s\n", strings.ToUpper(hex.EncodeToString(append(r, sum))))
	}
	for i := 0; i < len(data); i += 16 {
		if at := base + uint32(i); i == 0 || at&0xFFFF == 0 {
			record(0, 4, []byte{byte(at >> 24), byte(at >> 16)})
		}
		record(base+uint32(i), 0, data[i:min(i+16, len(data))])
	}
	record(0, 1, nil)
	return []byte(b.String())
}

// echo is the program of that name in all formats.
func echo(t *testing.T) map[string]string {
	t.Helper()
	image, err := images.Open("echo-stm32f407")
	if err != nil {
		t.Fatal(err)
	}
	part, err := flash.PartOf("stm32f407")
	if err != nil {
		t.Fatal(err)
	}
	m, err := flash.Read(image.Data, part)
	if err != nil {
		t.Fatal(err)
	}
	last := m.Segments[len(m.Segments)-1]
	raw := bytes.Repeat([]byte{0xFF}, int(last.Addr-inFlash)+len(last.Data))
	for _, s := range m.Segments {
		copy(raw[s.Addr-inFlash:], s.Data)
	}
	return map[string]string{
		"elf": write(t, "echo", image.Data),
		"hex": write(t, "echo", intelHex(inFlash, raw)),
		"bin": write(t, "echo", raw),
	}
}

func simRun(t *testing.T, image string, args ...string) outcome {
	t.Helper()
	return rigor(t, append([]string{"sim", "run", "--chip", "stm32f407", image}, args...)...)
}

func TestSimRun(t *testing.T) {
	for name, c := range map[string]struct {
		image  []byte
		args   []string
		status int
		stdout string
		stderr []string
	}{
		"time up": {hello(inFlash, usart2, usart2EN), []string{"--for", "1ms"}, exitOK, "hi", nil},
		"text seen": {hello(inFlash, usart2, usart2EN), []string{"--for", "1s", "--until", "hi", "--stats"}, exitOK, "hi",
			[]string{"stop          text seen", "instructions ", "cycles ", "virtual time ", "host time "}},
		"another UART": {hello(inFlash, uart4, uart4EN), []string{"--for", "1s", "--until", "hi", "--uart", "uart4"}, exitOK, "hi", nil},
		"not the UART": {hello(inFlash, uart4, uart4EN), []string{"--for", "1ms"}, exitOK, "", nil},
		"in RAM":       {intelHex(inRAM, hello(inRAM, usart2, usart2EN)), []string{"--for", "1s", "--until", "hi"}, exitOK, "hi", nil},
		"no text": {hello(inFlash, usart2, usart2EN), []string{"--until", "ho", "--for", "1ms"}, exitNoText, "hi",
			[]string{`"ho" did not come within 1ms`}},
		"no program": {[]byte("hello, world"), nil, exitSetup, "", []string{"image: the file is neither ELF nor Intel hex"}},
		"too big":    {append(hello(inFlash, usart2, usart2EN), make([]byte, 1<<20)...), nil, exitSetup, "", []string{"flash 0x08000000-0x080fffff"}},
		// UDF in the program, then in its HardFault handler (DDI0403E B1.5.15).
		"lockup": {littleEndian([]uint32{inRAM + 0x1000, inFlash + 0x11, 0, inFlash + 0x13, 0xDE00_DE00}), []string{"--for", "1s"}, exitLockup, "",
			[]string{"lock", "PC 0x08000012"}},
		"not modelled": {stores(inFlash, can1MCR, 1), []string{"--for", "1s", "--stats"}, exitNotModelled, "",
			[]string{"CAN1+0x00 not modelled", "PC 0x08000018", "stop          not modelled"}},
	} {
		t.Run(name, func(t *testing.T) {
			o := simRun(t, write(t, "image", c.image), c.args...)
			o.want(t, c.status, c.stderr...)
			if o.stdout != c.stdout {
				t.Errorf("standard output is %q, want %q", o.stdout, c.stdout)
			}
		})
	}
}

func TestSimRunFormats(t *testing.T) {
	said := map[string]string{}
	for format, file := range echo(t) {
		o := simRun(t, file, "--for", "100ms")
		o.want(t, exitOK)
		if !strings.Contains(o.stdout, "echo@") {
			t.Errorf("the program as %s greets with %q", format, o.stdout)
		}
		said[o.stdout] = format
	}
	if len(said) != 1 {
		t.Errorf("the formats behave differently: %q", said)
	}
}

// The input comes in the same cycles each time, from a file or a pipe.
func TestSimRunInput(t *testing.T) {
	image := echo(t)["elf"]
	text := []byte("hello, \xff board\x00\n")
	args := []string{"sim", "run", "--chip", "stm32f407", image, "--for", "300ms", "--stats"}
	file := rigor(t, append(args, "--input", write(t, "text", text))...)
	file.want(t, exitOK)
	c := command(append(args, "--input", "-")...)
	c.Stdin = iotest.OneByteReader(bytes.NewReader(text))
	pipe := finish(t, c)
	stats := func(o outcome) string { before, _, _ := strings.Cut(o.stderr, "host time"); return before }
	if !strings.HasSuffix(file.stdout, string(text)) || pipe.stdout != file.stdout || stats(pipe) != stats(file) {
		t.Errorf("from a file %q, from a pipe %q; want both to end in %q\n%s\n%s", file.stdout, pipe.stdout, text, file.stderr, pipe.stderr)
	}
	for name, c := range map[string]struct {
		args   []string
		status int
		want   string
	}{
		"too late":     {[]string{"--input-at", "1s", "--for", "100ms"}, exitOK, "16 bytes of the input were not sent"},
		"other rate":   {[]string{"--baud", "9600", "--for", "1s", "--until", "board"}, exitNoText, "did not come within 1s"},
		"other pins":   {[]string{"--pins", "PA9/PA10", "--for", "1s", "--until", "board"}, exitNoText, "did not come within 1s"},
		"no such pins": {[]string{"--pins", "PA9"}, exitSetup, "want TX/RX"},
		"no such pin":  {[]string{"--pins", "PA9/PZ9"}, exitSetup, "PZ9"},
		"no rate":      {[]string{"--baud", "0"}, exitSetup, "0 baud"},
		"no file":      {[]string{"--input", "no-such-file"}, exitSetup, "read the input"},
	} {
		t.Run(name, func(t *testing.T) {
			simRun(t, image, append([]string{"--input", write(t, "text", text)}, c.args...)...).want(t, c.status, c.want)
		})
	}
}

func TestSimRunInterrupted(t *testing.T) {
	c := command("sim", "run", "--chip", "stm32f407", "--stats", write(t, "image", hello(inFlash, usart2, usart2EN)))
	var stderr strings.Builder
	c.Stderr = &stderr
	stdout, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(io.LimitReader(stdout, 2)); err != nil || string(text) != "hi" {
		t.Errorf("%q, %v", text, err)
	}
	c.Process.Signal(os.Interrupt)
	c.Wait()
	outcome{"", stderr.String(), c.ProcessState.ExitCode()}.want(t, exitInterrupted, "stop          interrupted")
}

// sim serve puts the board at the link, and takes the link away when it ends.
func TestSimServe(t *testing.T) {
	link := filepath.Join(t.TempDir(), "f407")
	c := command("sim", "serve", "--chip", "stm32f407", "--pty", link, "--flash", write(t, "image", hello(inFlash, usart2, usart2EN)))
	stderr, err := c.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer c.Process.Kill()
	line, err := bufio.NewReader(stderr).ReadString('\n')
	if err != nil || !strings.Contains(line, "stm32f407 at "+link) {
		t.Fatalf("%q, %v", line, err)
	}
	if to, err := os.Readlink(link); err != nil || !strings.HasPrefix(to, "/dev/pts/") {
		t.Errorf("the link leads to %q, %v", to, err)
	}
	c.Process.Signal(os.Interrupt)
	c.Wait()
	if status := c.ProcessState.ExitCode(); status != exitOK {
		t.Errorf("exit status %d, want %d", status, exitOK)
	}
	if _, err := os.Lstat(link); !os.IsNotExist(err) {
		t.Errorf("the link is still there: %v", err)
	}
}

func TestSimServeRefuses(t *testing.T) {
	taken := write(t, "taken", nil)
	serve := func(args ...string) outcome {
		return rigor(t, append([]string{"sim", "serve", "--chip", "stm32f407"}, args...)...)
	}
	serve("--pty", taken, "--boot", "loader").want(t, exitSetup, "a file of that name exists")
	free := filepath.Join(t.TempDir(), "link")
	serve("--pty", free, "--console", "PA2").want(t, exitSetup, "want TX/RX")
	serve("--pty", free, "--console", "PA2/PX9").want(t, exitSetup, "PX9")
	serve("--pty", free, "--flash", taken).want(t, exitSetup, taken)
}

func TestSimServeEndsWithItsChip(t *testing.T) {
	o := rigor(t, "sim", "serve", "--chip", "stm32f407", "--pty", filepath.Join(t.TempDir(), "link"),
		"--flash", write(t, "image", stores(inFlash, can1MCR, 1)))
	o.want(t, exitNotModelled, "CAN1+0x00 not modelled")
}

// The checked-in samples, and where RIGOR_VECTORS names a folder, all vectors
// in it that are for simulated cores. A file that is missing there fails.
func TestSimConform(t *testing.T) {
	files := []string{
		"../../sim/conform/testdata/thumb2.jsonl.gz", "../../sim/conform/testdata/thumb2-decode-llvm19.tsv.gz",
		"../../sim/conform/testdata/rv32imc.jsonl.gz", "../../sim/conform/testdata/rv32imc-decode-llvm19.tsv.gz",
		"../../sim/conform/testdata/rv64gc.jsonl.gz", "../../sim/conform/testdata/rv64gc-decode-llvm19.tsv.gz",
		"../../sim/softfloat/testdata/testfloat-arm-f32.txt.gz", "../../sim/softfloat/testdata/testfloat-riscv-f32-f64.txt.gz",
	}
	if dir := os.Getenv("RIGOR_VECTORS"); dir != "" {
		for _, name := range []string{"thumb2.jsonl.gz", "thumb2-decode-llvm19.tsv.gz", "vixl-t32.jsonl.gz",
			"rv32imc.jsonl.gz", "rv32imc-decode-llvm19.tsv.gz", "rv64gc.jsonl.gz", "rv64gc-decode-llvm19.tsv.gz",
			"testfloat-arm-f32.txt.gz", "testfloat-riscv-f32-f64.txt.gz"} {
			files = append(files, filepath.Join(dir, name))
		}
	}
	for i, f := range files {
		files[i], _ = filepath.Abs(f)
	}
	o := rigor(t, append([]string{"sim", "conform"}, files...)...)
	o.want(t, exitOK)
	if n := strings.Count(o.stdout, "  all  "); n != len(files) {
		t.Errorf("%d tables of %d files:\n%s", n, len(files), o.stdout)
	}
}

// One bit of a result of Berkeley TestFloat's is changed: 1 + 1 is 2, which is
// 0x40000000 in binary32.
func TestSimConformFails(t *testing.T) {
	file := write(t, "testfloat-arm-bent.txt", []byte("f32_add rne 3F800000 3F800000 40000000 00\nf32_add rne 3F800000 3F800000 40000001 00\n"))
	o := rigor(t, "sim", "conform", file)
	o.want(t, exitWanting, "vectors did not match")
	if !strings.Contains(o.stdout, "testfloat-arm-bent.txt:2: ") || !strings.Contains(o.stdout, "got 40000000, want 40000001") {
		t.Errorf("got\n%s", o.stdout)
	}
	rigor(t, "sim", "conform", write(t, "vectors.txt", nil)).want(t, exitSetup, "unknown kind of vectors")
	rigor(t, "sim", "conform", write(t, "testfloat-arm.txt", nil)).want(t, exitSetup, "no vectors")
	rigor(t, "sim", "conform", write(t, "testfloat-arm.txt", []byte("f32_add\n"))).want(t, exitSetup, "testfloat-arm.txt:1")
}

// What is in flash afterwards does not depend on the format.
func TestFlashFormats(t *testing.T) {
	config, err := rig.LoadConfig(filepath.Join(root, "rigs.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	contents := map[string]string{}
	for format, file := range echo(t) {
		rigor(t, "flash", "--board", "f407", file).want(t, exitOK, "verify "+file+"\n", "flashed "+file)
		contents[string(readBack(t, config.Rigs["virtual"].Boards[0], file))] = format
	}
	if len(contents) != 1 {
		t.Errorf("flash differs by format: %d contents", len(contents))
	}
}

// readBack flashes a board as the command does and reads the first 16 KB, the
// sector that holds the program.
func readBack(t *testing.T, c *rig.BoardConfig, file string) []byte {
	t.Helper()
	station, err := virtual.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	defer station.Close()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	if _, err := harness.Flash(ctx, station, "echo", text, func(string) {}); err != nil {
		t.Fatal(err)
	}
	loader, err := station.Loader(ctx)
	if err != nil {
		t.Fatal(err)
	}
	data := make([]byte, 16<<10)
	if err := loader.(flash.Reader).Read(ctx, inFlash, data); err != nil {
		t.Fatal(err)
	}
	return data
}

// Nothing is erased for a file that is no program.
func TestFlashRefuses(t *testing.T) {
	host := command().Path
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"text":             {[]string{"--board", "f407", write(t, "notes.txt", []byte("shopping list: flash, ram"))}, "neither ELF nor Intel hex"},
		"for RAM":          {[]string{"--board", "f407", write(t, "ram.hex", intelHex(inRAM, hello(inRAM, usart2, usart2EN)))}, "outside the stm32f407's memory"},
		"damaged hex":      {[]string{"--board", "f407", write(t, "a.hex", []byte(":0400000001020304F2\n:0400000001020304F3\n:00000001FF\n"))}, "line 2"},
		"another machine":  {[]string{"--board", "f407", host}, "image is for EM_"},
		"an unknown board": {[]string{"--board", "k230", write(t, "a.bin", nil)}, `no board "k230"; choose with --board one of [f407 c3 k210]`},
		"an unknown rig":   {[]string{"--rig", "lab", write(t, "a.bin", nil)}, "lab"},
		"no board":         {[]string{write(t, "a.bin", nil)}, `rig virtual has several boards; choose with --board one of [f407 c3 k210]`},
		"no file":          {[]string{"missing.bin"}, "missing.bin"},
	} {
		t.Run(name, func(t *testing.T) {
			o := rigor(t, append([]string{"flash"}, c.args...)...)
			o.want(t, exitSetup, c.want)
			if strings.Contains(o.stderr, "erase") {
				t.Errorf("something was erased:\n%s", o.stderr)
			}
		})
	}
}
