package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"rigor/harness/hardware"
	"rigor/harness/measure"
	"rigor/harness/record"
	"rigor/harness/rig"
	"rigor/harness/rig/rigtest"
	"rigor/harness/timebase"
)

// served is a board that a process of its own simulates.
type served struct {
	*exec.Cmd
	addrs []string // of its RFC 2217 ports
}

var rfc2217Port = regexp.MustCompile(`rfc2217 (\S+:\d+)`)

// serveBoard starts rigor sim serve with RFC 2217 at a free port, and ends it
// with the test.
func serveBoard(t *testing.T, args ...string) served {
	t.Helper()
	return serveChip(t, "stm32f407", args...)
}

func serveChip(t *testing.T, chip string, args ...string) served {
	t.Helper()
	c := command(append([]string{"sim", "serve", "--chip", chip, "--rfc2217", "127.0.0.1:0"}, args...)...)
	stderr := background(t, c)
	said := bufio.NewScanner(stderr)
	for said.Scan() {
		if strings.Contains(said.Text(), "booting its") {
			go io.Copy(io.Discard, stderr)
			s := served{Cmd: c}
			for _, m := range rfc2217Port.FindAllStringSubmatch(said.Text(), -1) {
				s.addrs = append(s.addrs, m[1])
			}
			return s
		}
	}
	t.Fatalf("sim serve does not say where it serves: %v", c.Wait())
	return served{}
}

// benchOf describes a rig of kind hardware. It has no probes, so that limits on
// what only they see cannot be required of it.
func benchOf(boards ...string) string {
	return "rigs:\n  bench:\n    kind: hardware\n    boards:\n" + strings.Join(boards, "")
}

// bench describes one with one board.
func bench(console, loader, reset string) string { return benchOf(boardF407(console, loader, reset)) }

func boardF407(console, loader, reset string) string {
	return fmt.Sprintf(`      - name: f407
        chip: stm32f407
        console: {tx: PA2, rx: PA3, baud: 115200, port: %s}
        loader: {tx: PB10, rx: PB11, baud: 115200, port: %s}
        reset: {dtr: nrst, rts: boot0%s}
`, console, loader, elsewhere(reset))
}

// boardC3 has one UART for program and loader. A served board's reset takes 75 ms
// to rise.
func boardC3(port, reset string) string {
	return fmt.Sprintf(`      - name: c3
        chip: esp32c3
        console: {tx: GPIO21, rx: GPIO20, baud: 115200, port: %s}
        loader: {tx: GPIO21, rx: GPIO20, baud: 460800, port: %[1]s}
        reset: {circuit: esp32, rise: 80ms%s}
`, port, elsewhere(reset))
}

// boardK210 has one UART, too. Its ROM looks at the strap late enough for any client.
func boardK210(port, reset string) string {
	return fmt.Sprintf(`      - name: k210
        chip: k210
        console: {tx: IO5, rx: IO4, baud: 115200, port: %s}
        loader: {tx: IO5, rx: IO4, baud: 1500000, port: %[1]s}
        reset: {circuit: k210%s}
`, port, elsewhere(reset))
}

// elsewhere is the port of the reset lines if it is not the loader's.
func elsewhere(port string) string {
	if port == "" {
		return ""
	}
	return ", port: " + port
}

func tcp(addr string) string    { return fmt.Sprintf("{rfc2217: %q}", addr) }
func device(path string) string { return fmt.Sprintf("{device: %q}", path) }

// onePort is the bench of a board whose UARTs are served at one port.
func (s served) onePort() string { return bench(tcp(s.addrs[0]), tcp(s.addrs[0]), "") }

