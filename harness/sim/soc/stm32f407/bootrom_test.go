package stm32f407

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"testing"

	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
)

// host is a flasher's end of the wire to a board in its boot loader.
type host struct {
	t    *testing.T
	b    *board.Board
	br   *board.Bridge
	chip *Chip
}

// newHost powers a board with BOOT0 high. The bridge is on the pins given; DTR
// resets and RTS holds BOOT0, as adapters of such boards do.
func newHost(t *testing.T, opt Options, tx, rx string) *host {
	t.Helper()
	c := New(opt)
	b, err := board.New(c, board.Wiring{Boot: "BOOT0", Bridges: []board.BridgeWiring{
		{Name: "usb", TX: tx, RX: rx, DTR: board.StrapReset, RTS: board.StrapBoot},
	}})
	if err != nil {
		t.Fatal(err)
	}
	pb2, err := c.PinByName("PB2")
	if err != nil {
		t.Fatal(err)
	}
	b.Drive(pb2, board.Drive{Kind: board.DriveLow})
	b.SetBoot(true)
	b.SetPower(true)
	h := &host{t: t, b: b, br: b.Bridge("usb"), chip: c}
	h.baud(115200)
	h.wait(100 * clock.Millisecond)
	return h
}

func (h *host) wait(d clock.Time) {
	h.t.Helper()
	if stop := h.b.Advance(h.b.Now() + d); stop.Err() != nil {
		h.t.Fatal(stop.Err())
	}
}

func (h *host) baud(hz uint64) {
	h.t.Helper()
	if err := h.br.SetMode(board.Mode{Baud: hz, Parity: board.ParityEven}); err != nil {
		h.t.Fatal(err)
	}
}

// say sends bytes and takes n bytes of answer, or what comes within a minute
// of silence. Spaces in the text are for the reader.
func (h *host) say(text string, n int) string {
	h.t.Helper()
	p, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		h.t.Fatal(err)
	}
	return h.send(p, n)
}

func (h *host) send(p []byte, n int) string {
	h.t.Helper()
	h.br.Write(p)
	h.b.AdvanceUntil(h.b.Now()+60*clock.Second, func() bool { return h.br.Buffered() >= n })
	var got []byte
	for r, ok := h.br.Next(); ok; r, ok = h.br.Next() {
		if r.Framing || r.Parity {
			got = append(got, 0xEE, 0xEE)
		}
		got = append(got, r.Byte)
	}
	return hex.EncodeToString(got)
}

// quiet makes sure that nothing more comes.
func (h *host) quiet() {
	h.t.Helper()
	h.wait(10 * clock.Millisecond)
	if h.br.Buffered() > 0 {
		r, _ := h.br.Next()
		h.t.Errorf("the loader goes on to say %02x", r.Byte)
	}
}

func (h *host) expect(text string, want string) {
	h.t.Helper()
	want = strings.ReplaceAll(want, " ", "")
	if got := h.say(text, len(want)/2); got != want {
		h.t.Fatalf("%s: got %s, want %s", text, got, want)
	}
	h.quiet()
}

func (h *host) sync() {
	h.t.Helper()
	h.expect("7F", "79")
}

// address is a 4-byte address with its checksum, in hex.
func address(a uint32) string {
	b := binary.BigEndian.AppendUint32(nil, a)
	return hex.EncodeToString(append(b, b[0]^b[1]^b[2]^b[3]))
}

func dataBlock(data []byte) string {
	p := append([]byte{byte(len(data) - 1)}, data...)
	var sum byte
	for _, v := range p {
		sum ^= v
	}
	return hex.EncodeToString(append(p, sum))
}

func (h *host) write(addr uint32, data []byte) {
	h.t.Helper()
	h.expect("31CE", "79")
	h.expect(address(addr), "79")
	h.expect(dataBlock(data), "79")
}

