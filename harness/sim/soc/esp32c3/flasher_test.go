package esp32c3

import (
	"bytes"
	"crypto/md5"
	"debug/elf"
	"encoding/binary"
	"encoding/hex"
	"testing"

	"rigor/firmware/images"
	"rigor/harness/sim/clock"
)

// newFlasher uploads firmware/flasher and hears its greeting.
func newFlasher(t *testing.T, usb bool) *loaderHost {
	t.Helper()
	image, err := images.Open("flasher-esp32c3")
	if err != nil {
		t.Fatal(err)
	}
	f, err := elf.NewFile(bytes.NewReader(image.Data))
	if err != nil {
		t.Fatal(err)
	}
	text := f.Section(".text")
	code, err := text.Data()
	if err != nil {
		t.Fatal(err)
	}
	h := newLoaderHost(t, Options{}, usb)
	h.attach()
	h.must(cmdMemBegin, words(uint32(len(code)), 1, 0x1800, uint32(text.Addr)))
	h.blocks(cmdMemData, code, 0x1800, false)
	h.must(cmdMemEnd, words(0, uint32(f.Entry)))
	if got := hex.EncodeToString(h.frame(clock.Second)); got != "01060400"+"52494731"+"00000000" {
		t.Fatalf("the flasher greets with %s", got)
	}
	return h
}

// flasherData is worth deflating, holds SLIP's bytes, and is no multiple of anything.
func flasherData() []byte {
	data := make([]byte, 40003)
	for i := range data {
		data[i] = byte(i * i >> 9)
	}
	return data
}

func eachFlasher(t *testing.T, f func(t *testing.T, h *loaderHost)) {
	for _, port := range []string{"UART0", "USB"} {
		t.Run(port, func(t *testing.T) { f(t, newFlasher(t, port == "USB")) })
	}
}

// What is written, deflated or not, digests and reads back as it should, at an address
// behind one of a block of 64 KB.
func TestFlasherWrites(t *testing.T) {
	const addr = 0xF000
	data := flasherData()
	eachFlasher(t, func(t *testing.T, h *loaderHost) {
		if err := h.chip.LoadFlash(0xE000, bytes.Repeat([]byte{0x5A}, 0x20000)); err != nil {
			t.Fatal(err)
		}
		for _, small := range []bool{true, false} {
			begin, sent := byte(cmdFlashBegin), append(bytes.Clone(data), bytes.Repeat([]byte{0xFF}, 1024-len(data)%1024)...)
			if small {
				begin, sent = cmdDeflateBegin, deflated(data)
			}
			h.must(begin, words(uint32(len(data)), uint32(len(sent)+1023)/1024, 1024, addr, 0))
			h.blocks(begin+1, sent, 1024, false)
			h.must(begin+2, words(1))
			sum := md5.Sum(data)
			if got := h.must(cmdFlashMD5, words(addr, uint32(len(data)), 0, 0)).data; got != hex.EncodeToString(sum[:]) {
				t.Errorf("deflated %t: md5 %s", small, got)
			}
			if got := h.must(cmdReadFlash, words(addr+0x1000, 4096)).data; got != string(data[0x1000:0x2000]) {
				t.Errorf("deflated %t: reads back otherwise", small)
			}
			if got := h.must(cmdReadFlash, words(addr-4, 4)).data; got != "\x5A\x5A\x5A\x5A" {
				t.Errorf("deflated %t: before it is %x", small, got)
			}
		}
		if w := h.chip.Warnings(); len(w) > 0 {
			t.Errorf("warnings: %q", w)
		}
	})
}

// Registers, by which the host starts the program that it wrote.
func TestFlasherRegisters(t *testing.T) {
	h := newFlasher(t, false)
	h.must(cmdWriteReg, append(words(0x3FCA0000, 0x12345678, 0xFFFFFFFF, 0), words(0x3FCA0000, 0xFFFFFFFF, 0xF0, 0)...))
	if got := h.must(cmdReadReg, words(0x3FCA0000)).value; got != 0x123456F8 {
		t.Errorf("0x%08x", got)
	}
	if got := h.must(cmdSync, syncData).value; got != 0x31474952 {
		t.Errorf("sync: value 0x%08x", got)
	}
}

