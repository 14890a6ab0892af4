package esp32

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"rigor/harness/flash"
	"rigor/harness/flash/flashtest/transcript"
	"rigor/harness/port"
)

// The transcripts were put together from the protocol's description by a program
// that shares nothing with this package; zlib of another maker read the deflated
// data.

var ctx = context.Background()

func TestIdentify(t *testing.T) {
	p := transcript.PlayFile(t, "identify.txt")
	l := connect(t, p)
	want := flash.ChipID{Chip: "esp32c3", ID: 5, Version: "ROM, API 0"}
	if got, err := l.Identify(ctx); err != nil || got != want {
		t.Errorf("Identify = %v, %v, want %v", got, err, want)
	}
	if p.Mode != (port.Mode{Baud: 115200}) || l.size != 4<<20 {
		t.Errorf("line is at %v, flash of %d bytes", p.Mode, l.size)
	}
}

func TestChangeBaud(t *testing.T) {
	p := transcript.PlayFile(t, "baud.txt")
	l, err := Connect(ctx, p, p.Clock, 460800)
	if err != nil {
		t.Fatal(err)
	}
	if p.Mode != (port.Mode{Baud: 460800}) || l.size != 2<<20 {
		t.Errorf("line is at %v, flash of %d bytes", p.Mode, l.size)
	}
}

// The divider of 12 bits makes 9769 baud of 40 MHz at the least.
func TestBaudTooLow(t *testing.T) {
	p := transcript.Play(t, syncRequest+strings.Repeat(syncReply, 8)+security)
	if _, err := Connect(ctx, p, p.Clock, 9600); err == nil || !strings.Contains(err.Error(), "9600 baud: the ROM's UART goes down to 9769") {
		t.Errorf("got %v", err)
	}
}

