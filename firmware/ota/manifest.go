package ota

import (
	"encoding/binary"

	"rigor/firmware/ota/defect"
	"rigor/firmware/ota/sha2"
	"rigor/firmware/wire/ota"
)

var le = binary.LittleEndian

// Refusal is why something wasn't done; its names are in firmware/wire/ota.
type Refusal = ota.Refusal

// ManifestSize is the length of a manifest in bytes.
const ManifestSize = ota.ManifestSize

// Kind says what a payload is.
type Kind uint8

// The kinds.
const (
	Full       Kind = iota // the image
	Difference             // of package firmware/ota/patch, against the running image
)

// AnySlot in a manifest is an image that runs in both slots.
const AnySlot = 0xFF

// Manifest says what an update is. On the wire and in flash it has ManifestSize bytes, the
// last 64 of which are the ed25519 signature over [Domain] and all before it.
type Manifest struct {
	Kind          Kind
	Slot          uint8 // that the image is linked to, or AnySlot
	Chip          [12]byte
	Version       uint32 // major<<24 | minor<<16 | patch
	BaseVersion   uint32 // 0 for a full image
	Counter       uint32 // no update with a lower one is taken once this is confirmed
	Key           uint8  // that signed: its place among the board's keys
	Revoke        uint8  // mask of the keys that are revoked once this is confirmed
	ImageSize     uint32
	PayloadSize   uint32
	BaseSize      uint32
	BaseDigest    [sha2.Size256]byte
	TargetDigest  [sha2.Size256]byte
	PayloadDigest [sha2.Size256]byte
	Signature     [64]byte
}

// Domain stands before what is signed, so that a signature made for another purpose is
// none of an update.
const Domain = "ota-v2:"

const (
	manifestMagic  = "RIGO"
	manifestFormat = 1
	signedSize     = ManifestSize - 64
)

// Signed is the part of an encoded manifest that is signed, after Domain.
func Signed(raw []byte) []byte {
	if defect.PayloadSigned.Planted() {
		return raw[112:144]
	}
	return raw[:signedSize]
}

// ID is the number that an encoded manifest goes by.
func ID(raw []byte) uint32 {
	var h sha2.Hash256
	h.Reset()
	h.Write(raw[:ManifestSize])
	var sum [sha2.Size256]byte
	h.Sum(&sum)
	return le.Uint32(sum[:])
}

// SetChip sets Chip.
func (m *Manifest) SetChip(name string) {
	clear(m.Chip[:])
	copy(m.Chip[:], name)
}

// IsFor says whether m is for the chip of that name.
func (m *Manifest) IsFor(chip string) bool {
	for i, b := range m.Chip {
		if i < len(chip) && b != chip[i] || i >= len(chip) && b != 0 {
			return false
		}
	}
	return len(chip) <= len(m.Chip)
}

// Encode writes m to raw, which has ManifestSize bytes.
func (m *Manifest) Encode(raw []byte) {
	clear(raw[:ManifestSize])
	copy(raw, manifestMagic)
	le.PutUint16(raw[4:], manifestFormat)
	raw[6], raw[7] = byte(m.Kind), m.Slot
	copy(raw[8:20], m.Chip[:])
	for i, v := range [...]uint32{m.Version, m.BaseVersion, m.Counter} {
		le.PutUint32(raw[20+4*i:], v)
	}
	raw[32], raw[33] = m.Key, m.Revoke
	for i, v := range [...]uint32{m.ImageSize, m.PayloadSize, m.BaseSize} {
		le.PutUint32(raw[36+4*i:], v)
	}
	copy(raw[48:], m.BaseDigest[:])
	copy(raw[80:], m.TargetDigest[:])
	copy(raw[112:], m.PayloadDigest[:])
	copy(raw[signedSize:], m.Signature[:])
}

// Decode reads m from raw. Everything that is not as Encode writes it is refused, so that
// a manifest has one form only.
func (m *Manifest) Decode(raw []byte) bool {
	if len(raw) != ManifestSize || string(raw[:4]) != manifestMagic || le.Uint16(raw[4:]) != manifestFormat ||
		raw[34] != 0 || raw[35] != 0 || !zero(raw[144:signedSize]) {
		return false
	}
	m.Kind, m.Slot = Kind(raw[6]), raw[7]
	copy(m.Chip[:], raw[8:20])
	m.Version, m.BaseVersion, m.Counter = le.Uint32(raw[20:]), le.Uint32(raw[24:]), le.Uint32(raw[28:])
	m.Key, m.Revoke = raw[32], raw[33]
	m.ImageSize, m.PayloadSize, m.BaseSize = le.Uint32(raw[36:]), le.Uint32(raw[40:]), le.Uint32(raw[44:])
	copy(m.BaseDigest[:], raw[48:])
	copy(m.TargetDigest[:], raw[80:])
	copy(m.PayloadDigest[:], raw[112:])
	copy(m.Signature[:], raw[signedSize:])
	return m.Kind <= Difference && (m.Slot <= 1 || m.Slot == AnySlot) && m.Revoke&(1<<(m.Key&7)) == 0
}

func zero(p []byte) bool {
	for _, b := range p {
		if b != 0 {
			return false
		}
	}
	return true
}
