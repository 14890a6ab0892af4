package ota

// countInRAM is what defect.AttemptsInRAM makes of Journal.Attempt.
func countInRAM(update uint32) uint8 {
	if retained[0] != update {
		retained = [2]uint32{update, 0}
	}
	if retained[1] >= Attempts {
		return 0
	}
	retained[1]++
	return uint8(retained[1])
}
