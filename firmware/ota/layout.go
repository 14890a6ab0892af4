package ota

import "rigor/firmware/wire/ota"

// Area is a part of the flash, offsets from the flash's start.
type Area struct {
	Off, Size uint32
	Sector    uint32 // what is erased at once in it
}

// End is the offset of what follows.
func (a Area) End() uint32 { return a.Off + a.Size }

// Layout says where things lie in a chip's flash.
type Layout struct {
	Chip    string
	Boot    Area
	Keys    Area // MaxKeys public keys, written with the boot program and never by it
	Journal [2]Area
	Staging Area
	Slots   [2]Area // a manifest, and Gap bytes after its start the image
	Gap     uint32
	// Origin is the address at which the chip sees its flash if images run where they
	// lie, each linked to its slot. 0: any image runs in both slots.
	Origin uint32
}

// MaxKeys is how many public keys a board can have.
const MaxKeys = 4

// Image is the offset of a slot's image.
func (l *Layout) Image(slot int) uint32 { return l.Slots[slot].Off + l.Gap }

// Room is the size of the largest image.
func (l *Layout) Room() uint32 { return min(l.Slots[0].Size, l.Slots[1].Size) - l.Gap }

// MaxPayload is the length of the longest payload: what staging holds of pieces.
func (l *Layout) MaxPayload() uint32 {
	return min(ota.MaxPieces, l.Staging.Size/pageSize) * ota.PieceSize
}

// The chips. The STM32F407 has sectors of 16, 64 and 128 KB (RM0090 table 5); of its 64 KB
// sector the journal uses the first 16. The other two have a NOR of 4 KB sectors.
var (
	STM32F407 = Layout{
		Chip:    "stm32f407",
		Boot:    Area{0x00000, 0x0BC00, 16 << 10},
		Keys:    Area{0x0BC00, 0x00400, 16 << 10},
		Journal: [2]Area{{0x0C000, 16 << 10, 16 << 10}, {0x10000, 16 << 10, 64 << 10}},
		Staging: Area{0xE0000, 128 << 10, 128 << 10},
		Slots:   [2]Area{{0x20000, 0x60000, 128 << 10}, {0x80000, 0x60000, 128 << 10}},
		Gap:     0x200,
		Origin:  0x08000000,
	}
	ESP32C3 = onNOR("esp32c3")
	K210    = onNOR("k210")
)

func onNOR(chip string) Layout {
	const sector = 4 << 10
	return Layout{
		Chip:    chip,
		Boot:    Area{0x00000, 0x1F000, sector},
		Keys:    Area{0x1F000, sector, sector},
		Journal: [2]Area{{0x20000, sector, sector}, {0x21000, sector, sector}},
		Staging: Area{0x40000, 128 << 10, sector},
		Slots:   [2]Area{{0x0FF000, 0x100000, sector}, {0x1FF000, 0x100000, sector}},
		Gap:     sector,
	}
}

// LayoutOf is the layout of a chip, nil for one that has none.
func LayoutOf(chip string) *Layout {
	for _, l := range []*Layout{&STM32F407, &ESP32C3, &K210} {
		if l.Chip == chip {
			return l
		}
	}
	return nil
}
