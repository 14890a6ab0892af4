package faults

import (
	"fmt"
	"strconv"
	"strings"

	"rigor/harness/sim/board"
)

// Kind is a kind of fault.
type Kind uint8

// Kinds.
const (
	Cut     Kind = iota // the supply is cut, and comes back
	Drop                // an operation does nothing and reports success
	Partial             // some of its bits change; it reports success
	Refuse              // it does nothing and reports an error
	Flip                // a bit changes while the power is off
	Reset               // a reset within an operation, after which RAM is what it was
)

var kinds = [...]string{"cut", "drop", "partial", "refuse", "flip", "reset"}

func (k Kind) String() string { return kinds[k] }

// How says how far an operation got when the supply was cut.
type How uint8

// Hows.
const (
	Before   How = iota // nothing of it was done
	Bits                // each bit as a pattern says
	Marginal            // done, but no bit that changed is certain until it is written again
	End                 // after the last operation
	Bytes               // program: so many bytes are done
	Half                // erase: the first half is done
	Zeroed              // erase: bits are programmed first, all or as a pattern says
	numHows
)

var howNames = [...]string{"before", "bits", "marginal", "end", "bytes", "half", "zeroed"}

func (h How) String() string { return howNames[h] }

// numbered tells whether N says more.
func (h How) numbered() bool { return h == Bits || h == Bytes || h == Zeroed }

// Reading is how marginal cells read from a power-on to the next: 0 all ones, 1
// all zeros, 2 and above as a pattern says.
type Reading uint8

// Fault is one fault. Its operation is counted from the power-on before, or for
// the first fault from the one before the update; boot is part of that.
type Fault struct {
	Kind  Kind
	Op    int
	Erase bool            // the operation is one
	How   How             // of a cut
	N     int             // bytes, or a pattern's number
	Next  Reading         // of the power-on that follows a cut
	Off   uint32          // of a flipped bit
	Bit   uint8           // its number
	By    board.ResetKind // of a reset
}

// String is the fault as ParseSequence reads it:
//
//	cut@1234:program:bytes2   cut@17:erase:half   cut@20:end
//	cut@8:program:marginal/1  (read as all zeros at the next power-on)
//	drop@5  partial@5  refuse@5  flip@5:0x20004.3  reset@5:watchdog
func (f Fault) String() string {
	s := fmt.Sprintf("%s@%d", f.Kind, f.Op)
	switch f.Kind {
	case Flip:
		return fmt.Sprintf("%s:%#x.%d", s, f.Off, f.Bit)
	case Reset:
		return s + ":" + string(f.By)
	case Cut:
		return s + f.extent()
	}
	return s
}

func (f Fault) extent() (s string) {
	switch {
	case f.How == End:
	case f.Erase:
		s = ":erase"
	default:
		s = ":program"
	}
	s += ":" + f.How.String()
	if f.How.numbered() {
		s += strconv.Itoa(f.N)
	}
	if f.Next != 0 {
		s += "/" + strconv.Itoa(int(f.Next))
	}
	return s
}

// Sequence is faults one after another, each in the recovery from the one before.
type Sequence []Fault

func (s Sequence) String() string {
	if len(s) == 0 {
		return "no fault"
	}
	var all []string
	for _, f := range s {
		all = append(all, f.String())
	}
	return strings.Join(all, "; ")
}

// ParseSequence reads what Sequence.String writes.
func ParseSequence(text string) (s Sequence, err error) {
	if text == "no fault" {
		return nil, nil
	}
	for _, one := range strings.Split(text, ";") {
		f, err := parseFault(strings.TrimSpace(one))
		if err != nil {
			return nil, fmt.Errorf("fault %q: %w", one, err)
		}
		s = append(s, f)
	}
	return s, nil
}
