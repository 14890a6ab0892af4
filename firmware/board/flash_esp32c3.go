//go:build tinygo && esp32c3 && ota

package board

// #include <stdint.h>
// int flash_read(uint32_t off, void *words, uint32_t size);
// int flash_program(uint32_t off, const void *words, uint32_t size);
// int flash_erase(uint32_t sector);
import "C"

import (
	"errors"
	"unsafe"
)

// ErrFlash is the answer of the flash chip, or of the ROM that speaks to it, to an operation
// that it does not carry out.
var ErrFlash = errors.New("flash: operation refused")

const (
	flashSector = 4096
	flashAtOnce = 1024 // bytes read or programmed with interrupts off: less than 5 ms
)

// SerialFlash is the flash chip on the module, by the ROM's functions. Nothing runs from
// it meanwhile and no interrupt is served: 45 ms for the erase of a sector (W25Q32JV
// §9.6), in which the console's FIFO has room for 11 ms.
type SerialFlash struct{}

// Flash is the chip's flash.
func Flash() SerialFlash { return SerialFlash{} }

// bounce is where data are whose place or length is not that of words.
var bounce [flashAtOnce / 4]uint32

func bounced() []byte { return unsafe.Slice((*byte)(unsafe.Pointer(&bounce)), flashAtOnce) }

// Read copies what lies at an offset; no word is read that none of it is in.
func (SerialFlash) Read(off uint32, p []byte) {
	for len(p) > 0 {
		lead := off & 3
		n := min(uint32(len(p)), flashAtOnce-lead)
		C.flash_read(C.uint32_t(off-lead), unsafe.Pointer(&bounce), C.uint32_t((lead+n+3)&^3))
		copy(p, bounced()[lead:lead+n])
		off, p = off+n, p[n:]
	}
}

// Program clears bits, 32 bytes after 32 bytes. Offset and length are multiples of 4.
func (SerialFlash) Program(off uint32, p []byte) error {
	for len(p) > 0 {
		n := copy(bounced(), p)
		if C.flash_program(C.uint32_t(off), unsafe.Pointer(&bounce), C.uint32_t(n)) != 0 {
			return ErrFlash
		}
		off, p = off+uint32(n), p[n:]
	}
	return nil
}

// Erase sets all bits of the sectors of 4 KB from off to off+size.
func (SerialFlash) Erase(off, size uint32) error {
	for at := off; at < off+size; at += flashSector {
		if C.flash_erase(C.uint32_t(at/flashSector)) != 0 {
			return ErrFlash
		}
	}
	return nil
}
