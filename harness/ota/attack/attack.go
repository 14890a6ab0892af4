// Package attack makes packages that a board must refuse, each for a reason of its own: what
// somebody would send who wants to run another program on it, or an old one with a hole, or
// none at all.
//
// Where an attacker would need the key, the package is signed with it all the same: the board
// must not rely on the signer's care. Left out: what is on the line below packages, since a
// frame that is damaged never arrives (firmware/wire).
package attack

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"math/big"

	device "rigor/firmware/ota"
	"rigor/firmware/ota/patch"
	wireota "rigor/firmware/wire/ota"
	"rigor/harness/ota"
)

// Attack is a package with the refusal that it must meet.
type Attack struct {
	Name    string
	Package *ota.Package
	Op      wireota.Op // that is refused: Offer or Install
	Want    wireota.Refusal
}

// Target is a board: it runs Base with a rollback counter of nothing, and trusts Key, at
// place 0, and Second, at place 1.
type Target struct {
	Base, New   *ota.Program // New is newer, and fits the slot that is free
	Key, Second ed25519.PrivateKey
	Stranger    ed25519.PrivateKey // that the board does not trust
}

// Try sends an attack as far as the board takes it, and returns the first refusal; nil: the board
// has installed it.
func (a *Attack) Try(ctx context.Context, c *ota.Client) error {
	answer, err := c.Offer(ctx, a.Package.Manifest[:])
	if err != nil {
		return err
	}
	if _, err := c.Send(ctx, a.Package, answer); err != nil {
		return err
	}
	_, err = c.Install(ctx)
	return err
}

// All makes all attacks.
func All(t Target) ([]Attack, error) {
	good, err := ota.Pack(t.New, ota.Options{Counter: 1, Base: t.Base})
	if err != nil {
		return nil, err
	}
	good.Sign(t.Key)
	b := builder{Target: t, good: good}
	for _, make := range []func() error{b.signatures, b.bits, b.identities, b.sizes, b.payloads} {
		if err := make(); err != nil {
			return nil, fmt.Errorf("make attacks: %w", err)
		}
	}
	return b.all, nil
}

// builder makes attacks of a package that the board would take.
type builder struct {
	Target
	good *ota.Package
	all  []Attack
}

func (b *builder) add(name string, p *ota.Package, op wireota.Op, want wireota.Refusal) {
	b.all = append(b.all, Attack{name, p, op, want})
}

// altered is the good package with some bytes of the manifest changed, and its old signature.
func (b *builder) altered(change func(manifest []byte)) *ota.Package {
	p := *b.good
	change(p.Manifest[:])
	return &p
}

// signed is the good package with its manifest changed, signed again.
func (b *builder) signed(change func(m *device.Manifest)) *ota.Package {
	p := *b.good
	var m device.Manifest
	if !m.Decode(p.Manifest[:]) {
		panic("BUG: attack: the good package has no manifest")
	}
	change(&m)
	m.Encode(p.Manifest[:])
	p.Sign(b.Key)
	return &p
}

// signatures are those that are no signature of this manifest by that key.
func (b *builder) signatures() error {
	const at = device.ManifestSize - ed25519.SignatureSize
	with := func(signature []byte) *ota.Package {
		return b.altered(func(m []byte) { copy(m[at:], signature) })
	}
	manifest := device.Signed(b.good.Manifest[:])
	refused := func(name string, p *ota.Package) { b.add(name, p, wireota.Offer, wireota.BadSignature) }
	refused("unsigned", with(make([]byte, ed25519.SignatureSize)))
	refused("signed by a stranger", with(ed25519.Sign(b.Stranger, b.good.Signed())))
	refused("signed by the other key", with(ed25519.Sign(b.Second, b.good.Signed())))
	refused("signed without domain", with(ed25519.Sign(b.Key, manifest)))
	refused("signed for another domain", with(ed25519.Sign(b.Key, append([]byte("ota-v1:"), manifest...))))
	refused("signature of the payload", with(ed25519.Sign(b.Key, b.good.Payload)))
	refused("malleable signature", with(malleable(b.good.Manifest[at:])))
	refused("small order signature", with(smallOrder()))
	b.add("signed with a key that the board has not", b.signed(func(m *device.Manifest) { m.Key = 3 }), wireota.Offer, wireota.UnknownKey)
	b.add("signed with a key that no board has", b.signed(func(m *device.Manifest) { m.Key = 200 }), wireota.Offer, wireota.UnknownKey)
	return nil
}

// order is the order of the base point's group (RFC 8032 §5.1).
var order, _ = new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)

