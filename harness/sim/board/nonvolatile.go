package board

import "rigor/harness/sim/clock"

// Nonvolatile is a chip whose flash can be looked at, replaced and made to
// fail. Offsets count from the start of its flash. Like the watcher of pins, a
// watcher of flash and what makes it fail are outside the chip: no part of a
// snapshot or a digest.
type Nonvolatile interface {
	FlashSize() int
	// ReadCells copies flash as a program would read it now. It is not told to
	// the watcher.
	ReadCells(off uint32, p []byte)
	// SetCells puts bytes into flash, with the power on or off, in no time. The
	// cells are sound from now on, and no cache holds old ones; an operation
	// under way goes on. They count as not yet read.
	SetCells(off uint32, p []byte)
	// SetMarginal makes the cells whose bits are set in mask, and only these of
	// its span, marginal: each reads as 0 or 1 from each power-on to the next,
	// as the seed, the number of power-ons and what else is marginal decide, until
	// it is erased or programmed to 0. Until the next power-on they read as they did.
	SetMarginal(off uint32, mask []byte)

	// WatchFlash tells w of all that happens to flash from now on, by a program
	// or by the chip's own boot loader. Only one watcher; nil ends it.
	WatchFlash(w FlashWatcher)
	// FineFlash asks for reads of an area to be told to the word of 4 bytes; what is
	// fetched as a line of a cache is told as that. Areas add up, and stay.
	FineFlash(off, n uint32)
	// FailFlash has f asked as each operation begins, before the watcher is told; nil ends it.
	// Like the watcher's methods, f may call ReadCells and nothing else of the chip.
	FailFlash(f func(FlashOp) FlashFault)

	// ResetKinds are those that the part has. ResetBy makes one happen now; it
	// panics with a kind that the part has not.
	ResetKinds() []ResetKind
	ResetBy(kind ResetKind)
}

// FlashOp is a program or an erase operation.
type FlashOp struct {
	Erase bool
	Off   uint32
	Len   uint32
	Data  []byte // of a program operation: Len bytes, and-ed with the cells
	// Start and End are when it begins and ends, or would end if it were not cut.
	// An operation that is suspended takes longer; FlashEnd tells when it really ended.
	Start, End clock.Time
	// Cut is set in FlashEnd if a reset or loss of power ended it early.
	Cut bool
}

// FlashWatcher is told of what happens to flash, in order of time. It may call
// ReadCells, and nothing else of the chip.
type FlashWatcher interface {
	// FlashRead says that a program loaded or executed from these cells, or DMA
	// or the boot loader read them. Each cell is told before, or as soon as, it
	// is used for the first time since WatchFlash, the last power-on or the last
	// Restore; more may be told than was read, the 64 aligned bytes around it and
	// the instructions that follow, and more often.
	FlashRead(off, n uint32)
	// FlashBegin and FlashEnd come before any cell changes and after the last one has.
	// That an operation has ended may be told late, but before anything can see its effect
	// (ReadCells does). One that is refused is not told; one that is dropped is. One that was under way
	// when WatchFlash was called is not told to end.
	FlashBegin(op FlashOp)
	FlashEnd(op FlashOp)
}

// FlashFault is what goes wrong with an operation. The zero value is nothing.
type FlashFault struct {
	Kind FlashFaultKind
	// Mask of FlashPartial has Len bytes: the bits that change as they should.
	Mask []byte
}

// FlashFaultKind names the ways in which an operation fails.
type FlashFaultKind uint8

const (
	FlashSound   FlashFaultKind = iota
	FlashDropped                // nothing changes; the part reports success, after the usual time
	FlashPartial                // some bits change; the part reports success
	FlashRefused                // nothing changes; the part reports an error, as it does for protected cells
)

// ResetKind names a reset. Flash operations under way are cut by all of them,
// unless the flash is a chip of its own that only loss of power reaches.
type ResetKind string

const (
	ResetPower    ResetKind = "power"     // off and on: RAM is lost
	ResetPin      ResetKind = "pin"       // RAM is kept, but on the ESP32-C3
	ResetWatchdog ResetKind = "watchdog"  // RAM is kept
	ResetSoftware ResetKind = "software"  // RAM is kept
	ResetBrownOut ResetKind = "brown-out" // the supply dips below the threshold: RAM is kept here
)

// RAMTracker is a chip that can tell which RAM a program or DMA reads that neither has
// written since the last reset. It is slow while it does.
type RAMTracker interface {
	// TrackRAM has f called with CPU addresses, once for each byte; nil ends it. Code is told
	// by pieces of some instructions. TrackRAM and Restore count as resets.
	TrackRAM(f func(addr, n uint32))
}
