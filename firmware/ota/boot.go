package ota

import (
	"rigor/firmware/ota/defect"
	"rigor/firmware/ota/sha2"
	"rigor/firmware/ota/sign"
	"rigor/firmware/wire/ota"
)

// Flash is a chip's flash, offsets from its start.
type Flash interface {
	Read(off uint32, p []byte)
	// Program clears bits, in order of address: word by word, or page by page on a NOR.
	// Offset and length are multiples of 4.
	Program(off uint32, p []byte) error
	Erase(off, size uint32) error // whole sectors of the layout's areas
}

// Short names for what is told everywhere.
const (
	ok         = ota.OK
	flashFault = ota.FlashFault
)

// Device is a chip's flash and the memory to judge it in. It is for one user, and too
// big for a stack.
type Device struct {
	Journal
	Yield    func() // called every few milliseconds of a long work, if there is one
	verifier sign.Verifier
	hash     sha2.Hash256
	sum      [sha2.Size256]byte
	page     [pageSize]byte
	key      [sign.KeySize]byte
	raw      [ManifestSize]byte
}

const pageSize = 256

// Open says which chip's flash it is, and reads the journal.
func (d *Device) Open(f Flash, l *Layout) {
	d.Flash, d.Layout = f, l
	d.Read()
}

// Boot decides which slot to hand over to and returns the report of it. A slot that it
// names holds a signed image of the right digest; with ota.NoSlot there is none. With
// ota.Trial the attempt is marked, and the watchdog must be started. Open comes first.
func (d *Device) Boot() ota.Boot {
	switch slot, revoked, _ := d.Settled(); d.Standing() {
	case Trying:
		return d.try()
	case GivenUp:
		return d.choose(slot, revoked, 0, ota.Reverted)
	case Done:
		return d.choose(slot, revoked, d.Update, ota.Confirmed)
	default:
		if defect.SwitchInTwo.Planted() && d.Seq != 0 && d.Has(retired) {
			return ota.Boot{Slot: ota.NoSlot, Why: ota.None}
		}
		return d.choose(slot, revoked, 0, ota.Confirmed)
	}
}

// try boots the new image if it is right and has attempts left, the old one otherwise.
func (d *Device) try() ota.Boot {
	report := ota.Boot{Slot: d.Target, Why: ota.Trial}
	if d.bootable(&report, d.RevokedBefore, d.Update) {
		if report.Attempt = d.attempt(); report.Attempt != 0 {
			return report
		}
	}
	d.Set(Reverted) // if that fails, the next boot comes here again
	if defect.RevertBootsNew.Planted() {
		report.Why = ota.Reverted
		return report
	}
	return d.choose(d.Base, d.RevokedBefore, 0, ota.Reverted)
}

// attempt counts an attempt.
func (d *Device) attempt() uint8 {
	switch {
	case defect.AttemptLate.Planted():
		return 1
	case defect.AttemptsInRAM.Planted():
		return countInRAM(d.Update)
	}
	return d.Attempt()
}

// choose boots a slot, or the other if that isn't right.
func (d *Device) choose(slot, revoked uint8, update uint32, why ota.Why) ota.Boot {
	report := ota.Boot{Slot: slot, Why: why}
	if d.bootable(&report, revoked, update) {
		return report
	}
	report = ota.Boot{Slot: 1 - slot, Why: ota.Fallback}
	if d.bootable(&report, revoked, 0) {
		return report
	}
	return ota.Boot{Slot: ota.NoSlot, Why: ota.None}
}

// bootable says whether the slot of a report holds an image that may be run, of the
// update with that id if it isn't 0, and completes the report.
func (d *Device) bootable(report *ota.Boot, revoked uint8, update uint32) bool {
	var m Manifest
	slot := int(report.Slot)
	d.readManifest(slot)
	r := d.authentic(&m, slot, revoked)
	report.Version, report.Update = m.Version, d.id()
	if defect.BootTrusts.Planted() || defect.SwitchEarly.Planted() || defect.StreamDigest.Planted() {
		return true
	}
	return r == ok && (update == 0 || update == report.Update) &&
		*d.digest(d.Layout.Image(slot), m.ImageSize) == m.TargetDigest
}

// readManifest reads a slot's manifest to raw; the rest of it only if it begins like one.
func (d *Device) readManifest(slot int) {
	at := d.Layout.Slots[slot].Off
	clear(d.raw[:])
	d.Flash.Read(at, d.raw[:4])
	if string(d.raw[:4]) == manifestMagic {
		d.Flash.Read(at, d.raw[:])
	}
}

// authentic decodes raw to m and says what is wrong with it as a manifest of a slot.
func (d *Device) authentic(m *Manifest, slot int, revoked uint8) Refusal {
	if r := d.proper(m, slot); r != ok {
		return r
	}
	return d.signed(m, revoked)
}

// proper judges everything but the signature.
func (d *Device) proper(m *Manifest, slot int) Refusal {
	switch {
	case !m.Decode(d.raw[:]):
		return ota.BadFormat
	case !m.IsFor(d.Layout.Chip):
		return ota.WrongChip
	case m.Slot != AnySlot && int(m.Slot) != slot || m.Slot == AnySlot && d.Layout.Origin != 0:
		return ota.WrongSlot
	case m.ImageSize == 0 || m.ImageSize > d.Layout.Room() || m.PayloadSize == 0 || m.PayloadSize > d.Layout.MaxPayload():
		return ota.TooLarge
	}
	return ok
}

// signed judges the signature of raw.
func (d *Device) signed(m *Manifest, revoked uint8) Refusal {
	if m.Key >= MaxKeys {
		return ota.UnknownKey
	}
	d.Flash.Read(d.Layout.Keys.Off+uint32(m.Key)*sign.KeySize, d.key[:])
	switch {
	case isBlank(d.key[:]):
		return ota.UnknownKey
	case revoked&(1<<m.Key) != 0:
		return ota.RevokedKey
	case !d.verifier.Verify(d.key[:], m.Signature[:], domain, Signed(d.raw[:])):
		return ota.BadSignature
	}
	return ok
}

var domain = []byte(Domain)

// id is the id of the manifest in raw.
func (d *Device) id() uint32 {
	d.hash.Reset()
	d.hash.Write(d.raw[:])
	d.hash.Sum(&d.sum)
	return le.Uint32(d.sum[:])
}

// digest is the SHA-256 of a part of the flash.
func (d *Device) digest(off, size uint32) *[sha2.Size256]byte {
	d.hash.Reset()
	for end := off + size; off < end; {
		n := min(end-off, pageSize)
		d.Flash.Read(off, d.page[:n])
		d.hash.Write(d.page[:n])
		off += n
		d.yield()
	}
	d.hash.Sum(&d.sum)
	return &d.sum
}

func (d *Device) yield() {
	if d.Yield != nil {
		d.Yield()
	}
}

func isBlank(p []byte) bool {
	for _, b := range p {
		if b != 0xFF {
			return false
		}
	}
	return true
}
