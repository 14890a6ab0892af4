//go:build tinygo && stm32f407 && ota

package board

import (
	"device/arm"
	"device/stm32"
	"encoding/binary"
	"runtime/interrupt"
	"runtime/volatile"
	"unsafe"
)

// mainMemory is where the main memory block of flash lies (RM0090 §3.3, table 5).
const mainMemory = 0x0800_0000

// FlashError is what the flash interface told of an operation: the error flags of its
// status register (RM0090 §3.9.5).
type FlashError uint32

// Flags of FlashError, and what they say.
var flashErrors = [...]struct {
	flag FlashError
	text string
}{
	{stm32.FLASH_SR_WRPERR, "write protected"},
	{stm32.FLASH_SR_PGAERR, "alignment"},
	{stm32.FLASH_SR_PGPERR, "parallelism"},
	{stm32.FLASH_SR_PGSERR, "sequence"},
}

func (e FlashError) Error() string {
	for _, f := range flashErrors {
		if e&f.flag != 0 {
			return "flash: " + f.text
		}
	}
	return "flash: operation"
}

const (
	flashKey1 = 0x4567_0123 // RM0090 §3.6.1
	flashKey2 = 0xCDEF_89AB

	psizeX32 = 2 << stm32.FLASH_CR_PSIZE_Pos // with a supply of 2.7 V and more (§3.6.2)

	flashFaults = stm32.FLASH_SR_OPERR | stm32.FLASH_SR_WRPERR | stm32.FLASH_SR_PGAERR |
		stm32.FLASH_SR_PGPERR | stm32.FLASH_SR_PGSERR
)

// MainMemory is the flash that programs lie in. Offsets are from its start. While it is
// programmed or erased the processor stands still, for it runs from there: 16 us for a word, 250 ms
// for a sector of 16 KB, 1 s for one of 128 KB, typically (DS8626 table 40).
type MainMemory struct{}

// Flash is the chip's flash.
func Flash() MainMemory { return MainMemory{} }

// Read copies what lies at an offset.
func (MainMemory) Read(off uint32, p []byte) {
	copy(p, unsafe.Slice((*byte)(unsafe.Pointer(uintptr(mainMemory+off))), len(p)))
}

// Program clears bits, word after word. Offset and length are multiples of 4.
func (MainMemory) Program(off uint32, p []byte) error {
	unlockFlash()
	defer lockFlash()
	stm32.FLASH.CR.Set(psizeX32 | stm32.FLASH_CR_PG)
	for i := 0; i < len(p); i += 4 {
		word := (*volatile.Register32)(unsafe.Pointer(uintptr(mainMemory + off + uint32(i))))
		word.Set(binary.LittleEndian.Uint32(p[i:]))
		arm.Asm("dsb")
		if err := awaitFlash(); err != nil {
			return err
		}
	}
	return nil
}

// Erase sets all bits of the sectors from off to off+size. Both are those of
// sectors, but that of sector 4 only the first 16 KB need be named.
func (MainMemory) Erase(off, size uint32) error {
	unlockFlash()
	defer lockFlash()
	for at := off; at < off+size; {
		n, end := sectorAt(at)
		stm32.FLASH.CR.Set(psizeX32 | stm32.FLASH_CR_SER | n<<stm32.FLASH_CR_SNB_Pos)
		stm32.FLASH.CR.SetBits(stm32.FLASH_CR_STRT)
		arm.Asm("dsb")
		if err := awaitFlash(); err != nil {
			return err
		}
		at = end
	}
	flushFlash()
	return nil
}

// sectorAt is the number of the sector that holds an offset, and where it ends
// (RM0090 table 5).
func sectorAt(off uint32) (n, end uint32) {
	switch {
	case off < 0x10000:
		n = off / 0x4000
		return n, (n + 1) * 0x4000
	case off < 0x20000:
		return 4, 0x20000
	}
	n = off / 0x20000
	return n + 4, (n + 1) * 0x20000
}

func unlockFlash() {
	if stm32.FLASH.CR.HasBits(stm32.FLASH_CR_LOCK) {
		stm32.FLASH.KEYR.Set(flashKey1)
		stm32.FLASH.KEYR.Set(flashKey2)
	}
	stm32.FLASH.SR.Set(flashFaults)
}

func lockFlash() { stm32.FLASH.CR.Set(stm32.FLASH_CR_LOCK) }

// awaitFlash waits for the end of an operation.
func awaitFlash() error {
	for stm32.FLASH.SR.HasBits(stm32.FLASH_SR_BSY) {
	}
	if faults := stm32.FLASH.SR.Get() & flashFaults; faults != 0 {
		return FlashError(faults)
	}
	return nil
}

// flushFlash empties the caches, in which data from before an erase may be: they
// are off meanwhile, as §3.6.3 and §3.9.1 want it. Programming keeps them right by itself.
func flushFlash() {
	const caches = stm32.FLASH_ACR_ICEN | stm32.FLASH_ACR_DCEN
	const resets = stm32.FLASH_ACR_ICRST | stm32.FLASH_ACR_DCRST
	mask := interrupt.Disable()
	acr := stm32.FLASH.ACR.Get()
	stm32.FLASH.ACR.Set(acr &^ caches)
	stm32.FLASH.ACR.Set(acr&^caches | resets)
	stm32.FLASH.ACR.Set(acr &^ caches)
	stm32.FLASH.ACR.Set(acr)
	interrupt.Restore(mask)
}
