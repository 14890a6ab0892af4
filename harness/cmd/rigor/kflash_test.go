//go:build vendortools && kflash

// Canaan's kflash is not in Debian: make kflash lets it judge where somebody has it.

package main

import (
	"archive/zip"
	"bytes"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rigor/harness"
	"rigor/harness/rig"
)

// kflash runs it at a port, with Debian's python and pyserial. Its file is KFLASH; who
// asks for this test has it.
func kflash(t *testing.T, port string, args ...string) outcome {
	t.Helper()
	file := os.Getenv("KFLASH")
	if _, err := os.Stat(file); err != nil {
		t.Fatalf("KFLASH is to name the file kflash.py: %v", err)
	}
	script, err := filepath.Abs("testdata/kflash.py")
	if err != nil {
		t.Fatal(err)
	}
	return tool(t, python, slices.Concat([]string{script, file, "-n", "-p", port}, args)...)
}

// payloadK210 is the program for a K210 as kflash takes it: without header and hash.
func payloadK210(t *testing.T) []byte {
	t.Helper()
	const header, hash = 5, 32
	_, image := echoK210(t)
	return image[header : len(image)-hash]
}

// kfpkg is a package with one program.
func kfpkg(t *testing.T, program []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for name, content := range map[string]string{
		"flash-list.json": "{\"version\": \"0.1.0\", \"files\": [{\n\"address\": 0,\n\"bin\": \"echo.bin\",\n\"sha256Prefix\": true\n}]}\n",
		"echo.bin":        string(program),
	} {
		w, err := z.Create(name)
		if err == nil {
			_, err = io.WriteString(w, content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// openK210 opens a served board.
func (s served) openK210(t *testing.T) *rig.Station {
	t.Helper()
	return openServed(t, benchOf(boardK210(tcp(s.addrs[0]), "")))
}

// greetsK210 resets a served board into its program, which must greet.
func (s served) greetsK210(t *testing.T) {
	t.Helper()
	b := s.openK210(t)
	defer b.Close()
	if err := b.Reset(t.Context(), rig.BootApp); err != nil {
		t.Fatal(err)
	}
	h, err := harness.NewConsole(b.Console(), b.Clock(), new(bytes.Buffer)).Hello(t.Context(), 10*time.Second)
	if err != nil || h.Program != "echo" {
		t.Errorf("after the reset: %+v, %v", h, err)
	}
}

// fast is the rate. Once it has sent 64 KB, always, kflash waits for 3 s; where the line is a
// connection, nothing holds it back while they are on the way at a lower rate.
const fast = "1500000"

// Each has kflash's own program in RAM write the flash.
func TestKflash(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	program := payloadK210(t)
	file := write(t, "echo.bin", program)
	pkg := filepath.Join(t.TempDir(), "echo.kfpkg")
	if err := os.WriteFile(pkg, kfpkg(t, program), 0o600); err != nil {
		t.Fatal(err)
	}
	zeros := hex.EncodeToString(make([]byte, 16)) // the key of a part that was given none
	for name, c := range map[string]struct {
		serve, args []string
		file        string
	}{
		"dan":               {nil, []string{"-B", "dan"}, file},
		"detected":          {nil, nil, file},
		"fast from the ROM": {nil, []string{"-B", "trainer"}, file},
		"goE":               {[]string{"--circuit", "direct"}, []string{"-B", "goE"}, file},
		"package":           {nil, []string{"-B", "bit"}, pkg},
		"encrypted":         {nil, []string{"-B", "dan", "-k", zeros}, file},
	} {
		t.Run(name, func(t *testing.T) {
			board := serveChip(t, "k210", c.serve...)
			kflash(t, "rfc2217://"+board.addrs[0], append(c.args, "-b", fast, c.file)...).succeed(t, "Rebooting...")
			if c.serve == nil {
				board.greetsK210(t)
			}
		})
	}
}

// A pseudo terminal has no modem lines; others reset the board.
func TestKflashTerminal(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	link := filepath.Join(t.TempDir(), "k210")
	board := serveChip(t, "k210", "--pty", link, "--boot", "loader")
	kflash(t, link, "-B", "dan", "-b", fast, write(t, "echo.bin", payloadK210(t))).succeed(t, "Rebooting...")
	time.Sleep(afterwards)
	board.greetsK210(t)
}

// afterwards is how long the board may still write: on a busy machine it is slower than
// kflash waits, which then asks again, takes the first answer for the second one, and ends.
const afterwards = 15 * time.Second

// A program that goes to RAM alone is started there.
func TestKflashRAM(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	board := serveChip(t, "k210")
	kflash(t, "rfc2217://"+board.addrs[0], "-B", "dan", "-s", write(t, "echo.bin", payloadK210(t))).succeed(t, "Boot user code from SRAM")
	b := board.openK210(t)
	if err := b.Console().DiscardInput(); err != nil {
		t.Fatal(err)
	}
	const text = "hello, board\n"
	if _, err := io.WriteString(b.Console(), text); err != nil {
		t.Fatal(err)
	}
	if err := b.Console().SetReadDeadline(b.Clock().Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	var said []byte
	for buf := make([]byte, 64); !strings.Contains(string(said), text); {
		n, err := b.Console().Read(buf)
		if err != nil {
			t.Fatalf("the program says %q, %v", said, err)
		}
		said = append(said, buf[:n]...)
	}
}
