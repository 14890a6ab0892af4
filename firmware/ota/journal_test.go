package ota

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
)

// Boards in the field read these bytes. The CRC is Python's zlib.crc32 of the five words before.
func TestJournalEntry(t *testing.T) {
	c := newCells(smallSize, 256)
	j := Journal{Flash: c, Layout: small(0)}
	j.Read()
	if r := j.Append(Entry{Target: 1, RevokedBefore: 1, RevokedAfter: 3, FloorBefore: 5, FloorAfter: 0x0607, Update: 0xDDCCBBAA}); r != ok {
		t.Fatal(r)
	}
	for _, m := range []Mark{Erased, Switch, Attempt1, Reverted} {
		if r := j.Set(m); r != ok {
			t.Fatal(r)
		}
	}
	const want = "01000000" + "01000103" + "05000000" + "07060000" + "aabbccdd" + "6a295961" +
		"45524153" + "53574954" + "54525931" + "ffffffff" + "ffffffff" + "ffffffff" + "52455654" + "ffffffff" + "ffffffff" + "ffffffff"
	if got := hex.EncodeToString(c.mem[0x100:0x140]); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	again := Journal{Flash: c, Layout: j.Layout}
	if again.Read(); again.Entry != j.Entry || again.Standing() != GivenUp {
		t.Errorf("read back: %+v, standing %d", again.Entry, again.Standing())
	}
	records := Inspect(c, j.Layout)
	if len(records) != 1 || !records[0].Sound || records[0].Entry != j.Entry {
		t.Fatalf("the host reads %+v", records)
	}
	const text = "0x000100  entry 1: update ddccbbaa to slot 1, from slot 0; given up after 1 attempts: boots slot 0; rollback counter 5, keys revoked 0001"
	if got := records[0].String(); got != text {
		t.Errorf("%s\nwant %s", got, text)
	}
}

// What is torn is passed over, by board and host alike, and what is written next goes to the same
// sector, erased.
func TestTornHeader(t *testing.T) {
	for done := range uint32(headerSize) {
		c := newCells(smallSize, 256)
		c.hit, c.how = 1, mishap{cutFirst, done} // 0 is the erase
		j := Journal{Flash: c, Layout: small(0)}
		if j.Read(); uncut(func() { j.Append(Entry{Target: 1, Update: 7}) }) {
			t.Fatal("not cut")
		}
		if j.Read(); j.Seq != 0 {
			t.Errorf("entry of %d bytes is taken", done)
		}
		if r := Inspect(c, j.Layout); len(r) > 0 && (r[0].Sound || !strings.Contains(r[0].String(), "torn")) {
			t.Errorf("the host reads %v", r[0])
		}
		if r := j.Append(Entry{Base: 1, Update: 0xFFFF}); r != ok || j.at != 0x100 || j.Seq != 1 {
			t.Errorf("the next entry: %v, %d at %#x", r, j.Seq, j.at)
		}
	}
}

// Entries take turns, and the higher number is in force.
func TestSectorsTakeTurns(t *testing.T) {
	c := newCells(smallSize, 256)
	for n := uint32(1); n < 6; n++ {
		j := Journal{Flash: c, Layout: small(0)}
		j.Read()
		if r := j.Append(Entry{Target: 1, Update: 100 + n}); r != ok {
			t.Fatal(r)
		}
		j.Read()
		records := Inspect(c, j.Layout)
		if last := records[len(records)-1]; j.Seq != n || j.Update != 100+n || last.Entry != j.Entry || !last.Sound {
			t.Errorf("entry %d of update %d is in force, want %d; the host reads %v", j.Seq, j.Update, n, records)
		}
	}
}

// An entry in the other's sector is none: its number gives it away.
func TestWrongSector(t *testing.T) {
	c := newCells(smallSize, 256)
	j := Journal{Flash: c, Layout: small(0)}
	j.Read()
	j.Append(Entry{Target: 1})
	copy(c.mem[0x200:0x240], c.mem[0x100:0x140])
	copy(c.mem[0x100:0x140], bytes.Repeat([]byte{0xFF}, 64))
	if j.Read(); j.Seq != 0 || Inspect(c, j.Layout)[0].Sound {
		t.Errorf("entry %d is taken", j.Seq)
	}
}

// The read set of a boot is small: of a blank sector the first word.
func TestReadsLittle(t *testing.T) {
	c := newCells(smallSize, 256)
	r := &reads{Flash: c}
	j := Journal{Flash: r, Layout: small(0)}
	if j.Read(); r.bytes != 2*4 {
		t.Errorf("%d bytes of a blank journal are read, want the first words: 8", r.bytes)
	}
	c.mem[0x200] = 9
	r.bytes = 0
	if j.Read(); r.bytes != 2*4+headerSize {
		t.Errorf("%d bytes are read, want %d", r.bytes, 2*4+headerSize)
	}
}

type reads struct {
	Flash
	bytes int
}

func (r *reads) Read(off uint32, p []byte) {
	r.bytes += len(p)
	r.Flash.Read(off, p)
}
