package board

// RAMTrack finds out which RAM is read that was not written since the last reset, for chips
// that are a RAMTracker. A nil one tracks nothing.
type RAMTrack struct {
	f     func(addr, n uint32)
	place func(addr uint32) (i int, ok bool)
	done  []bool // by place: needs not be told any more
}

// NewRAMTrack has f told of bytes of memory of a size. place says where in it an address
// is, or that it is elsewhere.
func NewRAMTrack(size int, place func(addr uint32) (i int, ok bool), f func(addr, n uint32)) *RAMTrack {
	return &RAMTrack{f: f, place: place, done: make([]bool, size)}
}

// Loaded tells of the bytes that are fresh, those side by side at once.
func (t *RAMTrack) Loaded(addr, n uint32) {
	if t == nil {
		return
	}
	for end := addr + n; addr < end; addr++ {
		first := addr
		for addr < end && t.mark(addr) {
			addr++
		}
		if addr > first {
			t.f(first, addr-first)
		}
	}
}

// Stored takes note of bytes that are written.
func (t *RAMTrack) Stored(addr, n uint32) {
	if t == nil {
		return
	}
	for i := range n {
		t.mark(addr + i)
	}
}

// mark tells whether a byte is fresh, neither read nor written before, which it is no longer.
func (t *RAMTrack) mark(addr uint32) (fresh bool) {
	i, ok := t.place(addr)
	if !ok || t.done[i] {
		return false
	}
	t.done[i] = true
	return true
}

// Reset makes all bytes fresh.
func (t *RAMTrack) Reset() {
	if t != nil {
		clear(t.done)
	}
}
