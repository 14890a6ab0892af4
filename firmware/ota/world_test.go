package ota

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"testing"

	"rigor/firmware/ota/patch"
	"rigor/firmware/wire/ota"
)

// small is a chip with everything small, so that all of an update can be tried out: three
// pieces, images of less than a kilobyte.
func small(origin uint32) *Layout {
	const sector = 128
	return &Layout{
		Chip:    "small",
		Keys:    Area{0, 128, 128},
		Journal: [2]Area{{0x100, sector, sector}, {0x200, sector, sector}},
		Staging: Area{0x400, 0x400, 0x200},
		Slots:   [2]Area{{0x800, 0x800, 0x400}, {0x1000, 0x800, 0x400}},
		Gap:     0x100,
		Origin:  origin,
	}
}

const smallSize = 0x1800

func private(seed byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))
}

// image is something to run: some of it differs from one version to the next.
func image(version uint32) []byte {
	p := make([]byte, 700+16*version)
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range p {
		p[i] = byte(rng.Uint32())
	}
	for i := range 24 {
		p[int(version)*20+i] = byte(version) ^ byte(i)
	}
	return p
}

// update is a package: what the host sends.
type update struct {
	Manifest
	raw     [ManifestSize]byte
	payload []byte
	image   []byte
}

// sign encodes the manifest and signs it.
func (u *update) sign(key ed25519.PrivateKey) *update {
	u.Encode(u.raw[:])
	copy(u.Signature[:], ed25519.Sign(key, append([]byte(Domain), Signed(u.raw[:])...)))
	u.Encode(u.raw[:])
	return u
}

// pack makes the package of a full image for a slot.
func pack(l *Layout, version uint32, slot uint8) *update {
	img := image(version)
	payload, err := patch.Encode(nil, img, []patch.Stretch{{Own: uint32(len(img))}})
	if err != nil {
		panic(err)
	}
	u := &update{image: img}
	u.SetChip(l.Chip)
	u.Slot, u.Version, u.Counter = slot, version, version
	if l.Origin == 0 {
		u.Slot = AnySlot
	}
	u.setPayload(payload)
	return u.sign(private(1))
}

func (u *update) setPayload(payload []byte) {
	u.payload = payload
	u.ImageSize, u.PayloadSize = uint32(len(u.image)), uint32(len(payload))
	u.TargetDigest, u.PayloadDigest = sha256.Sum256(u.image), sha256.Sum256(payload)
}

// packDifference makes the package of a difference against what is in the other slot.
func packDifference(f Flash, l *Layout, base, version uint32, slot uint8) *update {
	u := pack(l, version, slot)
	from := image(base)
	b := l.Base(f, int(1-slot), uint32(len(from)))
	seen := make([]byte, len(from))
	b.Read(0, seen)
	n := uint32(min(len(seen), len(u.image)))
	payload, err := patch.Encode(seen, u.image, []patch.Stretch{{Like: n, Own: uint32(len(u.image)) - n}})
	if err != nil {
		panic(err)
	}
	u.Kind, u.BaseVersion, u.BaseSize, u.BaseDigest = Difference, base, uint32(len(from)), sha256.Sum256(from)
	u.setPayload(payload)
	return u.sign(private(1))
}

// world is a board, its host, and who watches both.
type world struct {
	*cells
	l        *Layout
	device   Device
	updater  Updater
	report   ota.Boot
	token    uint16
	answer   ota.Answer
	old, new *update
	also     *update // that may run as well: one that was given up for new
	findings []string
	seen     map[uint64]bool // flash contents from which an update was completed, if that is kept
}

func (w *world) find(format string, args ...any) {
	w.findings = append(w.findings, fmt.Sprintf(format, args...))
}

// factory is a board with one image, as it leaves the factory.
func factory(l *Layout, page uint32) *world {
	w := &world{cells: newCells(smallSize, page), l: l}
	for k := range 2 {
		copy(w.mem[k*32:], private(byte(1+k)).Public().(ed25519.PublicKey))
	}
	w.old = pack(l, 1, 0)
	copy(w.mem[l.Slots[0].Off:], w.old.raw[:])
	copy(w.mem[l.Image(0):], w.old.image)
	return w
}

// readings is in how many ways the flash is read.
func (w *world) readings() uint32 {
	if zero(w.weak) {
		return 1
	}
	return 3
}

// branch is a world that goes on by itself, with power off.
func (w *world) branch() *world {
	return &world{cells: w.cells.clone(), l: w.l, old: w.old, new: w.new, also: w.also, seen: w.seen}
}

// known says whether this flash was met before: what becomes of it is known then.
func (w *world) known() bool {
	var h maphash.Hash
	h.SetSeed(seed)
	h.Write(w.mem)
	h.Write(w.weak)
	h.WriteByte(byte(w.lie))
	key := h.Sum64()
	before := w.seen[key]
	w.seen[key] = true
	return before
}

var seed = maphash.MakeSeed()

// powerOn boots and starts the application, and judges what is booted.
func (w *world) powerOn() {
	w.device, w.updater = Device{}, Updater{}
	w.device.Open(w.cells, w.l)
	w.report = w.device.Boot()
	w.judge()
	if w.report.Slot != ota.NoSlot {
		w.updater.Open(w.cells, w.l)
		w.updater.Start(w.report.Slot)
	}
}