func (h *host) read(addr uint32, n int) string {
	h.t.Helper()
	h.expect("11EE", "79")
	h.expect(address(addr), "79")
	got := h.send([]byte{byte(n - 1), ^byte(n - 1)}, n+1)
	if !strings.HasPrefix(got, "79") {
		h.t.Fatalf("read %#x: %s", addr, got)
	}
	return got[2:]
}

const (
	getAnswer = "79 0B 31 00 01 02 11 21 31 44 63 73 82 92 79"
	idAnswer  = "79 01 04 13 79"
)

// Exchanges recorded with stm32flash 0.7, at several rates and on every line
// that AN2606 names.
func TestLoaderIdentifies(t *testing.T) {
	for _, e := range []struct {
		tx, rx string
		baud   uint64
	}{
		{"PA9", "PA10", 1200}, {"PA9", "PA10", 9600}, {"PA9", "PA10", 57600}, {"PA9", "PA10", 115200}, {"PA9", "PA10", 256000},
		{"PB10", "PB11", 115200}, {"PC10", "PC11", 9600}, {"PC10", "PC11", 115200},
		{"PA9", "PA10", 100003}, // no standard rate: the loader keeps what it measured
	} {
		h := newHost(t, Options{}, e.tx, e.rx)
		h.baud(e.baud)
		h.expect("7F", "79")
		h.expect("01FE", "79 31 00 00 79")
		h.expect("00FF", strings.ToLower(getAnswer))
		h.expect("02FD", idAnswer)
		if t.Failed() {
			t.Fatalf("on %s at %d", e.tx, e.baud)
		}
	}
}

// AN2606: 84.59 ms from reset to readiness (V3.x), and the time from the
// beginning of 0x7F to the end of the ACK: 0.165 ms where a byte counts 9 bits.
func TestLoaderTimes(t *testing.T) {
	for _, e := range []struct {
		version       byte
		start, answer clock.Time
	}{
		{0x31, 84590 * clock.Microsecond, 8750 * clock.Nanosecond},
		{0x91, 74 * clock.Millisecond, 3750 * clock.Nanosecond},
	} {
		h := newHost(t, Options{LoaderVersion: e.version}, "PA9", "PA10")
		h.br.SetLines(true, true)
		h.wait(clock.Millisecond)
		h.br.SetLines(false, true)
		h.wait(e.start + 15*clock.Microsecond) // the reset itself lasts 20 us
		if h.chip.Boot.Phase != bootStarting {
			t.Errorf("V%x: ready before its time", e.version)
		}
		h.wait(10 * clock.Microsecond)
		if h.chip.Boot.Phase != bootIdle {
			t.Errorf("V%x: not ready at its time", e.version)
		}
		r := h.b.Record(9)
		begin := h.b.Now()
		h.sync()
		nineBits := clock.Time(9 * int64(clock.Second) / 115200)
		if got := r.Edges()[0].At - begin - nineBits - e.answer; got < 0 || got > clock.Microsecond {
			t.Errorf("V%x: ACK begins %d ps off", e.version, got)
		}
	}
}

// After 0x7F the host may drift by 2 %. AN3155 promises nothing above 2.5 %;
// the receiver's own limit is about 4 %, and at 6 % no byte gets through.
func TestLoaderTolerance(t *testing.T) {
	for _, e := range []struct {
		percent int64
		ok      bool
	}{{2, true}, {-2, true}, {6, false}, {-6, false}} {
		h := newHost(t, Options{}, "PA9", "PA10")
		h.sync()
		h.baud(uint64(115200 * (100 + e.percent) / 100))
		h.br.Write([]byte{0x02, 0xFD})
		h.wait(2 * clock.Millisecond)
		var got []byte
		for r, ok := h.br.Next(); ok; r, ok = h.br.Next() {
			got = append(got, r.Byte)
		}
		if ok := hex.EncodeToString(got) == "7901041379"; ok != e.ok {
			t.Errorf("%+d %%: % x", e.percent, got)
		}
	}
}

