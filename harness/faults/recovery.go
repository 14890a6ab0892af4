package faults

import (
	"fmt"

	"rigor/harness/sim/board"
)

// boot is the first half of a recovery: from power-on until the program says
// hello.
type boot struct {
	report   Report
	image    Image
	wrong    error // what the judge found
	run      *recorder
	after    *state // of flash
	snapshot any    // of the machine then; nil if it was given up
	updates  tree[recovery]
}

// recovery is what a device does with one content of what it reads: it boots, and
// takes an update.
type recovery struct {
	boot    *boot
	outcome Outcome
	image   Image
	wrong   error
	verdict Verdict
	far     bool            // beyond the horizon
	ops     []board.FlashOp // those of boot first
	reads   words
	firm    words             // of these, those that are read whole
	masks   map[uint32]uint32 // of words of which only some bits are read
}

// depends takes in what was read.
func (r *recovery) depends(flashSize int, reads []read) {
	r.reads, r.firm, r.masks = newWords(flashSize), newWords(flashSize), map[uint32]uint32{}
	for _, read := range reads {
		r.reads.add(read.span)
		if read.mask == all {
			r.firm.add(read.span)
			continue
		}
		from, to := read.limits()
		for i := from; i < to; i++ {
			r.masks[i] = read.mask
		}
	}
}

// mask is which bits of a word it reads.
func (r *recovery) mask(i uint32) uint32 {
	if !r.reads.has(i) {
		return 0
	}
	if mask, ok := r.masks[i]; ok {
		return mask
	}
	return all
}

// verdictOf is what it comes to.
func (r *recovery) verdictOf(damaged bool) Verdict {
	switch {
	case r.check(damaged) != nil:
		return Fails
	case r.boot.image == New:
		return RunsNew
	case r.boot.image == Old:
		return RunsOld
	}
	return Refuses
}

// takesUpdates tells whether there is a program that could take one.
func (r *recovery) takesUpdates() bool {
	return r.boot.report.Alive
}

// check is what the model demands of a recovery. Of damage that nobody can repair
// it demands that the device does not run it.
func (r *recovery) check(damaged bool) error {
	switch b := r.boot; {
	case b.wrong != nil:
		return fmt.Errorf("booted: %w", b.wrong)
	case b.image == None && damaged:
		return nil
	case b.image != Old && b.image != New:
		return fmt.Errorf("the device comes up with the image %q (%s)", b.image, b.report)
	case !b.report.Alive:
		return fmt.Errorf("the %s image does not say hello (%s)", b.image, b.report)
	case r.wrong != nil:
		return fmt.Errorf("updated: %w", r.wrong)
	case !r.outcome.Done:
		return fmt.Errorf("no update completes, in %d pushes: %s", r.outcome.Pushes, r.outcome.Err)
	case r.image != New:
		return fmt.Errorf("an update has completed, and the image %q runs", r.image)
	}
	return nil
}

// lasts is what the model demands of the power-on that follows a recovery.
func (r *recovery) lasts(next *recovery) error {
	if r.outcome.Done && next.boot.image != New {
		return fmt.Errorf("after the confirmation, the device comes up with the image %q (%s)", next.boot.image, next.boot.report)
	}
	return nil
}

func (r Report) String() string {
	return fmt.Sprintf("slot %d: %s, version %#x, update %#x", r.Slot, r.Why, r.Version, r.Update)
}
