package flash

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"slices"
	"time"

	"rigor/harness/flash"
)

// traits are what the questions must know of a chip.
type traits struct {
	bauds []int
	cuts  []cut
	// protects: the loader can keep flash from being read, and undo that. An
	// ESP32-C3's flash is protected by fuses only, which are for ever.
	protects bool
	foreign  elf.Machine // of another processor
	// outside are files in Intel's hex format that are not for the chip's flash.
	outside []file
	// spoilt is a raw program that the chip must not be given.
	spoilt func(m *flash.Image) file
}

// another chip than the given one.
func another(chip string) string {
	if chip == "k210" {
		return "stm32f407"
	}
	return "k210"
}

// file is one that a board may be asked to take.
type file struct {
	name string
	data []byte
}

var chips = map[string]traits{
	"stm32f407": {
		bauds: []int{9600, 19200, 38400, 57600, 115200},
		cuts: []cut{
			{flash.PhaseIdentify, 0, 300 * time.Microsecond},
			{flash.PhaseErase, 0, 150 * time.Millisecond}, // a sector of 16 KiB takes 250 ms (DS8626 table 40)
			{flash.PhaseWrite, 50, 27 * time.Millisecond}, // 25.6 ms on the line, then 4 ms of programming
			{flash.PhaseVerify, 50, 10 * time.Millisecond},
		},
		protects: true,
		foreign:  elf.EM_RISCV,
		outside: []file{
			{"an image for RAM", []byte(":020000042000DA" + word)},
			{"an image behind the flash", []byte(":020000040810E2" + word)},
		},
		spoilt: func(m *flash.Image) file { return file{"a raw file that is no program", make([]byte, 1024)} },
	},
	"esp32c3": {
		bauds: []int{19200, 57600, 115200, 230400, 460800},
		cuts: []cut{
			{flash.PhaseIdentify, 0, 300 * time.Microsecond},
			{flash.PhaseErase, 0, 70 * time.Millisecond}, // in the second sector, of 45 ms each (W25Q32JV table 9.6)
			// Of eight blocks, of 23 ms each on the line, the fifth was just taken, and is
			// being programmed, for 6 ms.
			{flash.PhaseWrite, 60, 3 * time.Millisecond},
			{flash.PhaseVerify, 0, 5 * time.Millisecond}, // it is one command
		},
		foreign: elf.EM_ARM,
		outside: []file{
			{"an image for RAM", []byte(":020000043FC8F3" + word)},
			{"an image behind the flash", []byte(":020000040100F9" + word)}, // 16 MB, which no chip exceeds
		},
		spoilt: forAnotherESP32,
	},
	"k210": {
		bauds: []int{115200, 460800, 921600, 1500000, 2000000},
		cuts: []cut{
			{flash.PhaseIdentify, 0, 300 * time.Microsecond},
			{flash.PhaseErase, 0, 70 * time.Millisecond}, // in the second sector, of 45 ms each (W25Q128JV table 9.6)
			// A block of 1 KB was just taken, of 7 ms on the line, and is being programmed,
			// for 1.6 ms.
			{flash.PhaseWrite, 60, 800 * time.Microsecond},
			{flash.PhaseVerify, 0, 2 * time.Millisecond}, // it is one command
		},
		foreign: elf.EM_ARM,
		outside: []file{
			{"an image for RAM", []byte(":0200000480007A" + word)},
			{"an image behind the flash", []byte(":020000040100F9" + word)}, // 16 MB, which no chip exceeds
		},
		spoilt: wrongHash,
	},
}

// word is four bytes and the end, in Intel's hex format, behind the record with
// the upper half of the address.
const word = "\n:0400000001020304F2\n:00000001FF\n"

// forAnotherESP32 is the image of an ESP32-S3, which is chip 9 (esptool
// documentation, Firmware Image Format).
func forAnotherESP32(m *flash.Image) file {
	const chipID = 12
	data := bytes.Clone(m.Segments[0].Data)
	data[chipID] = 9
	return file{"an image for another chip of the family", data}
}

// wrongHash is an image of which a bit was turned.
func wrongHash(m *flash.Image) file {
	data := bytes.Clone(m.Segments[0].Data)
	data[len(data)/2] ^= 1
	return file{"an image whose hash is not its own", data}
}

// wrongFiles are those that a board must refuse.
func (t traits) wrongFiles(elfFile []byte, m *flash.Image) []file {
	const machine = 18 // where e_machine stands in an ELF header (System V gABI, chapter 4)
	foreign := bytes.Clone(elfFile)
	binary.LittleEndian.PutUint16(foreign[machine:], uint16(t.foreign))
	return append(slices.Clone(t.outside), t.spoilt(m),
		file{"an ELF file for another machine", foreign},
		file{"an ELF file cut short", elfFile[:len(elfFile)/2]},
		file{"an empty file", nil})
}