func TestLoaderDeaf(t *testing.T) {
	for name, disturb := range map[string]func(h *host){
		"glitch": func(h *host) {
			h.br.SetBreak(true)
			h.wait(5 * clock.Microsecond)
			h.br.SetBreak(false)
			h.wait(clock.Millisecond)
		},
		"wrong byte": func(h *host) { h.say("55", 1) },
	} {
		h := newHost(t, Options{}, "PA9", "PA10")
		disturb(h)
		for range 3 {
			h.br.Write([]byte{0x7F})
			h.wait(5 * clock.Millisecond)
		}
		for r, ok := h.br.Next(); ok; r, ok = h.br.Next() {
			if r.Byte == bootACK && !r.Framing && !r.Parity {
				t.Errorf("%s: still answers", name)
			}
		}
		h.br.SetLines(true, true)
		h.wait(clock.Millisecond)
		h.br.SetLines(false, true)
		h.wait(100 * clock.Millisecond)
		h.br.DiscardInput()
		h.sync() // a reset cures it
	}
}

func TestLoaderRefusals(t *testing.T) {
	const nack = "1f"
	for _, e := range []struct{ name, say, want string }{
		{"second 7F", "7F7F", nack},
		{"7F with its complement", "7F80", nack},
		{"bad complement", "01FF", nack},
		{"one-byte erase", "43BC", nack},
		{"checksum of an address", "11EE 0800000000", "791f"},
		{"address in a hole", "11EE 7000000070", "791f"},
		{"CCM", "11EE " + address(ccmBase), "791f"},
		{"loader's own RAM", "31CE " + address(0x20001FFC), "791f"},
		{"write to system memory", "31CE " + address(sysmemBase), "791f"},
		{"go to system memory", "21DE " + address(sysmemBase), "791f"},
		{"write to the middle of the option bytes", "31CE " + address(optBase+4), "791f"},
		{"misaligned write", "31CE " + address(0x08000002), "791f"},
		{"length's complement", "11EE " + address(0x08000000) + "0302", "79791f"},
		{"read past the end", "11EE " + address(0x080FFFFC) + "07F8", "79791f"},
		{"data's checksum", "31CE " + address(0x20004000) + "03 01020304 00", "79791f"},
		{"length not of words", "31CE " + address(0x20004000) + "02 010203 02", "79791f"},
		{"erase of bank 1", "44BB FFFE01", "791f"},
		{"reserved erase", "44BB FFF00F", "791f"},
		{"mass erase's checksum", "44BB FFFF01", "791f"},
		{"sector list's checksum", "44BB 0000 0001 00", "791f"},
		{"protect list's checksum", "639C 00 01 00", "791f"},
	} {
		t.Run(e.name, func(t *testing.T) {
			h := newHost(t, Options{}, "PA9", "PA10")
			h.sync()
			h.expect(e.say, e.want)
			h.expect("02FD", idAnswer)
		})
	}
}

// Frames with wrong parity spoil what they belong to.
func TestLoaderParity(t *testing.T) {
	h := newHost(t, Options{}, "PA9", "PA10")
	h.sync()
	if err := h.br.SetMode(board.Mode{Baud: 115200, Parity: board.ParityOdd}); err != nil {
		t.Fatal(err)
	}
	h.br.Write([]byte{0x02, 0xFD})
	h.wait(300 * clock.Microsecond)
	h.baud(115200)
	h.wait(clock.Millisecond)
	h.br.DiscardInput()
	h.expect("02FD", idAnswer)
	h.expect("01", "")
	if err := h.br.SetMode(board.Mode{Baud: 115200, Parity: board.ParityOdd}); err != nil {
		t.Fatal(err)
	}
	h.br.Write([]byte{0xFE})
	h.wait(110 * clock.Microsecond)
	h.baud(115200)
	h.wait(clock.Millisecond)
	if r, ok := h.br.Next(); !ok || r.Byte != bootNACK {
		t.Errorf("got %+v, %v, want NACK", r, ok)
	}
}

