package ota

import (
	"bytes"
	"encoding/binary"
	"fmt"

	device "rigor/firmware/ota"
	"rigor/firmware/ota/patch"
	"rigor/harness/flash"
	"rigor/harness/ota/delta"
)

// Program is a program as it lies in a slot.
type Program struct {
	Slot    uint8 // that it is linked to, or device.AnySlot
	Version Version
	Image   []byte
	layout  *device.Layout
}

// Chip is what the program runs on.
func (p *Program) Chip() string { return p.layout.Chip }

// ReadProgram makes of a program's file what lies in a slot. The file is ELF, or
// the bytes of the slot as this makes them.
func ReadProgram(file []byte, chip string, v Version) (*Program, error) {
	part, err := flash.PartOf(chip)
	if err != nil {
		return nil, err
	}
	p := &Program{Slot: device.AnySlot, Version: v, Image: file, layout: device.LayoutOf(chip)}
	if p.layout == nil {
		return nil, fmt.Errorf("the %s takes no updates", chip)
	}
	switch flash.Sniff(file) {
	case flash.ELF:
		s, err := flash.SlotImage(file, part)
		if err != nil {
			return nil, err
		}
		p.Image = s.Data
		err = p.place(s.Addr)
		return p, firstOf(err, p.fits())
	case flash.Hex:
		return nil, fmt.Errorf("an Intel hex file does not say what of it goes into a slot: give the ELF file")
	}
	return p, firstOf(p.checkRaw(), p.fits())
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// place finds the slot of a program that is linked to one.
func (p *Program) place(addr uint32) error {
	if p.layout.Origin == 0 {
		return nil
	}
	for slot := range p.layout.Slots {
		if addr == p.address(slot) {
			p.Slot = uint8(slot)
			return nil
		}
	}
	return fmt.Errorf("the program is linked to %#08x, and slots of the %s have theirs at %#08x and %#08x: link it with firmware/ota/target/%s-slot0.ld or -slot1.ld",
		addr, p.layout.Chip, p.address(0), p.address(1), p.layout.Chip)
}

// address is where the processor sees a slot's image.
func (p *Program) address(slot int) uint32 { return p.layout.Origin + p.layout.Image(slot) }

// checkRaw finds the slot of raw bytes by where their reset vector points to (DDI0403E
// B1.5.3), and refuses what is plainly no program.
func (p *Program) checkRaw() error {
	if len(p.Image) < 8 || len(p.Image)%4 != 0 {
		return fmt.Errorf("%d bytes are no program: give the ELF file, or what lies in a slot, which is words", len(p.Image))
	}
	if p.layout.Origin == 0 {
		return nil
	}
	reset := binary.LittleEndian.Uint32(p.Image[4:])
	for slot := range p.layout.Slots {
		if reset&1 == 1 && reset >= p.address(slot) && reset-p.address(slot) < uint32(len(p.Image)) {
			return p.place(p.address(slot))
		}
	}
	return fmt.Errorf("the file is not ELF, and as raw bytes it is no program for a slot of the %s: its reset vector is %#08x", p.layout.Chip, reset)
}

func (p *Program) fits() error {
	if len(p.Image) > int(p.layout.Room()) {
		return &SizeError{"the program", len(p.Image), int(p.layout.Room()), "a slot of the " + p.layout.Chip + " has no more"}
	}
	return nil
}

// payload makes the payload for a board that runs base; nil: any board.
func (p *Program) payload(base *Program) ([]byte, error) {
	var from []byte
	if base != nil {
		from = p.moved(base)
	}
	payload, err := delta.Payload(from, p.Image)
	if err != nil {
		return nil, fmt.Errorf("make the payload: %w", err)
	}
	return payload, nil
}

// follows refuses a base that no board can run when it is sent the program.
func (p *Program) follows(base *Program) error {
	switch {
	case base.layout != p.layout:
		return fmt.Errorf("the base is for the %s, the program for the %s", base.layout.Chip, p.layout.Chip)
	case p.Slot != device.AnySlot && base.Slot == p.Slot:
		return fmt.Errorf("base and program are both linked to slot %d: a board that runs the base has room for the other slot's program only", p.Slot)
	}
	return nil
}

// Diff makes the payload for a board that runs the base, whatever the versions.
func Diff(base, p *Program) ([]byte, error) {
	if err := p.follows(base); err != nil {
		return nil, err
	}
	return p.payload(base)
}

// Repack makes a payload of a patch of bsdiff 4 between what lies in the slots: it keeps what
// the patch found to be alike. It gives the program that the patch makes, too.
func Repack(base *Program, classic []byte) (payload []byte, p *Program, err error) {
	image, stretches, err := delta.ApplyBSDIFF40(classic, base.Image)
	if err != nil {
		return nil, nil, fmt.Errorf("read the classic patch: %w", err)
	}
	if p, err = ReadProgram(image, base.Chip(), base.Version); err != nil {
		return nil, nil, fmt.Errorf("what the classic patch makes: %w", err)
	}
	if err := p.follows(base); err != nil {
		return nil, nil, err
	}
	payload, err = patch.Encode(p.moved(base), image, stretches)
	return payload, p, err
}

// base is what a decoder takes for the running image.
func (p *Program) base(running *Program) patch.Base {
	slot := int(running.Slot)
	if running.Slot == device.AnySlot {
		slot = 0
	}
	b := p.layout.Base(cells(running.Image), slot, uint32(len(running.Image)))
	b.Start = 0
	return b
}

// baseOf is what a package's payload is applied to: nothing, if it is a full image.
func (p *Program) baseOf(m *device.Manifest, running *Program) patch.Base {
	if m.Kind == device.Full {
		return patch.Base{}
	}
	return p.base(running)
}

// moved is the base as a decoder sees it.
func (p *Program) moved(running *Program) []byte {
	b := p.base(running)
	out := make([]byte, b.Size)
	b.Read(0, out)
	return out
}

// cells are memory on the host.
type cells []byte

func (c cells) Read(off uint32, p []byte) { copy(p, c[off:]) }

// Unpack makes the program that a package's payload is of, out of the one that runs; nil for
// a full image. Digests are not looked at.
func Unpack(p *Package, running *Program) (*Program, error) {
	m, err := p.Decode()
	if err != nil {
		return nil, err
	}
	chip := chipOf(&m)
	made := &Program{Slot: m.Slot, Version: Version(m.Version), layout: device.LayoutOf(chip)}
	if made.layout == nil {
		return nil, fmt.Errorf("the package is for %q, of which no layout is known", chip)
	}
	if m.ImageSize > made.layout.Room() || made.layout.Origin != 0 && m.Slot > 1 {
		return nil, fmt.Errorf("the package makes %d bytes for slot %d, which no %s has", m.ImageSize, m.Slot, chip)
	}
	if m.Kind == device.Difference && running == nil {
		return nil, fmt.Errorf("the package is a difference against version %v, which is not given", Version(m.BaseVersion))
	}
	base := made.baseOf(&m, running)
	var d patch.Decoder
	var out bytes.Buffer
	if err := d.Apply(bytes.NewReader(p.Payload), &base, &out, m.ImageSize); err != nil {
		return nil, fmt.Errorf("apply the payload: %w", err)
	}
	made.Image = out.Bytes()
	return made, nil
}
