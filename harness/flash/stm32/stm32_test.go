package stm32

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"rigor/harness/flash"
	"rigor/harness/flash/flashtest/transcript"
	"rigor/harness/port"
)

var ctx = context.Background()

func TestIdentify(t *testing.T) {
	for _, file := range []string{"identify.txt", "insync.txt", "lateack.txt"} {
		t.Run(file, func(t *testing.T) {
			p := transcript.PlayFile(t, file)
			l := connect(t, p)
			want := flash.ChipID{Chip: "stm32f407", ID: 0x413, Version: "3.1"}
			if got, err := l.Identify(ctx); err != nil || got != want {
				t.Errorf("Identify = %v, %v, want %v", got, err, want)
			}
			if v, options, err := l.Version(ctx); err != nil || v != 0x31 || options != [2]byte{} {
				t.Errorf("Version = %#x, %v, %v", v, options, err)
			}
			if want := (port.Mode{Baud: 115200, Parity: port.ParityEven}); p.Mode != want {
				t.Errorf("line is at %v, want %v", p.Mode, want)
			}
		})
	}
}

func TestProgram(t *testing.T) {
	p := transcript.PlayFile(t, "program.txt")
	l := connect(t, p)
	began := p.Clock.Now()
	m, err := flash.ReadBin([]byte{0xA1, 0xA2, 0xA3, 0xA4, 0xA5, 0xA6, 0xA7}, 0x0800_3FFC)
	if err != nil {
		t.Fatal(err)
	}
	r, err := flash.Program(ctx, l, m, flash.Options{Chip: "stm32f407", Verify: true, Clock: p.Clock})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Run(ctx, m.Entry); err != nil {
		t.Error(err)
	}
	if got, want := p.Clock.Now().Sub(began), 2*800*time.Millisecond+2*400*time.Microsecond; got != want || r.Duration() != want {
		t.Errorf("took %v, result says %v; the part's own work takes %v, and no more may be waited for", got, r.Duration(), want)
	}
}

