//go:build !tinygo

package ota

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"

	"rigor/firmware/wire/ota"
)

// Record is one of the journal's entries as the host reads it. The reading is apart from
// Journal's on purpose: each can be held against the other.
type Record struct {
	Entry
	Off      uint32 // in flash
	Sound    bool   // the checksum is good and the number is the sector's
	Erased   bool
	Switched bool
	Attempts int // made
	Done     bool
	GivenUp  bool
}

// Inspect reads the journal in a flash, blank entries left out. The record in force comes
// last, if there is any sound one.
func Inspect(f interface{ Read(off uint32, p []byte) }, l *Layout) []Record {
	var records []Record
	for sector, a := range l.Journal {
		p := make([]byte, EntrySize)
		f.Read(a.Off, p)
		if len(bytes.Trim(p, "\xFF")) == 0 {
			continue
		}
		r := record(p)
		r.Off = a.Off
		r.Sound = r.Sound && r.Seq != 0 && r.Seq != blank && r.Seq%2 == uint32(1-sector)
		records = append(records, r)
	}
	slices.SortStableFunc(records, func(a, b Record) int {
		if a.Sound != b.Sound {
			if b.Sound {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.Seq, b.Seq)
	})
	return records
}

func record(p []byte) Record {
	word := func(i Mark) uint32 { return binary.LittleEndian.Uint32(p[4*i:]) }
	set := func(m Mark) bool { return string(p[4*m:4*m+4]) == magic[m] }
	r := Record{
		Entry: Entry{
			Seq: word(0), Target: p[4], Base: p[5], RevokedBefore: p[6], RevokedAfter: p[7],
			FloorBefore: word(2), FloorAfter: word(3), Update: word(4),
		},
		Sound:  crc32.ChecksumIEEE(p[:20]) == word(5),
		Erased: set(Erased), Switched: set(Switch), Done: set(Confirmed), GivenUp: set(Reverted),
	}
	for n := range Attempts {
		if word(Attempt1+Mark(n)) != blank {
			r.Attempts++
		}
	}
	return r
}

// Expect is what a boot program should have reported that left this journal, as long as the slot
// is right: Slot, Why and Attempt. If it isn't, the report is Fallback to the other one.
func Expect(records []Record) ota.Boot {
	if len(records) == 0 || !records[len(records)-1].Sound {
		return ota.Boot{Slot: 0, Why: ota.Confirmed}
	}
	switch r := records[len(records)-1]; {
	case r.Done:
		return ota.Boot{Slot: r.Target, Why: ota.Confirmed}
	case !r.Switched:
		return ota.Boot{Slot: r.Base, Why: ota.Confirmed}
	case r.GivenUp:
		return ota.Boot{Slot: r.Base, Why: ota.Reverted}
	default:
		return ota.Boot{Slot: r.Target, Why: ota.Trial, Attempt: uint8(r.Attempts)}
	}
}

// String says the record in words.
func (r Record) String() string {
	if !r.Sound {
		return fmt.Sprintf("%#06x  torn or foreign: passed over", r.Off)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%#06x  entry %d: update %08x to slot %d, from slot %d; ", r.Off, r.Seq, r.Update, r.Target, r.Base)
	switch {
	case r.Done:
		fmt.Fprintf(&b, "confirmed: boots slot %d; ", r.Target)
	case r.Switched && r.GivenUp:
		fmt.Fprintf(&b, "given up after %d attempts: boots slot %d; ", r.Attempts, r.Base)
	case r.Switched:
		fmt.Fprintf(&b, "on trial, %d of %d attempts made: tries slot %d; ", r.Attempts, Attempts, r.Target)
	case r.Erased:
		fmt.Fprintf(&b, "staging erased, being received or installed: boots slot %d; ", r.Base)
	default:
		fmt.Fprintf(&b, "offered: boots slot %d; ", r.Base)
	}
	revoked, floor := r.RevokedBefore, r.FloorBefore
	if r.Done {
		revoked, floor = r.RevokedAfter, r.FloorAfter
	}
	fmt.Fprintf(&b, "rollback counter %d, keys revoked %04b", floor, revoked)
	return b.String()
}
