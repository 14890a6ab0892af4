package esp32c3

import (
	"cmp"
	"debug/elf"
	"encoding/binary"
	"slices"
	"testing"

	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
	"rigor/harness/sim/soc/soctest"
)

// flashImage makes of a checked-in ELF file what goes to flash at 0: Espressif,
// esptool documentation, Firmware Image Format. Sections that are linked to where
// flash is mapped must lie there.
func flashImage(tb testing.TB, name string) []byte {
	tb.Helper()
	f, err := elf.Open("../../../../firmware/images/" + name + ".elf")
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	loaded := slices.DeleteFunc(slices.Clone(f.Sections), func(s *elf.Section) bool {
		return s.Type != elf.SHT_PROGBITS || s.Flags&elf.SHF_ALLOC == 0 || s.Size == 0
	})
	slices.SortFunc(loaded, func(a, b *elf.Section) int { return cmp.Compare(a.Addr, b.Addr) })
	image := make([]byte, 24)
	image[0], image[1], image[2], image[3], image[12] = 0xE9, byte(len(loaded)), 2, 0x2F, 5 // DIO, 4 MB at 80 MHz, ESP32-C3
	binary.LittleEndian.PutUint32(image[4:], uint32(f.Entry))
	sum := byte(0xEF)
	for _, s := range loaded {
		data, err := s.Data()
		if err != nil {
			tb.Fatal(err)
		}
		data = append(data, make([]byte, -len(data)&3)...)
		image = binary.LittleEndian.AppendUint32(image, uint32(s.Addr))
		image = binary.LittleEndian.AppendUint32(image, uint32(len(data)))
		if in := uint32(s.Addr) - iromBase; in < cacheSpan && in != uint32(len(image)) {
			tb.Fatalf("%s: %s comes to lie at 0x%x of the image, linked to 0x%08x", name, s.Name, len(image), s.Addr)
		}
		for _, b := range data {
			sum ^= b
		}
		image = append(image, data...)
	}
	image = append(image, make([]byte, 15-len(image)%16)...)
	return append(image, sum)
}

// console is a board with UART0 on a bridge, as on Espressif's boards, and the
// resistor that pulls GPIO8 up.
func console(tb testing.TB, c *Chip) *soctest.Board {
	tb.Helper()
	b := soctest.New(tb, c, board.Wiring{Boot: "GPIO9", BootLow: true,
		Bridges: []board.BridgeWiring{{Name: "uart0", TX: "GPIO21", RX: "GPIO20"}}})
	b.Drive(8, board.Drive{Kind: board.PullUp})
	b.SetPower(true)
	return b
}

func loadImage(tb testing.TB, c *Chip, name string) {
	tb.Helper()
	if err := c.LoadFlash(0, flashImage(tb, name)); err != nil {
		tb.Fatal(err)
	}
}

// The checked-in firmware boots through the ROM and says hello at the clock it
// claims.
func TestFirmwareSaysHello(t *testing.T) {
	for _, program := range []string{"echo", "pwm", "analog"} {
		c := New(Options{})
		loadImage(t, c, program+"-esp32c3")
		b := console(t, c)
		h := b.Hello()
		if h.Program != program || h.CoreHz != 160e6 || c.Stats().ClockHz != 160e6 {
			t.Errorf("%s: %+v at %d Hz", program, h, c.Stats().ClockHz)
		}
		t.Logf("%s: hello after %d us; %q", program, b.Now()/clock.Microsecond, c.Warnings())
	}
}

// An edge on the stimulus pin comes out on the echo pin, and a byte comes back.
func TestFirmwareEchoes(t *testing.T) {
	c := New(Options{})
	loadImage(t, c, "echo-esp32c3")
	b := console(t, c)
	b.Hello()
	b.Echoes(1, 5)
}

func TestFirmwareFromSnapshot(t *testing.T) {
	c := New(Options{Seed: 9})
	loadImage(t, c, "pwm-esp32c3")
	c.SetPower(true)
	soctest.GoesTheSameWay(t, c)
}

// BenchmarkFirmware is the speed of the whole chip on TinyGo's start-up.
func BenchmarkFirmware(b *testing.B) {
	c := New(Options{})
	loadImage(b, c, "pwm-esp32c3")
	c.SetPower(true)
	for !c.Running {
		c.Run(c.Now() + clock.Millisecond)
	}
	snap := c.Snapshot()
	var insns uint64
	for b.Loop() {
		c.Restore(snap)
		before := c.Stats().Instructions
		c.Run(c.Now() + 10*clock.Millisecond)
		insns += c.Stats().Instructions - before
	}
	b.ReportMetric(float64(insns)/b.Elapsed().Seconds()/1e6, "MIPS")
}

func BenchmarkSnapshot(b *testing.B) {
	c := New(Options{})
	for b.Loop() {
		c.Restore(c.Snapshot())
	}
}
