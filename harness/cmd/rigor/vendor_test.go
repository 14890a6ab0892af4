//go:build vendortools

// Other people's tools against virtual boards and bundles: they were written
// without us, and so know nothing of what we believe about protocols and formats.

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rigor/harness/flash/stm32"
)

// tool runs a program of Debian's with a time limit that only a hang exceeds.
func tool(t *testing.T, name string, args ...string) outcome {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%v: `make vendor-deps` installs it", err)
	}
	c := exec.Command(path, args...)
	c.Dir = root
	return finish(t, c)
}

// succeed checks that a tool ended well and said the texts.
func (o outcome) succeed(t *testing.T, texts ...string) {
	t.Helper()
	if o.status != 0 {
		t.Fatalf("exit status %d\n%s%s", o.status, o.stdout, o.stderr)
	}
	for _, text := range texts {
		if !strings.Contains(o.stdout+o.stderr, text) {
			t.Errorf("output lacks %q:\n%s%s", text, o.stdout, o.stderr)
		}
	}
}

// serveLoader offers a board in its boot loader and returns the link to it.
func serveLoader(t *testing.T) string {
	t.Helper()
	link := filepath.Join(t.TempDir(), "f407")
	c := command("sim", "serve", "--chip", "stm32f407", "--pty", link, "--boot", "loader")
	stderr := background(t, c)
	if line, err := bufio.NewReader(stderr).ReadString('\n'); err != nil {
		t.Fatalf("%q, %v", line, err)
	}
	return link
}

// restart waits until a board that reset itself is in its loader again. It
// lives in real time, and on a busy machine falls behind.
func restart() { time.Sleep(5 * stm32.Startup) }

func stm32flash(t *testing.T, link string, baud int, args ...string) outcome {
	t.Helper()
	args = append([]string{"-m", "8n1", "-b", fmt.Sprint(baud)}, append(args, link)...)
	return tool(t, "stm32flash", args...)
}

// The loader measures the rate from the first byte, once a reset; so each rate
// has a board of its own.
func TestStm32flash(t *testing.T) {
	raw, err := os.ReadFile(echo(t)["bin"])
	if err != nil {
		t.Fatal(err)
	}
	all := fmt.Sprintf("0x08000000:%d", len(raw))
	for _, baud := range []int{57600, 115200} {
		for _, format := range []string{"bin", "hex"} {
			t.Run(fmt.Sprint(baud, " ", format), func(t *testing.T) {
				link := serveLoader(t)
				file := filepath.Join(t.TempDir(), "echo."+format)
				os.Rename(echo(t)[format], file)
				stm32flash(t, link, baud).succeed(t, "Version      : 0x31", "Device ID    : 0x0413", "Flash      : Up to 1024KiB")
				stm32flash(t, link, baud, "-w", file, "-v").succeed(t, "Wrote and verified address", "100.00%")
				back := filepath.Join(t.TempDir(), "back.bin")
				stm32flash(t, link, baud, "-r", back, "-S", all).succeed(t)
				if got, err := os.ReadFile(back); err != nil || !bytes.Equal(got, raw) {
					t.Errorf("read back %d bytes that differ from the %d written, %v", len(got), len(raw), err)
				}
				stm32flash(t, link, baud, "-g", "0x08000000").succeed(t, "Starting execution at address 0x08000000")
				converse(t, link)
			})
		}
	}
}

// converse sends every byte to the echo program and wants them back.
func converse(t *testing.T, link string) {
	t.Helper()
	f := openTerminal(t, link)
	time.Sleep(100 * time.Millisecond) // until the program has greeted, on a board in real time
	var sent []byte
	for v := range 256 {
		sent = append(sent, byte(v))
	}
	if _, err := f.Write(sent); err != nil {
		t.Fatal(err)
	}
	received := make(chan byte)
	go func() {
		defer close(received)
		for b := make([]byte, 1); ; received <- b[0] {
			if _, err := f.Read(b); err != nil {
				return
			}
		}
	}()
	var got []byte
	for !bytes.HasSuffix(got, sent) {
		select {
		case b := <-received:
			got = append(got, b)
		case <-time.After(patience):
			t.Fatalf("the program answers % x", got)
		}
	}
}

func TestStm32flashErases(t *testing.T) {
	link := serveLoader(t)
	file := echo(t)["bin"]
	stm32flash(t, link, 115200, "-w", file, "-v").succeed(t)
	stm32flash(t, link, 115200, "-o").succeed(t, "Erasing flash")
	wantErased(t, link)
}

