//go:build tinygo && esp32c3 && !espradio

package network

import (
	"runtime/volatile"
	"unsafe"
)

// memory is the MAC's registers where a simulated ESP32-C3 has them. Nothing is
// documented there on the part: a program for it is built with espradio.
type memory struct{}

const macBase = 0x600D1000

func (memory) Load(off uintptr) uint32 {
	return volatile.LoadUint32((*uint32)(unsafe.Pointer(macBase + off)))
}

func (memory) Store(off uintptr, v uint32) {
	volatile.StoreUint32((*uint32)(unsafe.Pointer(macBase+off)), v)
}

// Open finds the board's radio, or gives ErrNoRadio.
func Open() (Station, error) {
	p, err := NewParavirtual(memory{})
	if err != nil {
		return nil, err
	}
	return p, nil
}
