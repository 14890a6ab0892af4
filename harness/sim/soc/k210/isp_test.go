package k210

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"testing"

	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
	"rigor/harness/sim/soc/soctest"
)

// romBoard is a board with the console's adapter and the BOOT button, as the ROM finds it.
type romBoard struct {
	*soctest.Board
	t    *testing.T
	chip *Chip
}

func newROMBoard(t *testing.T, opt Options) *romBoard {
	t.Helper()
	c := New(opt)
	b := soctest.New(t, c, board.Wiring{Boot: "IO16", BootLow: true,
		Bridges: []board.BridgeWiring{{Name: "console", TX: "IO5", RX: "IO4"}}})
	return &romBoard{Board: b, t: t, chip: c}
}

func (r *romBoard) mode(baud uint64) {
	r.t.Helper()
	if err := r.Console.SetMode(board.Mode{Baud: baud}); err != nil {
		r.t.Fatal(err)
	}
}

func (r *romBoard) wait(d clock.Time) {
	r.t.Helper()
	if s := r.Advance(r.Now() + d); s.Kind != board.Running {
		r.t.Fatal(s)
	}
}

// inISP is a board whose ROM listens.
func inISP(t *testing.T, opt Options) *romBoard {
	r := newROMBoard(t, opt)
	r.SetBoot(true)
	r.SetPower(true)
	r.wait(100 * clock.Millisecond)
	return r
}

// ask sends bytes and returns what comes back within a while after they are sent.
func (r *romBoard) ask(p []byte) string {
	r.t.Helper()
	r.Console.Write(p)
	for r.Console.Unsent() > 0 {
		r.wait(100 * clock.Microsecond)
	}
	r.wait(5 * clock.Millisecond)
	var got []byte
	for v, ok := r.Console.Next(); ok; v, ok = r.Console.Next() {
		got = append(got, v.Byte)
	}
	return fmt.Sprintf("%x", got)
}

func slip(p []byte) []byte {
	p = bytes.ReplaceAll(p, []byte{0xDB}, []byte{0xDB, 0xDD})
	p = bytes.ReplaceAll(p, []byte{0xC0}, []byte{0xDB, 0xDC})
	return append(append([]byte{0xC0}, p...), 0xC0)
}

// request is a frame as kflash.py makes it.
func request(op byte, addr uint32, data []byte) []byte {
	body := binary.LittleEndian.AppendUint32(nil, addr)
	body = binary.LittleEndian.AppendUint32(body, uint32(len(data)))
	body = append(body, data...)
	p := []byte{op, 0, 0, 0}
	p = binary.LittleEndian.AppendUint32(p, crc32.ChecksumIEEE(body))
	return slip(append(p, body...))
}

// greeting is kflash.py's, byte for byte.
var greeting = []byte{0xC0, 0xC2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xC0}

const greeted = "c0c2e0c0"

