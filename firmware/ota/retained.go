//go:build !tinygo || !defect_attempts_in_ram

package ota

// retained stands for RAM that a warm reset keeps.
var retained [2]uint32
