//go:build vendortools

package main

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rigor/harness/flash"
)

// Debian's python, which has Debian's pyserial.
const python = "/usr/bin/python3"

// pyserial 3.5 is the client of a served board: it opens the port only if every
// setting is acknowledged, and here moves lines and parity.
func TestPyserial(t *testing.T) {
	board := serveBoard(t)
	script, err := filepath.Abs("testdata/pyserial.py")
	if err != nil {
		t.Fatal(err)
	}
	o := tool(t, python, script, board.addrs[0])
	o.succeed(t)
	said := strings.Fields(o.stdout)
	want := []string{"79", "7901041379", "79", "79", "79" + uidOf(t, board)} // AN3155: ACK, and 0x413 by Get ID
	if strings.Join(said, " ") != strings.Join(want, " ") {
		t.Errorf("pyserial read %v, want %v", said, want)
	}
}

// pyserial's modem inputs, purge, break and one line after the other, as esptool
// moves them by RFC 2217, on a board with two transistors and a slow reset.
func TestPyserialOnTwoTransistors(t *testing.T) {
	board := serveBoard(t, "--circuit", "esp32", "--rise", "120ms")
	script, err := filepath.Abs("testdata/pyserial_lines.py")
	if err != nil {
		t.Fatal(err)
	}
	o := tool(t, python, script, board.addrs[0])
	o.succeed(t)
	if said, want := strings.Fields(o.stdout), "False False False False 79 1f"; strings.Join(said, " ") != want {
		t.Errorf("pyserial read %v, want %v", said, want)
	}
}

// uidOf reads the unique id by our own loader.
func uidOf(t *testing.T, board served) string {
	t.Helper()
	s := openServed(t, board.onePort())
	defer s.Close()
	l, err := s.Loader(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var id [12]byte
	if err := l.(flash.Reader).Read(t.Context(), 0x1FFF_7A10, id[:]); err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(id[:])
}

// ser2net 4.3 serves the pseudo terminal of a board; our client speaks to it.
func TestSer2net(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	link := filepath.Join(t.TempDir(), "f407")
	board := serveBoard(t, "--pty", link)
	addr := freeAddress(t)
	host, number, _ := strings.Cut(addr, ":")
	config := write(t, "ser2net.yaml", fmt.Appendf(nil,
		"connection: &rack\n  accepter: telnet(rfc2217),tcp,%s,%s\n  connector: serialdev,%s,115200n81,local\n", host, number, link))
	path, err := exec.LookPath("ser2net")
	if err != nil {
		t.Fatalf("%v: `make vendor-deps` installs it", err)
	}
	server := exec.Command(path, "-n", "-c", config)
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { server.Process.Signal(os.Interrupt); server.Process.Kill(); server.Wait() }()
	listening(t, addr)
	dir := project(t, bench(tcp(addr), tcp(addr), tcp(board.addrs[0])))
	in(t, dir, "rigs", "check", "bench").want(t, exitOK)
	in(t, dir, "flash", "--rig", "bench", echo(t)["elf"]).want(t, exitOK, "flashed ")
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// listening waits for a server to come up, by the kernel's table: a connection
// would be its one client.
func listening(t *testing.T, addr string) {
	t.Helper()
	_, number, _ := net.SplitHostPort(addr)
	var n int
	fmt.Sscan(number, &n)
	want := fmt.Sprintf(":%04X 00000000:0000 0A", n)
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		f, err := os.Open("/proc/net/tcp")
		if err != nil {
			t.Fatal(err)
		}
		for s := bufio.NewScanner(f); s.Scan(); {
			if strings.Contains(s.Text(), want) {
				f.Close()
				return
			}
		}
		f.Close()
	}
	t.Fatalf("nobody listens at %s", addr)
}
