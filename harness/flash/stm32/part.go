package stm32

import (
	"fmt"
	"time"

	"rigor/harness/flash"
)

// Flash times of DS8626 tables "Flash memory programming": program/erase
// parallelism x8, which is what the loader uses for any supply.
const (
	programTypical = 16 * time.Microsecond // a byte
	programMax     = 100 * time.Microsecond
	massEraseMax   = 32 * time.Second
)

// Memory of the part (RM0090 §3.3). The loader keeps 12 KB of RAM for itself in
// versions 9.x, 8 KB in 3.x (AN2606); which it is cannot be asked of it.
var (
	flashMemory = flash.Span{Addr: 0x0800_0000, Size: 1 << 20}
	loaderRAM   = flash.Span{Addr: 0x2000_0000, Size: 0x3000}
	optionBytes = flash.Span{Addr: 0x1FFF_C000, Size: 16}
)

// within says that s begins in m.
func within(s, m flash.Span) bool { return s.Addr >= m.Addr && s.Addr-m.Addr < m.Size }

// sectorStarts are offsets in flash, the last one its end (RM0090 table 5).
var sectorStarts = [...]uint32{
	0x0_0000, 0x0_4000, 0x0_8000, 0x0_C000, 0x1_0000,
	0x2_0000, 0x4_0000, 0x6_0000, 0x8_0000, 0xA_0000, 0xC_0000, 0xE_0000, 0x10_0000,
}

func sectorSize(i int) uint32 { return sectorStarts[i+1] - sectorStarts[i] }

// eraseMax is the longest a sector of a size may take.
func eraseMax(size uint32) time.Duration {
	switch size {
	case 16 << 10:
		return 800 * time.Millisecond
	case 64 << 10:
		return 2400 * time.Millisecond
	}
	return 4 * time.Second
}

// Sectors gives the sectors that hold any of the span.
func (l *Loader) Sectors(s flash.Span) ([]flash.Span, error) {
	first, last, err := sectorRange(s)
	var out []flash.Span
	for i := first; i < last; i++ {
		out = append(out, flash.Span{Addr: flashMemory.Addr + sectorStarts[i], Size: sectorSize(i)})
	}
	return out, err
}

// sectorRange gives the first sector of a span and the one after its last.
func sectorRange(s flash.Span) (first, last int, err error) {
	if s.Size == 0 {
		return 0, 0, nil
	}
	if !within(s, flashMemory) || s.Size > flashMemory.Size-(s.Addr-flashMemory.Addr) {
		return 0, 0, &AddressError{"Erase", s.Addr, fmt.Sprintf("%v is not wholly in flash (%v)", s, flashMemory)}
	}
	begin := s.Addr - flashMemory.Addr
	end := begin + s.Size
	for sectorStarts[first+1] <= begin {
		first++
	}
	for last = first; sectorStarts[last] < end; {
		last++
	}
	return first, last, nil
}
