package soctest

import (
	"bytes"
	"slices"
	"sync"
	"testing"

	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
)

// FlashPart is a chip as the test of board.Nonvolatile handles it.
type FlashPart struct {
	// New makes a chip without power and with a program in flash, always the same.
	New func() board.Chip
	// InPlace says that programs are executed from flash.
	InPlace bool
	// Boot is a time in which the program does much, and no flash operation.
	Boot clock.Time
	// Program and Erase begin an operation as software does. Erase takes the sector at
	// Sector, which is behind the program and Size bytes long.
	Program      func(c board.Chip, off uint32, data []byte)
	Erase        func(c board.Chip)
	Sector, Size uint32
}

// recorder notes what it is told.
type recorder struct {
	read   []bool
	begun  []board.FlashOp
	ended  []board.FlashOp
	during func()
}

func (r *recorder) FlashRead(off, n uint32) {
	for i := range n {
		r.read[off+i] = true
	}
}

func (r *recorder) FlashBegin(op board.FlashOp) {
	r.begun = append(r.begun, op)
	if r.during != nil {
		r.during()
	}
}

func (r *recorder) FlashEnd(op board.FlashOp) { r.ended = append(r.ended, op) }

func (r *recorder) cells() (n int) {
	for _, read := range r.read {
		if read {
			n++
		}
	}
	return n
}

// watched has a new recorder watch a chip.
func watched(c board.Chip) *recorder {
	r := &recorder{read: make([]bool, flashOf(c).FlashSize())}
	flashOf(c).WatchFlash(r)
	return r
}

func flashOf(c board.Chip) board.Nonvolatile { return c.(board.Nonvolatile) }

func run(t *testing.T, c board.Chip, d clock.Time) {
	t.Helper()
	if stop := c.Run(c.Now() + d); stop.Kind != board.Running {
		t.Fatal(stop)
	}
}

func cellsOf(c board.Chip) []byte {
	p := make([]byte, flashOf(c).FlashSize())
	flashOf(c).ReadCells(0, p)
	return p
}

// KeepsItsFlash holds a chip to board.Nonvolatile.
func KeepsItsFlash(t *testing.T, p FlashPart) {
	t.Run("reads", p.reads)
	t.Run("reads from a snapshot", p.readsFromSnapshot)
	t.Run("operations", p.operations)
	t.Run("cut", p.cut)
	t.Run("faults", p.faults)
	t.Run("cells", p.cells)
	t.Run("marginal cells", p.marginal)
	t.Run("resets", p.resets)
	t.Run("shared snapshots", p.shares)
}

// reads: what is not told of is not read, for the chip does the same whatever it
// holds; and who watches makes no difference.
func (p FlashPart) reads(t *testing.T) {
	plain := p.New()
	plain.SetPower(true)
	run(t, plain, p.Boot)
	want := plain.Digest()
	told := 0
	for _, fine := range []bool{false, true} {
		c := p.New()
		if fine {
			flashOf(c).FineFlash(0, uint32(flashOf(c).FlashSize()))
		}
		r := watched(c)
		c.SetPower(true)
		run(t, c, p.Boot)
		if c.Digest() != want {
			t.Errorf("fine %v: a watched chip goes another way", fine)
		}
		n := r.cells()
		t.Logf("fine %v: %d bytes read", fine, n)
		if n == 0 || fine && n >= told {
			t.Errorf("fine %v: %d bytes were read, %d without", fine, n, told)
		}
		told = n
		p.readsNoMore(t, r.read, want)
	}
}

// readsNoMore runs the program with all cells wrong but some.
func (p FlashPart) readsNoMore(t *testing.T, read []bool, want [32]byte) {
	t.Helper()
	c := p.New()
	was := cellsOf(c)
	flashOf(c).SetCells(0, spoilt(was, read))
	c.SetPower(true)
	run(t, c, p.Boot)
	flashOf(c).SetCells(0, was)
	if c.Digest() != want {
		t.Error("cells of which nothing was told have an effect")
	}
}

// spoilt are cells that are all wrong but those that were read.
func spoilt(cells []byte, read []bool) []byte {
	cells = slices.Clone(cells)
	for i, r := range read {
		if !r {
			cells[i] ^= 0xFF
		}
	}
	return cells
}

