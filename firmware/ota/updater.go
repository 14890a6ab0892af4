package ota

import (
	"rigor/firmware/ota/defect"
	"rigor/firmware/ota/patch"
	"rigor/firmware/ota/sign"
	"rigor/firmware/wire/ota"
)

// Updater is the application's part: it answers the host. It has all the memory that it
// needs in itself, about eleven kilobytes, most of them the decoder's. Open and Start come first.
type Updater struct {
	Device
	slot     uint8 // that runs
	version  uint32
	counter  uint32
	running  uint32 // the id of its manifest
	offered  bool   // manifest is that of the entry in force
	manifest Manifest
	encoded  [ManifestSize]byte
	stage    stage
	writer   slotWriter
	base     patch.Base
	decoder  patch.Decoder
}

// Start says which slot the application runs in.
func (u *Updater) Start(slot uint8) {
	u.slot, u.stage.Device, u.writer.Device = slot, &u.Device, &u.Device
	var m Manifest
	u.readManifest(int(slot))
	m.Decode(u.raw[:])
	u.version, u.counter, u.running = m.Version, m.Counter, u.id()
	switch standing := u.Standing(); {
	case standing == Done && u.Target == slot:
		u.Set(Confirmed) // the boot program may have read it right by chance
	case standing != Trying || u.Target != slot:
	case defect.ConfirmEarly.Planted():
		u.Set(Confirmed)
	case defect.AttemptLate.Planted():
		u.Attempt()
	}
}

// Do does what a request asks for and answers it. Restart, Hang and SelfTest are the
// caller's: of them it only answers how things stand.
func (u *Updater) Do(r *ota.Request, a *ota.Answer) {
	*a = ota.Answer{Token: r.Token, Refusal: u.do(r), Slot: u.slot, Version: u.version, Running: u.running}
	a.State = u.state()
	if a.State != ota.Idle {
		a.Update = u.Update
	}
	if a.State == ota.Receiving && u.offered {
		a.Missing = uint16(u.stage.left)
		u.stage.name(&a.First)
	}
	if defect.MarkUnchecked.Planted() && r.Op == ota.Confirm {
		a.State = ota.Idle
	}
}

func (u *Updater) do(r *ota.Request) Refusal {
	switch r.Op {
	case ota.Query, ota.Restart, ota.Hang, ota.SelfTest:
		return ok
	case ota.Offer:
		return u.offer(r.Data)
	case ota.Piece:
		return u.piece(uint32(r.Index), r.Data)
	case ota.Install:
		return u.install()
	case ota.Confirm:
		return u.confirm()
	}
	return ota.BadRequest
}

func (u *Updater) state() ota.State {
	switch u.Standing() {
	case Trying:
		if u.Target == u.slot {
			return ota.OnTrial
		}
		return ota.Switched
	case Open:
		if u.offered && u.stage.left == 0 {
			return ota.Staged
		}
		return ota.Receiving
	}
	return ota.Idle
}

// offer admits an update. What is installed already is admitted and changes nothing.
func (u *Updater) offer(raw []byte) Refusal {
	if len(raw) != ManifestSize {
		return ota.BadRequest
	}
	if u.has(int(u.slot), raw) {
		return ok
	}
	switch trying := u.Standing() == Trying; {
	case trying && u.Target == u.slot:
		return ota.Busy
	case trying && u.has(int(u.Target), raw):
		return ok
	}
	u.offered = false
	copy(u.raw[:], raw)
	if r := u.admit(&u.manifest); r != ok {
		return r
	}
	copy(u.encoded[:], raw)
	if r := u.enter(); r != ok {
		return r
	}
	u.stage.open(u.manifest.PayloadSize)
	u.offered = true
	return ok
}

// has says whether a slot has this manifest.
func (u *Updater) has(slot int, raw []byte) bool {
	u.readManifest(slot)
	return string(u.raw[:]) == string(raw)
}

// admit judges the manifest in raw. The signature comes last: it takes the longest, and what else
// is wrong should be told by its own name.
func (u *Updater) admit(m *Manifest) Refusal {
	_, revoked, floor := u.Settled()
	if r := u.proper(m, int(1-u.slot)); r != ok {
		return r
	}
	switch {
	case m.Version <= u.version:
		return ota.OldVersion
	case m.Counter < max(floor, u.counter):
		return ota.OldCounter
	case m.Kind == Difference && !defect.BaseUnchecked.Planted() && !u.isBase(m):
		return ota.WrongBase
	}
	return u.signed(m, revoked)
}

// isBase says whether what runs is the image that a difference is against. The hashing of the
// image spoils sum, page and nothing else.
func (u *Updater) isBase(m *Manifest) bool {
	return m.BaseVersion == u.version && m.BaseSize <= u.Layout.Room() &&
		*u.digest(u.Layout.Image(int(u.slot)), m.BaseSize) == m.BaseDigest
}

// enter makes the journal's entry that of the update, and the staging area its own.
func (u *Updater) enter() Refusal {
	copy(u.raw[:], u.encoded[:])
	id := u.id()
	if u.Standing() == Open && u.Update == id && u.Base == u.slot {
		if r := u.Renew(); r != ok {
			return r
		}
	} else if r := u.begin(id); r != ok {
		return r
	}
	if u.Has(Erased) {
		return ok
	}
	if r := u.stage.erase(u.manifest.PayloadSize); r != ok {
		return r
	}
	return u.Set(Erased)
}

