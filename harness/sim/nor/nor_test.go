package nor

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"rigor/harness/sim/clock"
)

// part is a chip with power and its own clock.
type part struct {
	*Flash
	t   *testing.T
	now clock.Time
}

func newPart(t *testing.T, cfg Config) *part {
	t.Helper()
	f, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	f.SetPower(true, 0)
	return &part{Flash: f, t: t}
}

func (p *part) exec(tr Transaction) []byte {
	p.t.Helper()
	p.now += clock.Microsecond
	if _, err := p.Exec(p.now, &tr); err != nil {
		p.t.Fatal(err)
	}
	return tr.In
}

func (p *part) cmd(c byte) { p.t.Helper(); p.exec(Transaction{Cmd: c}) }
func (p *part) get(c byte) byte {
	p.t.Helper()
	return p.exec(Transaction{Cmd: c, In: make([]byte, 1)})[0]
}
func (p *part) put(c, v byte)       { p.t.Helper(); p.exec(Transaction{Cmd: c, Out: []byte{v}}) }
func (p *part) wait(d clock.Time)   { p.now += d }
func (p *part) at(c byte, a uint32) { p.t.Helper(); p.exec(Transaction{Cmd: c, Addr: a, AddrBits: 24}) }

func (p *part) program(a uint32, data []byte) {
	p.t.Helper()
	p.cmd(WriteEnable)
	p.exec(Transaction{Cmd: PageProgram, Addr: a, AddrBits: 24, Out: data})
}

func (p *part) erase(c byte, a uint32) {
	p.t.Helper()
	p.cmd(WriteEnable)
	p.at(c, a)
}

func (p *part) read(a uint32, n int) []byte {
	p.t.Helper()
	return p.exec(Transaction{Cmd: ReadData, Addr: a, AddrBits: 24, In: make([]byte, n)})
}

// busy steps until the chip is ready and says how long that took.
func (p *part) busy() clock.Time {
	p.t.Helper()
	until, ok := p.Busy(p.now)
	if !ok || p.get(ReadStatus1)&sr1Busy == 0 {
		p.t.Fatal("not busy")
	}
	d := until - p.now
	p.now = until
	if p.get(ReadStatus1)&(sr1Busy|sr1WEL) != 0 {
		p.t.Fatal("still busy, or WEL still set")
	}
	return d + clock.Microsecond
}

// Answers that W25Q32JV §8.2 gives, and JESD216 §6.
func TestIdentification(t *testing.T) {
	p := newPart(t, Config{Unique: [8]byte{1, 2, 3, 4, 5, 6, 7, 8}})
	tests := []struct {
		name string
		tr   Transaction
		want string
	}{
		{"JEDEC id", Transaction{Cmd: JEDECID, In: make([]byte, 3)}, "ef4016"},
		{"maker and device", Transaction{Cmd: ManufacturerID, AddrBits: 24, In: make([]byte, 2)}, "ef15"},
		{"device and maker", Transaction{Cmd: ManufacturerID, Addr: 1, AddrBits: 24, In: make([]byte, 2)}, "15ef"},
		{"device", Transaction{Cmd: ReleasePowerDown, Dummy: 24, In: make([]byte, 1)}, "15"},
		{"unique id", Transaction{Cmd: UniqueID, Dummy: 32, In: make([]byte, 8)}, "0102030405060708"},
		{"SFDP header", Transaction{Cmd: ReadSFDP, AddrBits: 24, Dummy: 8, In: make([]byte, 16)}, "53464450000100ff00000109800000ff"},
		{"SFDP density", Transaction{Cmd: ReadSFDP, Addr: 0x84, AddrBits: 24, Dummy: 8, In: make([]byte, 4)}, "ffffff01"},
		{"SFDP erases", Transaction{Cmd: ReadSFDP, Addr: 0x9C, AddrBits: 24, Dummy: 8, In: make([]byte, 6)}, "0c200f5210d8"},
		{"status", Transaction{Cmd: ReadStatus1, In: make([]byte, 2)}, "0000"},
		{"QE of the factory", Transaction{Cmd: ReadStatus2, In: make([]byte, 1)}, "02"},
	}
	for _, test := range tests {
		if got := hex.EncodeToString(p.exec(test.tr)); got != test.want {
			t.Errorf("%s: got %s, want %s", test.name, got, test.want)
		}
	}
}

