package esp32c3

import (
	"bytes"
	"compress/zlib"
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"testing"

	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
)

// loaderHost is a flasher's end of the wire, by UART0 or by USB.
type loaderHost struct {
	*romBoard
	usb  bool
	raw  []byte // received and not yet taken
	stub bool   // replies end in two bytes of status
}

func newLoaderHost(t *testing.T, opt Options, usb bool) *loaderHost {
	t.Helper()
	h := &loaderHost{romBoard: newROMBoard(t, opt, nil), usb: usb}
	h.SetBoot(true)
	h.SetPower(true)
	h.wait(60 * clock.Millisecond)
	h.heard()
	h.chip.USBRead(4096)
	return h
}

func (h *loaderHost) send(p []byte) {
	if !h.usb {
		h.br.Write(p)
		return
	}
	for len(p) > 0 {
		n := h.chip.USBWrite(p)
		p = p[n:]
		h.wait(clock.Millisecond)
	}
}

// receive takes what has come.
func (h *loaderHost) receive() {
	if h.usb {
		h.raw = append(h.raw, h.chip.USBRead(4096)...)
		return
	}
	for r, ok := h.br.Next(); ok; r, ok = h.br.Next() {
		h.raw = append(h.raw, r.Byte)
	}
}

func slip(p []byte) []byte {
	out := []byte{0xC0}
	for _, b := range p {
		switch b {
		case 0xC0:
			out = append(out, 0xDB, 0xDC)
		case 0xDB:
			out = append(out, 0xDB, 0xDD)
		default:
			out = append(out, b)
		}
	}
	return append(out, 0xC0)
}

// frame is the next packet, or nil when none comes in time.
func (h *loaderHost) frame(within clock.Time) []byte {
	h.t.Helper()
	for end := h.Now() + within; ; {
		h.receive()
		if i := bytes.IndexByte(h.raw, 0xC0); i >= 0 {
			if j := bytes.IndexByte(h.raw[i+1:], 0xC0); j >= 0 {
				p := h.raw[i+1 : i+1+j]
				h.raw = h.raw[i+j+2:]
				p = bytes.ReplaceAll(p, []byte{0xDB, 0xDC}, []byte{0xC0})
				return bytes.ReplaceAll(p, []byte{0xDB, 0xDD}, []byte{0xDB})
			}
		}
		if h.Now() >= end {
			return nil
		}
		h.wait(100 * clock.Microsecond)
	}
}

func words(v ...uint32) (p []byte) {
	for _, w := range v {
		p = binary.LittleEndian.AppendUint32(p, w)
	}
	return p
}

// request makes a command's packet.
func request(op byte, data []byte) []byte {
	var sum byte
	if len(data) >= 16 {
		sum = byte(loaderSum(data[16:]))
	}
	p := []byte{0, op, byte(len(data)), byte(len(data) >> 8), sum, 0, 0, 0}
	return append(p, data...)
}

// reply is an answer: the value, the data, and the error's code.
type reply struct {
	value uint32
	data  string
	err   byte
}

func (h *loaderHost) command(op byte, data []byte) reply {
	h.t.Helper()
	return h.packet(op, request(op, data))
}

func (h *loaderHost) packet(op byte, p []byte) reply {
	h.t.Helper()
	h.send(slip(p))
	r := h.frame(30 * clock.Second)
	status := 4
	if h.stub {
		status = 2
	}
	if len(r) < 8+status || r[0] != 1 || r[1] != op || int(binary.LittleEndian.Uint16(r[2:])) != len(r)-8 {
		h.t.Fatalf("command %02x: answer %x", op, r)
	}
	end := r[len(r)-status:]
	if (end[0] != 0) != (end[1] != 0) || end[0] > 1 {
		h.t.Fatalf("command %02x: status %x", op, end)
	}
	return reply{binary.LittleEndian.Uint32(r[4:]), string(r[8 : len(r)-status]), end[1]}
}

var syncData = append([]byte{7, 7, 0x12, 0x20}, bytes.Repeat([]byte{0x55}, 32)...)

