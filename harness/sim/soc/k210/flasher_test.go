package k210

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"testing"

	"rigor/harness/sim/clock"
)

// flasherBoard is a board whose RAM firmware/flasher was put into by ISP. What it says is
// described in firmware/flasher/flasher_k210.c.
type flasherBoard struct{ *romBoard }

func newFlasher(t *testing.T) flasherBoard {
	t.Helper()
	r := inISP(t, Options{})
	code := programBytes(t, "flasher-k210")
	for off := 0; off < len(code); off += 1024 {
		part := code[off:min(off+1024, len(code))]
		if got := r.ask(request(ispMemoryWrite, uint32(ramBase+off), part)); got != "c0c3e0c0" {
			t.Fatalf("write to memory: %s", got)
		}
	}
	r.Console.Write(request(ispMemoryBoot, ramBase, nil))
	f := flasherBoard{r}
	if got, want := f.answer(), "d2e00000"+f.greeting(); got != want {
		t.Fatalf("the flasher greets with %s, want %s", got, want)
	}
	return f
}

// greeting is its name and those of the flash chip, whose unique number the chip makes up of zeros.
func (f flasherBoard) greeting() string {
	var unique [8]byte
	return fmt.Sprintf("%x%x00%x", "RIG1", f.chip.nor.JEDEC(), unique)
}

// answer is the next frame, without its ends and escapes.
func (f flasherBoard) answer() string {
	f.t.Helper()
	var got []byte
	done := false
	stop := f.AdvanceUntil(f.Now()+3*clock.Second, func() bool {
		for !done {
			v, ok := f.Console.Next()
			if !ok {
				return false
			}
			if v.Byte != 0xC0 {
				got = append(got, v.Byte)
			}
			done = v.Byte == 0xC0 && len(got) > 0
		}
		return true
	})
	if stop.Err() != nil || !done {
		f.t.Fatalf("no answer: %v, %q", stop.Err(), f.chip.Warnings())
	}
	got = bytes.ReplaceAll(got, []byte{0xDB, 0xDC}, []byte{0xC0})
	return hex.EncodeToString(bytes.ReplaceAll(got, []byte{0xDB, 0xDD}, []byte{0xDB}))
}

// flasherRequest is a request whose length may be another than that of its data.
func flasherRequest(op byte, addr, length uint32, data []byte) []byte {
	const number = 0xDBC0
	p := binary.LittleEndian.AppendUint32([]byte{op, 0, number & 0xFF, number >> 8, 0, 0, 0, 0}, addr)
	p = append(binary.LittleEndian.AppendUint32(p, length), data...)
	binary.LittleEndian.PutUint32(p[4:], crc32.ChecksumIEEE(p[8:]))
	return slip(p)
}

// do gives the reason of an answer and what follows, and checks the rest.
func (f flasherBoard) do(op byte, addr, length uint32, data []byte) string {
	f.t.Helper()
	f.Console.Write(flasherRequest(op, addr, length, data))
	got := f.answer()
	if len(got) < 8 || got[:2] != fmt.Sprintf("%02x", op) || got[4:8] != "c0db" {
		f.t.Fatalf("the answer to %02x is %s", op, got)
	}
	return got[2:4] + got[8:]
}

const (
	fGreet  = 0xD2
	fErase  = 0xD3
	fWrite  = 0xD4
	fRun    = 0xD5
	fBaud   = 0xD6
	fInit   = 0xD7
	fRead   = 0xD8
	fFlush  = 0xD9
	fDigest = 0xDA
)

// What is written digests and reads back as it should, at any rate, over what was there, and what
// lies beside it stays. Erases and blocks are sent ahead; the flash chip takes the line's pace.
func TestFlasherWrites(t *testing.T) {
	const at, size, ahead = 0x1F000, 100 << 10, 16
	f := newFlasher(t)
	data := make([]byte, size)
	for i := range data {
		data[i] = byte(i * i >> 9)
	}
	for _, baud := range []uint64{460800, 1_500_000} {
		if got := f.do(fBaud, 0, 4, binary.LittleEndian.AppendUint32(nil, uint32(baud))); got != "e0" {
			t.Fatalf("change to %d baud: %s", baud, got)
		}
		f.wait(clock.Millisecond)
		f.mode(baud)
		flash := f.chip.nor.Data()
		for i := range flash[:at+size+4096] {
			flash[i] = 0x5A
		}
		requests := [][]byte{flasherRequest(fErase, at, 4096, nil)}
		for off := uint32(0); off < size; off += 4096 {
			if (at+off)%(64<<10) == 0 {
				requests = append(requests, flasherRequest(fErase, at+off, min(64<<10, size-off), nil))
			}
			requests = append(requests, flasherRequest(fWrite, at+off, 4096, data[off:off+4096]))
		}
		began := f.Now()
		for i := range requests {
			f.Console.Write(requests[i])
			if i >= ahead {
				f.good(f.answer())
			}
		}
		for range min(ahead, len(requests)) {
			f.good(f.answer())
		}
		if got := f.do(fFlush, 0, 0, nil); got != "e0" {
			t.Errorf("flush: %s", got)
		}
		share := float64(size) * 10 / float64(baud) / (float64(f.Now()-began) / 1e12)
		t.Logf("%d baud: %.1f %% of the line's rate", baud, 100*share)
		if got, want := f.do(fDigest, at, size, nil), fmt.Sprintf("e0%x", sha256.Sum256(data)); got != want {
			t.Errorf("%d baud: digest %s, want %s", baud, got, want)
		}
		if got, want := f.do(fRead, at+3, 4096, nil), fmt.Sprintf("e0%x", data[3:4099]); got != want {
			t.Errorf("%d baud: reads back otherwise", baud)
		}
		if flash[at-1] != 0x5A || flash[at+size] != 0x5A {
			t.Errorf("%d baud: what lies beside was changed", baud)
		}
	}
	if w := f.chip.Warnings(); len(w) > 0 {
		t.Errorf("%q", w)
	}
}