// begin appends an entry for the update.
func (u *Updater) begin(id uint32) Refusal {
	_, revoked, floor := u.Settled()
	return u.Append(Entry{
		Target: 1 - u.slot, Base: u.slot, Update: id,
		RevokedBefore: revoked, RevokedAfter: revoked | u.manifest.Revoke,
		FloorBefore: floor, FloorAfter: max(floor, u.counter, u.manifest.Counter),
	})
}

// piece stores a piece of the payload.
func (u *Updater) piece(index uint32, data []byte) Refusal {
	switch {
	case !u.offered || u.Standing() != Open:
		return ota.NotStaged
	case index >= u.stage.count || len(data) != ota.PieceSize:
		return ota.BadRequest
	case !u.stage.isMissing(index) || u.stage.put(index, data):
		return ok
	}
	return u.restage(flashFault)
}

// restage gives up what is staged. It takes a new entry, for the one in force says
// that the area was erased, and a cut would leave it half so.
func (u *Updater) restage(why Refusal) Refusal {
	u.offered = false
	if r := u.begin(u.Update); r != ok {
		return r
	}
	if r := u.enter(); r != ok {
		return r
	}
	u.stage.open(u.manifest.PayloadSize)
	u.offered = true
	return why
}

// install makes the image in the other slot and switches to it.
func (u *Updater) install() Refusal {
	if u.Standing() == Trying && u.Target != u.slot {
		return ok // the answer was lost
	}
	if !u.offered || u.Standing() != Open || u.stage.left != 0 {
		return ota.NotStaged
	}
	if !u.stage.sound(u.manifest.PayloadDigest[:]) {
		return u.restage(ota.PayloadDigest)
	}
	if defect.OldFirst.Planted() {
		clear(u.page[:])
		u.Flash.Program(u.Layout.Slots[u.slot].Off, u.page[:])
	}
	if defect.SwitchEarly.Planted() {
		u.Set(Switch)
	}
	if r := u.build(); r != ok {
		return r
	}
	if u.Flash.Program(u.Layout.Slots[u.Target].Off, u.encoded[:]) != nil || !u.has(int(u.Target), u.encoded[:]) {
		return flashFault
	}
	if defect.SwitchInTwo.Planted() {
		u.Set(retired)
	}
	return u.Set(Switch)
}

// build makes the image, from the erase of its slot on, and reads it back.
func (u *Updater) build() Refusal {
	m, target := &u.manifest, int(u.Target)
	if r := u.clearSlot(target, m.ImageSize); r != ok {
		return r
	}
	u.base = patch.Base{}
	if m.Kind == Difference {
		u.base = u.Layout.Base(u.Flash, int(u.slot), m.BaseSize)
	}
	u.stage.at = 0
	u.writer.open(u.Layout.Image(target))
	if r := refusal(u.decoder.Apply(&u.stage, &u.base, &u.writer, m.ImageSize)); r != ok {
		return r
	}
	if *u.writer.digest(m.ImageSize) != m.TargetDigest {
		return ota.TargetDigest
	}
	return ok
}

// clearSlot erases what manifest and image take.
func (u *Updater) clearSlot(slot int, size uint32) Refusal {
	if defect.ResumeTrusts.Planted() && u.Has(slotErased) {
		return ok
	}
	a := u.Layout.Slots[slot]
	if r := u.eraseArea(a.Off, u.Layout.Gap+size, a.Sector); r != ok {
		return r
	}
	if defect.ResumeTrusts.Planted() {
		return u.Set(slotErased)
	}
	return ok
}

// Base is the image of a slot as differences see it that make one for the other slot.
func (l *Layout) Base(memory patch.Memory, slot int, size uint32) patch.Base {
	b := patch.Base{Memory: memory, Start: l.Image(slot), Size: size}
	if l.Origin != 0 {
		b.Low, b.High = l.Origin+l.Image(slot), l.Origin+l.Slots[slot].End()
		b.Distance = l.Image(1-slot) - l.Image(slot)
	}
	return b
}

// refusal is what an error of the decoder means.
func refusal(err error) Refusal {
	switch e := err.(type) {
	case nil:
		return ok
	case Refusal:
		return e
	case patch.Error:
		if e == patch.OutsideBase || e == patch.OutsideTarget {
			return ota.PatchOutside
		}
	}
	return ota.PatchMalformed
}

// confirm keeps the image on trial. One that was confirmed is confirmed again: the mark may have
// been cut short.
func (u *Updater) confirm() Refusal {
	if s := u.Standing(); s != Trying && s != Done || u.Target != u.slot {
		return ota.NotOnTrial
	}
	return u.Set(Confirmed)
}

// SelfTest says whether RFC 8032's signatures are taken, and not when a bit is wrong.
func (u *Updater) SelfTest() bool {
	for i := range sign.Vectors {
		v := &sign.Vectors[i]
		public := append(u.page[:0], v.Public...)
		signature := append(u.raw[:0], v.Signature...)
		message := append(u.page[sign.KeySize:sign.KeySize], v.Message...)
		if !u.verifier.Verify(public, signature, message) {
			return false
		}
		signature[i] ^= 1
		if u.verifier.Verify(public, signature, message) {
			return false
		}
	}
	return true
}
