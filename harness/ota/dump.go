package ota

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	device "rigor/firmware/ota"
	wireota "rigor/firmware/wire/ota"
)

// Memory is flash on the host: Program clears bits, Erase sets them.
type Memory []byte

// Read copies from the flash; past its end there is nothing but blank cells.
func (m Memory) Read(off uint32, p []byte) {
	n := 0
	if int64(off) < int64(len(m)) {
		n = copy(p, m[off:])
	}
	for ; n < len(p); n++ {
		p[n] = 0xFF
	}
}

// Program clears bits.
func (m Memory) Program(off uint32, p []byte) error {
	if uint64(off)+uint64(len(p)) > uint64(len(m)) {
		return errors.New("program past the flash's end")
	}
	for i, b := range p {
		m[int(off)+i] &= b
	}
	return nil
}

// Erase sets bits.
func (m Memory) Erase(off, size uint32) error {
	if uint64(off)+uint64(size) > uint64(len(m)) {
		return errors.New("erase past the flash's end")
	}
	copy(m[off:], blank(int(size)))
	return nil
}

// Dump is what a flash's content says of updates.
type Dump struct {
	Chip    string       `json:"chip"`
	Keys    []string     `json:"keys"`    // by their places, hexadecimal; "": none
	Journal *Journal     `json:"journal"` // nil: blank, as of a new board
	Slots   [2]*Slot     `json:"slots"`   // nil: there is no manifest
	Boot    wireota.Boot `json:"-"`
	Next    string       `json:"next"` // what the boot program would do now
}

// Journal is the entry in force.
type Journal struct {
	Seq           uint32   `json:"seq"`
	Standing      string   `json:"standing"`
	Marks         []string `json:"marks"`
	Target        uint8    `json:"target"`
	Base          uint8    `json:"base"`
	RevokedBefore uint8    `json:"revokedBefore"` // masks
	RevokedAfter  uint8    `json:"revokedAfter"`
	FloorBefore   uint32   `json:"floorBefore"`
	FloorAfter    uint32   `json:"floorAfter"`
	Update        string   `json:"update"`
}

// Slot is what lies in a slot.
type Slot struct {
	Version   string  `json:"version"`
	Update    string  `json:"update"`
	Size      uint32  `json:"size"`
	Key       uint8   `json:"key"`
	Image     Finding `json:"image"`
	Signature Finding `json:"signature"`
}

// InspectFlash reads a copy of a chip's whole flash, or of its beginning.
func InspectFlash(content []byte, chip string) (*Dump, error) {
	l := device.LayoutOf(chip)
	if l == nil {
		return nil, fmt.Errorf("no layout of %q is known", chip)
	}
	if end := l.Slots[1].End(); len(content) < int(end) {
		return nil, fmt.Errorf("%d bytes of flash: slots of the %s end at %d", len(content), chip, end)
	}
	f := Memory(append([]byte(nil), content...)) // a boot marks attempts
	d := &Dump{Chip: chip, Keys: keysIn(f, l), Journal: journalIn(f, l)}
	for i := range d.Slots {
		d.Slots[i] = slotIn(f, l, i)
	}
	var boot device.Device
	boot.Open(f, l)
	d.Boot = boot.Boot()
	d.Next = bootText(d.Boot)
	return d, nil
}

func keysIn(f Memory, l *device.Layout) (keys []string) {
	for i := range uint32(MaxKeys) {
		key := f[l.Keys.Off+i*ed25519.PublicKeySize:][:ed25519.PublicKeySize]
		text := hex.EncodeToString(key)
		if string(key) == string(blank(len(key))) {
			text = ""
		}
		keys = append(keys, text)
	}
	return keys
}

var (
	standings = map[device.Standing]string{
		device.Open: "an update is under way", device.Trying: "on trial", device.GivenUp: "reverted", device.Done: "confirmed",
	}
	marks = []struct {
		mark device.Mark
		name string
	}{
		{device.Erased, "erased"}, {device.Switch, "switch"}, {device.Attempt1, "attempt 1"}, {device.Attempt2, "attempt 2"},
		{device.Attempt3, "attempt 3"}, {device.Confirmed, "confirmed"}, {device.Reverted, "reverted"},
	}
)

func journalIn(f Memory, l *device.Layout) *Journal {
	j := device.Journal{Flash: f, Layout: l}
	j.Read()
	if j.Seq == 0 {
		return nil
	}
	r := &Journal{
		Seq: j.Seq, Standing: standings[j.Standing()], Target: j.Target, Base: j.Base, RevokedBefore: j.RevokedBefore,
		RevokedAfter: j.RevokedAfter, FloorBefore: j.FloorBefore, FloorAfter: j.FloorAfter, Update: fmt.Sprintf("%08x", j.Update), Marks: []string{},
	}
	for _, m := range marks {
		if j.Has(m.mark) {
			r.Marks = append(r.Marks, m.name)
		}
	}
	return r
}

func slotIn(f Memory, l *device.Layout, slot int) *Slot {
	var p Package
	f.Read(l.Slots[slot].Off, p.Manifest[:])
	m, err := p.Decode()
	if err != nil {
		return nil
	}
	s := &Slot{Version: Version(m.Version).String(), Update: fmt.Sprintf("%08x", p.ID()), Size: m.ImageSize, Key: m.Key, Image: Bad, Signature: Bad}
	if m.ImageSize <= l.Room() {
		s.Image = good(sha256.Sum256(f[l.Image(slot):][:m.ImageSize]) == m.TargetDigest)
	}
	if m.Key < MaxKeys {
		key := f[l.Keys.Off+uint32(m.Key)*ed25519.PublicKeySize:][:ed25519.PublicKeySize]
		s.Signature = good(p.SignedBy(ed25519.PublicKey(key)))
	}
	return s
}

func bootText(b wireota.Boot) string {
	switch b.Why {
	case wireota.None:
		return "boots nothing: neither slot holds a signed image of the right digest"
	case wireota.Trial:
		return fmt.Sprintf("tries slot %d, version %v, attempt %d", b.Slot, Version(b.Version), b.Attempt)
	}
	return fmt.Sprintf("boots slot %d, version %v (%v)", b.Slot, Version(b.Version), b.Why)
}

// WriteText writes the dump for people.
func (d *Dump) WriteText(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) { fmt.Fprintf(t, name+"\t"+format+"\n", args...) }
	row("flash", "of the %s", d.Chip)
	for i, k := range d.Keys {
		if k != "" {
			row(fmt.Sprintf("key %d", i), "%s", k)
		}
	}
	if j := d.Journal; j == nil {
		row("journal", "blank: slot 0 runs")
	} else {
		row("journal", "entry %d: update %s from slot %d to %d, %s", j.Seq, j.Update, j.Base, j.Target, j.Standing)
		row("", "marks %q", j.Marks)
		row("", "revoked keys %04b, with the update %04b; counter's floor %d, with the update %d",
			j.RevokedBefore, j.RevokedAfter, j.FloorBefore, j.FloorAfter)
	}
	for i, s := range d.Slots {
		if s == nil {
			row(fmt.Sprintf("slot %d", i), "no manifest")
			continue
		}
		row(fmt.Sprintf("slot %d", i), "version %s, update %s, %d bytes: image %s, signature of key %d %s", s.Version, s.Update, s.Size, s.Image, s.Key, s.Signature)
	}
	row("next", "%s", d.Next)
	return t.Flush()
}