func (f flasherBoard) good(answer string) {
	f.t.Helper()
	if answer[2:4] != "e0" {
		f.t.Fatalf("%s", answer)
	}
}

// Each fault has its reason, and after one in a block all that follow are refused, until
// flush has told.
func TestFlasherRefuses(t *testing.T) {
	f := newFlasher(t)
	for _, test := range []struct {
		op           byte
		addr, length uint32
		data, want   string
	}{
		{fGreet, 0, 0, "", "e0" + f.greeting()},
		{fInit, 0, 0, "", "e0"},
		{0xC3, 0, 0, "", "e3"},
		{fErase, 1, 4096, "", "e1"},
		{fErase, 0, 4097, "", "e1"},
		{fErase, 0, 0, "", "e1"},
		{fErase, 0x7000, 0x12000, "", "e0"}, // by three commands
		{fErase, 0xFF_F000, 0x2000, "", "e1"},
		{fRead, 0, 4097, "", "e1"},
		{fRead, 0xFF_FFFF, 2, "", "e1"},
		{fDigest, 0, 0x100_0001, "", "e1"},
		{fDigest, 0, 0, "", fmt.Sprintf("e0%x", sha256.Sum256(nil))},
		{fBaud, 0, 4, "\x01\x00\x00\x00", "e1"},
		{fBaud, 0, 4, "\x00\x00\x00\x00", "e1"},
		{fBaud, 0, 4, "\x00\x00\x00\x7F", "e1"},
		{fBaud, 0, 3, "\x00\xC2\x01", "e1"},
		{fWrite, 0x10FE, 4, "abcd", "e0"}, // over two pages
		{fRead, 0x10FD, 6, "", "e0ff61626364ff"},
		{fFlush, 0, 0, "", "e0"},
		{fWrite, 0x1200, 5, "abcd", "e1"},
		{fWrite, 0x1200, 4, "abcd", "e1"},
		{fFlush, 0, 0, "", "e1"},
		{fWrite, 0xFF_FFFE, 4, "abcd", "e1"},
		{fFlush, 0, 0, "", "e1"},
		{fRead, 0x1200, 4, "", "e0ffffffff"},
		{fFlush, 0, 0, "", "e0"},
	} {
		if got := f.do(test.op, test.addr, test.length, []byte(test.data)); got != test.want {
			t.Errorf("%02x %#x %#x %q: %s, want %s", test.op, test.addr, test.length, test.data, got, test.want)
		}
	}
	damaged := flasherRequest(fWrite, 0x1200, 4, []byte("abcd"))
	damaged[len(damaged)-3] ^= 1
	f.Console.Write(damaged)
	if got := f.answer(); got[:4] != "d4e2" {
		t.Errorf("a damaged block: %s", got)
	}
	if got := f.do(fFlush, 0, 0, nil); got != "e2" {
		t.Errorf("flush behind a damaged block: %s", got)
	}
}

// Told to run, it restarts the part, which boots what is in flash.
func TestFlasherRuns(t *testing.T) {
	f := newFlasher(t)
	if err := f.chip.LoadFlash(0, image(0, programBytes(t, "echo-k210"))); err != nil {
		t.Fatal(err)
	}
	f.SetBoot(false)
	if got := f.do(fRun, 0, 0, nil); got != "e0" {
		t.Errorf("run: %s", got)
	}
	if h := f.Hello(); h.Program != "echo" {
		t.Errorf("the hello is %+v", h)
	}
}

// While it waits for the line it sleeps.
func TestFlasherSleeps(t *testing.T) {
	f := newFlasher(t)
	f.wait(clock.Millisecond)
	before := f.chip.Stats()
	f.wait(100 * clock.Millisecond)
	if after := f.chip.Stats(); after.Instructions != before.Instructions {
		t.Errorf("%d instructions while there is nothing to do", after.Instructions-before.Instructions)
	}
}