func TestReads(t *testing.T) {
	p := newPart(t, Config{})
	if err := p.Program(0x1000, []byte{0x12, 0x34, 0x56, 0x78}); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		tr   Transaction
		want string
	}{
		{"read", Transaction{Cmd: ReadData, AddrBits: 24}, "12345678"},
		{"fast", Transaction{Cmd: FastRead, AddrBits: 24, Dummy: 8}, "12345678"},
		{"dual", Transaction{Cmd: FastReadDual, AddrBits: 24, Dummy: 8, DataLines: 2}, "12345678"},
		{"dual io", Transaction{Cmd: FastReadDualIO, AddrBits: 24, AddrLines: 2, Dummy: 4, DataLines: 2}, "12345678"},
		{"quad", Transaction{Cmd: FastReadQuad, AddrBits: 24, Dummy: 8, DataLines: 4}, "12345678"},
		{"quad io", Transaction{Cmd: FastReadQuadIO, AddrBits: 24, AddrLines: 4, Dummy: 6, DataLines: 4}, "12345678"},
		{"one clock too late", Transaction{Cmd: FastReadDual, AddrBits: 24, Dummy: 9, DataLines: 2}, "48d159e3"},
		{"eight clocks too early", Transaction{Cmd: FastRead, AddrBits: 24}, "ff123456"},
	}
	for _, test := range tests {
		test.tr.Addr, test.tr.In = 0x1000, make([]byte, 4)
		if got := hex.EncodeToString(p.exec(test.tr)); got != test.want {
			t.Errorf("%s: got %s, want %s", test.name, got, test.want)
		}
	}
	if got := p.read(p.Size()-1, 2); got[0] != 0xFF || got[1] != 0xFF {
		t.Errorf("the end wraps to the start: got %x", got)
	}
}

func TestProgram(t *testing.T) {
	p := newPart(t, Config{})
	p.exec(Transaction{Cmd: PageProgram, AddrBits: 24, Out: []byte{0}})
	if _, busy := p.Busy(p.now); busy || p.read(0, 1)[0] != 0xFF {
		t.Error("programmed without write enable")
	}
	p.program(0x2FE, []byte{1, 2, 3, 4})
	if d := p.busy(); d != 37500*clock.Nanosecond { // 30 + 3 x 2.5 us
		t.Errorf("four bytes took %d ps", d)
	}
	if got := p.read(0x2FE, 2); got[0] != 1 || got[1] != 2 {
		t.Errorf("end of the page: %x", got)
	}
	if got := p.read(0x200, 2); got[0] != 3 || got[1] != 4 {
		t.Errorf("wrapped: %x", got)
	}
	p.program(0x200, bytes.Repeat([]byte{0xF6}, 256))
	if d := p.busy(); d != 400*clock.Microsecond {
		t.Errorf("a page took %d ps", d)
	}
	if got := p.read(0x200, 3); got[0] != 2 || got[1] != 4 || got[2] != 0xF6 {
		t.Errorf("bits only go to 0: %x", got)
	}
	long := append(bytes.Repeat([]byte{0}, 256), 0x55, 0xAA)
	p.program(0x500, long)
	p.busy()
	if got := p.read(0x500, 3); got[0] != 0x55 || got[1] != 0xAA || got[2] != 0 {
		t.Errorf("the last 256 bytes count: %x", got)
	}
}

func TestErase(t *testing.T) {
	tests := []struct {
		cmd      byte
		addr     uint32
		off, end uint32
		takes    clock.Time
	}{
		{SectorErase, 0x12345, 0x12000, 0x13000, 45 * clock.Millisecond},
		{HalfBlockErase, 0x1FFFF, 0x18000, 0x20000, 120 * clock.Millisecond},
		{BlockErase, 0x12345, 0x10000, 0x20000, 150 * clock.Millisecond},
		{ChipErase, 0, 0, 4 << 20, 10 * clock.Second},
	}
	for _, test := range tests {
		p := newPart(t, Config{})
		p.Flash.Program(0, make([]byte, p.Size()))
		p.cmd(WriteEnable)
		p.at(test.cmd, test.addr)
		if got := p.read(test.off, 1)[0]; got != 0xFF {
			t.Errorf("%02x: a busy chip answers %02x", test.cmd, got)
		}
		p.wait(-clock.Microsecond)
		if d := p.busy(); d != test.takes {
			t.Errorf("%02x took %d ps, want %d", test.cmd, d, test.takes)
		}
		for off, v := range p.Data() {
			in := uint32(off) >= test.off && uint32(off) < test.end
			if in != (v == 0xFF) {
				t.Fatalf("%02x: 0x%x holds %02x", test.cmd, off, v)
			}
		}
	}
}

