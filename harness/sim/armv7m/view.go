package armv7m

// view is the memory that the fast paths reach without asking the MPU.
//
// While the MPU doesn't apply, that is all. Otherwise there is a view for each
// privilege, of spans that all regions treat alike. They are found as they are
// used, and forgotten when a region changes. Neighbours that share an entry of
// the tables take turns in it.
type view struct {
	loads  windowTable
	quick  windowTable // those that aren't Flash
	stores windowTable // those that are Write
	spans  []*window   // unused while the MPU doesn't apply
	// world is one more whenever what may be fetched can have changed; blocks
	// remember the last one in which all of their code could be.
	world uint64
}

func (v *view) clear() {
	v.loads.clear()
	v.quick.clear()
	v.stores.clear()
}

// forget drops all spans.
func (v *view) forget() {
	for _, s := range v.spans {
		last := (s.base + uint32(len(s.data)) - 1) >> windowBits
		for i := s.base >> windowBits; i <= last; i++ {
			v.loads[i], v.quick[i], v.stores[i] = noWindow, noWindow, noWindow
		}
	}
	v.spans = nil
}

func (c *Core) newWorld() uint64 {
	c.worlds++
	return c.worlds
}

// forgetSpans is for when regions or memory have changed.
func (c *Core) forgetSpans() {
	for _, v := range c.guarded {
		if v != nil {
			v.forget()
			v.world = c.newWorld()
		}
	}
}

// tables are the window tables in use: without flash while that is busy, watched or has
// wait states; in the latter cases, flash has it.
type tables struct{ loads, stores, flash *windowTable }

var noWindows = func() *windowTable {
	var t windowTable
	t.clear()
	return &t
}()

// withheld are the tables that make every access take the slow path.
var withheld = tables{loads: noWindows, stores: noWindows}

// selectTables follows changes of privilege, of the MPU and of flash. Whatever
// makes one ends the execution of blocks.
func (c *Core) selectTables() {
	v := c.present()
	c.view, c.world = v, v.world
	switch {
	case c.SharedUntil > c.Cycle || c.tracker != nil:
		c.fast = withheld
	case c.stalls():
		c.fast = tables{&v.stores, &v.stores, nil}
	case c.Flash.Waits > 0 || c.watched:
		c.fast = tables{&v.quick, &v.stores, &v.loads}
	default:
		c.fast = tables{&v.loads, &v.stores, nil}
	}
}

// present returns the view of the code that is executed.
func (c *Core) present() *view {
	if !c.mpuApplies() {
		return &c.open
	}
	p := &c.guarded[bit(c.privileged())]
	if *p == nil {
		*p = &view{world: c.newWorld()}
		(*p).clear()
	}
	return *p
}

// admit lists the span around addr for the fast paths, if the MPU is in their
// way and has no objection. It says whether they may succeed now.
func (c *Core) admit(addr uint32) bool {
	v, i := c.view, addr>>windowBits
	if v == &c.open || v.loads[i].holds(addr) {
		return false
	}
	s := c.spanAt(addr)
	if s == nil {
		return false
	}
	v.loads[i], v.quick[i], v.stores[i] = s, noWindow, noWindow
	if !s.flash {
		v.quick[i] = s
	}
	if s.write {
		v.stores[i] = s
	}
	return true
}

func (c *Core) spanAt(addr uint32) *window {
	for _, s := range c.view.spans {
		if s.holds(addr) {
			return s
		}
	}
	s := c.findSpan(addr)
	if s != nil {
		c.view.spans = append(c.view.spans, s)
	}
	return s
}

// findSpan returns the part of a window that may be read like addr. It begins
// with a whole page, as the marks of code do; before that, every access is
// checked.
func (c *Core) findSpan(addr uint32) *window {
	w := c.windowAt(addr)
	if w == nil || !c.mpuAllows(addr, read) {
		return nil
	}
	first, end := c.Sys.MPU.alike(addr, uint64(w.base), uint64(w.base)+uint64(len(w.data)))
	page := (first - uint64(w.base) + 1<<pageBits - 1) >> pageBits
	first = page << pageBits
	end -= uint64(w.base)
	if uint64(addr-w.base) < first {
		return nil
	}
	s := *w
	s.base += uint32(first)
	s.data, s.marks = w.data[first:end], w.marks[page:]
	s.write = w.write && c.mpuAllows(addr, write)
	return &s
}

// enters says whether all of a block may be executed unchecked.
func (c *Core) enters(b *block) bool {
	if b.world == c.world {
		return true
	}
	if b.dead || c.view != &c.open && !c.mayFetch(b.addr, b.end()) {
		return false
	}
	b.world = c.world
	return true
}
