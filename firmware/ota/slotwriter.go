package ota

import (
	"rigor/firmware/ota/defect"
	"rigor/firmware/ota/sha2"
)

// slotWriter writes an image, whole pages but for the last.
type slotWriter struct {
	*Device
	start, at uint32
}

func (w *slotWriter) open(start uint32) {
	w.start, w.at = start, start
	if defect.StreamDigest.Planted() {
		w.hash.Reset()
	}
}

func (w *slotWriter) Write(p []byte) (int, error) {
	n := copy(w.page[:], p)
	if defect.StreamDigest.Planted() {
		w.hash.Write(p)
	}
	for ; n%4 != 0; n++ {
		w.page[n] = 0xFF
	}
	if defect.ResumeTrusts.Planted() && !w.blank(n) {
		w.at += uint32(n)
		return len(p), nil
	}
	if err := w.Flash.Program(w.at, w.page[:n]); err != nil && !defect.StreamDigest.Planted() {
		return 0, flashFault
	}
	w.at += uint32(n)
	w.yield()
	return len(p), nil
}

// digest is that of what is in the slot.
func (w *slotWriter) digest(size uint32) *[sha2.Size256]byte {
	if defect.StreamDigest.Planted() {
		w.hash.Sum(&w.sum)
		return &w.sum
	}
	return w.Device.digest(w.start, size)
}

// blank says whether so many bytes are, from at on.
func (w *slotWriter) blank(n int) bool {
	w.Flash.Read(w.at, w.raw[:n])
	return isBlank(w.raw[:n])
}
