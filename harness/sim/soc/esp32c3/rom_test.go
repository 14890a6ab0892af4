package esp32c3

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"strings"
	"testing"

	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
)

// romBoard is a board as Espressif's: GPIO9 straps, GPIO8 pulled up, UART0 on a
// bridge whose lines cross to CHIP_EN and GPIO9.
type romBoard struct {
	*board.Board
	t    *testing.T
	br   *board.Bridge
	chip *Chip
}

func newROMBoard(t *testing.T, opt Options, flash []byte) *romBoard {
	t.Helper()
	c := New(opt)
	b, err := board.New(c, board.Wiring{Boot: "GPIO9", BootLow: true, Bridges: []board.BridgeWiring{
		{Name: "uart0", TX: "GPIO21", RX: "GPIO20", DTR: board.StrapBoot, RTS: board.StrapReset, Cross: true}}})
	if err != nil {
		t.Fatal(err)
	}
	p, err := c.PinByName("GPIO8")
	if err != nil {
		t.Fatal(err)
	}
	b.Drive(p, board.Drive{Kind: board.PullUp})
	if err := c.LoadFlash(0, flash); err != nil {
		t.Fatal(err)
	}
	return &romBoard{Board: b, t: t, br: b.Bridge("uart0"), chip: c}
}

func (b *romBoard) wait(d clock.Time) {
	b.t.Helper()
	if stop := b.Advance(b.Now() + d); stop.Err() != nil {
		b.t.Fatal(stop.Err())
	}
}

// heard is what came on UART0.
func (b *romBoard) heard() string {
	var s []byte
	for r, ok := b.br.Next(); ok; r, ok = b.br.Next() {
		if r.Framing {
			b.t.Errorf("byte 0x%02x is not a good frame", r.Byte)
		}
		s = append(s, r.Byte)
	}
	return string(s)
}

// testImage is an image (esptool documentation, Firmware Image Format) of
// segments, that is made wrong afterwards by the test.
type testSegment struct {
	addr uint32
	data []byte
}

func testImage(entry uint32, hash bool, segments ...testSegment) []byte {
	p := make([]byte, 24)
	p[0], p[1], p[2], p[3], p[8], p[12] = 0xE9, byte(len(segments)), 2, 0x2F, 0xEE, 5
	binary.LittleEndian.PutUint32(p[4:], entry)
	sum := byte(0xEF)
	for _, s := range segments {
		p = binary.LittleEndian.AppendUint32(p, s.addr)
		p = binary.LittleEndian.AppendUint32(p, uint32(len(s.data)))
		for _, b := range s.data {
			sum ^= b
		}
		p = append(p, s.data...)
	}
	p = append(p, make([]byte, 15-len(p)%16)...)
	p = append(p, sum)
	if hash {
		p[23] = 1
		digest := sha256.Sum256(p)
		p = append(p, digest[:]...)
	}
	return p
}

// spin is `j .` in words.
var spin = []byte{0x6F, 0, 0, 0, 0x6F, 0, 0, 0}

const banner = "ESP-ROM:esp32c3-api1-20210207\r\nBuild:Feb  7 2021\r\n"

// What parts print, as quoted in esp-idf's issues 12110, 7734 and 16925,
// esp-template's 43, esp-idf-template's 27 and platform-espressif32's 821.
func TestBootLines(t *testing.T) {
	good := testImage(0x40380000, true, testSegment{0x3FC80100, []byte("data")}, testSegment{0x40380000, spin},
		testSegment{0x42000020, []byte("flash...")})
	change := func(at int, v byte) []byte {
		p := bytes.Clone(good)
		p[at] = v
		return p
	}
	loads := "SPIWP:0xee\r\nmode:DIO, clock div:1\r\nload:0x3fc80100,len:0x4\r\nload:0x40380000,len:0x8\r\nload:0x42000020,len:0x8\r\n"
	huge := testImage(0x40380000, false, testSegment{0x3CE00000, nil})
	binary.LittleEndian.PutUint32(huge[28:], 0xFEAA50A8)
	tests := []struct {
		name  string
		flash []byte
		want  string // after the banner and the line of the reset
	}{
		{"good", good, loads + "entry 0x40380000\r\n"},
		{"40 MHz QIO", func() []byte {
			p := testImage(0x40380000, false, testSegment{0x40380000, spin})
			p[2], p[3] = 0, 0x20
			return p
		}(), "SPIWP:0xee\r\nmode:QIO, clock div:2\r\nload:0x40380000,len:0x8\r\nentry 0x40380000\r\n"},
		{"erased", nil, strings.Repeat("invalid header: 0xffffffff\r\n", 3)},
		{"checksum", change(len(good)-33, 0x18), loads + "Checksum failure. Calculated 0x"},
		{"hash", change(len(good)-1, good[len(good)-1]^1), loads + "SHA-256 comparison failed:\r\nCalculated: "},
		{"size", huge, "SPIWP:0xee\r\nmode:DIO, clock div:1\r\nload:0x3ce00000,len:0xfeaa50a8\r\nInvalid image block, can't boot.\r\nets_main.c 333 \r\n"},
	}
	for _, test := range tests {
		b := newROMBoard(t, Options{}, test.flash)
		b.SetPower(true)
		b.wait(100 * clock.Millisecond)
		want := banner + "rst:0x1 (POWERON),boot:0xc (SPI_FAST_FLASH_BOOT)\r\n" + test.want
		if got := b.heard(); !strings.HasPrefix(got, want) {
			t.Errorf("%s: got %q, want %q", test.name, got, want)
		}
		if usb := string(b.chip.USBRead(4096)); !strings.HasPrefix(usb, want) {
			t.Errorf("%s: on USB %q, want %q", test.name, usb, want)
		}
	}
}