// readsFromSnapshot: after Restore the cells that are used from then on are told, again.
func (p FlashPart) readsFromSnapshot(t *testing.T) {
	c := p.New()
	r := watched(c)
	c.SetPower(true)
	for c.Stats().Instructions < 1000 {
		run(t, c, 100*clock.Microsecond)
	}
	snap, was := c.Snapshot(), cellsOf(c)
	run(t, c, p.Boot)
	want := c.Digest()
	clear(r.read)
	c.Restore(snap)
	run(t, c, p.Boot)
	if (r.cells() > 0) != p.InPlace || c.Digest() != want {
		t.Fatalf("%d bytes read after Restore", r.cells())
	}
	flashOf(c).WatchFlash(nil)
	c.Restore(snap)
	flashOf(c).SetCells(0, spoilt(was, r.read))
	run(t, c, p.Boot)
	flashOf(c).SetCells(0, was)
	if c.Digest() != want {
		t.Error("cells of which nothing was told after Restore have an effect")
	}
}

var pattern = []byte{0x12, 0x34, 0x56, 0x78}

// at returns four cells of the sector that is operated on.
func (p FlashPart) at(c board.Chip) []byte {
	b := make([]byte, 4)
	flashOf(c).ReadCells(p.Sector, b)
	return b
}

// finish lets the last operation that was begun end.
func (r *recorder) finish(t *testing.T, c board.Chip) {
	t.Helper()
	run(t, c, r.begun[len(r.begun)-1].End-c.Now()+clock.Millisecond)
}

// ready is a chip that runs its program.
func (p FlashPart) ready(t *testing.T) (board.Chip, *recorder) {
	t.Helper()
	c := p.New()
	r := watched(c)
	c.SetPower(true)
	run(t, c, p.Boot)
	if len(r.begun) != 0 {
		t.Fatalf("the program begins %+v", r.begun)
	}
	return c, r
}

func (p FlashPart) operations(t *testing.T) {
	c, r := p.ready(t)
	var before []byte
	r.during = func() { before = p.at(c) }
	p.Program(c, p.Sector, pattern)
	begun := r.begun[0]
	if begun.Erase || begun.Off != p.Sector || begun.Len != 4 || !bytes.Equal(begun.Data, pattern) || begun.End <= begun.Start {
		t.Errorf("the program operation begins as %+v", begun)
	}
	if !bytes.Equal(before, []byte{0xFF, 0xFF, 0xFF, 0xFF}) || len(r.ended) != 0 {
		t.Errorf("at its beginning cells are % x, %d ended", before, len(r.ended))
	}
	r.finish(t, c)
	if got := p.at(c); len(r.ended) != 1 || r.ended[0].Cut || r.ended[0].End != begun.End || !bytes.Equal(got, pattern) {
		t.Errorf("it ends as %+v, cells % x", r.ended, p.at(c))
	}
	p.Erase(c)
	if op := r.begun[1]; !op.Erase || op.Off != p.Sector || op.Len != p.Size || op.Data != nil {
		t.Errorf("the erase begins as %+v", op)
	}
	if !bytes.Equal(before, pattern) {
		t.Errorf("at its beginning cells are % x", before)
	}
	r.finish(t, c)
	if got := p.at(c); len(r.ended) != 2 || r.ended[1].Cut || got[0] != 0xFF {
		t.Errorf("it ends as %+v, cells % x", r.ended, p.at(c))
	}
}

// cut: loss of power ends an operation early, and that is told.
func (p FlashPart) cut(t *testing.T) {
	c, r := p.ready(t)
	p.Erase(c)
	half := (r.begun[0].End - r.begun[0].Start) / 2
	run(t, c, half)
	c.SetPower(false)
	if len(r.ended) != 1 || !r.ended[0].Cut || r.ended[0].End >= r.begun[0].End || r.ended[0].End < r.begun[0].Start+half/2 {
		t.Errorf("begun %+v, ended %+v", r.begun, r.ended)
	}
}

