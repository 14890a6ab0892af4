package ota

import "rigor/firmware/ota/defect"

// The journal is in two sectors of entries of sixteen words, little endian:
//
//	0     sequence number
//	1     target slot, base slot, keys revoked before and after: a byte each
//	2, 3  rollback counter's floor before and after
//	4     id of the update's manifest
//	5     CRC-32 of the words before
//	6-15  marks, each a word that is blank or has its magic
//
// The entry with the highest sequence number and a good CRC is in force. A sequence number
// is the entry's place, counted on from one filling of a sector to the next of the
// other, so that no two places ever have the same.

// EntrySize is the length of a journal entry in bytes.
const EntrySize = 64

const (
	headerSize = 24
	blank      = 0xFFFFFFFF
)

// Entry is what a journal entry says of its update.
type Entry struct {
	Seq           uint32 // from 1; 0 is no entry
	Target, Base  uint8  // slots: of the new image, and of the one that ran
	RevokedBefore uint8  // masks of keys
	RevokedAfter  uint8
	FloorBefore   uint32
	FloorAfter    uint32
	Update        uint32 // the id of the manifest
}

// Mark is one of an entry's words that are set later. Its value is the word's place.
type Mark uint32

// The marks. Of an attempt, any value but blank counts; of the others only the magic.
const (
	Erased    Mark = 6 // the staging area was erased for this update
	Switch    Mark = 7 // the target has the new image
	Attempt1  Mark = 8 // it was handed over to
	Attempt2  Mark = 9
	Attempt3  Mark = 10
	Confirmed Mark = 11
	Reverted  Mark = 12

	retired    Mark = 13 // of defect.SwitchInTwo
	slotErased Mark = 14 // of defect.ResumeTrusts
)

// Attempts is how often an image is tried.
const Attempts = 3

// magic in letters can be read in a dump of the flash.
var magic = [16]string{Erased: "ERAS", Switch: "SWIT", Attempt1: "TRY1", Attempt2: "TRY2", Attempt3: "TRY3",
	Confirmed: "CONF", Reverted: "REVT", retired: "GONE", slotErased: "SLOT"}

// Standing is how an entry stands by its marks.
type Standing uint8

// The standings.
const (
	Empty   Standing = iota // there is no entry: slot 0 runs
	Open                    // the update is being received or installed: base runs
	Trying                  // target waits to be confirmed
	GivenUp                 // it wasn't: base runs
	Done                    // it was: target runs
)

// Journal reads and writes the journal. Read comes first.
type Journal struct {
	Flash  Flash
	Layout *Layout
	Entry  // the one in force
	at     uint32
	buf    [EntrySize]byte
	check  [EntrySize]byte
}

// Read finds the entry in force. Of each place it reads the first word, and the header only if
// that may be the latest.
func (j *Journal) Read() {
	j.Entry, j.at = Entry{}, 0
	for sector, a := range j.Layout.Journal {
		for at := a.Off; at < a.End(); at += EntrySize {
			if seq := j.word(at); seq != blank && seq > j.Seq {
				j.header(sector, at)
			}
		}
	}
}

// header takes the entry at a place for the one in force, if it is sound.
func (j *Journal) header(sector int, at uint32) {
	p := j.buf[:headerSize]
	j.Flash.Read(at, p)
	sound := le.Uint32(p[20:]) == checksum(p[:20], 0) && le.Uint32(p) == j.sequence(le.Uint32(p), sector, at)
	if !sound && !defect.TornHeader.Planted() {
		return
	}
	j.at = at
	j.Entry = Entry{
		Seq: le.Uint32(p), Target: p[4] & 1, Base: p[5] & 1, RevokedBefore: p[6], RevokedAfter: p[7],
		FloorBefore: le.Uint32(p[8:]), FloorAfter: le.Uint32(p[12:]), Update: le.Uint32(p[16:]),
	}
}

// sequence is the number that a place has in the filling of which near is one, or in
// the next if that is of the other sector.
func (j *Journal) sequence(near uint32, sector int, at uint32) uint32 {
	a := j.Layout.Journal[sector]
	places := a.Size / EntrySize
	filling := uint32(0)
	if near != 0 {
		filling = (near - 1) / places
	}
	if filling&1 != uint32(sector) {
		filling++
	}
	return filling*places + (at-a.Off)/EntrySize + 1
}

// Standing reads how the entry in force stands.
func (j *Journal) Standing() Standing {
	switch {
	case j.Seq == 0:
		return Empty
	case j.Has(Confirmed):
		return Done
	case !j.Has(Switch):
		return Open
	case j.Has(Reverted):
		return GivenUp
	}
	return Trying
}

// Settled is what holds by the entry in force while nothing is tried: the slot that
// runs, the keys that are revoked, and the counter's floor.
func (j *Journal) Settled() (slot, revoked uint8, floor uint32) {
	switch j.Standing() {
	case Empty:
		return 0, 0, 0
	case Done:
		return j.Target, j.RevokedAfter, j.FloorAfter
	}
	return j.Base, j.RevokedBefore, j.FloorBefore
}

