package esp32c3

// The debug triggers of the CPU (TRM ESP-RISC-V CPU, Trigger Module): eight, which programs
// set to guard the ends of stacks. They are kept, and never fire.
type triggerState struct {
	Select  uint8
	Control uint32
	Data    [triggers]uint32 // tdata1: what it matches
	Address [triggers]uint32 // tdata2
}

const (
	triggers = 8

	csrTSELECT  = 0x7A0
	csrTDATA1   = 0x7A1
	csrTDATA2   = 0x7A2
	csrTCONTROL = 0x7A5

	tdataKind    = 2 << 28 // tdata1.type: address and data match
	tdataKept    = 1<<27 - 1
	tcontrolKept = 1<<7 | 1<<3 // mpte, mte
)

// register is the one that a number means, or nil.
func (t *triggerState) register(n uint16) *uint32 {
	switch n {
	case csrTDATA1:
		return &t.Data[t.Select]
	case csrTDATA2:
		return &t.Address[t.Select]
	case csrTCONTROL:
		return &t.Control
	}
	return nil
}

func (t *triggerState) read(n uint16) (v uint64, ok bool) {
	if n == csrTSELECT {
		return uint64(t.Select), true
	}
	r := t.register(n)
	if r == nil {
		return 0, false
	}
	if n == csrTDATA1 {
		return uint64(tdataKind | *r), true
	}
	return uint64(*r), true
}

func (t *triggerState) write(n uint16, v uint32) (ok bool) {
	if n == csrTSELECT {
		t.Select = uint8(v % triggers)
		return true
	}
	r := t.register(n)
	if r == nil {
		return false
	}
	switch n {
	case csrTDATA1:
		v &= tdataKept
	case csrTCONTROL:
		v &= tcontrolKept
	}
	*r = v
	return true
}