// program is what the transcript of that name writes.
func program(t *testing.T) *flash.Image {
	data := make([]byte, 3000)
	for i := range data {
		data[i] = byte(i * i >> 12)
	}
	m, err := flash.ReadBin(data, 0)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestProgram(t *testing.T) {
	p := transcript.PlayFile(t, "program.txt")
	l := connect(t, p)
	m := program(t)
	r, err := flash.Program(ctx, l, m, flash.Options{Chip: "esp32c3", Verify: true, Clock: p.Clock})
	if err != nil {
		t.Fatal(err)
	}
	p.Mode = port.Mode{}
	if err := l.Run(ctx, m.Entry); err != nil || p.Mode != (port.Mode{Baud: Baud}) {
		t.Errorf("run: %v; the line is at %v then", err, p.Mode)
	}
	small := deflate(m.Segments[0].Data)
	if r.Wire != uint64(len(small)) || r.Ceiling != 11520 {
		t.Errorf("%d bytes were on a line of %d a second, want %d and 11520", r.Wire, r.Ceiling, len(small))
	}
	blocks := time.Duration(len(small)+0x3FF) / 0x400
	for _, s := range r.Steps {
		want := map[flash.Phase]time.Duration{flash.PhaseErase: 45 * time.Millisecond, flash.PhaseWrite: blocks * time.Millisecond}[s.Phase]
		if s.Duration != want {
			t.Errorf("%v took %v, want the loader's own %v", s.Phase, s.Duration, want)
		}
	}
}

func TestProgramPlain(t *testing.T) {
	noise, err := os.ReadFile("testdata/noise.bin")
	if err != nil {
		t.Fatal(err)
	}
	m, err := flash.ReadBin(noise, 0)
	if err != nil {
		t.Fatal(err)
	}
	p := transcript.PlayFile(t, "plain.txt")
	if _, err := flash.Program(ctx, connect(t, p), m, flash.Options{Verify: true, Clock: p.Clock}); err != nil {
		t.Error(err)
	}
}

func TestMemory(t *testing.T) {
	p := transcript.PlayFile(t, "memory.txt")
	l := connect(t, p)
	if err := l.Write(ctx, 0x10_13FE, []byte{0xC0, 0xDB, 0x31}); err != nil {
		t.Error(err)
	}
	if err := l.Erase(ctx, flash.Span{Addr: 0x1FFF, Size: 2}); err != nil {
		t.Error(err)
	}
}

// connected plays a script to a loader that has connected.
func connected(t *testing.T, script string) *Loader {
	t.Helper()
	text, err := os.ReadFile("testdata/connected.txt")
	if err != nil {
		t.Fatal(err)
	}
	return connect(t, transcript.Play(t, string(text)+script))
}

const (
	syncRequest = "> C0 00 08 24 00 00 00 00 00 07 07 12 20" +
		" 55 55 55 55 55 55 55 55 55 55 55 55 55 55 55 55 55 55 55 55 55 55 55 55 55 55 55 55 55 55 55 55 C0\n"
	syncReply   = "< C0 01 08 04 00 07 07 12 20 00 00 00 00 C0\n"
	readRequest = "> C0 00 0E 08 00 00 00 00 00 00 00 00 00 04 00 00 00 C0\n"
	askSecurity = "> C0 00 14 00 00 00 00 00 00 C0\n"
	security    = askSecurity + "< C0 01 14 18 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 05 00 00 00 00 00 00 00 00 00 00 00 C0\n"
)

func read4(l *Loader) error { return l.Read(ctx, 0, make([]byte, 4)) }

// TestErrors spoils an answer; afterwards the loader must be usable, if need be
// after a SYNC that skips what comes late.
func TestErrors(t *testing.T) {
	status := func(err error) bool {
		var e *StatusError
		return errors.As(err, &e) && *e == StatusError{ReadFlashSlow, 0x09} && strings.Contains(err.Error(), "flash read error")
	}
	timeout := func(err error) bool { return errors.As(err, new(*TimeoutError)) }
	reply := func(want string) func(error) bool {
		return func(err error) bool {
			return errors.As(err, new(*ReplyError)) && strings.Contains(err.Error(), want)
		}
	}
	resync := syncRequest + "~ silence\n" + syncRequest + syncReply + "~ silence\n"
	for name, c := range map[string]struct {
		script string
		is     func(error) bool
	}{
		"refused":       {readRequest + "< C0 01 0E 04 00 00 00 00 00 01 09 00 00 C0\n", status},
		"silent":        {readRequest + "~ silence\n" + resync, timeout},
		"cut short":     {readRequest + "< C0 01 0E 04 00\n~ silence\n" + resync, timeout},
		"another's":     {readRequest + "< C0 01 0A 04 00 00 00 00 00 00 00 00 00 C0\n~ silence\n" + resync, timeout},
		"bad escape":    {readRequest + "< C0 01 0E DB 04 00 00 00 00 00 00 00 00 00 C0\n~ silence\n" + resync, timeout},
		"wrong length":  {readRequest + "< C0 01 0E 05 00 00 00 00 00 00 00 00 00 C0\n", reply("says it has 5 bytes and has 4")},
		"of a stub":     {readRequest + "< C0 01 0E 02 00 00 00 00 00 00 00 C0\n", reply("a program in RAM")},
		"too few bytes": {readRequest + "< C0 01 0E 06 00 00 00 00 00 AA BB 00 00 00 00 C0\n", reply("2 bytes of 4")},
	} {
		t.Run(name, func(t *testing.T) {
			l := connected(t, c.script+security)
			if err := read4(l); !c.is(err) {
				t.Errorf("got %v (%T)", err, err)
			}
			if _, err := l.Identify(ctx); err != nil {
				t.Errorf("the loader is not usable afterwards: %v", err)
			}
		})
	}
}

func TestConnectErrors(t *testing.T) {
	greeted := syncRequest + strings.Repeat(syncReply, 8)
	refusedInfo := greeted + askSecurity + "< C0 01 14 04 00 00 00 00 00 01 05 00 00 C0\n"
	info := func(flags, crypt string) string {
		return greeted + askSecurity + "< C0 01 14 18 00 00 00 00 00 " + flags + " 00 00 00 " + crypt +
			" 00 00 00 00 00 00 00 05 00 00 00 00 00 00 00 00 00 00 00 C0\n"
	}
	silent := strings.Repeat(syncRequest+"~ silence\n", syncTries)
	program := strings.Replace(silent, "~", "< "+hexOf("ESP-ROM:esp32c3\r\nrst:0x1 (POWERON),boot:0xd (SPI_FAST_FLASH_BOOT)\r\n")+"\n~", 1)
	for name, c := range map[string]struct {
		script string
		want   any
		says   string
	}{
		"silent":          {silent, new(*SyncError), "check that GPIO9 is low"},
		"in a program":    {program, new(*SyncError), "the chip says boot:0xd (SPI_FAST_FLASH_BOOT)"},
		"secure download": {info("04", "00"), new(*SecureError), "secure download mode"},
		"encrypted":       {info("00", "07"), new(*SecureError), "encrypts its flash"},
		"no registers":    {refusedInfo + "> C0 00 0A 04 00 00 00 00 00 00 10 00 40 C0\n< C0 01 0A 04 00 00 00 00 00 01 05 00 00 C0\n", new(*StatusError), "READ_REG"},
	} {
		t.Run(name, func(t *testing.T) {
			p := transcript.Play(t, c.script)
			if _, err := Connect(ctx, p, p.Clock, Baud); !errors.As(err, c.want) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %T that says %q", err, c.want, c.says)
			}
		})
	}
}

