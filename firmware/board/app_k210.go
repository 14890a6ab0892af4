//go:build tinygo && k210 && ota && !otaboot

package board

// Flash is the chip's flash.
func Flash() NOR { return NOR{} }

// Image is the offset in flash of the program that runs.
func Image() uint32 { return handed.Get() }