func TestLoaderMemory(t *testing.T) {
	h := newHost(t, Options{UID: [12]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}}, "PA9", "PA10")
	h.sync()
	data := make([]byte, 256)
	for i := range data {
		data[i] = byte(i * 7)
	}
	begin := h.b.Now()
	h.write(0x08000000, data)
	if took := h.b.Now() - begin; took < 256*16*clock.Microsecond+272*95*clock.Microsecond {
		t.Errorf("256 bytes written in %d us: x8 programming takes 4096 us and the line 25 ms", took/clock.Microsecond)
	}
	if got := h.read(0x08000000, 256); got != hex.EncodeToString(data) {
		t.Errorf("flash: %s", got)
	}
	h.write(0x08000000, []byte{0x0F, 0xF0, 0xFF, 0x00}) // not erased: bits only fall
	if got := h.read(0x08000000, 4); got != "00000e00" {
		t.Errorf("flash written twice: %s", got)
	}
	h.write(0x20004000, data[:8])
	if got := h.read(0x20004000, 8); got != hex.EncodeToString(data[:8]) {
		t.Errorf("SRAM: %s", got)
	}
	if got := h.read(0x1FFF7A22, 2); got != "0004" {
		t.Errorf("flash size: %s", got)
	}
	if got := h.read(0x1FFF7A10, 12); got != "0102030405060708090a0b0c" {
		t.Errorf("unique id: %s", got)
	}
	if got := h.read(0x1FFF77DE, 1); got != "31" {
		t.Errorf("loader id: %s", got)
	}
}

// The loader takes the first 8 KB (V3.x) or 12 KB (V9.x) of SRAM (AN2606); the
// rest keeps its content over the reset into it.
func TestLoaderOwnRAM(t *testing.T) {
	for version, own := range map[byte]uint32{0x31: 8 << 10, 0x90: 12 << 10} {
		h := newHost(t, Options{LoaderVersion: version}, "PA9", "PA10")
		for _, addr := range []uint32{sramBase + own - 256, sramBase + own} {
			if err := h.chip.LoadRAM(addr, bytes.Repeat([]byte{0xA5}, 256)); err != nil {
				t.Fatal(err)
			}
		}
		h.b.Reset(clock.Millisecond)
		h.again()
		if got := h.read(sramBase+own, 256); got != strings.Repeat("a5", 256) {
			t.Errorf("V%x: SRAM above the loader's own changed: %s", version, got)
		}
		if got := h.chip.mem.SRAM[own-256 : own]; bytes.Equal(got, bytes.Repeat([]byte{0xA5}, 256)) {
			t.Errorf("V%x: the loader's own SRAM kept its content", version)
		}
	}
}

func TestLoaderErase(t *testing.T) {
	h := newHost(t, Options{}, "PA9", "PA10")
	if err := h.chip.LoadFlash(flashBase, bytes.Repeat([]byte{0x5A}, 0x8000)); err != nil {
		t.Fatal(err)
	}
	h.sync()
	h.expect("44BB", "79")
	begin := h.b.Now()
	h.expect("0000 0001 01", "79") // sector 1
	if took := h.b.Now() - begin; took < 400*clock.Millisecond || took > 450*clock.Millisecond {
		t.Errorf("a sector of 16 KB erased in %d ms", took/clock.Millisecond)
	}
	if got := h.read(0x08003FFE, 4); got != "5a5affff" {
		t.Errorf("around the edge of sector 1: %s", got)
	}
	h.expect("44BB", "79")
	begin = h.b.Now()
	h.expect("FFFF00", "79")
	if took := h.b.Now() - begin; took < 16*clock.Second || took > 17*clock.Second {
		t.Errorf("mass erase in %d ms", took/clock.Millisecond)
	}
	if got := h.read(0x08000000, 4); got != "ffffffff" {
		t.Errorf("flash after mass erase: %s", got)
	}
}

