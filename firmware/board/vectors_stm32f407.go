//go:build tinygo && stm32f407 && !ota

package board

import "device/arm"

// flash is where the program and its vector table are linked to.
const flash = 0x0800_0000

// A program that the boot loader's Go command started finds system memory at
// address 0, where the core looks for its vectors after a reset (RM0090 §2.4),
// and the runtime doesn't move them. Its first interrupt is the
// tick, 10 ms later.
func init() { arm.SCB.VTOR.Set(flash) }
