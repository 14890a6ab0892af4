//go:build tinygo && defect_attempts_in_ram

package defect

const planted = AttemptsInRAM
