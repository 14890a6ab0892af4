package faults

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"

	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
)

// toy is a device small enough to be seen through: a boot program with a journal,
// and an updater, in Go. Its flash has four sectors.
type toy struct {
	cells [4 * toySector]byte
	ram   toyRAM
	watch board.FlashWatcher
	fail  func(board.FlashOp) board.FlashFault
	toyPlan
	defect defect
	noise  uint32
	image  []byte // that the host wants in it
}

type toyRAM struct {
	now   clock.Time
	on    bool
	slot  int
	why   string
	entry uint32
	sure  bool // that it is confirmed; RAM that a bad program trusts
}

type toyPlan struct {
	resetAt clock.Time
	by      board.ResetKind
}

type toySnapshot struct {
	cells [4 * toySector]byte
	ram   toyRAM
}

// defect is one that is planted.
type defect int

const (
	none          defect = iota
	trustsBlank          // does not erase a slot that reads blank
	blindBoot            // starts what the journal says, whatever it is
	needsBoth            // the switch, which may be marginal, with the confirmation
	readsOnce            // a confirmation that is marginal, and trusts it
	confirmsInRAM        // the confirmation, before it is in flash
	rambles              // does something else each time
	overconfident        // tells the new version when it runs the old
	idle                 // says that the update is done
	twoSteps             // writes the mark of the switch as a count in two words
)

const (
	toySector  = 4096
	toyImage   = 32 // bytes, the last four a checksum
	journalAt  = 0
	markSwitch = 0x5A17C0DE
	markTry    = 0x7121A100
	markOK     = 0xC0F12A00
	markBack   = 0xBAC4BAC4
)

var toySlots = [2]uint32{2 * toySector, 3 * toySector}

var toyAreas = []Area{
	{Name: "journal", Size: toySector},
	{Name: "spare", Off: toySector, Size: toySector},
	{Name: "slot 0", Off: toySlots[0], Size: toySector},
	{Name: "slot 1", Off: toySlots[1], Size: toySector},
}

// makeImage is one of a version, with a checksum that nothing else has.
func makeImage(version uint32) []byte {
	b := make([]byte, toyImage)
	for i := 0; i < toyImage; i += 4 {
		binary.LittleEndian.PutUint32(b[i:], pattern(99, int(version), uint32(i)))
	}
	binary.LittleEndian.PutUint32(b, version)
	binary.LittleEndian.PutUint32(b[toyImage-4:], crc32.ChecksumIEEE(b[:toyImage-4]))
	return b
}

func newToy(d defect) *toy {
	t := &toy{defect: d, image: makeImage(2)}
	for i := range t.cells {
		t.cells[i] = 0xFF
	}
	copy(t.cells[toySlots[0]:], makeImage(1))
	copy(t.cells[toySlots[1]:], makeImage(0)) // of before
	t.resetAt = clock.NeverTime
	return t
}

func (t *toy) FlashSize() int                                   { return len(t.cells) }
func (t *toy) ReadCells(off uint32, p []byte)                   { copy(p, t.cells[off:]) }
func (t *toy) SetCells(off uint32, p []byte)                    { copy(t.cells[off:], p) }
func (t *toy) WatchFlash(w board.FlashWatcher)                  { t.watch = w }
func (t *toy) FailFlash(f func(board.FlashOp) board.FlashFault) { t.fail = f }
func (t *toy) ResetAt(at clock.Time, kind board.ResetKind)      { t.toyPlan = toyPlan{at, kind} }
func (t *toy) Snapshot() any                                    { return toySnapshot{t.cells, t.ram} }

func (t *toy) Restore(s any) {
	t.cells, t.ram = s.(toySnapshot).cells, s.(toySnapshot).ram
	t.resetAt = clock.NeverTime
}

func (t *toy) Power(on bool) {
	t.ram = toyRAM{on: on}
}

func (t *toy) word(off uint32) uint32 {
	if t.watch != nil {
		t.watch.FlashRead(off, 4)
	}
	return binary.LittleEndian.Uint32(t.cells[off:])
}

func (t *toy) bytes(off, n uint32) (p []byte) {
	for i := uint32(0); i < n; i += 4 {
		p = binary.LittleEndian.AppendUint32(p, t.word(off+i))
	}
	return p
}

var errFlash, errReset = errors.New("flash error"), errors.New("reset")

func (t *toy) do(op board.FlashOp, takes clock.Time) {
	op.Start, op.End = t.ram.now, t.ram.now+takes
	t.ram.now = op.End
	var fault board.FlashFault
	if t.fail != nil {
		fault = t.fail(op)
	}
	cut := t.resetAt >= op.Start && t.resetAt < op.End
	if fault.Kind == board.FlashSound && t.watch != nil {
		t.watch.FlashBegin(op)
	}
	for i := uint32(0); i < op.Len && fault.Kind <= board.FlashPartial && fault.Kind != board.FlashDropped; i++ {
		mask := byte(0xFF)
		if fault.Kind == board.FlashPartial {
			mask = fault.Mask[i]
		}
		if cut {
			mask &= 0x55
		}
		if op.Erase {
			t.cells[op.Off+i] |= mask
		} else {
			t.cells[op.Off+i] &= op.Data[i] | ^mask
		}
	}
	if t.watch != nil {
		op.Cut = cut
		t.watch.FlashEnd(op)
	}
	if fault.Kind == board.FlashRefused {
		panic(errFlash)
	}
	if cut {
		t.resetAt = clock.NeverTime
		panic(errReset)
	}
}

func (t *toy) erase(off uint32) {
	t.do(board.FlashOp{Erase: true, Off: off, Len: toySector}, clock.Second)
}