// malleable adds the group's order to S: another signature that satisfies the equation, and
// that RFC 8032 §5.1.7 has refused since S must be below the order.
func malleable(signature []byte) []byte {
	out := append([]byte(nil), signature...)
	s := new(big.Int).SetBytes(reversed(out[32:]))
	copy(out[32:], reversed(s.Add(s, order).FillBytes(make([]byte, 32))))
	return out
}

func reversed(p []byte) []byte {
	out := make([]byte, len(p))
	for i, b := range p {
		out[len(p)-1-i] = b
	}
	return out
}

// smallOrder is R the neutral point and S zero, which verifies under a key of small order.
func smallOrder() []byte {
	out := make([]byte, ed25519.SignatureSize)
	out[0] = 1
	return out
}

// bits flip one bit in each field of the manifest. What is wrong with the manifest by
// itself is told before the signature is looked at; all else, the signature shows.
func (b *builder) bits() error {
	linked := wireota.BadFormat // 0xFE is no slot
	if b.New.Slot != device.AnySlot {
		linked = wireota.WrongSlot
	}
	for _, f := range []struct {
		field  string
		offset int
		mask   byte
		want   wireota.Refusal
	}{
		{"magic", 0, 0x01, wireota.BadFormat}, {"format", 4, 0x02, wireota.BadFormat},
		{"kind", 6, 0x01, wireota.BadSignature}, {"slot", 7, 0x01, linked},
		{"chip", 8, 0x01, wireota.WrongChip}, {"chip's padding", 19, 0x01, wireota.WrongChip},
		{"version", 23, 0x80, wireota.BadSignature}, {"base version", 24, 0x01, wireota.WrongBase},
		{"counter", 28, 0x02, wireota.BadSignature}, {"key", 32, 0x01, wireota.BadSignature},
		{"revoke", 33, 0x04, wireota.BadSignature}, {"zero", 34, 0x01, wireota.BadFormat},
		{"image size", 36, 0x04, wireota.BadSignature}, {"payload size", 40, 0x01, wireota.BadSignature},
		{"base size", 44, 0x04, wireota.WrongBase}, {"base digest", 48, 0x01, wireota.WrongBase}, {"base digest's end", 79, 0x80, wireota.WrongBase},
		{"target digest", 80, 0x01, wireota.BadSignature}, {"target digest's end", 111, 0x80, wireota.BadSignature},
		{"payload digest", 112, 0x01, wireota.BadSignature}, {"payload digest's end", 143, 0x80, wireota.BadSignature},
		{"reserved", 144, 0x01, wireota.BadFormat}, {"reserved's end", 191, 0x80, wireota.BadFormat},
		{"signature's R", 192, 0x01, wireota.BadSignature}, {"signature's S", 224, 0x01, wireota.BadSignature},
		{"signature's end", 255, 0x80, wireota.BadSignature},
	} {
		b.add("flipped bit in "+f.field, b.altered(func(m []byte) { m[f.offset] ^= f.mask }), wireota.Offer, f.want)
	}
	return nil
}

// identities are updates that were signed for something else.
func (b *builder) identities() error {
	offer := func(name string, want wireota.Refusal, change func(m *device.Manifest)) {
		b.add(name, b.signed(change), wireota.Offer, want)
	}
	other := map[string]string{"stm32f407": "esp32c3", "esp32c3": "k210", "k210": "stm32f407"}[b.New.Chip()]
	offer("wrong chip", wireota.WrongChip, func(m *device.Manifest) { m.SetChip(other) })
	offer("longer chip", wireota.WrongChip, func(m *device.Manifest) { m.SetChip(b.New.Chip() + "x") })
	offer("the slot that runs", wireota.WrongSlot, func(m *device.Manifest) { m.Slot = 0 })
	offer("replayed older version", wireota.OldVersion, func(m *device.Manifest) { m.Version = uint32(b.Base.Version) - 1 })
	offer("the version that runs", wireota.OldVersion, func(m *device.Manifest) { m.Version = uint32(b.Base.Version) })
	offer("wrong base", wireota.WrongBase, func(m *device.Manifest) { m.BaseDigest = sha256.Sum256([]byte("another")) })
	offer("base too large", wireota.WrongBase, func(m *device.Manifest) { m.BaseSize = 1 << 31 })
	offer("revokes its own key", wireota.BadFormat, func(m *device.Manifest) { m.Revoke = 1 })
	offer("unknown kind", wireota.BadFormat, func(m *device.Manifest) { m.Kind = 2 })
	if b.New.Slot != device.AnySlot {
		offer("linked to no slot", wireota.WrongSlot, func(m *device.Manifest) { m.Slot = device.AnySlot })
	}
	return nil
}

