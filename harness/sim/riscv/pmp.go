package riscv

import "math/bits"

// Fields of a PMP configuration (volume II 3.7.1).
const (
	pmpR = 1 << 0
	pmpW = 1 << 1
	pmpX = 1 << 2
	pmpA = 3 << 3
	pmpL = 1 << 7

	pmpTOR   = 1 << 3
	pmpNA4   = 2 << 3
	pmpNAPOT = 3 << 3
)

// pmpEntry is an active entry: addresses from first to last.
type pmpEntry struct {
	first, last uint64
	cfg         uint8
}

// refreshPMP follows the registers.
func (c *Core) refreshPMP() {
	c.pmp = c.pmp[:0]
	c.pmpLocked = false
	for i := range c.cfg.PMP {
		cfg, addr := c.PMPCfg[i], c.PMPAddr[i]
		e := pmpEntry{first: addr << 2, cfg: cfg}
		switch cfg & pmpA {
		case pmpTOR:
			e.first = 0
			if i > 0 {
				e.first = c.PMPAddr[i-1] << 2
			}
			if addr<<2 <= e.first {
				continue
			}
			e.last = addr<<2 - 1
		case pmpNA4:
			e.last = e.first + 3
		case pmpNAPOT:
			ones := uint(bits.TrailingZeros64(^addr))
			size := uint64(8) << ones
			e.first = addr << 2 &^ (size - 1)
			e.last = e.first + size - 1
		default:
			continue
		}
		c.pmp = append(c.pmp, e)
		c.pmpLocked = c.pmpLocked || cfg&pmpL != 0
	}
	c.newWorld()
}

// newWorld has what was found out about blocks found out again where it is checked.
func (c *Core) newWorld() {
	c.worlds++
	c.pmpWorld = 2 * c.worlds
}

// guarded says whether accesses with a privilege are to be checked.
func (c *Core) guarded(priv uint8) bool { return c.cfg.PMP > 0 && (priv != MachineMode || c.pmpLocked) }

// permits is the check of volume II 3.7.1.3: the first entry that matches any byte
// decides, and must match all of them.
func (c *Core) permits(addr uint64, width uint64, need, priv uint8) bool {
	last := addr + width - 1
	for i := range c.pmp {
		e := &c.pmp[i]
		if last < e.first || addr > e.last {
			continue
		}
		if addr < e.first || last > e.last {
			return false
		}
		return priv == MachineMode && e.cfg&pmpL == 0 || e.cfg&need == need
	}
	return priv == MachineMode
}

// mayFetch says whether a whole block may be executed.
func (c *Core) mayFetch(b *block) bool {
	return !c.guarded(c.Priv) || c.permits(b.addr, max(b.end(), b.addr+2)-b.addr, pmpX, c.Priv)
}

// dataPriv is the privilege of loads and stores: MPRV (volume II 3.1.6.3).
func (c *Core) dataPriv() uint8 {
	if c.Mstatus&mstatusMPRV != 0 {
		return uint8(c.Mstatus >> mstatusMPPShift & 3)
	}
	return c.Priv
}

// selectTables follows changes of privilege and of PMP. Whatever makes one ends
// the execution of blocks.
func (c *Core) selectTables() {
	c.fast, c.near = &c.open, &c.recent
	if c.guarded(c.dataPriv()) || c.tracker != nil {
		c.fast, c.near = withheld, nowhere
	}
	switch {
	case c.guarded(c.Priv):
		c.world = c.pmpWorld + uint64(c.Priv&1)
	case c.shut:
		c.world = shutWorld
	default:
		c.world = openWorld
	}
}

// openWorld is the world of code that nothing checks. In others, what may be
// fetched depends on PMP and privilege; blocks remember the last world in which all of
// their code could be.
const openWorld = 1

// shutWorld is that of code that nothing checks while some is out of reach.
const shutWorld = ^uint64(0)

var withheld = func() *tables {
	t := &tables{}
	t.clear()
	return t
}()

// enters says whether all of a block may be executed unchecked.
func (c *Core) enters(b *block) bool {
	if b.world == c.world {
		return true
	}
	if b.dead || !c.mayFetch(b) {
		return false
	}
	b.world = c.world
	return true
}

// readPMPCfg returns pmpcfg register n, of 4 entries, or of 8 on RV64, which
// has none with odd numbers.
func (c *Core) readPMPCfg(n int) (v uint64) {
	for i := range c.cfg.XLEN / 8 {
		v |= uint64(c.PMPCfg[4*n+i]) << (8 * i)
	}
	return v
}

func (c *Core) writePMPCfg(n int, v uint64) {
	for i := range c.cfg.XLEN / 8 {
		k := 4*n + i
		if k >= c.cfg.PMP || c.PMPCfg[k]&pmpL != 0 {
			continue
		}
		cfg := uint8(v>>(8*i)) & (pmpR | pmpW | pmpX | pmpA | pmpL)
		if cfg&(pmpR|pmpW) == pmpW { // reserved
			cfg &^= pmpW
		}
		c.PMPCfg[k] = cfg
	}
	c.refreshPMP()
}

// writePMPAddr ignores writes to locked entries, and to those below a locked TOR.
func (c *Core) writePMPAddr(n int, v uint64) {
	if n >= c.cfg.PMP || c.PMPCfg[n]&pmpL != 0 || n+1 < c.cfg.PMP && c.PMPCfg[n+1]&(pmpL|pmpA) == pmpL|pmpTOR {
		return
	}
	if c.cfg.XLEN == 64 {
		v &= 1<<54 - 1
	}
	c.PMPAddr[n] = v
	c.refreshPMP()
}
