package ota

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math/big"
	"slices"
	"testing"

	"rigor/firmware/ota/patch"
	"rigor/firmware/wire/ota"
)

// attack is an update that must be refused.
type attack struct {
	name string
	make func(w *world) *update
	want ota.Refusal
}

// altered is the new update with something else in its manifest, signed anew.
func altered(key byte, f func(m *Manifest)) func(*world) *update {
	return func(w *world) *update {
		u := *w.new
		f(&u.Manifest)
		return u.sign(private(key))
	}
}

// order is the order of the group that Ed25519 works in (RFC 8032 §5.1).
var order, _ = new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)

// longScalar has L added to S of the signature.
func longScalar(w *world) *update {
	u := *w.new
	s := slices.Clone(u.Signature[32:])
	slices.Reverse(s)
	s = new(big.Int).Add(new(big.Int).SetBytes(s), order).FillBytes(make([]byte, 32))
	slices.Reverse(s)
	copy(u.Signature[32:], s)
	u.Encode(u.raw[:])
	return &u
}

// carrying is the new update with another payload, which is signed.
func carrying(kind Kind, payload func(w *world) []byte) func(*world) *update {
	return func(w *world) *update {
		u := *w.new
		u.Kind = kind
		u.setPayload(payload(w))
		return u.sign(private(1))
	}
}

// reaching is a difference that takes bytes from beyond its base: made against a longer one.
func reaching(w *world) []byte {
	base := make([]byte, w.l.Room())
	n := uint32(len(w.new.image))
	p, err := patch.Encode(base, w.new.image, []patch.Stretch{{Step: int32(len(base)) - int32(n), Like: n}})
	if err != nil {
		panic(err)
	}
	return p
}

var attacks = []attack{
	{"another chip", altered(1, func(m *Manifest) { m.SetChip("smaller") }), ota.WrongChip},
	{"a chip of a longer name", altered(1, func(m *Manifest) { m.SetChip("smalls") }), ota.WrongChip},
	{"another format", func(w *world) *update { u := *w.new; u.raw[4]++; return &u }, ota.BadFormat},
	{"another kind", altered(1, func(m *Manifest) { m.Kind = 2 }), ota.BadFormat},
	{"the same version", altered(1, func(m *Manifest) { m.Version = m.BaseVersion }), ota.OldVersion},
	{"an older counter", altered(1, func(m *Manifest) { m.Counter = 0 }), ota.OldCounter},
	{"another base's version", altered(1, func(m *Manifest) { m.BaseVersion++ }), ota.WrongBase},
	{"another base", altered(1, func(m *Manifest) { m.BaseDigest[31] ^= 1 }), ota.WrongBase},
	{"an endless base", altered(1, func(m *Manifest) { m.BaseSize = 0xFFFFFFFF }), ota.WrongBase},
	{"a key the board lacks", altered(3, func(m *Manifest) { m.Key = 2 }), ota.UnknownKey},
	{"a key beyond the table", altered(3, func(m *Manifest) { m.Key = 255 }), ota.UnknownKey},
	{"another's key", altered(3, func(*Manifest) {}), ota.BadSignature},
	{"another of the board's keys", altered(2, func(*Manifest) {}), ota.BadSignature},
	{"a key that revokes itself", altered(1, func(m *Manifest) { m.Revoke = 1 }), ota.BadFormat},
	{"S + L", longScalar, ota.BadSignature},
	{"an endless image", altered(1, func(m *Manifest) { m.ImageSize = 0xFFFFFFFF }), ota.TooLarge},
	{"an image a byte too long", altered(1, func(m *Manifest) { m.ImageSize = 0x701 }), ota.TooLarge},
	{"no image", altered(1, func(m *Manifest) { m.ImageSize = 0 }), ota.TooLarge},
	{"an endless payload", altered(1, func(m *Manifest) { m.PayloadSize = 0xFFFFFFF0 }), ota.TooLarge},
	{"a longer payload", altered(1, func(m *Manifest) { m.PayloadSize++ }), ota.PayloadDigest},
	{"a shorter payload", altered(1, func(m *Manifest) { m.PayloadSize-- }), ota.PayloadDigest},
	{"another target", altered(1, func(m *Manifest) { m.TargetDigest[0] ^= 1 }), ota.TargetDigest},
	{"a payload that is none", carrying(Full, func(*world) []byte { return bytes.Repeat([]byte{0xA5}, 300) }), ota.PatchMalformed},
	{"a payload that ends early", carrying(Difference, func(w *world) []byte { return w.new.payload[:len(w.new.payload)/2] }), ota.PatchMalformed},
	{"a payload that reaches out", carrying(Difference, reaching), ota.PatchOutside},
	{"a payload that writes on", func(w *world) *update {
		u := *w.new
		u.ImageSize -= 300
		u.TargetDigest = sha256.Sum256(u.image[:u.ImageSize])
		return u.sign(private(1))
	}, ota.PatchOutside},
}

