package stm32f407

import "rigor/harness/sim/bus"

// The DMA controllers' registers, RM0090 §10.5.

type dmaDevice struct{ dmaController }

// flagShift is where LISR and HISR hold a stream's flags.
var flagShift = [4]uint32{0, 6, 16, 22}

const (
	dmaCRMask = 0x0FEFFFFF
	dmaCRLive = 0x1F // what may be written while the stream is enabled: EN and interrupts
)

func (d dmaDevice) Load(off uint32, _ uint8) (uint64, bus.Fault) {
	if off < 0x08 {
		var v uint32
		for i, shift := range flagShift {
			v |= d.Streams[int(off)+i].Flags << shift
		}
		return uint64(v), bus.None
	}
	if off < 0x10 { // LIFCR, HIFCR: write-only
		return 0, bus.None
	}
	i := (off - 0x10) / 0x18
	if i >= 8 {
		return 0, d.c.unknown(d.name(), off)
	}
	return uint64(d.Streams[i].register((off - 0x10) % 0x18)), bus.None
}

func (s *dmaStream) register(off uint32) uint32 {
	switch off {
	case 0x00:
		return s.Cr
	case 0x04:
		return s.Ndtr
	case 0x08:
		return s.Par
	case 0x0C, 0x10:
		return s.Mar[(off-0x0C)/4]
	}
	return s.Fcr&^0x38 | s.fifoStatus()<<3
}

// fifoStatus is FS (§10.5.10).
func (s *dmaStream) fifoStatus() uint32 {
	switch s.Level {
	case 0:
		return 4
	case 16:
		return 5
	}
	return s.Level / 4
}

func (d dmaDevice) Store(off uint32, _ uint8, v64 uint64) bus.Fault {
	v := uint32(v64)
	switch {
	case off < 0x08: // LISR, HISR: read-only
	case off < 0x10:
		for i, shift := range flagShift {
			n := int(off-0x08) + i
			d.Streams[n].Flags &^= v >> shift & 0x3D
			d.update(n)
		}
	case off < 0xD0:
		return d.storeStream(int(off-0x10)/0x18, (off-0x10)%0x18, v)
	default:
		return d.c.unknown(d.name(), off)
	}
	return bus.None
}

// storeStream writes a stream's register. Most are protected while EN is set.
func (d dmaDevice) storeStream(i int, off, v uint32) bus.Fault {
	s := &d.Streams[i]
	enabled := s.Cr&dmaEN != 0
	switch {
	case off == 0x00:
		return d.storeCR(i, v)
	case off == 0x0C || off == 0x10:
		d.storeMAR(i, int(off-0x0C)/4, v)
	case off == 0x14:
		if enabled {
			v = v&dmaFEIE | s.Fcr&^dmaFEIE
		}
		s.Fcr = v & 0x87
		d.update(i)
	case enabled:
		d.c.warn("%s: NDTR or PAR of stream %d written while it is enabled", d.name(), i)
	case off == 0x04:
		s.Ndtr, s.Reload = v&0xFFFF, v&0xFFFF
	case off == 0x08:
		s.Par = v
	}
	return bus.None
}

// storeMAR: an enabled stream takes only the address of the buffer that it does
// not use (§10.3.9, §10.5.8).
func (d dmaDevice) storeMAR(i, n int, v uint32) {
	s := &d.Streams[i]
	used := int(s.Cr / dmaCT & 1)
	switch {
	case s.Cr&dmaEN == 0, s.Cr&dmaDBM != 0 && n != used:
		s.Mar[n] = v
	case s.Cr&dmaDBM != 0:
		s.Flags |= dmaTEIF
		s.off()
		d.update(i)
	default:
		d.c.warn("%s: M%dAR of stream %d written while it is enabled", d.name(), n, i)
	}
}

func (d dmaDevice) storeCR(i int, v uint32) bus.Fault {
	s := &d.Streams[i]
	v &= dmaCRMask
	if s.Cr&dmaEN == 0 {
		s.Cr = v &^ dmaEN
		if v&dmaEN != 0 {
			d.enable(i)
		}
	} else {
		s.Cr = s.Cr&^dmaCRLive | v&dmaCRLive | dmaEN
		if v&dmaEN == 0 {
			d.stop(i)
		}
	}
	d.update(i)
	d.wake()
	return bus.None
}

// enable starts a stream (§10.3.17).
func (d dmaDevice) enable(i int) {
	s := &d.Streams[i]
	if s.Flags != 0 {
		d.c.warn("%s stream %d enabled with flags of its last transfer set", d.name(), i)
	}
	if s.direction() == memToMem {
		s.Fcr |= dmaDMDIS // §10.3.6: direct mode is not allowed
		if s.Cr&(dmaCIRC|dmaDBM) != 0 {
			d.c.warn("%s stream %d: memory to memory cannot be circular", d.name(), i)
		}
	}
	if s.Cr&dmaPFCTRL != 0 {
		s.peripheralControls()
	}
	if s.direct() { // §10.5.5: MSIZE follows PSIZE
		s.Cr = s.Cr&^(3<<13) | s.Cr>>11&3<<13
	}
	if s.forbidden() {
		s.Flags |= dmaFEIF
		return
	}
	if s.Ndtr == 0 {
		s.Ndtr = s.Reload
	}
	if s.Ndtr == 0 {
		d.c.warn("%s stream %d enabled with nothing to transfer", d.name(), i)
	}
	s.Cr |= dmaEN
	s.Head, s.Level = 0, 0
	s.rewind()
	if d.Active == i {
		d.Left = 0 // what an error has ended is not this transfer's
	}
}

// peripheralControls lets the peripheral say where the end is (§10.3.15): NDTR
// counts down from 65535, and circular mode is off. Only SDIO would ever say it,
// so that a stream goes on until software stops it or NDTR is 0.
func (s *dmaStream) peripheralControls() {
	if s.direction() == memToMem {
		s.Cr &^= dmaPFCTRL
		return
	}
	s.Cr &^= dmaCIRC
	s.Ndtr, s.Reload = 0xFFFF, 0xFFFF
}

// forbidden tells of a threshold that is no whole number of memory bursts, or
// a burst larger than the FIFO (§10.3.12, table 49).
func (s *dmaStream) forbidden() bool {
	if s.direct() {
		return false
	}
	burst := s.mbeats() * s.msize()
	return s.mbeats() > 1 && s.threshold()%burst != 0 || s.pbeats()*s.psize() > 16
}

// stop ends a stream once its transaction is over and its FIFO empty
// (§10.3.14).
func (d dmaDevice) stop(i int) {
	s := &d.Streams[i]
	s.Stopping = true
	if d.Active == i && d.Phase > dmaArbitrate {
		return
	}
	d.progress(s)
}