// sync connects: the first packet shows UART0's rate.
func (h *loaderHost) sync() {
	h.t.Helper()
	for range 3 {
		h.send(slip(request(cmdSync, syncData)))
		if h.frame(100*clock.Millisecond) == nil {
			continue
		}
		for range 7 {
			if r := h.frame(100 * clock.Millisecond); hex.EncodeToString(r) != "0108040007071220"+"00000000" {
				h.t.Fatalf("sync: answer %x", r)
			}
		}
		return
	}
	h.t.Fatal("no answer to sync")
}

func (h *loaderHost) must(op byte, data []byte) reply {
	h.t.Helper()
	r := h.command(op, data)
	if r.err != 0 {
		h.t.Fatalf("command %02x: error %02x", op, r.err)
	}
	return r
}

func (h *loaderHost) attach() {
	h.t.Helper()
	h.sync()
	h.must(cmdAttach, words(0, 0))
	h.must(cmdSetParams, words(0, 4<<20, 0x10000, 0x1000, 0x100, 0xFFFF))
}

func eachPort(t *testing.T, f func(t *testing.T, h *loaderHost)) {
	t.Helper()
	for _, port := range []string{"UART0", "USB"} {
		t.Run(port, func(t *testing.T) { f(t, newLoaderHost(t, Options{}, port == "USB")) })
	}
}

// The rate is measured: whatever the host's is, it is answered at that.
func TestLoaderRates(t *testing.T) {
	for _, hz := range []uint64{19200, 57600, 74880, 115200, 230400, 460800, 921600} {
		h := newLoaderHost(t, Options{}, false)
		if err := h.br.SetMode(board.Mode{Baud: hz}); err != nil {
			t.Fatal(err)
		}
		h.sync()
		if got := h.must(cmdReadReg, words(0x40001000)).value; got != 0x1B31506F {
			t.Errorf("at %d baud: 0x%08x", hz, got)
		}
	}
}

// Registers as clients read them (protocol page §4).
func TestLoaderReads(t *testing.T) {
	eachPort(t, func(t *testing.T, h *loaderHost) {
		h.sync()
		tests := []struct{ addr, want uint32 }{
			{0x40001000, 0x1B31506F}, {0x60008844, 0x00000001}, {0x60008848, 0x0200}, {0x60008850, 4 << 18},
			{0x3FCDF07C, uint32(h.chip.ROM.Loader.Port)},
		}
		for _, test := range tests {
			if got := h.must(cmdReadReg, words(test.addr)).value; got != test.want {
				t.Errorf("0x%08x: 0x%08x, want 0x%08x", test.addr, got, test.want)
			}
		}
		want := "\x00\x00\x00\x00" + "\x00" + "\x00\x00\x00\x00\x00\x00\x0c" + "\x05\x00\x00\x00" + "\x00\x00\x00\x00"
		if got := h.must(cmdSecurity, nil).data; got != want {
			t.Errorf("security info: %x", got)
		}
		if got := h.must(cmdSecurity, make([]byte, 20)).data; got != want {
			t.Errorf("security info, asked for with 20 bytes: %x", got)
		}
	})
}

// The JEDEC id by registers, as esptool reads it.
func TestLoaderFlashID(t *testing.T) {
	h := newLoaderHost(t, Options{}, false)
	h.attach()
	const spi1 = 0x60002000
	write := func(off, v uint32) { h.must(cmdWriteReg, words(spi1+off, v, 0xFFFFFFFF, 0)) }
	write(spiMISO_DLEN, 23)
	write(spiUSER, userCOMMAND|userMISO)
	write(spiUSER2, 7<<28|0x9F)
	write(spiW0, 0)
	write(spiCMD, spiUSR)
	if got := h.must(cmdReadReg, words(spi1+spiCMD)).value; got != 0 {
		t.Errorf("CMD 0x%x", got)
	}
	if got := h.must(cmdReadReg, words(spi1+spiW0)).value; got != 0x1640EF {
		t.Errorf("id 0x%x", got)
	}
}

