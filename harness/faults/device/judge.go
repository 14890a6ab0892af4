package device

import (
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"

	device "rigor/firmware/ota"
	wireota "rigor/firmware/wire/ota"
	"rigor/harness/faults"
)

// Judge reads a board's flash on the host: what the journal says by a reader of its
// own, digests and signatures by the standard library. Without flash, as of a board
// that nobody can look into, only what the device told counts.
type Judge struct {
	Layout *device.Layout
	Old    uint32 // the number of the first release's manifest
	New    uint32 // that of the update
}

// reader is the flash as the journal's reader wants it.
type reader struct{ faults.Flash }

func (r reader) Read(off uint32, p []byte) { r.ReadCells(off, p) }

// Booted judges a boot.
func (j Judge) Booted(f faults.Flash, r faults.Report) (faults.Image, error) {
	switch {
	case r.Slot < 0:
		return faults.None, nil
	case !r.Alive && r.Why == "":
		return faults.Dead, nil
	case f == nil:
		return j.image(r.Update), nil
	}
	image, err := j.slot(f, r.Slot, r)
	if err != nil {
		return image, err
	}
	return image, j.journal(f, r)
}

// image tells the images by their manifests.
func (j Judge) image(id uint32) faults.Image {
	switch id {
	case j.Old:
		return faults.Old
	case j.New:
		return faults.New
	}
	return faults.Other
}

// slot tells which image is in a slot, that the device says it runs.
func (j Judge) slot(f faults.Flash, slot int, r faults.Report) (faults.Image, error) {
	m, id, sound := j.manifest(f, slot)
	switch {
	case !sound:
		return faults.Other, nil
	case id != r.Update || m.Version != r.Version:
		return faults.Other, fmt.Errorf("slot %d has update %#x, version %#x; the device says %s", slot, id, m.Version, r)
	}
	return j.image(id), nil
}

// manifest reads a slot's manifest; sound: it is signed, and the image is as it says.
func (j Judge) manifest(f faults.Flash, slot int) (m device.Manifest, id uint32, sound bool) {
	raw := make([]byte, device.ManifestSize)
	f.ReadCells(j.Layout.Slots[slot].Off, raw)
	if !m.Decode(raw) || m.ImageSize > j.Layout.Room() || int(m.Key) >= device.MaxKeys {
		return m, 0, false
	}
	key := make([]byte, ed25519.PublicKeySize)
	f.ReadCells(j.Layout.Keys.Off+uint32(m.Key)*ed25519.PublicKeySize, key)
	image := make([]byte, m.ImageSize)
	f.ReadCells(j.Layout.Image(slot), image)
	signed := append([]byte("ota-v2:"), raw[:len(raw)-ed25519.SignatureSize]...)
	sound = sha256.Sum256(image) == m.TargetDigest && ed25519.Verify(key, signed, raw[len(raw)-ed25519.SignatureSize:])
	return m, device.ID(raw), sound
}

// journal compares what the device reported with what its journal says, which a
// boot that fell back to the other slot may contradict.
func (j Judge) journal(f faults.Flash, r faults.Report) error {
	want := reportOf(device.Expect(device.Inspect(reader{f}, j.Layout)))
	if r.Why == wireota.Fallback.String() {
		if _, _, sound := j.manifest(f, want.Slot); sound && want.Slot != r.Slot {
			return fmt.Errorf("the device fell back to slot %d, and slot %d is sound", r.Slot, want.Slot)
		}
		return nil
	}
	if want.Slot != r.Slot || want.Why != r.Why {
		return fmt.Errorf("the device says %s; its journal says slot %d: %s", r, want.Slot, want.Why)
	}
	return nil
}

// Updated judges an update. It may have confirmed a trial since the boot.
func (j Judge) Updated(f faults.Flash, o faults.Outcome) (faults.Image, error) {
	if f == nil || o.Slot < 0 || o.Why == "" {
		return j.Booted(f, o.Report)
	}
	image, err := j.slot(f, o.Slot, o.Report)
	if err != nil || !o.Done {
		return image, err
	}
	want := device.Expect(device.Inspect(reader{f}, j.Layout))
	if want.Why != wireota.Confirmed || int(want.Slot) != o.Slot {
		return image, fmt.Errorf("the update is done in slot %d; the journal says slot %d: %s", o.Slot, want.Slot, want.Why)
	}
	return image, nil
}

// Areas are the parts of a layout. The boot program and its keys are trusted: no
// update writes to them.
func Areas(l *device.Layout) []faults.Area {
	area := func(name string, a device.Area, trusted bool) faults.Area {
		return faults.Area{Name: name, Off: a.Off, Size: a.Size, Trusted: trusted}
	}
	return []faults.Area{
		area("boot", l.Boot, true), area("keys", l.Keys, true),
		area("journal", l.Journal[0], false), area("journal", l.Journal[1], false),
		area("staging", l.Staging, false), area("slot 0", l.Slots[0], false), area("slot 1", l.Slots[1], false),
	}
}

// Horizon is where the journal has more entries than one since a number: an update
// that was given up has begun anew, as it will each time.
func (j Judge) Horizon(since uint32) func(faults.Flash) bool {
	return func(f faults.Flash) bool {
		records := device.Inspect(reader{f}, j.Layout)
		return len(records) > 0 && records[len(records)-1].Sound && records[len(records)-1].Seq > since+1
	}
}