// A wrong hash is booted all the same, and what it says ends so.
func TestBootAnyway(t *testing.T) {
	image := testImage(0x40380000, true, testSegment{0x40380000, spin})
	image[len(image)-1] ^= 1
	b := newROMBoard(t, Options{}, image)
	b.SetPower(true)
	b.wait(100 * clock.Millisecond)
	if got := b.heard(); !strings.HasSuffix(got, "\r\nAttempting to boot anyway...\r\nentry 0x40380000\r\n") {
		t.Errorf("got %q", got)
	}
	if pc := uint32(b.chip.core.PC); pc != 0x40380000 {
		t.Errorf("the program is at 0x%08x", pc)
	}
}

// What a program finds: TinyGo counts on the stack and on interrupts being on.
func TestHandOver(t *testing.T) {
	b := newROMBoard(t, Options{}, testImage(0x40380004, true, testSegment{0x3FC80100, []byte("data")}, testSegment{0x40380000, spin}))
	b.SetPower(true)
	b.wait(100 * clock.Millisecond)
	s := b.chip.core.State
	if uint32(s.PC) != 0x40380004 || s.Mstatus&8 == 0 || uint32(s.X[2])&15 != 0 || b.chip.ramAt(uint32(s.X[2]), 4) == nil {
		t.Errorf("pc 0x%08x, mstatus 0x%x, sp 0x%08x", s.PC, s.Mstatus, s.X[2])
	}
	if got, err := b.chip.ReadMemory(0x3FC80100, 4); err != nil || string(got) != "data" {
		t.Errorf("data: %q, %v", got, err)
	}
	if b.chip.EXTMEM.Regs[extCTRL/4]&1 == 0 {
		t.Error("the cache is off")
	}
}

// A part that cannot boot is reset by TIMG0's watchdog, over and over, and says
// where it hung.
func TestBootLoop(t *testing.T) {
	image := testImage(0x40380000, false, testSegment{0x40380000, spin})
	image[len(image)-1] ^= 1
	b := newROMBoard(t, Options{}, image)
	b.SetPower(true)
	b.wait(5 * clock.Second)
	again := banner + "rst:0x7 (TG0WDT_SYS_RST),boot:0xc (SPI_FAST_FLASH_BOOT)\r\nSaved PC:0x40047ed2\r\nSPIWP:0xee\r\n"
	if got := b.heard(); strings.Count(got, again) < 2 {
		t.Errorf("got %q, want %q in it twice", got, again)
	}
}

// The straps are those of the last power-on or reset by CHIP_EN.
func TestStraps(t *testing.T) {
	b := newROMBoard(t, Options{}, nil)
	b.SetBoot(true)
	b.SetPower(true)
	b.wait(50 * clock.Millisecond)
	if got, want := b.heard(), banner+"rst:0x1 (POWERON),boot:0x4 (DOWNLOAD(USB/UART0/1))\r\nwaiting for download\r\n"; got != want {
		t.Errorf("download: got %q, want %q", got, want)
	}
	b.SetBoot(false)
	b.chip.resetSoon(resetSoftware)
	b.wait(50 * clock.Millisecond)
	want := banner + "rst:0x3 (RTC_SW_SYS_RST),boot:0x4 (DOWNLOAD(USB/UART0/1))\r\nSaved PC:0x400462dc\r\nwaiting for download\r\n"
	if got := b.heard(); got != want {
		t.Errorf("reset by software: got %q, want %q", got, want)
	}
	b.SetReset(true)
	b.wait(clock.Millisecond)
	b.SetReset(false)
	b.wait(50 * clock.Millisecond)
	if got := b.heard(); !strings.Contains(got, "boot:0xc (SPI_FAST_FLASH_BOOT)") {
		t.Errorf("reset by CHIP_EN: got %q", got)
	}
}

// A reset of the CPU alone leaves blocks running: what they ask for must not reach the next
// program before that has enabled it.
func TestCPUResetLeavesNoInterrupts(t *testing.T) {
	c := started(t, Options{}, endless())
	c.poke(intcBase+4*50, 5) // CPU_INTR_FROM_CPU_0
	c.poke(intcBase+0x114+4*5, 3)
	c.core.State.Mstatus &^= 1 << 3
	c.poke(intcBase+0x104, 1<<5)
	c.poke(0x600C0028, 1)
	c.poke(rtcBaseRegs, 1<<5) // SW_PROCPU_RST
	run(t, c, 10*clock.Millisecond)
	if got := c.peek(intcBase + 0x104); got != 0 {
		t.Errorf("CPU_INT_ENABLE 0x%x", got)
	}
	if c.Cause != resetCPUSoft || c.Matrix.Levels>>50&1 == 0 {
		t.Errorf("cause 0x%x, sources 0x%x", c.Cause, c.Matrix.Levels)
	}
}