func TestProtection(t *testing.T) {
	l := connect(t, transcript.PlayFile(t, "protect.txt"))
	for name, err := range map[string]error{
		"WriteProtect":     l.WriteProtect(ctx, []byte{2, 3}),
		"WriteUnprotect":   l.WriteUnprotect(ctx),
		"ReadoutProtect":   l.ReadoutProtect(ctx),
		"ReadoutUnprotect": l.ReadoutUnprotect(ctx),
		"MassErase":        l.MassErase(ctx),
	} {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestUnprotectWaitsForErase has a loader that acknowledges before it erases, as
// those from V4 on do: a 0x7F sent meanwhile would be measured wrongly.
func TestUnprotectWaitsForErase(t *testing.T) {
	p := transcript.Play(t, synced+"> 92 6D\n< 79 79\n> 7F\n< 79\n")
	l := connect(t, p)
	began := p.Clock.Now()
	if err := l.ReadoutUnprotect(ctx); err != nil {
		t.Fatal(err)
	}
	if got, want := p.Clock.Now().Sub(began), 32*time.Second+Startup; got != want {
		t.Errorf("waited %v, want %v: the longest mass erase and the start", got, want)
	}
}

const (
	synced    = "> 7F\n< 79\n> 00 FF\n< 79 0B 31 00 01 02 11 21 31 44 63 73 82 92 79\n"
	readAt    = "> 11 EE\n< 79\n> 08 00 00 00 08\n"
	writeAt   = "> 31 CE\n< 79\n> 08 00 00 00 08\n"
	writeData = "> 03 01 02 03 04 07\n"
	getID     = "> 02 FD\n< 79 01 04 13 79\n"
	// resynced is the way back: 0x7F is a code, the next one its bad complement.
	resynced = "> 7F\n~ silence\n> 7F\n< 1F\n"
)

func read4(l *Loader) error   { return l.Read(ctx, 0x0800_0000, make([]byte, 4)) }
func write4(l *Loader) error  { return l.Write(ctx, 0x0800_0000, []byte{1, 2, 3, 4}) }
func erase0(l *Loader) error  { return l.Erase(ctx, flash.Span{Addr: 0x0800_0000, Size: 1}) }
func run(l *Loader) error     { return l.Run(ctx, 0x0800_0000) }
func version(l *Loader) error { _, _, err := l.Version(ctx); return err }

// TestErrors breaks each command at each stage; afterwards Get ID must work,
// since an error must leave the loader usable.
func TestErrors(t *testing.T) {
	nack := func(c Command, s Stage, addr uint32) func(error) bool {
		return func(err error) bool {
			var e *NACKError
			return errors.As(err, &e) && *e == NACKError{c, s, addr}
		}
	}
	timeout := func(got, want int, after time.Duration) func(error) bool {
		return func(err error) bool {
			var e *TimeoutError
			return errors.As(err, &e) && e.Got == got && e.Want == want && e.After.Truncate(time.Millisecond) == after
		}
	}
	unexpected := func(b byte) func(error) bool {
		return func(err error) bool {
			var e *UnexpectedError
			return errors.As(err, &e) && e.Got == b
		}
	}
	const a = 0x0800_0000
	for name, c := range map[string]struct {
		script string
		do     func(*Loader) error
		is     func(error) bool
	}{
		"read refused":            {"> 11 EE\n< 1F\n", read4, nack(ReadMemory, StageCommand, a)},
		"read refused twice":      {"> 11 EE\n< 1F 1F\n", read4, nack(ReadMemory, StageCommand, a)},
		"read address refused":    {readAt + "< 1F\n", read4, nack(ReadMemory, StageAddress, a)},
		"read length refused":     {readAt + "< 79\n> 03 FC\n< 1F\n", read4, nack(ReadMemory, StageLength, a)},
		"write refused twice":     {"> 31 CE\n< 1F 1F\n", write4, nack(WriteMemory, StageCommand, a)},
		"write address refused":   {writeAt + "< 1F\n", write4, nack(WriteMemory, StageAddress, a)},
		"write data refused":      {writeAt + "< 79\n" + writeData + "< 1F\n", write4, nack(WriteMemory, StageData, a)},
		"erase refused":           {"> 44 BB\n< 1F\n", erase0, nack(ExtendedErase, StageCommand, 0)},
		"erase list refused":      {"> 44 BB\n< 79\n> 00 00 00 00 00\n< 1F\n", erase0, nack(ExtendedErase, StageData, 0)},
		"go refused":              {"> 21 DE\n< 1F\n", run, nack(Go, StageCommand, a)},
		"go address refused":      {"> 21 DE\n< 79\n> 08 00 00 00 08\n< 1F\n", run, nack(Go, StageAddress, a)},
		"read silent":             {"> 11 EE\n~ silence\n" + resynced, read4, timeout(0, 1, processing)},
		"read address silent":     {readAt + "~ silence\n" + resynced, read4, timeout(0, 1, processing)},
		"read data short":         {readAt + "< 79\n> 03 FC\n< 79 01 02\n~ silence\n" + resynced, read4, timeout(2, 4, processing)},
		"write silent":            {"> 31 CE\n~ silence\n" + resynced, write4, timeout(0, 1, processing)},
		"write data silent":       {writeAt + "< 79\n" + writeData + "~ silence\n" + resynced, write4, timeout(0, 1, processing+time.Millisecond)},
		"erase silent":            {"> 44 BB\n< 79\n> 00 00 00 00 00\n~ silence\n" + resynced, erase0, timeout(0, 1, processing+800*time.Millisecond)},
		"erase answer comes late": {"> 44 BB\n< 79\n> 00 00 00 00 00\n~ 4s\n< 79\n" + resynced, erase0, timeout(0, 1, processing+800*time.Millisecond)},
		"answer comes in the resync": {"> 44 BB\n< 79\n> 00 00 00 00 00\n~ silence\n> 7F\n< 79\n> 7F\n< 1F\n",
			erase0, timeout(0, 1, processing+800*time.Millisecond)},
		"garbage for ACK":       {"> 11 EE\n< 42\n" + resynced, read4, unexpected(0x42)},
		"garbage after address": {readAt + "< 00 FF FF\n" + resynced, read4, unexpected(0)},
		"garbage after version": {"> 01 FE\n< 79 31 00 00 55\n" + resynced, version, unexpected(0x55)},
		"version short":         {"> 01 FE\n< 79 31\n~ silence\n" + resynced, version, timeout(1, 3, processing)},
		"resync in write data": {writeAt + "< 79\n" + writeData + "~ silence\n" +
			"> 7F\n~ silence\n> 7F\n~ silence\n> 7F\n< 1F\n", write4, timeout(0, 1, processing+time.Millisecond)},
	} {
		t.Run(name, func(t *testing.T) {
			l := connect(t, transcript.Play(t, synced+c.script+getID))
			if err := c.do(l); !c.is(err) {
				t.Errorf("got %v (%T)", err, err)
			}
			if _, err := l.Identify(ctx); err != nil {
				t.Errorf("the loader is not usable afterwards: %v", err)
			}
		})
	}
}

func TestConnectErrors(t *testing.T) {
	silent := strings.Repeat("> 7F\n~ silence\n", 4)
	for name, c := range map[string]struct {
		script string
		want   any
	}{
		"silent":         {silent, new(*SyncError)},
		"garbage":        {strings.ReplaceAll(silent, "~ silence", "< AA"), new(*SyncError)},
		"Get refused":    {"> 7F\n< 79\n> 00 FF\n< 1F\n", new(*NACKError)},
		"Get cut short":  {"> 7F\n< 79\n> 00 FF\n< 79 0B 31 00\n~ silence\n", new(*TimeoutError)},
		"Get runs on":    {"> 7F\n< 79\n> 00 FF\n< 79 00 31 11\n", new(*UnexpectedError)},
		"Get says count": {"> 7F\n< 79\n> 00 FF\n< 79\n~ silence\n", new(*TimeoutError)},
	} {
		t.Run(name, func(t *testing.T) {
			p := transcript.Play(t, c.script)
			if _, err := Connect(ctx, p, p.Clock, Baud); !errors.As(err, c.want) {
				t.Errorf("got %v, want %T", err, c.want)
			}
		})
	}
}

func TestReadProtectionIsNamed(t *testing.T) {
	l := connect(t, transcript.Play(t, synced+"> 11 EE\n< 1F 1F\n"))
	var e *NACKError
	if err := read4(l); !errors.As(err, &e) || !e.ReadProtected() || !strings.Contains(err.Error(), "erases the whole flash") {
		t.Errorf("got %v", err)
	}
	if e := (&NACKError{ReadMemory, StageAddress, 0}); e.ReadProtected() {
		t.Error("a refused address is taken for read protection")
	}
}

func TestRefusedBeforeSending(t *testing.T) {
	l := connect(t, transcript.Play(t, "> 7F\n< 79\n> 00 FF\n< 79 02 31 31 44 79\n"))
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	for name, c := range map[string]struct {
		err  error
		want any
	}{
		"option bytes":    {l.Write(ctx, 0x1FFF_C000, make([]byte, 16)), new(*AddressError)},
		"loader's RAM":    {l.Write(ctx, 0x2000_2FFC, make([]byte, 4)), new(*AddressError)},
		"odd RAM":         {l.Write(ctx, 0x2000_4000, make([]byte, 3)), new(*AddressError)},
		"erase of RAM":    {l.Erase(ctx, flash.Span{Addr: 0x2000_4000, Size: 4}), new(*AddressError)},
		"erase past end":  {l.Erase(ctx, flash.Span{Addr: 0x080F_FFFF, Size: 2}), new(*AddressError)},
		"no such command": {read4(l), new(*UnsupportedError)},
		"no sectors":      {l.WriteProtect(ctx, nil), new(*AddressError)},
	} {
		if !errors.As(c.err, c.want) {
			t.Errorf("%s: got %v, want %T", name, c.err, c.want)
		}
	}
	if err := l.MassErase(cancelled); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v", err)
	}
}

func TestUnalignedWriteKeepsNeighbours(t *testing.T) {
	l := connect(t, transcript.Play(t, synced+"> 31 CE\n< 79\n> 08 00 00 00 08\n< 79\n> 03 FF FF FF 11 ED\n< 79\n"))
	if err := l.Write(ctx, 0x0800_0003, []byte{0x11}); err != nil {
		t.Error(err)
	}
}

func TestSectors(t *testing.T) {
	l := new(Loader)
	span := func(addr, size uint32) flash.Span { return flash.Span{Addr: addr, Size: size} }
	s0, s1 := span(0x0800_0000, 16<<10), span(0x0800_4000, 16<<10)
	s3, s4, s5 := span(0x0800_C000, 16<<10), span(0x0801_0000, 64<<10), span(0x0802_0000, 128<<10)
	for _, c := range []struct {
		in   flash.Span
		want []flash.Span
	}{
		{span(0x0800_0000, 0), nil},
		{span(0x0800_0000, 1), []flash.Span{s0}},
		{span(0x0800_0000, 16<<10), []flash.Span{s0}},
		{span(0x0800_3FFF, 2), []flash.Span{s0, s1}},
		{span(0x0800_FFFF, 64<<10+2), []flash.Span{s3, s4, s5}},
		{span(0x080F_FFFF, 1), []flash.Span{span(0x080E_0000, 128<<10)}},
	} {
		if got, err := l.Sectors(c.in); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("sectors of %v = %v, %v, want %v", c.in, got, err, c.want)
		}
	}
	all, err := l.Sectors(flashMemory)
	if err != nil || len(all) != 12 {
		t.Errorf("all of flash is %d sectors, %v, want 12", len(all), err)
	}
}

// 268 bytes of 11 bits at 115200 are 25.59 ms, 256 bytes programmed 4.10 ms:
// 8623 bytes a second.
func TestCeiling(t *testing.T) {
	l := &Loader{mode: port.Mode{Baud: 115200}}
	if got := l.Ceiling(); got != 8623 {
		t.Errorf("ceiling is %d bytes/s, want 8623", got)
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
