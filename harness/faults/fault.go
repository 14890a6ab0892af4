package faults

import "rigor/harness/sim/board"

// Kind is a kind of fault.
type Kind uint8

// Kinds.
const (
	Cut     Kind = iota // the supply is cut, and comes back
	Drop                // an operation does nothing and reports success
	Partial             // some of its bits change; it reports success
	Refuse              // it does nothing and reports an error
	Flip                // a bit changes while the power is off
	Reset               // a reset, after which RAM is what it was
)

// How says how far an operation got when the supply was cut.
type How uint8

// Hows. The first four are of programs and erases, the others of one of them.
const (
	Before   How = iota // nothing of it was done
	Bits                // each bit as a pattern says
	Marginal            // done, but no bit that changed is certain until it is written again
	End                 // after the last operation
	Bytes               // program: so many bytes are done
	Half                // erase: the first half is done
	Zeroed              // erase: bits are programmed first, as a pattern says
)

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