// Power cut in the middle of a sector's erase: not old, not erased.
func TestLoaderPowerCut(t *testing.T) {
	h := newHost(t, Options{}, "PA9", "PA10")
	if err := h.chip.LoadFlash(flashBase, make([]byte, 1024)); err != nil {
		t.Fatal(err)
	}
	h.sync()
	h.expect("44BB", "79")
	h.br.Write([]byte{0, 0, 0, 0, 0})
	h.wait(200 * clock.Millisecond)
	h.b.SetPower(false)
	h.wait(clock.Millisecond)
	h.b.SetPower(true)
	h.wait(100 * clock.Millisecond)
	h.br.DiscardInput()
	h.sync()
	got := h.read(0x08000000, 256)
	if got == strings.Repeat("00", 256) || got == strings.Repeat("ff", 256) {
		t.Errorf("flash after a cut: %s", got)
	}
}

// again waits for the reset that a command ends in, and synchronises.
func (h *host) again() {
	h.t.Helper()
	h.wait(100 * clock.Millisecond)
	h.br.DiscardInput()
	h.sync()
}

func TestLoaderWriteProtection(t *testing.T) {
	h := newHost(t, Options{}, "PA9", "PA10")
	h.sync()
	h.expect("639C", "79")
	h.expect("01 00 02 03", "79") // sectors 0 and 2
	h.again()
	if got := h.chip.FLASH.Options >> optWRPPos & 0xFFF; got != 0xFFA {
		t.Errorf("nWRP %#x", got)
	}
	h.write(0x08000000, []byte{1, 2, 3, 4}) // no error is reported
	if got := h.read(0x08000000, 4); got != "ffffffff" {
		t.Errorf("a protected sector was written: %s", got)
	}
	h.write(0x08004000, []byte{1, 2, 3, 4})
	if got := h.read(0x08004000, 4); got != "01020304" {
		t.Errorf("sector 1 is not protected: %s", got)
	}
	h.expect("738C", "7979")
	h.again()
	h.write(0x08000000, []byte{1, 2, 3, 4})
	if got := h.read(0x08000000, 4); got != "01020304" {
		t.Errorf("sector 0 after unprotect: %s", got)
	}
}

func TestLoaderReadProtection(t *testing.T) {
	for version, refused := range map[byte]string{0x31: "1f1f", 0x90: "1f1f", 0x91: "1f"} {
		h := newHost(t, Options{LoaderVersion: version}, "PA9", "PA10")
		if err := h.chip.LoadFlash(flashBase, []byte{1, 2, 3, 4}); err != nil {
			t.Fatal(err)
		}
		h.sync()
		h.expect("827D", "7979")
		h.again()
		h.expect("11EE", refused)
		h.expect("31CE", refused)
		for _, cmd := range []string{"21DE", "44BB", "639C", "738C", "827D"} {
			h.expect(cmd, "1f")
		}
		h.expect("02FD", idAnswer)
		h.expect("926D", "7979")
		h.again()
		if got := h.read(0x08000000, 4); got != "ffffffff" {
			t.Errorf("V%x: flash after readout unprotect: %s", version, got)
		}
	}
}

func TestLoaderOptionBytes(t *testing.T) {
	h := newHost(t, Options{}, "PA9", "PA10")
	h.sync()
	if got := h.read(0x1FFFC000, 2); got != "ffaa" {
		t.Errorf("option bytes: %s", got)
	}
	h.expect("31CE", "79")
	h.expect(address(0x1FFFC000), "79")
	h.expect(dataBlock([]byte{0xEF, 0xAA, 0, 0, 0, 0, 0, 0, 0xFE, 0x0F, 0, 0}), "79")
	h.again()
	if got := h.read(0x1FFFC008, 2); got != "feff" {
		t.Errorf("nWRP: %s", got)
	}
}