// Rows of W25Q32JV §7.1.14 and §7.1.15: first and last protected address.
func TestProtection(t *testing.T) {
	tests := []struct {
		name        string
		sr1, sr2    byte
		first, last uint32
	}{
		{"upper 1/64", 0x04, 0, 0x3F0000, 0x3FFFFF},
		{"upper 1/2", 0x18, 0, 0x200000, 0x3FFFFF},
		{"lower 1/64", 0x24, 0, 0, 0x00FFFF},
		{"all", 0x1C, 0, 0, 0x3FFFFF},
		{"upper 4 KB", 0x44, 0, 0x3FF000, 0x3FFFFF},
		{"lower 32 KB", 0x74, 0, 0, 0x007FFF},
		{"lower 63/64", 0x04, sr2CMP, 0, 0x3EFFFF},
		{"lower 8 KB not", 0x68, sr2CMP, 0x002000, 0x3FFFFF},
	}
	for _, test := range tests {
		p := newPart(t, Config{})
		p.cmd(WriteEnable)
		p.exec(Transaction{Cmd: WriteStatus1, Out: []byte{test.sr1, test.sr2}})
		if d := p.busy(); d != 10*clock.Millisecond {
			t.Errorf("%s: the status took %d ps", test.name, d)
		}
		for _, off := range []uint32{0, test.first - SectorSize, test.first, test.last, test.last + 1, p.Size() - 1} {
			if off >= p.Size() {
				continue
			}
			p.erase(SectorErase, off)
			_, busy := p.Busy(p.now)
			if want := off < test.first || off > test.last; busy != want {
				t.Errorf("%s: erase at 0x%x begins: %v, want %v", test.name, off, busy, want)
			}
			p.wait(clock.Second)
			p.cmd(WriteDisable)
		}
	}
}

func TestVolatileStatus(t *testing.T) {
	p := newPart(t, Config{})
	p.cmd(VolatileWriteEnable)
	p.put(WriteStatus1, 0x1C)
	if got := p.get(ReadStatus1); got != 0x1C {
		t.Errorf("volatile write at once: %02x", got)
	}
	p.put(WriteStatus1, 0)
	if got := p.get(ReadStatus1); got != 0x1C {
		t.Errorf("50h holds for one write: %02x", got)
	}
	p.SetPower(false, p.now)
	p.SetPower(true, p.now)
	if got := p.get(ReadStatus1); got != 0 {
		t.Errorf("after power-on: %02x", got)
	}
}

func TestSuspend(t *testing.T) {
	p := newPart(t, Config{})
	p.Flash.Program(0, make([]byte, 0x3000))
	p.erase(SectorErase, 0x1000)
	p.wait(20 * clock.Millisecond)
	p.cmd(Suspend)
	p.wait(suspendTime)
	if got := p.get(ReadStatus2); got&sr2SUS == 0 {
		t.Error("SUS is not set")
	}
	if got := p.read(0x2000, 1)[0]; got != 0 {
		t.Errorf("a sector beside reads %02x", got)
	}
	p.program(0x1000, []byte{0})
	if _, busy := p.Busy(p.now); busy {
		t.Error("the suspended sector takes a program")
	}
	p.cmd(WriteDisable)
	p.erase(SectorErase, 0x2000)
	if _, busy := p.Busy(p.now); busy {
		t.Error("an erase within an erase")
	}
	p.cmd(WriteDisable)
	p.program(0x3000, []byte{0x11})
	p.busy()
	p.cmd(Resume)
	if d := p.busy(); d < 24*clock.Millisecond || d > 26*clock.Millisecond {
		t.Errorf("what was left took %d ps", d)
	}
	if p.Data()[0x1000] != 0xFF || p.Data()[0x1FFF] != 0xFF || p.Data()[0x2000] != 0 || p.Data()[0x3000] != 0x11 {
		t.Error("wrong cells")
	}
}

func TestPowerDownAndReset(t *testing.T) {
	p := newPart(t, Config{})
	p.cmd(PowerDown)
	if got := p.exec(Transaction{Cmd: JEDECID, In: make([]byte, 3)}); got[0] != 0xFF {
		t.Errorf("asleep, it answers %x", got)
	}
	p.cmd(ReleasePowerDown)
	p.wait(powerDownTime)
	if got := p.get(JEDECID); got != 0xEF {
		t.Errorf("awake, it answers %x", got)
	}
	p.cmd(WriteEnable)
	p.cmd(ResetDevice)
	if p.get(ReadStatus1)&sr1WEL == 0 {
		t.Error("99h alone resets")
	}
	p.cmd(EnableReset)
	p.cmd(ResetDevice)
	p.wait(resetTime)
	if p.get(ReadStatus1)&sr1WEL != 0 {
		t.Error("66h 99h leave WEL")
	}
}