// attacked has a board take what it must refuse, each with its own word, and then flips
// bits of the manifest. What runs must go on running, and the true update must still work.
func (w *world) attacked(find func(string)) {
	for _, a := range attacks {
		b := w.branch()
		b.powerOn()
		evil := a.make(b)
		if got := b.send(evil); got != a.want {
			find(fmt.Sprintf("%s: %v, want %v", a.name, got, a.want))
		}
		b.aftermath(a.name, find)
	}
	for bit := 0; bit < 8*ManifestSize; bit += 5 {
		b := w.branch()
		b.powerOn()
		u := *w.new
		u.raw[bit/8] ^= 1 << (bit % 8)
		if got := b.send(&u); got == ok {
			find(fmt.Sprintf("bit %d of the manifest flipped: taken", bit))
		}
		b.untouched(fmt.Sprintf("bit %d", bit), w, find)
	}
}

// untouched says that the flash is as it was.
func (w *world) untouched(name string, before *world, find func(string)) {
	if !bytes.Equal(w.mem, before.mem) {
		find(name + ": the flash isn't as it was")
	}
}

func (w *world) aftermath(name string, find func(string)) {
	if w.powerOn(); w.runs(w.report.Slot) != w.old {
		find(fmt.Sprintf("%s: slot %d %v runs after that", name, w.report.Slot, w.report.Why))
	}
	if w.conclude(); len(w.findings) > 0 {
		find(fmt.Sprintf("%s, then the true update: %s", name, w.findings[0]))
	}
}

func TestAttacked(t *testing.T) {
	for name, w := range worlds(t) {
		w.attacked(func(s string) { t.Errorf("%s: %s", name, s) })
	}
}

// An update for the slot that runs is refused where images have their places, and one for any slot.
func TestWrongSlot(t *testing.T) {
	w := factory(small(0x08000000), 4)
	for _, slot := range []uint8{0, AnySlot} {
		u := pack(w.l, 2, 0)
		u.Slot = slot
		w.powerOn()
		if got := w.send(u.sign(private(1))); got != ota.WrongSlot {
			t.Errorf("for slot %d: %v, want %v", slot, got, ota.WrongSlot)
		}
	}
}

// A key is changed for another by an update, and revoked once that is confirmed: not before, and
// for good.
func TestRevocation(t *testing.T) {
	w := factory(small(0), 256)
	rotate := pack(w.l, 2, 1)
	rotate.Key, rotate.Revoke = 1, 1<<0
	w.new = rotate.sign(private(2))
	if w.powerOn(); !w.push() {
		t.Fatalf("rotation: %v", w.answer.Refusal)
	}
	w.old = w.new
	w.new = pack(w.l, 3, 0)
	if got := w.send(w.new); got != ota.RevokedKey {
		t.Errorf("revoked key: %v, want %v", got, ota.RevokedKey)
	}
	w.new.Key = 1
	w.new.sign(private(2))
	if !w.push() {
		t.Errorf("the new key: %v", w.answer.Refusal)
	}
}

// What was confirmed once sets the floor for all to come, even by way of what never ran.
func TestRollbackCounter(t *testing.T) {
	w := factory(small(0), 256)
	w.new = pack(w.l, 2, 1)
	w.new.Counter = 100
	w.new.sign(private(1))
	if w.powerOn(); !w.push() {
		t.Fatal(w.answer.Refusal)
	}
	later := pack(w.l, 3, 0)
	if got := w.send(later); got != ota.OldCounter {
		t.Errorf("newer version with a lower counter: %v, want %v", got, ota.OldCounter)
	}
}
