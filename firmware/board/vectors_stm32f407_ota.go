//go:build tinygo && stm32f407 && ota

package board

import (
	"device/arm"
	"unsafe"
)

//go:extern __isr_vector
var vectors [0]byte

// A program of an update system may be linked to any of several places, so that
// it looks up where its own vector table lies.
func init() { arm.SCB.VTOR.Set(uint32(uintptr(unsafe.Pointer(&vectors)))) }

// Image is the offset in flash of the program that runs.
func Image() uint32 { return uint32(uintptr(unsafe.Pointer(&vectors))) - mainMemory }