// TestISPAnswers: the answers of parts, as exchanges with kflash.py 0.8.3 show them (E0, E2,
// E3), and the choices of ispState.
func TestISPAnswers(t *testing.T) {
	flipped := request(ispMemoryWrite, 0x80000000, []byte{1, 2, 3})
	flipped[19] ^= 1
	longer := []byte{ispMemoryWrite, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 9, 0, 0, 0, 1}
	binary.LittleEndian.PutUint32(longer[4:], crc32.ChecksumIEEE(longer[8:]))
	for _, test := range []struct {
		name string
		send []byte
		want string
	}{
		{"greeting", greeting, greeted},
		{"write", request(ispMemoryWrite, 0x80000000, []byte{1, 2, 3}), "c0c3e0c0"},
		{"write past the cache", request(ispMemoryWrite, 0x405FFFFF, []byte{1}), "c0c3e0c0"},
		{"write of escapes", request(ispMemoryWrite, 0x80001000, []byte{0xC0, 0xDB, 0xDC, 0xDD}), "c0c3e0c0"},
		{"write of nothing", request(ispMemoryWrite, 0x80000000, nil), "c0c3e0c0"},
		{"most", request(ispMemoryWrite, 0x80002000, bytes.Repeat([]byte{7}, 4096)), "c0c3e0c0"},
		{"a bit flipped", flipped, "c0c3e2c0"},
		{"another length", slip(longer), "c0c3e1c0"},
		{"no header", slip([]byte{ispMemoryWrite, 0, 0}), "c0c3e1c0"},
		{"too long", request(ispMemoryWrite, 0x80002000, make([]byte, 4097)), "c0c3e1c0"},
		{"outside of RAM", request(ispMemoryWrite, 0x88000000, []byte{1}), "c0c3e1c0"},
		{"echo", slip([]byte{0xC1, 0}), "c0c1e3c0"},
		{"read", request(0xC4, 0x80000000, nil), "c0c4e3c0"},
		{"an operation like a delimiter", slip([]byte{0xC0, 1}), "c0dbdce3c0"},
		{"an operation like an escape", slip([]byte{0xDB, 1}), "c0dbdde3c0"},
		{"a rate of four bytes", request(ispBaudRate, 0, []byte{0, 0xC2, 1}), "c0c6e1c0"},
		{"no rate", request(ispBaudRate, 0, make([]byte, 4)), "c0c6e1c0"},
		{"nothing", []byte{0xC0, 0xC0, 0xC0}, ""},
		{"no frame", []byte{1, 2, 3, 4}, ""},
		{"delimiters, greeting", append([]byte{0xC0, 0xC0}, greeting...), greeted},
		{"noise, greeting", append([]byte{0x55, 0xDB, 0xFF}, greeting...), greeted},
	} {
		r := inISP(t, Options{})
		if got := r.ask(test.send); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
		r.ask([]byte{0xC0}) // whatever is open ends
		first, second := r.ask(greeting), r.ask(greeting)
		if first != greeted && second != greeted {
			t.Errorf("%s: no answer to two greetings after it", test.name)
		}
	}
}

// TestISPWrites: what is written lies in RAM, by either of its addresses.
func TestISPWrites(t *testing.T) {
	r := inISP(t, Options{})
	data := []byte{0xC0, 0xDB, 0xDC, 0xDD, 0, 0xFF}
	r.ask(request(ispMemoryWrite, 0x805FFFFA, data))
	got, err := r.chip.ReadMemory(0x405FFFFA, len(data))
	if err != nil || !bytes.Equal(got, data) {
		t.Errorf("RAM holds %x (%v), want %x", got, err, data)
	}
}

// TestISPStrap: IO16 low for ISP, from when on and until when after reset. Clients pull it
// low together with the release of reset, or 50 ms later; 90 ms is the most that
// works with kflash.py over a network.
func TestISPStrap(t *testing.T) {
	for _, test := range []struct {
		low, high clock.Time
		isp       bool
	}{
		{0, 200, true}, {0, 90, true}, {50, 150, true}, {60, 90, true}, {0, 40, false}, {100, 200, false},
	} {
		r := newROMBoard(t, Options{})
		if err := r.chip.LoadFlash(0, image(0, spin)); err != nil {
			t.Fatal(err)
		}
		r.SetReset(true)
		r.SetPower(true)
		r.wait(10 * clock.Millisecond)
		r.SetReset(false)
		r.wait(test.low*clock.Millisecond + 200*clock.Microsecond)
		r.SetBoot(true)
		r.wait((test.high - test.low) * clock.Millisecond)
		r.SetBoot(false)
		r.wait(300*clock.Millisecond - test.high*clock.Millisecond)
		if got := !r.chip.Running; got != test.isp {
			t.Errorf("low from %d to %d ms after reset: ISP %v, want %v", test.low, test.high, got, test.isp)
		}
	}
}

// marks is a program that has each hart store its number + 1 to 0x80001004 + 8*number
// (when it is at 0x80000000), and spin.
var marks = code(
	0xF1402573, // csrr a0, mhartid
	0x00001597, // auipc a1, 1
	0x00351613, // slli a2, a0, 3
	0x00C585B3, // add a1, a1, a2
	0x00150513, // addi a0, a0, 1
	0x00A5A023, // sw a0, 0(a1)
	0x10500073, // wfi
	0xFFDFF06F, // j .-4
)

