//go:build tinygo && k210 && ota && otaboot

package board

// void board_enter(unsigned long entry);
import "C"

import (
	"device/kendryte"
	"device/riscv"
	"unsafe"
)

// A slot's image is the program's bytes from its first address on, which is linked to
// 0x80100000 and is entered there (firmware/ota/target/k210-app.ld). It lies at a multiple of
// 1 MB of flash.
const (
	programAt = 0x8010_0000
	slotSize  = 1 << 20
	imageMost = slotSize - flashSector // the sector before the next one has its manifest
)

// BootFlash is the flash chip as the boot program reads it: what is read of an image goes to where
// the program will be executed, and is given to the caller from there. So what was hashed is
// what runs, also if a cell in flash reads as one thing now and as another later.
type BootFlash struct{ NOR }

// Flash is the chip's flash.
func Flash() BootFlash { return BootFlash{} }

// loaded is the image of which there are bytes in RAM, by its offset; 0: there is none.
var loaded uint32

// programRAM is the first bytes of where the program will be.
func programRAM(n int) []byte { return unsafe.Slice((*byte)(unsafe.Pointer(uintptr(programAt))), n) }

// Read copies what lies at an offset.
func (f BootFlash) Read(off uint32, p []byte) {
	at := off % slotSize
	if off < slotSize || int(at)+len(p) > imageMost {
		f.NOR.Read(off, p)
		return
	}
	if at == 0 {
		loaded = off
	}
	if loaded != off-at {
		panic("BUG: board: pieces of two images")
	}
	program := programRAM(imageMost)[at : int(at)+len(p)]
	f.NOR.Read(off, program)
	copy(p, program)
}

// HandOver starts the program whose image was read from an offset of flash, with both harts, as
// the boot ROM starts one: interrupts are off and nothing asks for any. Clocks are as the ROM left them. It
// reads the image itself only for a boot program that did not look at any.
func HandOver(image uint32) {
	switch loaded {
	case image:
	case 0:
		NOR{}.Read(image, programRAM(imageMost))
	default:
		panic("BUG: board: another image was read")
	}
	handed.Set(image)
	finishConsole()
	riscv.DisableInterrupts()
	console.Bus.IE.Set(0)
	for i := range kendryte.PLIC.TARGET_ENABLES[0].ENABLE {
		kendryte.PLIC.TARGET_ENABLES[0].ENABLE[i].Set(0)
	}
	OnSecond(enter)
	enter()
}

func enter() { C.board_enter(programAt) }
