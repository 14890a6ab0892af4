package rig

import (
	"context"

	"rigor/probes"
)

// Profiler is a board that can tell exactly where the cycles of its cores go, without
// changing one of them.
type Profiler interface {
	// Profile counts from now on: in intervals from the rise of any of some lines to that of any of
	// others, or all the time if none are given. A board makes one profile at a time.
	Profile(ctx context.Context, from, to []probes.Line) (Profiling, error)
}

// Profiling is a profile that is being made.
type Profiling interface {
	Stop() Profile
}

// Profile is where cycles went.
type Profile struct {
	Intervals int           // how many ended; 0 if all of the time was counted
	Cores     []CoreProfile // by number
}

// CoreProfile is where those of one core went.
type CoreProfile struct {
	At         map[uint64]Cost // by the address of the instruction
	Exceptions uint64          // cycles of entering and leaving exceptions, which belong to no instruction
	Slept      uint64          // cycles
}

// Cost is what the executions of an instruction took.
type Cost struct {
	Cycles       uint64
	Instructions uint64 // executed
}