func (t *toy) program(off, v uint32) {
	t.do(board.FlashOp{Off: off, Len: 4, Data: binary.LittleEndian.AppendUint32(nil, v)}, 16*clock.Microsecond)
}

// attempt runs a piece of the device's program, and tells why it ended early.
func attempt(f func()) (err error) {
	defer func() {
		if e := recover(); e != nil {
			err = e.(error)
		}
	}()
	f()
	return nil
}

// entry finds the journal's entry in force: the first that is not reverted. It has
// words for the switch, two attempts, confirmation (the fifth) and reversion.
func (t *toy) entry() (at uint32) {
	for at = journalAt; at < 4*32 && t.word(at+20) == markBack; at += 32 {
	}
	return at
}

func (t *toy) valid(slot int) bool {
	b := t.bytes(toySlots[slot], toyImage)
	return crc32.ChecksumIEEE(b[:toyImage-4]) == binary.LittleEndian.Uint32(b[toyImage-4:])
}

// boot is the boot program.
func (t *toy) boot() {
	if t.defect == rambles {
		t.noise++
		t.word(toySector + t.noise%8*4)
	}
	at := t.entry()
	t.ram.entry = at
	t.ram.slot, t.ram.why = t.choose(at)
	if t.defect == blindBoot {
		return
	}
	if !t.valid(t.ram.slot) {
		t.ram.slot, t.ram.why = 1-t.ram.slot, "fallback"
		if !t.valid(t.ram.slot) {
			t.ram.slot, t.ram.why = -1, "none"
		}
	}
}

func (t *toy) choose(at uint32) (slot int, why string) {
	switched := t.word(at) == markSwitch
	if t.defect == twoSteps { // the second word says which slot, and that is not checked
		switched = t.word(at) == markSwitch
		if switched && t.word(at+24) != 1 {
			return -1, "mark"
		}
	}
	switch {
	case !switched && t.defect == needsBoth:
		return 0, "old"
	case t.word(at+16) == markOK || t.ram.sure:
		return 1, "confirmed"
	case !switched:
		return 0, "old"
	}
	for i := uint32(4); i <= 8; i += 4 {
		if t.word(at+i) == ^uint32(0) {
			t.program(at+i, markTry)
			return 1, "trial"
		}
		t.program(at+i, markTry) // what was torn is made whole
	}
	t.program(at+20, markBack)
	return 0, "reverted"
}

func (t *toy) Boot(context.Context) (Report, error) {
	err := errReset
	for err == errReset {
		err = attempt(t.boot)
	}
	return t.report(), nil
}

func (t *toy) report() Report {
	r := Report{Alive: t.ram.slot >= 0, Slot: t.ram.slot, Why: t.ram.why}
	if t.ram.slot >= 0 {
		r.Version = t.word(toySlots[t.ram.slot])
	}
	if t.defect == overconfident {
		r.Version = 2
	}
	return r
}

func (t *toy) Update(ctx context.Context) (o Outcome, err error) {
	for o.Pushes = 1; o.Pushes <= 3; o.Pushes++ {
		err := attempt(t.push)
		if err == errReset {
			err = attempt(t.boot)
		}
		o.Report = t.report()
		if err == nil && t.ram.slot == 1 && t.ram.why != "trial" && o.Version == 2 || t.defect == idle {
			o.Done = true
			return o, nil
		}
	}
	o.Pushes, o.Err = 3, "no confirmation"
	return o, nil
}

// push is one update.
func (t *toy) push() {
	if t.ram.slot == 0 && t.defect != idle {
		t.install()
		t.boot() // a restart
	}
	if t.ram.slot == 1 && (t.ram.why == "trial" || t.defect != readsOnce) { // a mark that is there may be marginal
		t.ram.sure = t.defect == confirmsInRAM
		if t.program(t.ram.entry+16, markOK); t.word(t.ram.entry+16) != markOK {
			panic(errFlash)
		}
		t.ram.why = "confirmed"
	}
}

func (t *toy) install() {
	at := t.entry()
	if t.defect == twoSteps {
		t.program(at, markSwitch)
		defer t.program(at+24, 1)
	}
	if t.defect != trustsBlank || !bytes.Equal(t.bytes(toySlots[1], toyImage), bytes.Repeat([]byte{0xFF}, toyImage)) {
		t.erase(toySlots[1])
	}
	for i := uint32(0); i < toyImage; i += 4 {
		t.program(toySlots[1]+i, binary.LittleEndian.Uint32(t.image[i:]))
	}
	if !t.valid(1) {
		panic(errFlash)
	}
	t.program(at, markSwitch)
}

// toyJudge reads the toy's flash by itself.
type toyJudge struct{}

func (toyJudge) Booted(f Flash, r Report) (Image, error) {
	if !r.Alive {
		return None, nil
	}
	b := make([]byte, toyImage)
	f.ReadCells(toySlots[r.Slot], b)
	for v, image := range map[uint32]Image{1: Old, 2: New} {
		if bytes.Equal(b, makeImage(v)) {
			if r.Version != v {
				return image, errors.New("the device tells another version than it runs")
			}
			return image, nil
		}
	}
	return Other, nil
}

func (j toyJudge) Updated(f Flash, o Outcome) (Image, error) {
	image, err := j.Booted(f, o.Report)
	b := make([]byte, 32)
	f.ReadCells(0, b)
	if o.Done && binary.LittleEndian.Uint32(b[20:]) != markBack && binary.LittleEndian.Uint32(b[16:]) != markOK {
		return image, errors.New("the device tells of a confirmation that is not in flash")
	}
	return image, err
}

// reverted is beyond the toy's horizon: the update has begun anew.
func reverted(f Flash) bool {
	b := make([]byte, 4)
	f.ReadCells(20, b)
	return binary.LittleEndian.Uint32(b) == markBack
}