func TestLoaderRefuses(t *testing.T) {
	h := newLoaderHost(t, Options{}, false)
	h.sync()
	bad := request(cmdMemData, append(words(4, 0, 0, 0), 1, 2, 3, 4))
	bad[4] ^= 1
	short := request(cmdReadReg, words(0))
	short[2] = 5
	tests := []struct {
		name string
		p    []byte
		want byte
	}{
		{"unknown", request(0xD0, nil), 0x05},
		{"length of data", request(cmdReadReg, []byte{1}), 0x05},
		{"length of packet", short, 0x05},
		{"checksum", bad, 0x07},
		{"RAM address", request(cmdMemBegin, words(16, 1, 0x1800, 0x40000000)), 0x0F},
		{"RAM size", request(cmdMemBegin, words(1<<20, 1, 0x1800, 0x3FC80000)), 0x0E},
		{"nothing there", request(cmdReadReg, words(0x10000000)), 0x06},
		{"not attached", request(cmdFlashBegin, words(4096, 4, 1024, 0, 0)), 0x08},
		{"too long for flash", request(cmdFlashData, append(words(1028, 0, 0, 0), make([]byte, 1028)...)), 0x05},
		{"no flash mode", request(cmdFlashData, append(words(4, 0, 0, 0), 1, 2, 3, 4)), 0x06},
		{"read too long", request(cmdReadFlash, words(0, 65)), 0x0A},
	}
	for _, test := range tests {
		if got := h.packet(test.p[1], test.p).err; got != test.want {
			t.Errorf("%s: error %02x, want %02x", test.name, got, test.want)
		}
	}
	h.must(cmdAttach, words(0, 0))
	if got := h.command(cmdFlashBegin, words(4096, 4, 1024, 4<<20, 0)).err; got != 0x08 {
		t.Errorf("beyond the end: error %02x", got)
	}
}

// testData is what no run of zeros or ones would pass for.
func testData(n int) []byte {
	p, seed := make([]byte, n), uint64(1)
	for i := range p {
		if i%4 != 0 {
			p[i] = byte(i >> 6)
		} else {
			p[i] = byte(splitmix(&seed))
		}
	}
	return p
}

// blocks sends data in packets of a command.
func (h *loaderHost) blocks(op byte, data []byte, size int, pad bool) {
	h.t.Helper()
	for seq := uint32(0); len(data) > 0; seq++ {
		p := bytes.Clone(data[:min(size, len(data))])
		data = data[len(p):]
		if pad {
			p = append(p, bytes.Repeat([]byte{0xFF}, size-len(p))...)
		}
		h.must(op, append(words(uint32(len(p)), seq, 0, 0), p...))
	}
}

func TestLoaderWrites(t *testing.T) {
	data := testData(10_000)
	eachPort(t, func(t *testing.T, h *loaderHost) {
		h.attach()
		if err := h.chip.LoadFlash(0x11000, bytes.Repeat([]byte{0}, 0x8000)); err != nil {
			t.Fatal(err)
		}
		start := h.Now()
		h.must(cmdFlashBegin, words(uint32(len(data)), 10, 1024, 0x12000, 0))
		if d := h.Now() - start; d < 135*clock.Millisecond || d > 145*clock.Millisecond { // 3 sectors
			t.Errorf("the erase took %d ps", d)
		}
		h.blocks(cmdFlashData, data, 1024, true)
		if got := h.chip.nor.Data()[0x12000 : 0x12000+len(data)]; !bytes.Equal(got, data) {
			t.Error("flash holds something else")
		}
		if h.chip.nor.Data()[0x11FFF] != 0 || h.chip.nor.Data()[0x15000] != 0 || h.chip.nor.Data()[0x14FFF] != 0xFF {
			t.Error("erased other than three sectors")
		}
		sum := md5.Sum(data)
		if got := h.must(cmdFlashMD5, words(0x12000, uint32(len(data)), 0, 0)).data; got != hex.EncodeToString(sum[:]) {
			t.Errorf("md5 %s", got)
		}
		if got := h.must(cmdReadFlash, words(0x12000, 16)).data; got[:16] != string(data[:16]) || len(got) != 64 {
			t.Errorf("read %x", got)
		}
	})
}