func hexOf(s string) string {
	const digits = "0123456789ABCDEF"
	var out strings.Builder
	for _, b := range []byte(s) {
		out.WriteByte(digits[b>>4])
		out.WriteByte(digits[b&15])
	}
	return out.String()
}

// TestOtherChips: programming refuses what Identify names.
func TestOtherChips(t *testing.T) {
	greeted := syncRequest + strings.Repeat(syncReply, 8)
	for _, c := range []struct{ script, want string }{
		{"< C0 01 14 18 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 09 00 00 00 00 00 00 00 00 00 00 00 C0\n", "ESP32-S3"},
		{"< C0 01 14 18 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 63 00 00 00 00 00 00 00 00 00 00 00 C0\n", "Espressif chip 99"},
		{"< C0 01 14 04 00 00 00 00 00 01 05 00 00 C0\n> C0 00 0A 04 00 00 00 00 00 00 10 00 40 C0\n" +
			"< C0 01 0A 04 00 83 1D F0 00 00 00 00 00 C0\n", "ESP32"},
		{"< C0 01 14 10 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 C0\n" + // without a chip's number
			"> C0 00 0A 04 00 00 00 00 00 00 10 00 40 C0\n< C0 01 0A 04 00 C6 07 00 00 00 00 00 00 C0\n", "ESP32-S2"},
		{"< C0 01 14 04 00 00 00 00 00 01 05 00 00 C0\n> C0 00 0A 04 00 00 00 00 00 00 10 00 40 C0\n" +
			"< C0 01 0A 04 00 78 56 34 12 00 00 00 00 C0\n", "chip of magic 0x12345678"},
	} {
		p := transcript.Play(t, greeted+strings.Repeat(askSecurity+c.script, 2))
		l := connect(t, p)
		_, err := flash.Program(ctx, l, program(t), flash.Options{Chip: "esp32c3", Clock: p.Clock})
		if e := (*flash.ChipError)(nil); !errors.As(err, &e) || e.Got.Chip != c.want {
			t.Errorf("got %v, want a refusal of %s", err, c.want)
		}
	}
}

func TestRefusedBeforeSending(t *testing.T) {
	l := connected(t, "")
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	second := func(_ any, err error) error { return err }
	for name, err := range map[string]error{
		"read past the end":   l.Read(ctx, 4<<20-2, make([]byte, 4)),
		"write past the end":  l.Write(ctx, 4<<20-2, make([]byte, 4)),
		"erase past the end":  l.Erase(ctx, flash.Span{Addr: 4<<20 - 2, Size: 4}),
		"stream past the end": second(l.Stream(ctx, 4<<20-4096, make([]byte, 4097))),
		"stream of no sector": second(l.Stream(ctx, 0x400, make([]byte, 4))),
		"run elsewhere":       l.Run(ctx, 0x4200_0000),
	} {
		if !errors.As(err, new(*AddressError)) {
			t.Errorf("%s: got %v, want an *AddressError", name, err)
		}
	}
	if err := l.Erase(cancelled, flash.Span{Size: 1}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v", err)
	}
}

// The fuses of aa:bb:cc:dd:ee:ff.
func TestUniqueID(t *testing.T) {
	l := connected(t, "> C0 00 0A 04 00 00 00 00 00 44 88 00 60 C0\n< C0 01 0A 04 00 FF EE DD CC 00 00 00 00 C0\n"+
		"> C0 00 0A 04 00 00 00 00 00 48 88 00 60 C0\n< C0 01 0A 04 00 BB AA 00 00 00 00 00 00 C0\n")
	if id, err := l.UniqueID(ctx); err != nil || string(id) != "\xAA\xBB\xCC\xDD\xEE\xFF" {
		t.Errorf("unique id is % X, %v", id, err)
	}
}

func TestNoFlash(t *testing.T) {
	for id, size := range map[uint32]uint32{0x1640EF: 4 << 20, 0x1240EF: 256 << 10, 0x1840C8: 16 << 20, 0xFFFFFF: 0, 0: 0, 0x1940EF: 0} {
		if got, err := sizeOf(id); got != size || (err == nil) != (size > 0) {
			t.Errorf("flash %06x has %d bytes, %v, want %d", id, got, err, size)
		}
	}
}

func connect(t *testing.T, p *transcript.Player) *Loader {
	t.Helper()
	l, err := Connect(ctx, p, p.Clock, Baud)
	if err != nil {
		t.Fatal(err)
	}
	return l
}