// runs is the update that is in a slot, nil if that holds none of those that may run.
func (w *world) runs(slot uint8) *update {
	for _, u := range []*update{w.old, w.new, w.also} {
		if u == nil || slot == ota.NoSlot {
			continue
		}
		raw, img := make([]byte, ManifestSize), make([]byte, len(u.image))
		w.Read(w.l.Slots[slot].Off, raw)
		w.Read(w.l.Image(int(slot)), img)
		if bytes.Equal(raw, u.raw[:]) && bytes.Equal(img, u.image) {
			return u
		}
	}
	return nil
}

// judge says that either the old or the new image runs, and that the journal bears the report out.
func (w *world) judge() {
	r := w.report
	if r.Slot == ota.NoSlot {
		w.find("bricked")
		return
	}
	u := w.runs(r.Slot)
	if u == nil {
		w.find("slot %d, which is booted, has neither old nor new image", r.Slot)
		return
	}
	if r.Version != u.Version || r.Update != ID(u.raw[:]) {
		w.find("version %d update %08x is reported, version %d update %08x runs", r.Version, r.Update, u.Version, ID(u.raw[:]))
	}
	expected := Expect(Inspect(w.cells, w.l))
	switch {
	case r.Why == ota.Fallback && (w.runs(expected.Slot) != nil || r.Slot == expected.Slot):
		w.find("%v, though the journal says slot %d %v and that is right", r, expected.Slot, expected.Why)
	case r.Why != ota.Fallback && (r.Slot != expected.Slot || r.Why != expected.Why || r.Attempt != expected.Attempt):
		w.find("slot %d %v %d reported, the journal says slot %d %v %d", r.Slot, r.Why, r.Attempt, expected.Slot, expected.Why, expected.Attempt)
	}
}

// ask makes a request and keeps its answer.
func (w *world) ask(op ota.Op, index uint16, data []byte) ota.Refusal {
	w.token++
	w.updater.Do(&ota.Request{Token: w.token, Op: op, Index: index, Data: data}, &w.answer)
	return w.answer.Refusal
}

// send is the host's way through an update up to the restart.
func (w *world) send(u *update) ota.Refusal {
	if r := w.ask(ota.Offer, 0, u.raw[:]); r != ok {
		return r
	}
	for w.answer.State == ota.Receiving {
		k := w.answer.First[0]
		piece := bytes.Repeat([]byte{0xFF}, ota.PieceSize)
		copy(piece, u.payload[min(int(k)*ota.PieceSize, len(u.payload)):])
		if r := w.ask(ota.Piece, k, piece); r != ok {
			return r
		}
	}
	if w.answer.State == ota.Staged {
		return w.ask(ota.Install, 0, nil)
	}
	return ok
}

const pushes = 3

// push updates the board, beginning anew where that fails, and says whether the new image
// runs and is confirmed.
func (w *world) push() bool {
	for range pushes {
		if w.report.Slot == ota.NoSlot {
			return false
		}
		w.answer.State = ota.Idle
		switch w.send(w.new) {
		case ok:
		case ota.Busy: // with an earlier update
			w.ask(ota.Confirm, 0, nil)
			continue
		default:
			continue
		}
		if w.answer.State == ota.Switched {
			if w.powerOn(); w.report.Slot == ota.NoSlot {
				return false
			}
		}
		w.ask(ota.Query, 0, nil)
		if w.answer.Running != ID(w.new.raw[:]) {
			continue
		}
		if r := w.ask(ota.Confirm, 0, nil); r == ok && w.answer.State == ota.Idle {
			return true
		}
	}
	return false
}

// conclude says that an update can be completed from here, and stays.
func (w *world) conclude() {
	w.powerOn()
	if len(w.findings) == 0 && !w.push() {
		w.find("not updated by %d pushes: %v, %v", pushes, w.answer.Refusal, w.answer.State)
	}
	for lie := range w.readings() {
		if len(w.findings) > 0 {
			return
		}
		w.lie = lie
		if w.powerOn(); w.runs(w.report.Slot) != w.new || w.report.Why != ota.Confirmed {
			w.find("updated and confirmed, but slot %d %v is booted", w.report.Slot, w.report.Why)
		}
	}
}

// worlds are boards with an update to be made.
func worlds(t testing.TB) map[string]*world {
	all := map[string]*world{}
	for name, w := range map[string]*world{"words": factory(small(0x08000000), 4), "pages": factory(small(0), 256)} {
		w.new = packDifference(w.cells, w.l, 1, 2, 1)
		all[name+", first update"] = w
		all[name+", later update"] = later(t, w.branch())
	}
	return all
}

// later is a board that was updated before and runs slot 1.
func later(t testing.TB, w *world) *world {
	t.Helper()
	w.powerOn()
	w.new = pack(w.l, 2, 1)
	if !w.push() || len(w.findings) > 0 {
		t.Fatalf("first update: %v %v", w.answer.Refusal, w.findings)
	}
	w.old, w.new = w.new, packDifference(w.cells, w.l, 2, 5, 0)
	return w.branch()
}