// A write may come without an erase, and what does not read back is an error.
func TestLoaderReadsBack(t *testing.T) {
	h := newLoaderHost(t, Options{}, false)
	h.attach()
	block := append(words(1024, 0, 0, 0), testData(1024)...)
	for i, want := range []loaderError{0, errWrite} {
		if i == 1 {
			if err := h.chip.LoadFlash(0x12100, make([]byte, 16)); err != nil {
				t.Fatal(err)
			}
		}
		h.must(cmdFlashBegin, words(0, 1, 1024, 0x12000, 0))
		if got := h.command(cmdFlashData, block).err; got != byte(want) {
			t.Errorf("write %d: error %02x, want %02x", i, got, want)
		}
	}
}

func deflated(data []byte) []byte {
	var z bytes.Buffer
	w, err := zlib.NewWriterLevel(&z, 9)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	w.Write(data)
	w.Close()
	return z.Bytes()
}

func TestLoaderInflates(t *testing.T) {
	data := testData(100_000)
	z := deflated(data)
	h := newLoaderHost(t, Options{}, true)
	h.attach()
	begin := words(uint32(len(data)), uint32(len(z)+1023)/1024, 1024, 0x10000, 0)
	h.must(cmdDeflateBegin, begin)
	h.blocks(cmdDeflateData, z, 1024, false)
	if got := h.chip.nor.Data()[0x10000 : 0x10000+len(data)]; !bytes.Equal(got, data) {
		t.Error("flash holds something else")
	}
	tests := []struct {
		name string
		at   int
		want byte
	}{{"header", 0, byte(errInflate)}, {"sum", len(z) - 1, byte(errAdler)}}
	for _, test := range tests {
		h.must(cmdDeflateBegin, begin)
		bad := bytes.Clone(z)
		bad[test.at] ^= 0x20
		var got byte
		for len(bad) > 0 && got == 0 {
			p := bad[:min(1024, len(bad))]
			bad = bad[len(p):]
			got = h.command(cmdDeflateData, append(words(uint32(len(p)), 0, 0, 0), p...)).err
		}
		if got != test.want {
			t.Errorf("%s: error %02x, want %02x", test.name, got, test.want)
		}
	}
}

func TestLoaderChangesBaud(t *testing.T) {
	h := newLoaderHost(t, Options{}, false)
	h.sync()
	h.must(cmdChangeBaud, words(921600, 0))
	if err := h.br.SetMode(board.Mode{Baud: 921600}); err != nil {
		t.Fatal(err)
	}
	h.wait(clock.Millisecond)
	if got := h.must(cmdReadReg, words(0x40001000)).value; got != 0x1B31506F {
		t.Errorf("0x%08x", got)
	}
}

func TestLoaderSecureDownload(t *testing.T) {
	h := newLoaderHost(t, Options{}, false)
	h.sync()
	*h.chip.EFUSE.reg(0x3C) |= 1 << 5
	if got := h.command(cmdReadReg, words(0x40001000)).err; got != 0x05 {
		t.Errorf("read: error %02x", got)
	}
	if got := h.must(cmdSecurity, nil).data; got[0] != 1<<2 {
		t.Errorf("flags %02x", got[0])
	}
	h.must(cmdAttach, words(0, 0))
}

// Uploaded code runs: this one sends a byte by the ROM and returns.
func TestLoaderRuns(t *testing.T) {
	h := newLoaderHost(t, Options{}, false)
	h.sync()
	code := words(
		0x05500513, // li a0, 0x55
		0x400002B7, // lui t0, 0x40000
		0x06828067, // jr 0x68(t0): uart_tx_one_char
	)
	h.must(cmdMemBegin, words(uint32(len(code)), 1, 0x1800, 0x40380000))
	h.blocks(cmdMemData, code, 0x1800, false)
	h.must(cmdMemEnd, words(0, 0x40380000))
	h.wait(10 * clock.Millisecond)
	h.receive()
	if string(h.raw) != "\x55" {
		t.Errorf("sent %x", h.raw)
	}
	if w := strings.Join(h.chip.Warnings(), "; "); !strings.Contains(w, "returned to the ROM") {
		t.Errorf("warnings: %s", w)
	}
}