func (p FlashPart) faults(t *testing.T) {
	mask := bytes.Repeat([]byte{0x0F}, int(p.Size))
	tests := []struct {
		name  string
		fault board.FlashFault
		erase bool
		want  []byte
		told  int
	}{
		{"program dropped", board.FlashFault{Kind: board.FlashDropped}, false, []byte{0xFF, 0xFF, 0xFF, 0xFF}, 1},
		{"program in part", board.FlashFault{Kind: board.FlashPartial, Mask: mask[:4]}, false, []byte{0xF2, 0xF4, 0xF6, 0xF8}, 1},
		{"program refused", board.FlashFault{Kind: board.FlashRefused}, false, []byte{0xFF, 0xFF, 0xFF, 0xFF}, 0},
		{"erase dropped", board.FlashFault{Kind: board.FlashDropped}, true, []byte{0, 0, 0, 0}, 1},
		{"erase in part", board.FlashFault{Kind: board.FlashPartial, Mask: mask}, true, []byte{0x0F, 0x0F, 0x0F, 0x0F}, 1},
		{"erase refused", board.FlashFault{Kind: board.FlashRefused}, true, []byte{0, 0, 0, 0}, 0},
	}
	for _, tt := range tests {
		c, r := p.ready(t)
		asked := 0
		flashOf(c).FailFlash(func(board.FlashOp) board.FlashFault { asked++; return tt.fault })
		if tt.erase {
			flashOf(c).SetCells(p.Sector, make([]byte, p.Size))
			p.Erase(c)
		} else {
			p.Program(c, p.Sector, pattern)
		}
		snap := c.Snapshot()
		c.Restore(snap) // in the middle of it
		if len(r.begun) > 0 {
			r.finish(t, c)
		}
		got := p.at(c)
		if asked != 1 || len(r.begun) != tt.told || len(r.ended) != tt.told || !bytes.Equal(got, tt.want) {
			t.Errorf("%s: asked %d times, begun %d, ended %d, cells % x, want % x", tt.name, asked, len(r.begun), len(r.ended), got, tt.want)
		}
		flashOf(c).FailFlash(nil)
		p.Erase(c)
		r.finish(t, c)
		if p.at(c)[0] != 0xFF {
			t.Errorf("%s: an erase after that leaves % x", tt.name, p.at(c))
		}
	}
}

// cells are put in with the power off and on.
func (p FlashPart) cells(t *testing.T) {
	c := p.New()
	for _, on := range []bool{false, true, false} {
		c.SetPower(on)
		v := slices.Clone(pattern)
		v[0]++
		flashOf(c).SetCells(p.Sector, v)
		if !bytes.Equal(p.at(c), v) {
			t.Errorf("power %v: cells % x, want % x", on, p.at(c), v)
		}
		flashOf(c).SetCells(p.Sector, pattern)
	}
}

// marginal cells read alike until the next power-on, and sound ones always.
func (p FlashPart) marginal(t *testing.T) {
	c := p.New()
	flashOf(c).SetCells(p.Sector, []byte{0xA5, 0xA5, 0xA5, 0xA5})
	flashOf(c).SetMarginal(p.Sector, []byte{0, 0x0F, 0, 0xFF})
	before := c.Digest()
	seen := map[string]bool{}
	for range 8 {
		c.SetPower(true)
		first := p.at(c)
		run(t, c, clock.Millisecond)
		snap := c.Snapshot()
		flashOf(c).ResetBy(board.ResetPin)
		run(t, c, clock.Millisecond)
		if got := p.at(c); !bytes.Equal(got, first) {
			t.Errorf("cells change from % x to % x", first, got)
		}
		c.Restore(snap)
		if first[0] != 0xA5 || first[1]&0xF0 != 0xA0 || first[2] != 0xA5 || !bytes.Equal(p.at(c), first) {
			t.Errorf("cells % x, after Restore % x", first, p.at(c))
		}
		seen[string(first)] = true
		c.SetPower(false)
	}
	if len(seen) < 3 {
		t.Errorf("8 power-ons read %d values", len(seen))
	}
	c = p.New()
	flashOf(c).SetCells(p.Sector, []byte{0xA5, 0xA5, 0xA5, 0xA5})
	if c.Digest() == before {
		t.Error("the digest does not tell marginal cells")
	}
}

func (p FlashPart) resets(t *testing.T) {
	for _, kind := range flashOf(p.New()).ResetKinds() {
		c := p.New()
		c.SetPower(true)
		run(t, c, p.Boot)
		flashOf(c).ResetBy(kind)
		before := c.Stats().Instructions
		run(t, c, p.Boot)
		if c.Stats().Instructions == before {
			t.Errorf("after a reset by %s nothing is executed", kind)
		}
	}
}

// shares: a snapshot goes on alike on other boards, at once.
func (p FlashPart) shares(t *testing.T) {
	c := p.New()
	c.SetPower(true)
	run(t, c, p.Boot/2)
	p.Program(c, p.Sector, pattern)
	snap := c.Snapshot()
	run(t, c, p.Boot/2)
	want := c.Digest()
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			other := p.New()
			for range 3 {
				other.Restore(snap)
				other.Run(other.Now() + p.Boot/2)
				if other.Digest() != want {
					t.Error("another board goes another way")
				}
				other.Snapshot()
				flashOf(other).SetCells(p.Sector, pattern)
				flashOf(other).SetMarginal(p.Sector, pattern)
			}
		})
	}
	c.Snapshot()
	c.Restore(snap)
	run(t, c, p.Boot/2)
	all.Wait()
}
