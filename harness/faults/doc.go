// Package faults tries every fault in an update of a device's firmware, and what
// can follow it, and proves within a model that the device always comes up with
// the old image or the new one and that a repeated update completes.
//
// # The model
//
// A device is flash, and a program that runs from a power-on, deterministically: all
// that it does follows from what it reads of its flash. An update is a sequence of
// flash operations. The supply can be cut in any of them, and so in the recovery that
// follows: power-on, boot, and a whole new update. A cut leaves the operation
//
//   - not begun;
//   - of a program operation, after each of its bytes, or with some of its bits done;
//   - of an erase, with half of it done, some bits done, or, as cells are programmed
//     before they are erased, some bits programmed;
//   - done, but marginal: each cell that changed reads as one or zero from each
//     power-on to the next, until it is programmed or erased again.
//
// Which bits are some is chosen by a seed and the place, not by the moment, so that a
// cut of a cut makes nothing that is always new. A [Model] says how much of this is
// tried in a first cut, and how much in those that follow.
//
// What a cut leaves is computed, from the content before and the operation. What
// the device makes of it is executed, on the machine.
//
// # The proof
//
// A recovery depends only on the flash that it reads before it has erased it, and
// not on bits that it has programmed first. So it is executed once for each content
// of that, and its outcome holds for all states that agree on it. What is known is a
// tree of reads: what is read first is always the same, what is read next depends on
// the values before. A machine that reads something else with the same values is
// found out. Runs that differ only after boot share it, by a snapshot.
//
// States with the same recovery, and the same marginal cells in what that reads, are a
// class, and one of them stands for all. Its recovery is cut in each operation
// again: that leads to other classes. For the other states of the class the same cut
// leads to the same ones if what the next recovery reads is the same for them: because
// this one read it, or had erased or programmed it when it was cut, or no operation of all
// explored ever changes it. Where that is not so, the class is split by what is read
// there, and all is explored again, from what is known. When neither a new class
// appears nor one has to be split, every state that any number of cuts can lead to has
// been seen, and each was judged:
//
//   - the device runs the old image or the new one, whole and signed;
//   - what it reports is what its flash says, by another reading of it ([Judge]);
//   - a repeated update completes, in so many pushes as [Machine] allows;
//   - what it has confirmed stays;
//   - and the update without faults did change something: it began with the old image
//     and ended with the new one.
//
// A trial that is given up begins anew with other numbers in the journal, which would
// go on until these are used up. A horizon ends that: what lies beyond is judged, but
// not cut again. The result counts it.
//
// # Other faults
//
// Writes that are dropped, done in part or refused, flipped bits, and resets that keep
// RAM are tried one at a time in the update, sampled area by area: each is executed,
// and so is a recovery from what it left. Of damage that nobody could repair it is
// only asked that the device does not run it.
//
// # What it rests on
//
// That the machine tells all its reads and operations; points are executed again from
// power-on to see whether what was concluded for them is so. That operations are
// done in order, one at a time. That a marginal cell reads the same until power is off:
// one that changes while a program looks at it is left out. So are cuts during the faults
// that are not cuts, and what the content of RAM at power-on might change.
package faults