// project is a folder that rigor takes for a checkout, with a rigs.yaml and its
// own leases.
func project(t *testing.T, rigsYAML string) string {
	t.Helper()
	dir := t.TempDir()
	for file, content := range map[string]string{"go.mod": "module rigor\n", "rigs.yaml": rigsYAML} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// wholeRun bounds a run of all suites, which on served boards takes four minutes of
// real time, and several times that where other tests want the processor, too.
const wholeRun = 18 * time.Minute

// relaxed are the limits without those of rates, which are the host's.
func relaxed(t *testing.T) string {
	return strings.Replace(edited(t, "suites/limits.yaml", "min: 7200", "min: 1"), "min: 95\n", "min: 1\n", 1)
}

// The suites ask a real board what they ask a virtual one. Time is the host's, and
// shared with other tests, so that no rate is judged here; the cycles that the
// firmware counts are exact all the same. Served boards want to be in time, too: one rig
// is run after the other, so that no suite is built while boards talk.
func TestHardwareSuites(t *testing.T) {
	t.Parallel()
	limits := relaxed(t)
	t.Run("rfc2217", func(t *testing.T) {
		f407, c3, k210 := serveBoard(t, "--rfc2217-loader", "127.0.0.1:0"), serveChip(t, "esp32c3"), serveChip(t, "k210")
		b := newServedBench(t, limits, benchOf(boardF407(tcp(f407.addrs[0]), tcp(f407.addrs[1]), ""), boardC3(tcp(c3.addrs[0]), ""), boardK210(tcp(k210.addrs[0]), "")))
		// Skipped are the 5 questions of analog, 2 of latency to each image and 2 of smoke,
		// which a probe has to ask, 4 of flash, which cut the power, all of hub that has to do
		// with a sensor or the air, all of spectrum, for there are no sounds, and the suites of
		// other chips' programs.
		checkHardwareRun(t, b.run(t, allBut(t, b.dir, "ota")...), outcomes{
			"f407": {record.Answered: 52, record.Skipped: 17},
			"c3":   {record.Answered: 31, record.Skipped: 39},
			"k210": {record.Answered: 24, record.Skipped: 35},
		})
		// The STM32F407's flash is minutes in the writing. Skipped are the questions that
		// cut the power, that look into flash, and the two over the air.
		checkOutcomes(t, b.run(t, "--suite", "ota", "--board", "c3", "--board", "k210"), outcomes{
			"c3":   {record.Answered: 9, record.Skipped: 4},
			"k210": {record.Answered: 9, record.Skipped: 2},
		})
	})
	// This differs in how bytes, rates and resets get to the board.
	t.Run("pseudo terminal", func(t *testing.T) {
		links := t.TempDir()
		linkF407, linkC3, linkK210 := filepath.Join(links, "f407"), filepath.Join(links, "c3"), filepath.Join(links, "k210")
		f407, c3, k210 := serveBoard(t, "--pty", linkF407), serveChip(t, "esp32c3", "--pty", linkC3), serveChip(t, "k210", "--pty", linkK210)
		b := newServedBench(t, limits, benchOf(boardF407(device(linkF407), device(linkF407), tcp(f407.addrs[0])),
			boardC3(device(linkC3), tcp(c3.addrs[0])), boardK210(device(linkK210), tcp(k210.addrs[0]))))
		checkHardwareRun(t, b.run(t, "--suite", "flash", "--suite", "smoke"), outcomes{
			"f407": {record.Answered: 10, record.Skipped: 6},
			"c3":   {record.Answered: 9, record.Skipped: 6},
			"k210": {record.Answered: 9, record.Skipped: 6},
		})
	})
}

// servedBench is a checkout whose rig is made of served boards.
type servedBench struct{ dir, temp string }

func newServedBench(t *testing.T, limits, rigs string) servedBench {
	t.Helper()
	return servedBench{checkout(t, map[string]string{"rigs.yaml": rigs, "suites/limits.yaml": limits}), t.TempDir()}
}

// run runs suites, which must go well.
func (b servedBench) run(t *testing.T, args ...string) *record.Run {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out")
	c := command(append([]string{"run", "--rig", "bench", "--out", out}, args...)...)
	c.Dir, c.Env = b.dir, append(os.Environ(), "TMPDIR="+b.temp, "GOFLAGS="+os.Getenv("GOFLAGS")+" -trimpath")
	finishWithin(t, c, wholeRun).want(t, exitOK)
	return load(t, out)
}

// outcomes are how many experiments ended how, by board.
type outcomes map[string]map[record.Outcome]int

func checkOutcomes(t *testing.T, run *record.Run, want outcomes) {
	t.Helper()
	got := outcomes{}
	for _, e := range run.Experiments {
		if got[e.Board] == nil {
			got[e.Board] = map[record.Outcome]int{}
		}
		got[e.Board][e.Outcome()]++
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("outcomes %v, want %v", got, want)
	}
}

func checkHardwareRun(t *testing.T, run *record.Run, want outcomes) {
	t.Helper()
	checkOutcomes(t, run, want)
	for _, e := range run.Experiments {
		if e.Skipped != "" && !strings.HasPrefix(e.Skipped, "the rig has no ") {
			t.Errorf("%s is skipped for %q", e.Name, e.Skipped)
		}
		for _, m := range e.Measurements {
			if m.Source == measure.Probe || m.Summary.N == 0 {
				t.Errorf("%s has %d values by the %s", m.Quantity, m.Summary.N, m.Source)
			}
			if m.Source == measure.Firmware && !strings.Contains(strings.Join(e.Warnings, " "), "the firmware's account stands alone") {
				t.Errorf("%s has no warning that no probe watched: %q", m.Quantity, e.Warnings)
			}
		}
	}
	for i, id := range []string{"0x413", "0x5", "k210"} {
		if !strings.Contains(run.Boards[i].ID, id) {
			t.Errorf("board %+v, want %s", run.Boards[i], id)
		}
	}
	if run.Rig.Kind != string(rig.Hardware) {
		t.Errorf("rig %+v", run.Rig)
	}
}

// allBut are the flags for all suites of a checkout but one.
func allBut(t *testing.T, dir, suite string) (flags []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "suites", "*", "*_suite_test.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no suites in %s, %v", dir, err)
	}
	for _, f := range files {
		if name := filepath.Base(filepath.Dir(f)); name != suite {
			flags = append(flags, "--suite", name)
		}
	}
	return flags
}

