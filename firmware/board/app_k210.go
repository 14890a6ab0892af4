//go:build tinygo && k210 && ota && !otaboot

package board

// Flash is the chip's flash.
func Flash() NOR { return NOR{} }
