// Package bus is the contract between a simulated core and what it is wired
// to: a device answers loads and stores at offsets in its window.
//
// The hot path returns fault codes, not errors: guest firmware can cause any
// of them, many times a second, and none may crash the harness.
package bus

// Fault is the outcome of one access.
type Fault uint8

const (
	None Fault = iota
	// Error is the part's own answer: nothing decodes the address, or the
	// block refuses the access. The core raises its bus fault.
	Error
	// Unmodelled is ours: the part has this, the model does not. The
	// simulation stops and names the register.
	Unmodelled
)

func (f Fault) String() string {
	switch f {
	case None:
		return "none"
	case Error:
		return "bus error"
	case Unmodelled:
		return "not modelled"
	}
	return "invalid"
}

// Device is one block in a window of the address map. Offsets are in bytes
// from the window's start, widths are 1, 2, 4 or 8 bytes, values are
// zero-extended.
type Device interface {
	Load(off uint32, width uint8) (uint64, Fault)
	Store(off uint32, width uint8, v uint64) Fault
}