// wantErased reads a program's place and wants nothing there.
func wantErased(t *testing.T, link string) {
	t.Helper()
	back := filepath.Join(t.TempDir(), "back.bin")
	stm32flash(t, link, 115200, "-r", back, "-S", "0x08000000:512").succeed(t)
	if got, err := os.ReadFile(back); err != nil || !bytes.Equal(got, bytes.Repeat([]byte{0xFF}, 512)) {
		t.Errorf("not erased: % x, %v", got, err)
	}
}

// -R puts code into RAM that resets through AIRCR. Then the loader measures the
// rate anew: that the other rate is understood shows that the board was reset.
func TestStm32flashResets(t *testing.T) {
	link := serveLoader(t)
	stm32flash(t, link, 57600).succeed(t)
	if o := stm32flash(t, link, 115200); o.status == 0 {
		t.Fatalf("the loader changed its rate without a reset:\n%s", o.stdout)
	}
	stm32flash(t, link, 57600, "-R").succeed(t, "Reset done.")
	restart()
	stm32flash(t, link, 115200).succeed(t, "Device ID    : 0x0413")
}

// AN3155 §3.10, §3.11: both reset the part; to unprotect erases all of it.
func TestStm32flashProtects(t *testing.T) {
	link := serveLoader(t)
	file := echo(t)["bin"]
	stm32flash(t, link, 115200, "-w", file, "-v").succeed(t)
	stm32flash(t, link, 115200, "-j").succeed(t, "Done")
	restart()
	back := filepath.Join(t.TempDir(), "back.bin")
	if o := stm32flash(t, link, 115200, "-r", back, "-S", "0x08000000:512"); o.status == 0 {
		t.Errorf("a protected part was read:\n%s", o.stdout)
	}
	stm32flash(t, link, 115200, "-k").succeed(t, "Done")
	restart()
	wantErased(t, link)
}

// quickRun is a run for other people's tools, made anew.
func quickRun(t *testing.T) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "run")
	rigor(t, "run", "--board", "f407", "--board", "c3", "--suite", "smoke", "--suite", "latency", "--suite", "flash", "--out", dir).want(t, exitOK)
	return dir
}

// sigrok's UART decoder finds in the trace of the pin what the console heard.
func TestSigrokDecodesTheTrace(t *testing.T) {
	dir := quickRun(t)
	const name = "f407-smoke-echo-stm32f407-echoes-every-byte"
	heard, err := os.ReadFile(filepath.Join(dir, "console", name+".log"))
	if err != nil {
		t.Fatal(err)
	}
	o := tool(t, "sigrok-cli", "-I", "vcd", "-i", filepath.Join(dir, "traces", name+".vcd"),
		"-P", "uart:rx=console-tx:baudrate=115200", "-B", "uart=rx")
	o.succeed(t)
	if len(o.stdout) < 256 || !bytes.HasSuffix(heard, []byte(o.stdout)) {
		t.Errorf("sigrok reads %d bytes % x, the console heard % x", len(o.stdout), o.stdout, heard)
	}
}

func TestPromtoolAcceptsTheMetrics(t *testing.T) {
	dir := quickRun(t)
	path, err := exec.LookPath("promtool")
	if err != nil {
		t.Fatalf("%v: `make vendor-deps` installs it", err)
	}
	c := exec.Command(path, "check", "metrics")
	if c.Stdin, err = os.Open(filepath.Join(dir, "metrics.prom")); err != nil {
		t.Fatal(err)
	}
	if o := finish(t, c); o.status != 0 || o.stdout+o.stderr != "" {
		t.Errorf("exit status %d\n%s%s", o.status, o.stdout, o.stderr)
	}
}

// Two runs of a virtual rig are the same to the cycle, and benchstat says so.
func TestBenchstatComparesTwoRuns(t *testing.T) {
	first, second := quickRun(t), quickRun(t)
	o := tool(t, "go", "tool", "benchstat", filepath.Join(first, "bench.txt"), filepath.Join(second, "bench.txt"))
	o.succeed(t, "rig-kind: virtual", "chip: stm32f407", "GoroutineSwitch/in=goroutine-switch-at-16-mhz/board=f407/source=firmware/clock=16MHz", "cycles")
	if text := o.stdout + o.stderr; strings.Contains(text, "exact distribution expected") || strings.Contains(text, "invalid") {
		t.Errorf("benchstat complains:\n%s", text)
	}
	for line := range strings.Lines(o.stdout) {
		result := strings.Contains(line, "%") && !strings.HasSuffix(strings.TrimSpace(line), "│")
		if result && !strings.Contains(line, "+0.00%") && !strings.Contains(line, " 0.00%") {
			t.Errorf("benchstat sees a difference: %s", line)
		}
	}
}