func TestErrors(t *testing.T) {
	p := newPart(t, Config{})
	tests := []struct {
		tr   Transaction
		want error
		text string
	}{
		{Transaction{Cmd: 0x38}, ErrNotModelled, "enter QPI"},
		{Transaction{Cmd: 0xAA}, ErrUnknown, "0xaa"},
		{Transaction{Cmd: FastReadQuad, AddrBits: 24, Dummy: 8, In: make([]byte, 1)}, ErrShape, "0x6b"},
		{Transaction{Cmd: ReadData, In: make([]byte, 1)}, ErrAddress, "0x03"},
	}
	for _, test := range tests {
		_, err := p.Exec(0, &test.tr)
		if !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.text) {
			t.Errorf("%02x: %v", test.tr.Cmd, err)
		}
	}
	if _, err := New(Config{JEDEC: [3]byte{1, 2, 0x19}}); err == nil {
		t.Error("a flash of 32 MB is made")
	}
	if err := p.Flash.Program(p.Size()-1, []byte{1, 2}); err == nil {
		t.Error("programmed beyond the end")
	}
}

// count is how many bits of a span are 0.
func zeros(p []byte) (n int) {
	for _, b := range p {
		for ; b != 0xFF; b |= b + 1 {
			n++
		}
	}
	return n
}

// An operation that is cut leaves more changed the later that happens, nothing
// out of its span, and the same for the same seed.
func TestPowerCut(t *testing.T) {
	cut := func(seed uint64, part clock.Time) *part_ {
		p := newPart(t, Config{Seed: seed})
		p.program(0x100, make([]byte, 256))
		p.wait(400 * clock.Microsecond * part / 100)
		p.SetPower(false, p.now)
		return &part_{p, zeros(p.Data()[0x100:0x200])}
	}
	last := -1
	for _, percent := range []clock.Time{0, 25, 50, 75, 99} {
		c := cut(1, percent)
		if c.zeros < last {
			t.Errorf("cut at %d %%: %d bits, fewer than before", percent, c.zeros)
		}
		last = c.zeros
		want := 2048 * int(percent) / 100
		if c.zeros < want-200 || c.zeros > want+200 {
			t.Errorf("cut at %d %%: %d bits of 2048 programmed", percent, c.zeros)
		}
		if zeros(c.Data()) != c.zeros {
			t.Errorf("cut at %d %%: cells outside of the page changed", percent)
		}
	}
	if a, b := cut(7, 50), cut(7, 50); a.Digest() != b.Digest() {
		t.Error("the same cut leaves another result")
	}
	if a, b := cut(7, 50), cut(8, 50); a.Digest() == b.Digest() {
		t.Error("another seed leaves the same")
	}
	if c := cut(1, 101); c.zeros != 2048 || c.Marginal(Span{0, c.Size()}) != 0 {
		t.Error("a cut after the end leaves something undone")
	}
}

type part_ struct {
	*part
	zeros int
}

// Marginal cells read anew at each power-on until they are erased.
func TestMarginalCells(t *testing.T) {
	p := newPart(t, Config{Seed: 3})
	p.Flash.Program(0x1000, bytes.Repeat([]byte{0x5A}, SectorSize))
	p.erase(SectorErase, 0x1000)
	p.wait(30 * clock.Millisecond)
	p.SetPower(false, p.now)
	all := Span{0, p.Size()}
	n := p.Marginal(all)
	if n < 1000 || n > 4000 { // 16 of 192 parts of 32768 bits
		t.Fatalf("%d marginal cells", n)
	}
	seen := map[[32]byte]bool{}
	for range 4 {
		p.SetPower(true, p.now)
		seen[[32]byte(p.Data()[0x1000:])] = true
		p.SetPower(false, p.now)
	}
	if len(seen) < 2 {
		t.Error("marginal cells read the same at each power-on")
	}
	p.SetPower(true, p.now)
	p.erase(SectorErase, 0x1000)
	p.busy()
	if p.Marginal(all) != 0 || zeros(p.Data()) != 0 {
		t.Error("an erase leaves marginal cells")
	}
}

// The first part of an erase programs: blank cells do not stay blank.
func TestErasePrograms(t *testing.T) {
	p := newPart(t, Config{})
	p.erase(SectorErase, 0)
	p.wait(9 * clock.Millisecond)
	p.SetPower(false, p.now)
	if zeros(p.Data()) < 20000 {
		t.Errorf("%d cells of a blank sector are programmed", zeros(p.Data()))
	}
}

