package ota

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"

	device "rigor/firmware/ota"
	"rigor/harness/flash"
)

// erasedBytes is how much of a journal's sector a factory file holds: enough to have
// it erased, so that a board that was used before forgets.
const erasedBytes = 256

// Factory makes Intel hex of all that a board needs to take updates: the boot program,
// the public keys and a first program. What an earlier life left in the journal is
// erased by it. The package must be a full image and signed with one of the keys.
func Factory(boot []byte, keys []ed25519.PublicKey, first *Package) ([]byte, error) {
	m, err := first.Decode()
	if err != nil {
		return nil, err
	}
	program, err := firstProgram(first, m, keys)
	if err != nil {
		return nil, err
	}
	l := program.layout
	part, err := flash.PartOf(l.Chip)
	if err != nil {
		return nil, err
	}
	segments, err := bootSegments(boot, part, l)
	if err != nil {
		return nil, err
	}
	origin := part.Memory[0].Addr
	add := func(off uint32, data []byte) {
		segments = append(segments, flash.Segment{Addr: origin + off, Data: data})
	}
	add(l.Keys.Off, keyTable(keys))
	for _, j := range l.Journal {
		add(j.Off, blank(erasedBytes))
	}
	add(l.Slots[0].Off, first.Manifest[:])
	add(l.Image(0), program.Image)
	return flash.AppendHex(nil, segments), nil
}

// firstProgram takes the program out of its package, if the board would boot it.
func firstProgram(p *Package, m device.Manifest, keys []ed25519.PublicKey) (*Program, error) {
	switch {
	case len(keys) == 0 || len(keys) > MaxKeys:
		return nil, fmt.Errorf("%d public keys: a board has 1 to %d", len(keys), MaxKeys)
	case m.Kind != device.Full:
		return nil, fmt.Errorf("the package is a difference against version %v: a board's first program is a full image, packed without --base", Version(m.BaseVersion))
	case m.Slot == 1:
		return nil, errors.New("the program is linked to slot 1: a board starts with slot 0")
	case int(m.Key) >= len(keys):
		return nil, fmt.Errorf("the package is signed with key %d, and there are keys 0 to %d", m.Key, len(keys)-1)
	case !p.SignedBy(keys[m.Key]):
		return nil, fmt.Errorf("the package's signature is not of key %d: the board would not boot it", m.Key)
	}
	program, err := Unpack(p, nil)
	if err != nil {
		return nil, err
	}
	if sha256.Sum256(program.Image) != m.TargetDigest {
		return nil, errors.New("the package's payload does not give the image that its manifest says")
	}
	return program, nil
}

// bootSegments reads the boot program, which must leave the rest alone.
func bootSegments(boot []byte, part flash.Part, l *device.Layout) ([]flash.Segment, error) {
	m, err := flash.Read(boot, part)
	if err != nil {
		return nil, fmt.Errorf("read the boot program: %w", err)
	}
	start := part.Memory[0].Addr
	if m.Segments[0].Addr != start {
		return nil, fmt.Errorf("the boot program begins at %#08x, the chip starts at %#08x: is it linked for a slot?", m.Segments[0].Addr, start)
	}
	last := m.Segments[len(m.Segments)-1]
	if end := int(last.Addr-start) + len(last.Data); end > int(l.Boot.End()) {
		return nil, &SizeError{"the boot program", end, int(l.Boot.End()), "keys and slots lie behind it"}
	}
	return m.Segments, nil
}

// keyTable is the keys as they lie in flash.
func keyTable(keys []ed25519.PublicKey) []byte {
	table := blank(MaxKeys * ed25519.PublicKeySize)
	for i, k := range keys {
		copy(table[i*ed25519.PublicKeySize:], k)
	}
	return table
}

func blank(n int) []byte { return bytes.Repeat([]byte{0xFF}, n) }