// openServed opens a served board as rigor does.
func openServed(t *testing.T, rigsYAML string) *rig.Station {
	t.Helper()
	t.Setenv("TMPDIR", t.TempDir())
	config, err := rig.ParseConfig("rigs.yaml", []byte(rigsYAML))
	if err != nil {
		t.Fatal(err)
	}
	s, err := hardware.Open("bench", config.Rigs["bench"].Boards[0], timebase.Host{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestHardwareBoard(t *testing.T) {
	board := serveBoard(t, "--flash", echo(t)["elf"])
	rigtest.Run(t, func(t *testing.T) *rig.Station { return openServed(t, board.onePort()) })
}

func TestHardwareBoardK210(t *testing.T) {
	elf, _ := echoK210(t)
	board := serveChip(t, "k210", "--flash", write(t, "echo", elf))
	rigtest.Run(t, func(t *testing.T) *rig.Station { return openServed(t, benchOf(boardK210(tcp(board.addrs[0]), ""))) })
}

func TestRigsCheck(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	two := serveBoard(t, "--rfc2217-loader", "127.0.0.1:0")
	console, loader := tcp(two.addrs[0]), tcp(two.addrs[1])
	good := bench(console, loader, "")
	terminal := filepath.Join(t.TempDir(), "f407")
	serveBoard(t, "--pty", terminal)
	uid := "console: {tx: PA2"
	for name, c := range map[string]struct {
		rigs   string
		status int
		want   []string
	}{
		"all is there":        {good, exitOK, []string{"boot loader   ok", "unique id     ok"}},
		"nobody there":        {bench("{rfc2217: \"127.0.0.1:1\"}", loader, ""), exitWanting, []string{"console port  MISSING", "connection refused", "check the cable, and the port"}},
		"no such device":      {bench("{device: /dev/serial/by-id/none}", loader, ""), exitWanting, []string{"plug it in, or correct the device"}},
		"no such adapter":     {bench("{usb: {path: \"9-9:1.0\"}}", loader, ""), exitWanting, []string{"no port usb 9-9:1.0", "plug it in, or correct the port"}},
		"no modem lines":      {bench(device(terminal), device(terminal), ""), exitWanting, []string{"reset lines   MISSING", "reset: {port: …}"}},
		"loader is silent":    {bench(loader, console, ""), exitWanting, []string{"boot loader   MISSING", "check the wires of its reset pin"}},
		"another board":       {strings.Replace(good, uid, "uid: 000000000000000000000001\n        "+uid, 1), exitWanting, []string{"unique id     MISSING", "another board is plugged in"}},
		"not a serial server": {bench(tcp(telnet(t)), loader, ""), exitWanting, []string{`says "hello"`, "end the other client, or correct host and port"}},
	} {
		t.Run(name, func(t *testing.T) {
			o := in(t, project(t, c.rigs), "rigs", "check", "bench")
			o.want(t, c.status)
			for _, want := range c.want {
				if !strings.Contains(o.stdout, want) {
					t.Errorf("lacks %q:\n%s", want, o.stdout)
				}
			}
		})
	}
}

// telnet is a server of something else.
func telnet(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conn.Write([]byte("hello\r\n"))
			io.CopyN(io.Discard, conn, 1)
			conn.(*net.TCPConn).CloseWrite()
		}
	}()
	return l.Addr().String()
}

func TestRigsCheckJSON(t *testing.T) {
	o := in(t, project(t, bench("{device: /dev/serial/by-id/none}", "{device: /dev/serial/by-id/none}", "")), "rigs", "check", "--json", "bench")
	o.want(t, exitWanting, "lacks 1 of what it needs")
	var findings []hardware.Finding
	if err := json.Unmarshal([]byte(o.stdout), &findings); err != nil || len(findings) != 2 || findings[1].OK || findings[1].Fix == "" {
		t.Errorf("%v: %s", err, o.stdout)
	}
}

// Who has the board, or its port, is told: the second user gets neither.
func TestHardwareInUse(t *testing.T) {
	board := serveBoard(t)
	s := openServed(t, board.onePort()) // and its lease, in TMPDIR
	dir := project(t, board.onePort())
	o := in(t, dir, "rigs", "check", "bench")
	o.want(t, exitWanting)
	if !strings.Contains(o.stdout, fmt.Sprintf("is leased by process %d", os.Getpid())) {
		t.Errorf("does not tell who holds the lease:\n%s", o.stdout)
	}
	c := command("rigs", "check", "bench")
	c.Dir, c.Env = dir, append(os.Environ(), "TMPDIR="+t.TempDir()) // another machine has other leases
	o = finish(t, c)
	o.want(t, exitWanting)
	if !strings.Contains(o.stdout, "in use by 127.0.0.1:") {
		t.Errorf("does not tell who has the port:\n%s", o.stdout)
	}
	if err := s.Reset(t.Context(), rig.BootApp); err != nil {
		t.Errorf("the first user was disturbed: %v", err)
	}
}

// A board whose ports go away in the middle of a run is the rig's failure, tried
// again, and not the firmware's.
func TestHardwareVanishes(t *testing.T) {
	t.Parallel()
	board := serveBoard(t)
	dir := checkout(t, map[string]string{"rigs.yaml": board.onePort()})
	c := command("run", "--rig", "bench", "--suite", "smoke", "--out", "out")
	c.Dir, c.Env = dir, append(os.Environ(), "TMPDIR="+t.TempDir(), "GOFLAGS="+os.Getenv("GOFLAGS")+" -trimpath")
	stderr, err := c.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer time.AfterFunc(patience, func() { c.Process.Kill() }).Stop()
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		if strings.Contains(lines.Text(), "write ") {
			board.Process.Kill()
		}
	}
	c.Wait()
	if status := c.ProcessState.ExitCode(); status != exitSetup {
		t.Errorf("exit status %d, want %d", status, exitSetup)
	}
	run := load(t, filepath.Join(dir, "out"))
	if len(run.Experiments) == 0 {
		t.Fatal("no experiment is recorded")
	}
	first := run.Experiments[0]
	if len(first.Attempts) != 2 || first.Attempts[0].Failure == nil || first.Attempts[0].Failure.Class != rig.Rig ||
		!strings.Contains(first.Attempts[1].Failure.Message, "did not come back") {
		t.Errorf("attempts %+v", first.Attempts)
	}
}

// A client that opens the terminal and does not read, or none, does not hold up
// the board.
func TestTerminalNobodyReads(t *testing.T) {
	s := &server{done: make(chan struct{})}
	if _, err := (&simServeCmd{PTY: "unused"}).openTerminal(s); err != nil {
		t.Fatal(err)
	}
	given := make(chan error)
	go func() { given <- s.terminal.give(make([]byte, 1<<16)) }()
	select {
	case err := <-given:
		if err != nil || !s.terminal.deaf {
			t.Errorf("deaf %v, error %v", s.terminal.deaf, err)
		}
	case <-time.After(patience):
		t.Error("the board waits for a reader")
	}
	close(s.done)
	s.terminal.close()
}
