package k210

import "rigor/harness/sim/bus"

// aesDevice is the registers of AES.
type aesDevice struct{ *Chip }

// register is one that keeps what is written, or nil.
func (s *aesState) register(off uint32) *uint32 {
	switch {
	case off < aeENCRYPT:
		return &s.KEY[off/4]
	case off >= aeKEY_EXT && off < aeEnd:
		return &s.KEY[4+(off-aeKEY_EXT)/4]
	case off >= aeIV && off < aeENDIAN:
		return &s.IV[(off-aeIV)/4]
	case off == aeMODE:
		return &s.MODE
	case off == aeENDIAN:
		return &s.ENDIAN
	case off == aeAAD_NUM:
		return &s.AAD_NUM
	case off == aePC_NUM:
		return &s.PC_NUM
	}
	return nil
}

func (d aesDevice) loadWord(off uint32) (uint32, bus.Fault) {
	s := &d.AES
	if r := s.register(off); r != nil {
		return *r, bus.None
	}
	switch off {
	case aeENCRYPT:
		return oneIf(s.DECRYPT), bus.None
	case aeFINISH:
		return oneIf(s.FINISH), bus.None
	case aeDMA_SEL:
		return oneIf(s.DMA), bus.None
	case aeTAG_CHK:
		return s.Tag, bus.None
	case aeIN_FLAG:
		return oneIf(s.EN && s.In.Len < aesDepth), bus.None
	case aeOUT:
		return d.output(), bus.None
	case aeEN:
		return oneIf(s.EN), bus.None
	case aeOUT_FLAG:
		return oneIf(s.Out.Len > 0), bus.None
	case aeTAG_FLAG:
		return oneIf(s.Sums), bus.None
	case aeTAG_OUT, aeTAG_OUT + 4, aeTAG_OUT + 8, aeTAG_OUT + 12:
		return s.TagOut[(off-aeTAG_OUT)/4], bus.None
	case aeTEXT, aeAAD, aeTAG_CLR, aeTAG_IN, aeTAG_IN + 4, aeTAG_IN + 8, aeTAG_IN + 12: // write-only
		return 0, bus.None
	}
	return 0, d.unknown("AES", off)
}

// output is a read of OUT_DATA.
func (d aesDevice) output() (v uint32) {
	s := &d.AES
	if s.Out.Len == 0 {
		d.warn("AES.OUT_DATA read while there is none")
		return 0
	}
	v = s.Out.get()
	d.aesNext()
	d.aesUpdate()
	return v
}

func (d aesDevice) storeWord(off, v uint32) bus.Fault {
	s := &d.AES
	if r := s.register(off); r != nil {
		*r = v
		return bus.None
	}
	switch off {
	case aeENCRYPT:
		s.DECRYPT = v&1 != 0
	case aeDMA_SEL:
		s.DMA = v&1 != 0
		d.aesUpdate()
	case aeTEXT:
		d.aesTake(v, false)
	case aeAAD:
		d.aesTake(v, true)
	case aeTAG_IN, aeTAG_IN + 4, aeTAG_IN + 8, aeTAG_IN + 12:
		s.aesTag((off-aeTAG_IN)/4, v)
	case aeTAG_CLR:
		s.Tag, s.TagGot = 0, 0
	case aeEN:
		return d.enable(v&1 != 0)
	case aeFINISH, aeTAG_CHK, aeIN_FLAG, aeOUT, aeOUT_FLAG, aeTAG_FLAG,
		aeTAG_OUT, aeTAG_OUT + 4, aeTAG_OUT + 8, aeTAG_OUT + 12: // read-only
	default:
		return d.unknown("AES", off)
	}
	return bus.None
}

// enable is a write to EN.
func (d aesDevice) enable(on bool) bus.Fault {
	if !on {
		d.AES.EN = false
		return bus.None
	}
	if what := d.AES.lacks(); what != "" {
		return d.lack(what)
	}
	d.aesStart()
	return bus.None
}

// foreseeLoad: all but OUT_DATA changes by events and stores only.
func (d aesDevice) foreseeLoad(off uint32, width uint8, _ uint64) (least, most uint64, ok bool) {
	return steady(words{d}, off, width, off != aeOUT && off < aeEnd)
}
