package riscv

// load is a load in the abstract: from a device that can foresee, from what the loop
// stores to, or from memory that it leaves alone.
func (s *skipper) load(st *step, turns int64, base abstract) (v abstract, ok bool) {
	width := accessWidths[st.in.op-opLB]
	if !base.exact || st.addr&uint64(width-1) != 0 {
		return v, false
	}
	unsigned := st.in.op >= opLBU
	w := s.c.windowAt(st.addr)
	if w == nil {
		return s.foresee(st.addr, width, unsigned)
	}
	i, ok := s.slotFor(w, st.addr, width)
	if !ok || s.now[i].stale {
		return v, false
	}
	v = s.asLoaded(s.now[i], width, unsigned)
	if p := &s.slots[i]; p.fresh && v.exact && v.least != int64(st.result) {
		// It was something else in the last turn: all that is known of it is known by now.
		p.kind, p.delta = affine, v.least-int64(st.result)
		s.now[i] = s.start(i, turns)
		v = s.asLoaded(s.now[i], width, unsigned)
	}
	s.slots[i].fresh = false
	return v, true
}

// asLoaded is what a load makes of the contents of memory, which are sign-extended.
func (s *skipper) asLoaded(v abstract, width uint8, unsigned bool) abstract {
	switch {
	case !unsigned || v.least >= 0:
		return v
	case v.most < 0:
		v.least, v.most = v.least+1<<(8*width), v.most+1<<(8*width)
	default:
		v.least, v.most = 0, 1<<(8*width)-1
	}
	v.from = 0
	return v
}

// foresee asks the device.
func (s *skipper) foresee(addr uint64, width uint8, unsigned bool) (v abstract, ok bool) {
	f, can := s.c.cfg.Bus.(Foreseer)
	if !can {
		return v, false
	}
	least, most, ok := f.ForeseeLoad(addr, width, s.until)
	if !ok {
		return v, false
	}
	top := uint64(1) << (8*width - 1)
	switch {
	case unsigned || most < top:
		v = abstract{least: int64(least), most: int64(most)}
	case least >= top:
		sign := -int64(top) - int64(top)
		v = abstract{least: int64(least) + sign, most: int64(most) + sign}
	default:
		v = abstract{least: -int64(top), most: int64(top) - 1}
	}
	return v, true
}

// store is a store in the abstract. To a device it must always be the same.
func (s *skipper) store(st *step, turns int64, base, v abstract) bool {
	width := accessWidths[st.in.op-opLB]
	if !base.exact || st.addr&uint64(width-1) != 0 {
		return false
	}
	w := s.c.windowAt(st.addr)
	if w == nil || !w.Write {
		f, can := s.c.cfg.Bus.(Foreseer)
		return can && v.exact && f.ForeseeStore(st.addr, width, uint64(v.least)&(^uint64(0)>>(64-8*width)))
	}
	if w.marks[(st.addr-w.Base)>>pageBits] {
		return false // code
	}
	i, ok := s.slotFor(w, st.addr, width)
	if !ok {
		return false
	}
	s.slots[i].fresh = false
	s.now[i] = s.asStored(v, width)
	return true
}

// asStored is what memory holds after a store, sign-extended.
func (s *skipper) asStored(v abstract, width uint8) abstract {
	top := int64(1) << (8*width - 1)
	switch {
	case v.least >= -top && v.most <= top-1:
		return v
	case v.exact:
		v.least = signExtend(uint64(v.least), width)
		v.most, v.from = v.least, 0
		return v
	}
	return abstract{least: -top, most: top - 1}
}

func signExtend(v uint64, width uint8) int64 {
	unused := 64 - 8*width
	return int64(v<<unused) >> unused
}

// slotFor finds or makes the slot of a place in a window. It isn't ok if there are slots
// that overlap with it otherwise.
func (s *skipper) slotFor(w *window, addr uint64, width uint8) (i int, ok bool) {
	off := addr - w.Base
	for i = 32; i < len(s.slots); i++ {
		p := &s.slots[i]
		if p.mem == w.mem && p.off < off+uint64(width) && off < p.off+uint64(p.width) {
			return i, p.off == off && p.width == width
		}
	}
	if w.Read != nil {
		s.c.tellRead(w, addr, uint64(width))
	}
	value := signExtend(loadBytes(w.Data[off:], width), width)
	s.slots = append(s.slots, slot{mem: w.mem, data: w.Data, off: off, width: width, value: value, fresh: true})
	s.now = append(s.now, abstract{least: value, most: value, exact: true, from: i + 1})
	return i, true
}

// counter is the counters of cycles and instructions, the only registers of control that a
// loop may read.
func (s *skipper) counter(in *insn) (v abstract, ok bool) {
	c := s.c
	now, o := c.readCSR(uint16(in.imm))
	if o != csrDone {
		return v, false
	}
	switch n := uint16(in.imm); {
	case c.cfg.Vectored31 && n == csrMPCCR:
		if c.Perf.Mpcmr&perfEnable == 0 {
			return v, false
		}
	case !c.cfg.Vectored31 && (n == csrMCYCLE || n == csrCYCLE || n == csrMINSTRET || n == csrINSTRET):
	default:
		return v, false
	}
	// No more instructions than cycles pass.
	most := now + (s.until - c.Cycle)
	if c.cfg.XLEN == 32 && (now>>31 != most>>31 || most>>32 != 0) || most < now || int64(now) < 0 != (int64(most) < 0) {
		return s.unknown(), true
	}
	return abstract{least: int64(c.extend(now)), most: int64(c.extend(most))}, true
}