// Has says whether a mark of the entry in force is set.
func (j *Journal) Has(m Mark) bool {
	j.Flash.Read(j.at+4*uint32(m), j.buf[:4])
	return string(j.buf[:4]) == magic[m]
}

// Set sets a mark of the entry in force, again if it is set already: it may have been
// cut short and read right by chance.
func (j *Journal) Set(m Mark) Refusal {
	copy(j.buf[:4], magic[m])
	err := j.Flash.Program(j.at+4*uint32(m), j.buf[:4])
	if defect.MarkUnchecked.Planted() {
		return ok
	}
	if err != nil || !j.Has(m) {
		return flashFault
	}
	return ok
}

// Attempt marks an attempt and returns how many are marked then, 0 if there was none left. A mark
// that the flash doesn't take is passed over: an attempt that isn't counted could be
// made for ever.
func (j *Journal) Attempt() (made uint8) {
	marked := false
	for n := range uint32(Attempts) {
		m := Attempt1 + Mark(n)
		used := j.used(m)
		if !used && !marked {
			j.Set(m)
			used = j.used(m)
			marked = used
		}
		if used {
			made++
		}
	}
	if !marked {
		return 0
	}
	return made
}

func (j *Journal) used(m Mark) bool { return j.word(j.at+4*uint32(m)) != blank }

// Append writes an entry, which then is in force, and numbers it. Places that a cut write
// of other bytes has spoilt are passed over. If there is none left the other sector is
// erased, even if it reads blank: only entries that are past are in it.
func (j *Journal) Append(e Entry) Refusal {
	sector, at := j.next()
	a := j.Layout.Journal[sector]
	for ; at < a.End(); at += EntrySize {
		e.Seq = j.sequence(j.Seq, sector, at)
		if j.encode(&e); j.fits(at) {
			return j.write(&e, at)
		}
	}
	seq := j.sequence(j.Seq, 1-sector, j.Layout.Journal[1-sector].Off)
	if !defect.CompactInForce.Planted() {
		sector = 1 - sector
	}
	a = j.Layout.Journal[sector]
	if j.Flash.Erase(a.Off, a.Size) != nil {
		return flashFault
	}
	e.Seq = j.sequence(seq, sector, a.Off)
	j.encode(&e)
	return j.write(&e, a.Off)
}

// next is the place behind the entry in force.
func (j *Journal) next() (sector int, at uint32) {
	if j.Seq == 0 {
		return 0, j.Layout.Journal[0].Off
	}
	if second := j.Layout.Journal[1]; j.at >= second.Off && j.at < second.End() {
		sector = 1
	}
	return sector, j.at + EntrySize
}

// Renew writes the header in force once more.
func (j *Journal) Renew() Refusal {
	e := j.Entry
	j.encode(&e)
	return j.write(&e, j.at)
}

func (j *Journal) encode(e *Entry) {
	p := j.buf[:headerSize]
	le.PutUint32(p, e.Seq)
	p[4], p[5], p[6], p[7] = e.Target, e.Base, e.RevokedBefore, e.RevokedAfter
	le.PutUint32(p[8:], e.FloorBefore)
	le.PutUint32(p[12:], e.FloorAfter)
	le.PutUint32(p[16:], e.Update)
	le.PutUint32(p[20:], checksum(p[:20], 0))
}

// fits says whether the header in buf can be programmed at a place that has no marks.
func (j *Journal) fits(at uint32) bool {
	j.Flash.Read(at, j.check[:])
	for i, was := range j.check {
		if i < headerSize && was&j.buf[i] != j.buf[i] || i >= headerSize && was != 0xFF {
			return false
		}
	}
	return true
}

// write programs the header in buf.
func (j *Journal) write(e *Entry, at uint32) Refusal {
	if j.Flash.Program(at, j.buf[:headerSize]) != nil {
		return flashFault
	}
	j.Flash.Read(at, j.check[:headerSize])
	if string(j.check[:headerSize]) != string(j.buf[:headerSize]) {
		return flashFault
	}
	j.Entry, j.at = *e, at
	return ok
}

func (j *Journal) word(at uint32) uint32 {
	j.Flash.Read(at, j.buf[:4])
	return le.Uint32(j.buf[:4])
}

// checksum is the CRC-32 of IEEE 802.3 over p, and over a number if that isn't 0.
func checksum(p []byte, also uint32) uint32 {
	crc := ^uint32(0)
	for _, b := range p {
		crc = crcByte(crc, b)
	}
	for ; also != 0; also >>= 8 {
		crc = crcByte(crc, byte(also))
	}
	return ^crc
}

// crcByte goes by half bytes: a table of 64 bytes is a good bargain between flash and time.
func crcByte(crc uint32, b byte) uint32 {
	crc ^= uint32(b)
	crc = crc>>4 ^ crcTable[crc&15]
	return crc>>4 ^ crcTable[crc&15]
}

var crcTable = [16]uint32{
	0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4, 0x4DB26158, 0x5005713C,
	0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C, 0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C,
}
