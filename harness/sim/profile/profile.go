// Package profile counts where a simulated core's cycles go: exactly, by the address of the
// instruction that took them. It samples nothing.
//
// A core that has a Counter executes instruction by instruction and tells it of each; it does
// the same in the same cycles as without one. What it leaves out of loops that only wait (package
// riscv), it tells by Repeat.
//
// Sleep is apart, and so is what entering and leaving exceptions takes, for it belongs to no
// instruction. What an instruction waits for, such as flash or a bus, is the instruction's. Two harts that
// share memory run by turns of some cycles: where one opens or shuts the Counter of the other, that one may
// have executed as many cycles more.
package profile

// Count is what instructions took.
type Count struct {
	Cycles       uint64
	Instructions uint64
}

func (c *Count) add(d Count, times uint64) {
	c.Cycles += d.Cycles * times
	c.Instructions += d.Instructions * times
}

// State is how far a core has come: the cycles of its clock, those of them asleep, and
// its instructions.
type State struct{ Cycle, Slept, Insns uint64 }

// Counts are those of a core.
type Counts struct {
	At         map[uint64]Count // by address
	Exceptions uint64           // cycles of entering and leaving them
	Slept      uint64           // cycles
}

const (
	pageBits = 12
	// history is more instructions than Repeat may be told of.
	history = 1 << 10
)

// page is the counts of instructions at even addresses.
type page [1 << pageBits >> 1]Count

// Counter counts for one core. The zero value is shut.
type Counter struct {
	now  func() State // of the core
	open bool

	pages map[uint64]*page
	last  *page // that of lastAt
	at    uint64

	here       *Count // of the instruction under way
	seen       State  // when it began
	exceptions Count
	slept      uint64

	past [history]spent // the last instructions, a ring
	n    int            // of all of them
}

// spent is what an instruction took.
type spent struct {
	at *Count
	Count
}

// Attach is what a core calls that begins to tell, with the address of the instruction to come.
func (p *Counter) Attach(addr uint64, now func() State) {
	*p = Counter{now: now, seen: now(), pages: map[uint64]*page{}, at: ^uint64(0)}
	p.here = p.cell(addr)
}

// Step is told before the instruction at an address.
func (p *Counter) Step(addr uint64, s State) {
	p.settle(s)
	p.here = p.cell(addr)
}

// cell is the counts of an address.
func (p *Counter) cell(addr uint64) *Count {
	if addr>>pageBits != p.at {
		p.turn(addr >> pageBits)
	}
	return &p.last[addr>>1&(1<<(pageBits-1)-1)]
}

// Exception is told before an exception is entered or left.
func (p *Counter) Exception(s State) {
	p.settle(s)
	p.here = &p.exceptions
}

// Repeat is told of turns of a loop that are left out. Each is as the last turn was, which it
// was told of step by step, unless it has been attached since.
func (p *Counter) Repeat(s State, turns uint64, turn Count) {
	p.settle(s)
	p.seen.Cycle += turn.Cycles * turns
	p.seen.Insns += turn.Instructions * turns
	if !p.open {
		return
	}
	for i := p.n - 1; turn.Instructions > 0 && i >= max(0, p.n-history); i-- {
		step := &p.past[i%history]
		step.at.add(step.Count, turns)
		turn.Cycles -= step.Cycles
		turn.Instructions -= step.Instructions
	}
	p.here.add(turn, turns)
}

// Open has what follows counted, or no more, from the present cycle on.
func (p *Counter) Open(open bool) {
	p.settle(p.now())
	p.open = open
}

// Counts are those so far.
func (p *Counter) Counts() Counts {
	p.settle(p.now())
	c := Counts{At: map[uint64]Count{}, Exceptions: p.exceptions.Cycles, Slept: p.slept}
	for n, page := range p.pages {
		for i, k := range page {
			if k != (Count{}) {
				c.At[n<<pageBits+2*uint64(i)] = k
			}
		}
	}
	return c
}

// settle charges what passed to the instruction under way. A snapshot may have taken the core
// back; nobody is charged for that.
func (p *Counter) settle(s State) {
	was := p.seen
	p.seen = s
	if s.Cycle < was.Cycle || s.Insns < was.Insns || s.Slept < was.Slept {
		return
	}
	slept := s.Slept - was.Slept
	took := Count{s.Cycle - was.Cycle - slept, s.Insns - was.Insns}
	p.past[p.n%history] = spent{p.here, took}
	p.n++
	if p.open {
		p.here.add(took, 1)
		p.slept += slept
	}
}

// turn goes to another page.
func (p *Counter) turn(n uint64) {
	p.at, p.last = n, p.pages[n]
	if p.last == nil {
		p.last = new(page)
		p.pages[n] = p.last
	}
}