func TestSnapshot(t *testing.T) {
	p := newPart(t, Config{Seed: 5})
	p.program(0x100, []byte{1, 2, 3})
	p.busy()
	first, before := p.Flash.Snapshot(), p.Digest()
	p.erase(SectorErase, 0)
	p.wait(20 * clock.Millisecond)
	second, during := p.Flash.Snapshot(), p.Digest()
	p.SetPower(false, p.now)
	third, after := p.Flash.Snapshot(), p.Digest()
	if before == during || during == after {
		t.Fatal("digests do not tell states apart")
	}
	for name, s := range map[string]struct {
		from *Snapshot
		want [32]byte
	}{"before": {first, before}, "during": {second, during}, "after": {third, after}, "again": {first, before}} {
		p.Restore(s.from)
		if p.Digest() != s.want {
			t.Errorf("%s: another digest", name)
		}
	}
	p.Restore(first)
	if span := p.Restore(third); span != (Span{0, SectorSize}) {
		t.Errorf("changed: %v", span)
	}
	other := newPart(t, Config{Seed: 5})
	other.Restore(second)
	if other.Digest() != during {
		t.Error("a chip like it differs after Restore")
	}
}

// Whatever a controller sends, nothing panics, and bits go to 0 only while a
// program or an erase is under way.
func FuzzExec(f *testing.F) {
	f.Add([]byte{WriteEnable, 0, 0, PageProgram, 24, 4})
	f.Add([]byte{WriteEnable, 0, 0, SectorErase, 24, 0, Suspend, 0, 0, EnableReset, 0, 0, ResetDevice, 0, 0})
	f.Fuzz(func(t *testing.T, in []byte) {
		flash, err := New(Config{JEDEC: [3]byte{0xEF, 0x40, 0x10}})
		if err != nil {
			t.Fatal(err)
		}
		flash.SetPower(true, 0)
		var at clock.Time
		for ; len(in) >= 3; in = in[3:] {
			at += clock.Time(in[2]) * 100 * clock.Microsecond
			n := int(in[1])
			tr := Transaction{Cmd: in[0], Addr: uint32(n) << 8, AddrBits: n & 0x38, AddrLines: 1 << (n & 1), Dummy: n & 15,
				DataLines: 1 << (n & 1), Out: make([]byte, n), In: make([]byte, int(in[2]))}
			before := zeros(flash.Data())
			idle := flash.Op.Kind == opNone && !flash.SUS
			flash.Exec(at, &tr)
			if idle && zeros(flash.Data()) != before {
				t.Fatalf("command %02x changed cells at once", in[0])
			}
		}
		flash.SetPower(false, at)
		flash.SetPower(true, at)
	})
}

// TestPieces reads by pieces what one transaction reads as a whole.
func TestPieces(t *testing.T) {
	p := newPart(t, Config{})
	data := []byte("the quick brown fox jumps over the lazy dog")
	if err := p.Program(0x1234, data); err != nil {
		t.Fatal(err)
	}
	for _, tr := range []Transaction{
		{Cmd: ReadData, Addr: 0x1234, AddrBits: 24},
		{Cmd: FastRead, Addr: 0x1234, AddrBits: 24, Dummy: 8},
		{Cmd: FastReadQuad, Addr: 0x1234, AddrBits: 24, Dummy: 8, DataLines: 4},
	} {
		for off := 0; off+4 <= len(data); off += 4 {
			tr.In, tr.Skip = make([]byte, 4), off
			if _, err := p.Exec(p.now, &tr); err != nil {
				t.Fatal(err)
			}
			if got, want := string(tr.In), string(data[off:off+4]); got != want {
				t.Errorf("command %02x, bytes from %d: %q, want %q", tr.Cmd, off, got, want)
			}
		}
	}
}

// TestLayout compares what follows commands on one line with W25Q32JV §8.1.2.
func TestLayout(t *testing.T) {
	for cmd, want := range map[byte]Layout{
		ReadData: {24, 0, FromChip}, FastRead: {24, 8, FromChip}, JEDECID: {0, 0, FromChip}, UniqueID: {0, 32, FromChip},
		ReadStatus1: {0, 0, FromChip}, WriteStatus2: {0, 0, ToChip}, PageProgram: {24, 0, ToChip},
		SectorErase: {24, 0, NoData}, ChipErase: {0, 0, NoData}, WriteEnable: {0, 0, NoData},
		ManufacturerID: {24, 0, FromChip}, 0xFE: {0, 0, ToChip},
	} {
		if got := LayoutOf(cmd); got != want {
			t.Errorf("command %02x: %+v, want %+v", cmd, got, want)
		}
	}
}
