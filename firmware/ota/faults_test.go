package ota

import (
	"fmt"
	"testing"

	"rigor/firmware/ota/defect"
	"rigor/firmware/wire/ota"
)

// cuts are the ways in which power fails within an operation. A word is left after each of its
// bytes, a page after some.
var cuts = []mishap{
	{cutFirst, 0}, {cutFirst, 1}, {cutFirst, 2}, {cutFirst, 3}, {cutFirst, 6}, {cutFirst, 22}, {cutFirst, 128}, {cutFirst, 252},
	{cutBits, 3}, {cutBits, 17}, {cutBits, 40}, {cutWeak, 0},
}

var failures = []mishap{{dropped, 0}, {partial, 5}, {partial, 23}, {refused, 0}}

// count is how many operations an update takes that goes well.
func (w *world) count() int {
	b := w.branch()
	b.conclude()
	return b.ops
}

// tries runs an update with a mishap in one of its operations, and then to its end. After a
// cut it is left to then.
func (w *world) tries(hit int, how mishap, then func(*world)) []string {
	b := w.branch()
	b.hit, b.how = hit, how
	if !uncut(b.conclude) {
		then(b.branch())
		return nil
	}
	return b.findings
}

// interrupted cuts an update in each of its operations in each way, lets weak bits read as they
// like, and completes it. With again, the recovery is cut, too, at every so manieth operation.
func (w *world) interrupted(again int, find func(string)) (tried int) {
	w.seen = map[uint64]bool{}
	for hit := range w.count() {
		for _, how := range cuts {
			for _, s := range w.tries(hit, how, func(b *world) {
				for b.lie = range b.readings() {
					if b.known() {
						continue
					}
					tried++
					c := b.branch()
					if c.conclude(); len(c.findings) > 0 {
						find(fmt.Sprintf("operation %d, %v, bits %d: %s", hit, how, b.lie, c.findings[0]))
					}
				}
				if b.lie = 0; again > 0 && hit%again == 0 {
					tried += b.interruptedAgain(again, hit, find)
				}
			}) {
				find(fmt.Sprintf("operation %d, %v: %s", hit, how, s))
			}
		}
	}
	return tried
}

func (w *world) interruptedAgain(step, first int, find func(string)) (tried int) {
	for hit := first % step; hit < w.count(); hit += step {
		how := cuts[(hit+first)%len(cuts)]
		w.tries(hit, how, func(b *world) {
			b.lie = uint32(hit) % b.readings()
			if b.known() {
				return
			}
			tried++
			if b.conclude(); len(b.findings) > 0 {
				find(fmt.Sprintf("operation %d, then %d, %v: %s", first, hit, how, b.findings[0]))
			}
		})
	}
	return tried
}

// failing has each operation fail, told or not.
func (w *world) failing(find func(string)) (tried int) {
	for hit := range w.count() {
		for _, how := range failures {
			tried++
			for _, s := range w.tries(hit, how, nil) {
				find(fmt.Sprintf("operation %d, %v: %s", hit, how, s))
			}
		}
	}
	return tried
}

// flipped has a bit of what runs, of its manifest and of the journal read wrongly, after an
// update when both slots are right.
func (w *world) flipped(find func(string)) (tried int) {
	b := w.branch()
	b.conclude()
	for _, a := range []Area{b.l.Slots[0], b.l.Slots[1], b.l.Journal[0], b.l.Journal[1]} {
		for off := a.Off; off < a.End(); off += 3 {
			tried++
			c := b.branch()
			c.mem[off] ^= 1 << (off % 8)
			if c.powerOn(); len(c.findings) > 0 {
				find(fmt.Sprintf("bit %d of byte %#x flipped: %s", off%8, off, c.findings[0]))
			}
		}
	}
	return tried
}

// hanging has a new image that never is confirmed, and restarts warm or cold.
func (w *world) hanging(starts bool, cold func(n int) bool, find func(string)) {
	b := w.branch()
	b.powerOn()
	if r := b.send(b.new); r != ok || b.answer.State != ota.Switched {
		find(fmt.Sprintf("not installed: %v", r))
		return
	}
	for n := range 2 * Attempts {
		if cold(n) {
			retained = [2]uint32{}
		}
		if !starts {
			b.updater = Updater{}
		}
		b.boots(starts)
		want := b.new
		if n >= Attempts {
			want = b.old
		}
		if len(b.findings) > 0 {
			find(fmt.Sprintf("start %d: %s", n, b.findings[0]))
		} else if got := b.runs(b.report.Slot); got != want {
			find(fmt.Sprintf("start %d of an image that hangs: slot %d %v", n, b.report.Slot, b.report.Why))
		}
	}
}

// boots is powerOn, with an application or without.
func (w *world) boots(starts bool) {
	if starts {
		w.powerOn()
		return
	}
	w.device = Device{}
	w.device.Open(w.cells, w.l)
	w.report = w.device.Boot()
	w.judge()
}

func TestInterrupted(t *testing.T) {
	for name, w := range worlds(t) {
		again := 0
		if w.page > 4 {
			again = 1
		} else if !testing.Short() {
			again = 41
		}
		n := w.interrupted(again, func(s string) { t.Errorf("%s: %s", name, s) })
		t.Logf("%s: %d recoveries", name, n)
	}
}

// An update is cut, and given up for another, which is cut in turn: what the first left in the
// journal stays weak where the second doesn't write over it.
func TestInterruptedForAnother(t *testing.T) {
	for _, name := range []string{"pages, first update", "pages, later update"} {
		w, tried := worlds(t)[name], 0
		w.seen = map[uint64]bool{}
		for hit := range w.count() {
			for _, how := range cuts {
				w.tries(hit, how, func(b *world) {
					b.also, b.new = w.new, pack(w.l, 6, AnySlot)
					for b.lie = range b.readings() {
						tried += b.interruptedAgain(4, hit, func(s string) { t.Errorf("%s, %v, bits %d: %s", name, how, b.lie, s) })
					}
				})
			}
		}
		t.Logf("%s: %d recoveries", name, tried)
	}
}

func TestFailing(t *testing.T) {
	for name, w := range worlds(t) {
		n := w.failing(func(s string) { t.Errorf("%s: %s", name, s) })
		t.Logf("%s: %d failures", name, n)
	}
}

func TestFlipped(t *testing.T) {
	for name, w := range worlds(t) {
		n := w.flipped(func(s string) { t.Errorf("%s: %s", name, s) })
		t.Logf("%s: %d bits", name, n)
	}
}

func TestHanging(t *testing.T) {
	for name, w := range worlds(t) {
		for _, starts := range []bool{false, true} {
			for _, cold := range []func(int) bool{func(int) bool { return false }, func(int) bool { return true }} {
				w.hanging(starts, cold, func(s string) { t.Errorf("%s, starts %v: %s", name, starts, s) })
			}
		}
	}
}

var _ = defect.None
