package armv7m

// This file is what it costs to execute code that is fetched through the System
// bus, from 0x20000000 up, which carries data as well. RAM that is remapped to
// address 0 (RM0090 §9.2.1) is not: that is fetched through the I-Code bus. Sources:
//
//	[S] Cortex-M3 TRM (Arm DDI 0337E) 14.5.6, pipelined instruction fetches: requests
//	    to this bus are registered, a fetch takes two cycles, and none
//	    follows another back to back. 14.3: all fetches are words.
//	[B] Cortex-M4 TRM (Arm DDI 0439D) 2.3: data goes before instructions; the bus's
//	    logic has pipelined instruction fetches, of which no more is said.
//	[K] the kernels of cycles.go, executed from SRAM: ADDS 20, which [S] alone
//	    explains, and LDR 29.
//	[A] our assumptions: a fetch is one word ahead, though the fetch buffer
//	    holds three; instructions that load or store hold the bus in all of
//	    their cycles; the bus is that of the base register.
//
// The error against [K] is 0 cycles, but LDR is not evidence for the second
// assumption: it was chosen by it. If each datum held the bus for one cycle only, LDR
// would take 28. Nothing else executed from SRAM has been compared with, and
// nothing on a Cortex-M4. Not modelled: entry to and return from exceptions, whose
// first fetch costs no more than elsewhere, and waits of other masters' or
// peripherals', during which the bus counts as free.

const (
	systemRefill = 1 // branch to code on the System bus [S, K]
	systemFetch  = 2 // cycles from one word to the next [S]
)

// systemCode is the state of fetches through the System bus.
type systemCode struct {
	Word uint32 // the last one fetched
	At   uint64 // when it could be executed
	Busy uint64 // cycles that data has held the bus since
}

// onSystemBus says whether an address is reached through the System bus. The
// private peripheral bus is inside of the core.
func onSystemBus(addr uint32) bool { return addr>>29 != 0 && addr>>28 != 0xE }

// fetchWord requests a word of code and returns the cycles to wait. What a branch
// costs is its target's refill.
func (c *Core) fetchWord(word uint32, now uint64) (wait uint64) {
	f := &c.Fetch
	if word == f.Word+4 {
		wait = max(f.At+max(systemFetch, f.Busy+1), now) - now
	}
	*f = systemCode{Word: word, At: now + wait}
	return wait
}

// holds says whether an instruction at PC, on the System bus, holds the bus.
func (c *Core) holds(in *insn) bool {
	base, _, access := in.address()
	return access && (base >= 15 || onSystemBus(c.R[base]))
}