// FLASH_END reboots into the same mode, or leaves for flash.
func TestLoaderEnds(t *testing.T) {
	h := newLoaderHost(t, Options{}, false)
	h.attach()
	h.must(cmdFlashEnd, words(0))
	h.wait(50 * clock.Millisecond)
	h.receive()
	if !strings.Contains(string(h.raw), "rst:0x3 (RTC_SW_SYS_RST),boot:0x4 (DOWNLOAD(USB/UART0/1))") {
		t.Errorf("reboot: %q", h.raw)
	}
	h = newLoaderHost(t, Options{}, false)
	h.attach()
	h.must(cmdFlashEnd, words(1))
	h.wait(50 * clock.Millisecond)
	h.receive()
	if !strings.Contains(string(h.raw), "invalid header: 0xffffffff") {
		t.Errorf("run: %q", h.raw)
	}
}

// Power lost while the loader erases leaves a sector that is neither.
func TestLoaderPowerCut(t *testing.T) {
	h := newLoaderHost(t, Options{}, false)
	h.attach()
	if err := h.chip.LoadFlash(0, bytes.Repeat([]byte{0x5A}, 0x3000)); err != nil {
		t.Fatal(err)
	}
	h.send(slip(request(cmdFlashBegin, words(0x2000, 8, 1024, 0, 0))))
	h.wait(70 * clock.Millisecond) // into the second sector
	h.SetPower(false)
	cells := h.chip.nor.Data()
	if !bytes.Equal(cells[:0x1000], bytes.Repeat([]byte{0xFF}, 0x1000)) {
		t.Error("the first sector is not erased")
	}
	if bytes.Count(cells[0x1000:0x2000], []byte{0x5A}) > 100 || bytes.Count(cells[0x1000:0x2000], []byte{0xFF}) > 4000 {
		t.Error("the second sector is as it was, or erased")
	}
	if !bytes.Equal(cells[0x2000:0x3000], bytes.Repeat([]byte{0x5A}, 0x1000)) {
		t.Error("the third sector changed")
	}
}

// Whatever comes, the loader neither panics nor stops.
func FuzzLoader(f *testing.F) {
	f.Add(slip(request(cmdSync, syncData)))
	f.Add(slip(request(cmdFlashBegin, words(4096, 4, 1024, 0, 0))))
	f.Add(slip(request(cmdDeflateBegin, words(4096, 4, 1024, 0, 0))))
	f.Add(slip(request(cmdDeflateData, append(words(3, 0, 0, 0), 0x78, 0x9C, 1))))
	f.Add(slip(request(cmdMemBegin, words(16, 1, 16, 0x40380000))))
	f.Add(slip(request(cmdWriteReg, words(0x60002000, 1<<18, 0xFFFFFFFF, 0))))
	f.Add(slip(request(cmdFlashMD5, words(0, 0xFFFFFFFF, 0, 0))))
	f.Add([]byte{0xC0, 0xDB, 0xC0, 0xDB, 0x01})
	f.Fuzz(func(t *testing.T, in []byte) {
		c := New(Options{})
		c.Powered = true
		c.nor.SetPower(true, 0)
		c.efuseReset()
		c.ROM.Phase = loaderStart
		c.romStep()
		c.ROM.Loader.Attached = true
		c.ROM.Loader.From = romUSB
		for _, b := range in {
			c.ROM.Phase = loaderWait
			if c.loaderFrame(b) {
				c.loaderPacket()
				for range 100 {
					if c.ROM.Phase == loaderWork {
						c.loaderWork()
					}
				}
				c.ROM.Loader.Head, c.ROM.Loader.Tail = 0, 0
			}
		}
	})
}