// What is wrong with a block is told at the next one or at the end, at the latest,
// and to the end. Codes are the ROM's.
func TestFlasherRefuses(t *testing.T) {
	good := deflated(flasherData())
	noise := bytes.Repeat([]byte{0x55}, 1024)
	badSum := bytes.Clone(good)
	badSum[len(badSum)-1]++
	block := func(seq int, data []byte) []byte {
		return request(cmdDeflateData, append(words(uint32(len(data)), uint32(seq), 0, 0), data...))
	}
	spoilt := block(0, good[:1024])
	spoilt[100]++
	long := block(0, good[:1024])
	binary.LittleEndian.PutUint32(long[8:], 1023)
	for _, test := range []struct {
		name   string
		size   uint32
		blocks [][]byte
		want   []byte // codes of the blocks, and of the end
	}{
		{"not deflated", 40003, [][]byte{block(0, noise), block(1, noise)}, []byte{0, 0x0B, 0x0B}},
		{"ends early", 40003, [][]byte{block(0, good[:1024])}, []byte{0, 0x0B}},
		{"checksum", 40003, [][]byte{spoilt, block(0, good[:1024])}, []byte{0x07, 0x07, 0x07}},
		{"length", 40003, [][]byte{long}, []byte{0x05, 0x05}},
		{"one is missing", 40003, [][]byte{block(0, good[:1024]), block(2, good[:1024])}, []byte{0, 0x01, 0x01}},
		{"more than was erased", 4096, chunks(good, block), nil},
		{"not the data's Adler-32", 40003, chunks(badSum, block), nil},
	} {
		h := newFlasher(t, false)
		h.must(cmdDeflateBegin, words(test.size, uint32(len(test.blocks)), 1024, 0x10000, 0))
		var got []byte
		for _, p := range test.blocks {
			got = append(got, h.packet(cmdDeflateData, p).err)
		}
		got = append(got, h.command(cmdDeflateEnd, words(1)).err)
		want, last := test.want, map[string]byte{"more than was erased": 0x06, "not the data's Adler-32": 0x0C}[test.name]
		if want == nil {
			want, got = []byte{last}, got[len(got)-1:]
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s: errors % x, want % x", test.name, got, want)
		}
		if got := h.packet(cmdDeflateData, block(0, good[:1024])).err; got == 0 {
			t.Errorf("%s: a block behind the end is taken", test.name)
		}
		h.must(cmdDeflateBegin, words(4096, 1, 1024, 0x10000, 0))
	}
}

func chunks(p []byte, block func(int, []byte) []byte) (all [][]byte) {
	for i := 0; len(p) > 0; i++ {
		n := min(1024, len(p))
		all, p = append(all, block(i, p[:n])), p[n:]
	}
	return all
}

// Packets that are none, and commands that it has not.
func TestFlasherPackets(t *testing.T) {
	h := newFlasher(t, false)
	h.send([]byte{0xC0, 1, 2, 0xC0, 0xC0, 0xDB, 0xC0})
	h.send(slip(make([]byte, 5000)))
	for _, test := range []struct {
		name string
		p    []byte
	}{
		{"no such command", request(0xD0, nil)},
		{"wrong length", []byte{0, cmdReadReg, 9, 0, 0, 0, 0, 0, 1, 2, 3, 4}},
		{"too short", request(cmdFlashMD5, words(0, 1))},
	} {
		if got := h.packet(test.p[1], test.p).err; got != 0x05 {
			t.Errorf("%s: error %02x", test.name, got)
		}
	}
	if got := h.command(cmdReadFlash, words(0, 4100)).err; got != 0x0A {
		t.Errorf("read of too much: error %02x", got)
	}
	if got := h.command(cmdReadFlash, words(16<<20, 4)).err; got != 0x09 {
		t.Errorf("read past the end: error %02x", got)
	}
}
