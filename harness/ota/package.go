package ota

import (
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"strconv"
	"strings"

	device "rigor/firmware/ota"
	wireota "rigor/firmware/wire/ota"
)

// MaxPayload is the most bytes that a device can stage.
const MaxPayload = wireota.MaxPieces * wireota.PieceSize

// MaxKeys is how many public keys a board has places for.
const MaxKeys = device.MaxKeys

// Package is an update: its manifest as it is sent, and its payload.
type Package struct {
	Manifest [device.ManifestSize]byte
	Payload  []byte
}

// ReadPackage takes a package file apart. What the manifest says is not looked at, since
// a device must refuse what is wrong with it.
func ReadPackage(file []byte) (*Package, error) {
	if len(file) < device.ManifestSize || string(file[:4]) != "RIGO" {
		return nil, errors.New("not a package: it does not begin with a manifest; `rigor ota pack` makes packages")
	}
	p := &Package{Payload: file[device.ManifestSize:]}
	copy(p.Manifest[:], file)
	return p, nil
}

// Bytes is the package as a file.
func (p *Package) Bytes() []byte { return append(p.Manifest[:], p.Payload...) }

// ID is the number that the device knows the update by.
func (p *Package) ID() uint32 { return device.ID(p.Manifest[:]) }

// Decode reads the manifest.
func (p *Package) Decode() (device.Manifest, error) {
	var m device.Manifest
	if !m.Decode(p.Manifest[:]) {
		return m, errors.New("the manifest has no form that this version of rigor knows")
	}
	return m, nil
}

// pieces is how many pieces the payload has.
func (p *Package) pieces() int {
	return (len(p.Payload) + wireota.PieceSize - 1) / wireota.PieceSize
}

// piece gives one of them, padded with 0xFF.
func (p *Package) piece(index uint16) []byte {
	data := make([]byte, wireota.PieceSize)
	n := copy(data, p.Payload[int(index)*wireota.PieceSize:])
	for i := n; i < len(data); i++ {
		data[i] = 0xFF
	}
	return data
}

// Sign signs the package.
func (p *Package) Sign(key ed25519.PrivateKey) {
	copy(p.Manifest[device.ManifestSize-ed25519.SignatureSize:], ed25519.Sign(key, p.Signed()))
}

// Signed is what a signature is of.
func (p *Package) Signed() []byte {
	return append([]byte(device.Domain), device.Signed(p.Manifest[:])...)
}

// SignedBy says whether the signature is that key's, by the host's own implementation.
func (p *Package) SignedBy(key ed25519.PublicKey) bool {
	return ed25519.Verify(key, p.Signed(), p.Manifest[device.ManifestSize-ed25519.SignatureSize:])
}

// Unsigned says whether nobody has signed the package.
func (p *Package) Unsigned() bool {
	return [ed25519.SignatureSize]byte(p.Manifest[device.ManifestSize-ed25519.SignatureSize:]) == [ed25519.SignatureSize]byte{}
}

// Version is a program's version, major<<24 | minor<<16 | patch.
type Version uint32

func (v Version) String() string { return fmt.Sprintf("%d.%d.%d", v>>24, v>>16&0xFF, v&0xFFFF) }

// ParseVersion reads a version such as 1.4.0; the patch may be left out.
func ParseVersion(text string) (Version, error) {
	bits := []int{8, 8, 16}
	parts := strings.Split(strings.TrimPrefix(text, "v"), ".")
	if len(parts) < 2 || len(parts) > 3 {
		return 0, fmt.Errorf("version %q: want major.minor.patch, such as 1.4.0", text)
	}
	v, shift := uint64(0), 32
	for i, part := range parts {
		n, err := strconv.ParseUint(part, 10, bits[i])
		if err != nil {
			return 0, fmt.Errorf("version %q: want major.minor.patch, up to 255.255.65535", text)
		}
		shift -= bits[i]
		v |= n << shift
	}
	if v == 0 {
		return 0, errors.New("version 0.0.0 stands for none: want at least 0.0.1")
	}
	return Version(v), nil
}

// Options are what a package says beside its program.
type Options struct {
	Counter uint32 // a board that has confirmed it takes none that is lower
	Key     uint8  // the place of the signing key among the board's keys
	Revoke  uint8  // mask of keys that the board trusts no more once it has confirmed this
	Base    *Program
	// Payload is made against Base; nil: one is made here.
	Payload []byte
}

// SizeError is a program or a payload for which a board has no room.
type SizeError struct {
	What     string
	Got, Max int
	Hint     string
}

func (e *SizeError) Error() string {
	return fmt.Sprintf("%s is of %d bytes, there is room for %d: %s", e.What, e.Got, e.Max, e.Hint)
}

// Pack makes the package of a program, unsigned. With a base it is a difference, which
// only a board that runs the base takes.
func Pack(p *Program, o Options) (*Package, error) {
	if err := o.check(p); err != nil {
		return nil, err
	}
	payload := o.Payload
	if payload == nil {
		var err error
		if payload, err = p.payload(o.Base); err != nil {
			return nil, err
		}
	}
	if len(payload) > MaxPayload {
		return nil, &SizeError{"the payload", len(payload), MaxPayload, "give a --base that is more alike, or make the program smaller"}
	}
	m := device.Manifest{
		Slot: p.Slot, Version: uint32(p.Version), Counter: o.Counter, Key: o.Key, Revoke: o.Revoke,
		ImageSize: uint32(len(p.Image)), PayloadSize: uint32(len(payload)),
		TargetDigest: sha256.Sum256(p.Image), PayloadDigest: sha256.Sum256(payload),
	}
	m.SetChip(p.layout.Chip)
	if o.Base != nil {
		m.Kind, m.BaseVersion, m.BaseSize, m.BaseDigest = device.Difference, uint32(o.Base.Version), uint32(len(o.Base.Image)), sha256.Sum256(o.Base.Image)
	}
	made := &Package{Payload: payload}
	m.Encode(made.Manifest[:])
	return made, nil
}

func (o *Options) check(p *Program) error {
	switch {
	case o.Key >= MaxKeys:
		return fmt.Errorf("key %d: a board has keys 0 to %d", o.Key, MaxKeys-1)
	case o.Revoke>>MaxKeys != 0:
		return fmt.Errorf("revoke mask %#x: a board has keys 0 to %d", o.Revoke, MaxKeys-1)
	case o.Revoke>>o.Key&1 != 0:
		return fmt.Errorf("key %d cannot revoke itself: sign with the key that stays", o.Key)
	case o.Base == nil:
		return nil
	case o.Base.Version >= p.Version:
		return fmt.Errorf("the base has version %v, the program %v: boards take newer ones only", o.Base.Version, p.Version)
	}
	return p.follows(o.Base)
}
