package ota

import "rigor/firmware/ota/defect"

// The journal is two sectors, each with one entry of sixteen words, little endian:
//
//	0     sequence number
//	1     target slot, base slot, keys revoked before and after: a byte each
//	2, 3  rollback counter's floor before and after
//	4     id of the update's manifest
//	5     CRC-32 of the words before
//	6-15  marks, each a word that is blank or has its magic
//
// The entry with the higher sequence number is in force, if its CRC is good. The next one goes
// to the other sector, which is erased first, whatever it reads. (Places one after another in a sector would
// save erases. But one that reads blank may have been written to by an update that was cut short
// and given up: cells that are weak from then on stay so where the next entry doesn't program them.)

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
	buf    [headerSize]byte
	check  [headerSize]byte
}

// Read finds the entry in force. Of a sector that is blank it reads one word.
func (j *Journal) Read() {
	j.Entry, j.at = Entry{}, 0
	for sector, a := range j.Layout.Journal {
		if seq := j.word(a.Off); seq != blank && seq > j.Seq {
			j.header(sector, a.Off)
		}
	}
}

// header takes the entry of a sector for the one in force, if it is sound.
func (j *Journal) header(sector int, at uint32) {
	p := j.buf[:headerSize]
	j.Flash.Read(at, p)
	seq := le.Uint32(p)
	sound := le.Uint32(p[20:]) == checksum(p[:20], 0) && sectorOf(seq) == sector
	if !sound && !defect.TornHeader.Planted() {
		return
	}
	j.at = at
	j.Entry = Entry{
		Seq: seq, Target: p[4] & 1, Base: p[5] & 1, RevokedBefore: p[6], RevokedAfter: p[7],
		FloorBefore: le.Uint32(p[8:]), FloorAfter: le.Uint32(p[12:]), Update: le.Uint32(p[16:]),
	}
}

// sectorOf is the sector of the entry with that number.
func sectorOf(seq uint32) int { return int(seq-1) & 1 }

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

// Append numbers an entry and writes it, which then is in force. The one before is made
// sound first, since it is all that there is while the other sector is erased.
func (j *Journal) Append(e Entry) Refusal {
	if j.Seq != 0 {
		if r := j.strengthen(); r != ok {
			return r
		}
	}
	e.Seq = j.Seq + 1
	if defect.CompactInForce.Planted() && j.Seq != 0 {
		e.Seq++
	}
	a := j.Layout.Journal[sectorOf(e.Seq)]
	if j.Flash.Erase(a.Off, a.Size) != nil {
		return flashFault
	}
	return j.write(&e, a.Off)
}

// strengthen writes the entry in force once more, with its marks.
func (j *Journal) strengthen() Refusal {
	if r := j.Renew(); r != ok {
		return r
	}
	for _, m := range [...]Mark{Switch, Confirmed, Reverted} {
		if !j.Has(m) {
			continue
		}
		if r := j.Set(m); r != ok {
			return r
		}
	}
	return ok
}

// Renew writes the header in force once more.
func (j *Journal) Renew() Refusal {
	e := j.Entry
	return j.write(&e, j.at)
}

// write programs a header to an erased place, or to where it is already.
func (j *Journal) write(e *Entry, at uint32) Refusal {
	p := j.buf[:headerSize]
	j.encode(e)
	if j.Flash.Program(at, p) != nil {
		return flashFault
	}
	j.Flash.Read(at, j.check[:])
	if string(j.check[:]) != string(p) {
		return flashFault
	}
	j.Entry, j.at = *e, at
	return ok
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