// The program that stm32flash -R sends: 24 bytes at 0x20003000 that store
// SYSRESETREQ to AIRCR. With BOOT0 let go the part then starts its flash.
func TestLoaderResetProgram(t *testing.T) {
	h := newHost(t, Options{}, "PA9", "PA10")
	// A program in flash that loops: SP, PC, then b . at 8.
	if err := h.chip.LoadFlash(flashBase, []byte{0, 0x10, 0, 0x20, 9, 0, 0, 8, 0xFE, 0xE7}); err != nil {
		t.Fatal(err)
	}
	h.sync()
	prog := binary.LittleEndian.AppendUint32(nil, 0x20002000)
	prog = binary.LittleEndian.AppendUint32(prog, 0x20003009)
	// ldr r0, [pc, #4]; ldr r1, [pc, #8]; str r1, [r0]; b .
	prog = append(prog, 0x01, 0x48, 0x02, 0x49, 0x01, 0x60, 0xFE, 0xE7)
	prog = binary.LittleEndian.AppendUint32(prog, 0xE000ED0C)
	prog = binary.LittleEndian.AppendUint32(prog, 0x05FA0004)
	h.write(0x20003000, prog)
	h.b.SetBoot(false)
	h.expect("21DE", "79")
	h.expect(address(0x20003000), "79")
	h.wait(clock.Millisecond)
	if !h.chip.Running || h.chip.Booting || h.chip.core.R[15] != 0x08000008 {
		t.Errorf("after the reset: running %v, loader %v, PC %#x", h.chip.Running, h.chip.Booting, h.chip.core.R[15])
	}
	if h.chip.RCC.CSR&csrSFTRSTF == 0 {
		t.Error("no software reset flag")
	}
}

func TestGoLeavesTheLoadersMarks(t *testing.T) {
	h := newHost(t, Options{}, "PA9", "PA10")
	if err := h.chip.LoadFlash(flashBase+0x4000, []byte{0, 0x10, 0, 0x20, 9, 0x40, 0, 8, 0xFE, 0xE7}); err != nil {
		t.Fatal(err)
	}
	h.sync()
	h.expect("21DE", "79")
	h.expect(address(0x08004000), "79")
	if h.chip.RCC.ENR[ahb1] != 0 || h.chip.RCC.CR&crPLLON != 0 || h.chip.usart(1).Cr1 != 0 {
		t.Errorf("AHB1ENR %#x, CR %#x: want the peripherals reset and CCM off", h.chip.RCC.ENR[ahb1], h.chip.RCC.CR)
	}
	if c := h.chip.core; c.R[15] != 0x08004008 || c.R[13] != 0x20001000 {
		t.Errorf("PC %#x, SP %#x", c.R[15], c.R[13])
	}
}

func TestLoaderSnapshot(t *testing.T) {
	h := newHost(t, Options{}, "PA9", "PA10")
	h.sync()
	h.expect("31CE", "79")
	h.expect(address(0x08000000), "79")
	h.br.Write([]byte{3, 1, 2, 3})
	h.wait(200 * clock.Microsecond) // in the middle of a byte
	snap, digest := h.b.Snapshot(), h.b.Digest()
	for range 2 {
		if h.b.Digest() != digest {
			t.Error("restored board differs")
		}
		h.expect("04 07", "79")
		if got := h.read(0x08000000, 4); got != "01020304" {
			t.Errorf("flash: %s", got)
		}
		h.b.Restore(snap)
	}
}

// FuzzLoader gives the loader any bytes; it must neither panic nor lose its
// way for good.
func FuzzLoader(f *testing.F) {
	for _, s := range []string{"01FE00FF02FD", "31CE0800000008030102030404", "44BBFFFF00", "44BB0000000101", "11EE0800000008FF00", "639C000000", "21DE2000400060", "926D"} {
		p, err := hex.DecodeString(s)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		h := newHost(t, Options{}, "PA9", "PA10")
		h.sync()
		for _, v := range p[:min(len(p), 300)] {
			if h.chip.Boot.Phase >= bootCommand && h.chip.Boot.Phase < bootFlash {
				h.chip.bootByte(v, false)
			}
			if stop := h.b.Advance(h.b.Now() + 100*clock.Microsecond); stop.Err() != nil {
				return // Go into nowhere, or a read of the loader's own code
			}
		}
	})
}