// spin sleeps for ever.
var spin = code(0x10500073, 0xFFDFF06F) // wfi; j .-4

func code(insns ...uint32) (p []byte) {
	for _, i := range insns {
		p = binary.LittleEndian.AppendUint32(p, i)
	}
	return p
}

// checkMarks fails unless both harts have run marks.
func (r *romBoard) checkMarks(addr uint32) {
	r.t.Helper()
	for n := range uint32(2) {
		got, err := r.chip.ReadMemory(addr+8*n, 4)
		if err != nil || binary.LittleEndian.Uint32(got) != n+1 {
			r.t.Errorf("hart %d has stored %x (%v), want %d", n, got, err, n+1)
		}
	}
}

// TestISPBoots: both harts execute what was uploaded, from where the client says; nothing is
// answered.
func TestISPBoots(t *testing.T) {
	for _, base := range []uint32{0x80000000, 0x80300000} {
		r := inISP(t, Options{})
		r.ask(request(ispMemoryWrite, base, marks))
		if got := r.ask(request(ispMemoryBoot, base, nil)); got != "" {
			t.Errorf("memory boot is answered %s, which kflash.py takes for an error", got)
		}
		r.checkMarks(base + 0x1004)
		if r.chip.Timeline.Hz() != 390_000_000 {
			t.Errorf("ACLK is %d Hz", r.chip.Timeline.Hz())
		}
	}
}

// TestISPBaud: after C6 the ROM talks at the new rate, and loses nothing of what comes at it
// without pause.
func TestISPBaud(t *testing.T) {
	for _, baud := range []uint32{1_500_000, 3_000_000, 4_500_000} {
		r := inISP(t, Options{})
		r.Console.Write(request(ispBaudRate, 0, binary.LittleEndian.AppendUint32(nil, baud)))
		r.wait(10 * clock.Millisecond)
		r.mode(uint64(baud))
		r.Console.DiscardInput()
		if got := r.ask(greeting); got != greeted {
			t.Fatalf("at %d baud: %s", baud, got)
		}
		data := bytes.Repeat([]byte{0x00, 0xC0, 0x55, 0xFF}, 1024)
		if got := r.ask(request(ispMemoryWrite, 0x80000000, data)); got != "c0c3e0c0" {
			t.Errorf("4 KB at %d baud: %s", baud, got)
		}
	}
}

// FuzzISP feeds the loader what may come over a line. Afterwards it still answers a
// greeting, of two at most.
func FuzzISP(f *testing.F) {
	f.Add(greeting)
	f.Add(request(ispMemoryWrite, 0x80000000, []byte{0xC0, 0xDB}))
	f.Add(request(ispMemoryWrite, 0xFFFFFFFF, []byte{1, 2}))
	f.Add(request(ispBaudRate, 0, []byte{0, 0xC2, 1, 0}))
	f.Add([]byte{0xC0, 0xDB, 0xC0, 0xDB, 0xDB, 0xC2, 0xC0})
	c := New(Options{})
	c.SetPower(true)
	c.Run(100 * clock.Millisecond)
	f.Fuzz(func(t *testing.T, data []byte) {
		c.ispBegin()
		feed := func(p []byte) (answers int) {
			for _, b := range p {
				if c.ROM.ISP.take(b) {
					c.ispPacket()
					if c.ROM.ISP.Got > ispMost+1 {
						t.Fatal("more bytes than a frame may have")
					}
					c.ROM.ISP.Got = 0
					if c.ROM.Phase == romReply && c.ROM.ISP.Out[1] == ispNOP {
						answers++
					}
				}
			}
			return answers
		}
		feed(data)
		if feed(append(append([]byte{0xC0}, greeting...), greeting...)) == 0 {
			t.Error("no answer to two greetings")
		}
	})
}