// sizes are such that nothing has room, or sums of them overflow.
func (b *builder) sizes() error {
	room := device.LayoutOf(b.New.Chip()).Room()
	for _, size := range []uint32{0, room + 1, 1 << 31, 1<<32 - 1, 1<<32 - 4096} {
		b.add(fmt.Sprintf("image of %d bytes", size), b.signed(func(m *device.Manifest) { m.ImageSize = size }), wireota.Offer, wireota.TooLarge)
	}
	for _, size := range []uint32{0, ota.MaxPayload + 1, 1 << 31, 1<<32 - 1, 1<<32 - 251} {
		b.add(fmt.Sprintf("payload of %d bytes", size), b.signed(func(m *device.Manifest) { m.PayloadSize = size }), wireota.Offer, wireota.TooLarge)
	}
	return nil
}

// payloads are signed, and not what they should be.
func (b *builder) payloads() error {
	last := len(b.good.Payload) - 1
	sent := func(name string, payload []byte) { // other bytes than were signed
		p := *b.good
		p.Payload = payload
		b.add(name, &p, wireota.Install, wireota.PayloadDigest)
	}
	sent("flipped bit in the payload", flipped(b.good.Payload, last/2))
	sent("payload cut short on the way", b.good.Payload[:last-8])
	b.payload("truncated payload", b.good.Payload[:last/2], wireota.PatchMalformed, nil)
	b.payload("payload with more behind it", append(append([]byte(nil), b.good.Payload...), make([]byte, 64)...), wireota.PatchMalformed, nil)
	b.payload("payload of text", []byte("#!/bin/sh\nexec rigor\n"), wireota.PatchMalformed, nil)
	b.payload("image that is one word longer than said", b.good.Payload, wireota.PatchOutside, func(m *device.Manifest) { m.ImageSize -= 4 })
	b.payload("other image than was signed", b.good.Payload, wireota.TargetDigest, func(m *device.Manifest) { m.TargetDigest[0] ^= 1 })
	longer := append(append([]byte(nil), b.Base.Image...), make([]byte, 4096)...)
	outside, err := patch.Encode(longer, make([]byte, len(b.New.Image)), []patch.Stretch{
		{Step: int32(len(longer) - 64), Like: 64, Own: uint32(len(b.New.Image) - 64)},
	})
	if err != nil {
		return err
	}
	b.payload("patch that reads behind its base", outside, wireota.PatchOutside, nil)
	b.overflows()
	return nil
}

// overflows are patches with lengths and places that leave base or slot, most of them
// only if their sum is not taken to be larger than 32 bits.
func (b *builder) overflows() {
	const most = 1<<31 - 1
	size, from := uint32(len(b.New.Image)), int32(len(b.Base.Image))
	for _, f := range []struct {
		name    string
		stretch patch.Stretch
	}{
		{"own bytes past the slot", patch.Stretch{Own: most}},
		{"own bytes one past the image", patch.Stretch{Own: size + 1}},
		{"lengths whose sum is 2^32", patch.Stretch{Like: 1, Own: most}},
		{"lengths whose sum passes 2^32", patch.Stretch{Like: most, Own: most}},
		{"like bytes past the slot", patch.Stretch{Like: most}},
		{"place before the base", patch.Stretch{Step: -1, Like: 4}},
		{"place far before the base", patch.Stretch{Step: -1 << 30, Like: 4}},
		{"place behind the base", patch.Stretch{Step: from + 1, Own: 4}},
		{"place far behind the base", patch.Stretch{Step: 1<<30 - 1, Like: 4}},
		{"like bytes over the base's end", patch.Stretch{Step: from - 4, Like: 8}},
	} {
		b.payload("patch with "+f.name, patch.Forge(f.stretch), wireota.PatchOutside, nil)
	}
}

// payload adds a package with another payload, of which all digests are right.
func (b *builder) payload(name string, payload []byte, want wireota.Refusal, change func(m *device.Manifest)) {
	p := b.signed(func(m *device.Manifest) {
		m.PayloadSize, m.PayloadDigest = uint32(len(payload)), sha256.Sum256(payload)
		if change != nil {
			change(m)
		}
	})
	p.Payload = payload
	b.add(name, p, wireota.Install, want)
}

func flipped(p []byte, at int) []byte {
	out := append([]byte(nil), p...)
	out[at] ^= 0x10
	return out
}
