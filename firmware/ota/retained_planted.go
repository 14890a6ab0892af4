//go:build tinygo && defect_attempts_in_ram

package ota

// retained is RAM that nothing clears at a reset; the linker script keeps the section out of .bss.
//
//go:section .noinit
var retained [2]uint32
