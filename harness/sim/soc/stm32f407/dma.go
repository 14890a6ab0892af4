package stm32f407

import (
	"fmt"

	"rigor/harness/sim/board"
	"rigor/harness/sim/bus"
	"rigor/harness/sim/clock"
)

// DMA controllers, RM0090 §10.
//
// Modelled: both controllers' streams in all three directions, with channels,
// priorities, circular and double-buffer mode, both increments, packing through
// the FIFO with its thresholds and bursts, direct mode, transfer errors, the
// FIFO error of a forbidden burst, the peripheral as flow controller, as far as
// blocks go that never say where the end is, and every interrupt. FIFO overrun, underrun and the direct
// mode error do not occur, for the memory port never waits.
//
// Timing, as AN4031 counts it: a transaction takes 1 cycle of HCLK to arbitrate
// and 1 for the address, and 1 more if the access goes through the bus matrix:
// to memory, an AHB block, or the other controller's APB. Then it holds the bus
// for 2 cycles of PCLK, from one of its edges, for a register on an APB, else 1 of
// HCLK, and that for each beat of a burst; flash's wait states come on top. What
// FIFO or direct mode has to move then goes to memory in the same way, burst by
// burst. A controller does one transaction at a time, and what it moves changes at
// the end of the access. Sleep does not stop it. Controllers and core wait for
// each other as matrix.go says.
type dma struct {
	Streams [8]dmaStream
	Phase   dmaPhase
	Memory  bool   // it is the memory port's turn
	Left    uint32 // bytes that it still has to move in this
	Active  int    // the stream whose transaction it is
}

// dmaPhase is what a controller's deadline ends.
type dmaPhase uint8

const (
	dmaIdle      dmaPhase = iota
	dmaArbitrate          // the cycle in which the arbiter chooses
	dmaAddress            // until a port asks for the bus
	dmaAccess             // until it has had it
)

// dmaStream is one stream's state.
type dmaStream struct {
	Cr, Fcr        uint32
	Par            uint32
	Mar            [2]uint32
	Ndtr           uint32 // items left at the peripheral port
	Reload         uint32 // NDTR as last written
	Flags          uint32 // as in LISR's lowest six bits
	PAt, MAt       uint32 // the ports' next addresses
	MLeft          uint32 // bytes yet to be read from memory
	Fifo           [16]byte
	Head, Level    uint32 // of the FIFO's bytes
	Half, Stopping bool
}

const (
	dmaEN     = 1 << 0
	dmaPFCTRL = 1 << 5
	dmaCIRC   = 1 << 8
	dmaPINC   = 1 << 9
	dmaMINC   = 1 << 10
	dmaPINCOS = 1 << 15
	dmaDBM    = 1 << 18
	dmaCT     = 1 << 19

	dmaDMDIS = 1 << 2 // FCR
	dmaFEIE  = 1 << 7

	dmaFEIF = 1 << 0
	dmaTEIF = 1 << 3
	dmaHTIF = 1 << 4
	dmaTCIF = 1 << 5

	fromPeripheral = 0 // DIR
	toPeripheral   = 1
	memToMem       = 2
)

// dmaIRQs are the streams' NVIC lines (§12.1.3, table 62).
var dmaIRQs = [2][8]int{{11, 12, 13, 14, 15, 16, 17, 47}, {56, 57, 58, 59, 60, 68, 69, 70}}

// dmaController is one of a chip's two.
type dmaController struct {
	*dma
	c *Chip
	n int // 0 for DMA1
}

func (c *Chip) dmaController(n int) dmaController { return dmaController{&c.DMA[n], c, n} }

func (d dmaController) name() string { return fmt.Sprintf("DMA%d", d.n+1) }

// dmaWake lets idle controllers look at the requests.
func (c *Chip) dmaWake() {
	for n := range c.DMA {
		c.dmaController(n).wake()
	}
}

func (d dmaController) wake() {
	if d.Phase == dmaIdle && d.next() >= 0 {
		d.enter(dmaArbitrate, 1)
	}
}

func (d dmaController) enter(p dmaPhase, cycles uint64) {
	d.Phase = p
	d.c.Schedule(slotDMA+d.n, d.c.Cycle()+cycles)
}

// dmaEvent ends a phase of a controller.
func (c *Chip) dmaEvent(slot int) {
	d := c.dmaController(slot - slotDMA)
	s := &d.Streams[d.Active]
	switch d.Phase {
	case dmaArbitrate:
		d.begin()
	case dmaAddress:
		d.claim(s)
	case dmaAccess:
		d.access(s)
	}
}

// begin starts the transaction of the stream that wins.
func (d dmaController) begin() {
	n := d.next()
	if n < 0 {
		d.Phase = dmaIdle
		return
	}
	d.Active = n
	s := &d.Streams[n]
	if s.wantsMemory() {
		d.turnToMemory(s)
		return
	}
	d.acknowledge(s)
	d.Memory = false
	d.enter(dmaAddress, d.addressCycles(s.PAt))
}

func (d dmaController) turnToMemory(s *dmaStream) {
	d.Memory, d.Left = true, s.drain()
	if s.direction() == toPeripheral {
		d.Left = s.load()
	}
	d.enter(dmaAddress, d.addressCycles(s.MAt))
}

// claim takes the bus for an access, as soon as it is free.
func (d dmaController) claim(s *dmaStream) {
	addr, beats := s.PAt, s.items()
	if d.Memory {
		addr, beats = s.MAt, (d.burst(s)+s.msize()-1)/s.msize()
	}
	r := d.route(addr)
	end := d.accessEnd(addr, d.c.Matrix.free(r, d.c.Cycle()), uint64(beats))
	d.c.Matrix.take(r, end)
	d.c.core.Contend(end)
	d.Phase = dmaAccess
	d.c.Schedule(slotDMA+d.n, end)
}

// access ends a port's access and goes on to the next one of the transaction.
func (d dmaController) access(s *dmaStream) {
	switch {
	case s.Cr&dmaEN == 0: // by an error of its registers
	case d.Memory:
		n := d.burst(s)
		d.Left -= n
		d.memoryPort(s, n)
		if s.Cr&dmaEN != 0 && d.Left > 0 {
			d.enter(dmaAddress, d.addressCycles(s.MAt))
			return
		}
	default:
		d.peripheralPort(s)
		if s.Cr&dmaEN != 0 && s.wantsMemory() {
			d.turnToMemory(s)
			return
		}
	}
	d.finish()
}

// burst is how many bytes the memory port moves without letting the bus go.
func (d dmaController) burst(s *dmaStream) uint32 { return min(d.Left, s.mbeats()*s.msize()) }

// next is the ready stream of the highest priority and then the lowest number
// (§10.3.4), or -1.
func (d dmaController) next() int {
	best := -1
	if d.c.RCC.ENR[ahb1]>>(21+d.n)&1 == 0 {
		return best
	}
	for i := range d.Streams {
		s := &d.Streams[i]
		if s.Cr&dmaEN == 0 || !d.ready(i, s) {
			continue
		}
		if best < 0 || s.priority() > d.Streams[best].priority() {
			best = i
		}
	}
	return best
}

func (d dmaController) ready(i int, s *dmaStream) bool {
	if s.Stopping || s.wantsMemory() {
		return s.wantsMemory()
	}
	return s.canServe() && (s.direction() == memToMem || d.requested(i, s))
}

func (d dmaController) requested(i int, s *dmaStream) bool {
	for _, r := range requestTable[d.n][s.Cr>>25&7][i] {
		if d.c.Requests.Level[r] || d.c.Requests.Latched[r] {
			return true
		}
	}
	return false
}

// acknowledge lets the latched request go that the transaction serves.
func (d dmaController) acknowledge(s *dmaStream) {
	if s.direction() == memToMem {
		return
	}
	for _, r := range requestTable[d.n][s.Cr>>25&7][d.Active] {
		if d.c.Requests.Latched[r] {
			d.c.Requests.Latched[r] = false
			return
		}
	}
}

// finish ends a transaction.
func (d dmaController) finish() {
	s := &d.Streams[d.Active]
	d.progress(s)
	d.Phase = dmaIdle
	d.update(d.Active)
	d.wake()
}

// progress raises the flags of what has been reached: half of the items, all of
// them, or the end that software asked for.
func (d dmaController) progress(s *dmaStream) {
	if s.Cr&dmaEN == 0 {
		return
	}
	if !s.Half && s.Ndtr <= s.Reload/2 {
		s.Half = true
		s.Flags |= dmaHTIF
	}
	switch {
	case s.direction() != toPeripheral && s.Level > 0 && (s.Ndtr == 0 || s.Stopping):
	case s.Stopping: // §10.3.14
		s.off()
		s.Flags |= dmaTCIF
	case s.Ndtr == 0:
		s.complete()
		d.signal(s, d.c.dmaLast)
	}
}

// complete ends the last transfer of a buffer (§10.3.8, §10.3.9).
func (s *dmaStream) complete() {
	s.Flags |= dmaTCIF
	if !s.circular() {
		s.off()
		return
	}
	if s.Cr&dmaDBM != 0 {
		s.Cr ^= dmaCT
	}
	s.Ndtr = s.Reload
	s.rewind()
}

func (s *dmaStream) circular() bool {
	return s.Cr&(dmaCIRC|dmaDBM) != 0 && s.direction() != memToMem
}

// rewind puts both ports at the beginning of their buffers.
func (s *dmaStream) rewind() {
	s.Half = false
	s.PAt, s.MAt = s.Par&^(s.psize()-1), s.Mar[s.Cr/dmaCT&1]&^(s.msize()-1)
	s.MLeft = s.Ndtr * s.psize()
}

func (s *dmaStream) off() {
	s.Cr &^= dmaEN
	s.Stopping = false
	s.Head, s.Level = 0, 0
}

func (s *dmaStream) direction() uint32 { return s.Cr >> 6 & 3 }
func (s *dmaStream) priority() uint32  { return s.Cr >> 16 & 3 }
func (s *dmaStream) direct() bool      { return s.Fcr&dmaDMDIS == 0 }
func (s *dmaStream) psize() uint32     { return 1 << min(s.Cr>>11&3, 2) } // 3 is reserved
func (s *dmaStream) msize() uint32     { return 1 << min(s.Cr>>13&3, 2) }

// pbeats and mbeats are the transfers in a burst; direct mode has single ones.
func (s *dmaStream) pbeats() uint32 { return s.beats(s.Cr >> 21 & 3) }
func (s *dmaStream) mbeats() uint32 { return s.beats(s.Cr >> 23 & 3) }

func (s *dmaStream) beats(burst uint32) uint32 {
	if burst == 0 || s.direct() {
		return 1
	}
	return 2 << burst
}

// threshold is the FIFO's level in bytes at which the memory port acts.
func (s *dmaStream) threshold() uint32 {
	if s.direct() {
		return s.psize()
	}
	return 4 * (s.Fcr&3 + 1)
}

// items is how many the next access of the peripheral port moves.
func (s *dmaStream) items() uint32 { return min(s.pbeats(), s.Ndtr) }

// canServe tells whether FIFO and NDTR let the peripheral port move.
func (s *dmaStream) canServe() bool {
	if s.Ndtr == 0 {
		return false
	}
	n := s.items() * s.psize()
	if s.direction() == toPeripheral {
		return s.Level >= n
	}
	return s.Level+n <= uint32(len(s.Fifo))
}

// wantsMemory tells whether the memory port has to move (§10.3.12): from a
// FIFO at its threshold, or with the last of the data; into one at or below
// it, completely.
func (s *dmaStream) wantsMemory() bool {
	if s.direction() == toPeripheral {
		return !s.Stopping && s.load() > 0
	}
	return s.Level >= s.threshold() || s.Level > 0 && (s.Ndtr == 0 || s.Stopping)
}

// load is how many bytes the memory port would read into the FIFO now.
func (s *dmaStream) load() uint32 {
	if s.direct() {
		if s.Level > 0 {
			return 0
		}
		return min(s.msize(), s.MLeft)
	}
	burst := s.mbeats() * s.msize()
	room := uint32(len(s.Fifo)) - s.Level
	if s.Level > s.threshold() || room < burst {
		return 0
	}
	return min(room/burst*burst, s.MLeft)
}

// drain is how many bytes the memory port would write from the FIFO now.
func (s *dmaStream) drain() uint32 {
	if s.direct() || s.Ndtr == 0 || s.Stopping {
		return s.Level
	}
	burst := s.mbeats() * s.msize()
	return s.Level / burst * burst
}

// peripheralPort moves an item, or a burst of them, at the peripheral port.
func (d dmaController) peripheralPort(s *dmaStream) {
	for range s.items() {
		var ok bool
		if s.direction() == toPeripheral {
			ok = d.write(s, portPeripheral, s.PAt, s.psize(), s.pop(s.psize()))
		} else {
			var v uint32
			v, ok = d.read(s, portPeripheral, s.PAt, s.psize())
			s.push(v, s.psize())
		}
		if !ok {
			return
		}
		s.Ndtr--
		if s.Ndtr == 1 {
			d.signal(s, d.c.dmaLastButOne)
		}
		switch {
		case s.Cr&dmaPINC == 0:
		case s.Cr&dmaPINCOS != 0:
			s.PAt += 4
		default:
			s.PAt += s.psize()
		}
	}
}

// signal tells the blocks that the active stream serves how far it is.
func (d dmaController) signal(s *dmaStream, tell func(request)) {
	if s.direction() == memToMem {
		return
	}
	for _, r := range requestTable[d.n][s.Cr>>25&7][d.Active] {
		tell(r)
	}
}

// memoryPort moves a burst of n bytes, or a single item, at the memory port.
func (d dmaController) memoryPort(s *dmaStream, n uint32) {
	if s.direction() == toPeripheral {
		d.fill(s, n)
		return
	}
	for ; n > 0; n -= min(n, s.msize()) {
		if !d.write(s, portMemory, s.MAt, s.msize(), s.pop(s.msize())) {
			return
		}
		s.advance()
	}
}

func (d dmaController) fill(s *dmaStream, n uint32) {
	for ; n > 0; n -= min(n, s.msize()) {
		v, ok := d.read(s, portMemory, s.MAt, s.msize())
		if !ok {
			return
		}
		took := min(s.msize(), s.MLeft)
		s.push(v, took)
		s.MLeft -= took
		s.advance()
	}
}

func (s *dmaStream) advance() {
	if s.Cr&dmaMINC != 0 {
		s.MAt += s.msize()
	}
}

// push and pop move little-endian values through the FIFO. A flush that asks
// for more than is left writes what the FIFO held before (§10.3.12).
func (s *dmaStream) push(v, size uint32) {
	for i := range size {
		s.Fifo[(s.Head+s.Level)%16] = byte(v >> (8 * i))
		s.Level++
	}
}

func (s *dmaStream) pop(size uint32) (v uint32) {
	for i := range size {
		v |= uint32(s.Fifo[(s.Head+i)%16]) << (8 * i)
	}
	s.Head = (s.Head + size) % 16
	s.Level -= min(size, s.Level)
	return v
}

// wired tells whether an address is on the APB that a peripheral port is wired
// to.
func (d dmaController) wired(addr uint32) bool {
	b := d.c.block(addr)
	return b != nil && int(b.bus)-apb1 == d.n && !d.Memory
}

// route are the ports of the bus matrix that the next access takes.
func (d dmaController) route(addr uint32) route {
	if d.wired(addr) {
		return through(portAPB1 + matrixPort(d.n))
	}
	return d.c.route(addr)
}

// addressCycles is what comes before an access, see above.
func (d dmaController) addressCycles(addr uint32) uint64 {
	if d.wired(addr) {
		return 1
	}
	return 2
}

// accessEnd is when an access that has the bus from a cycle on lets it go.
func (d dmaController) accessEnd(addr uint32, begin, beats uint64) uint64 {
	if b := d.c.block(addr); b != nil && (b.bus == apb1 || b.bus == apb2) {
		end := d.c.transferEnd(b, begin, false)
		return end + (beats-1)*2*d.c.pclkDiv(int(b.bus)-apb1+1)
	}
	if addr-flashBase < flashSize {
		beats *= 1 + uint64(d.c.FLASH.ACR&acrLATENCY)
	}
	return begin + beats
}

// update brings a stream's interrupt line up to date (§10.4), and the core's view
// of the bus. DMEIE to TCIE are
// CR's bits 1 to 4, DMEIF to TCIF the flags 2 to 5.
func (d dmaController) update(i int) {
	s := &d.Streams[i]
	on := s.Flags>>2&(s.Cr>>1)&0xF != 0 || s.Flags&dmaFEIF != 0 && s.Fcr&dmaFEIE != 0
	d.c.irq(dmaIRQs[d.n][i], on)
	d.c.dmaShare()
}

// dmaReset puts a controller into its reset state.
func (c *Chip) dmaReset(n int) {
	d := c.dmaController(n)
	*d.dma = dma{}
	for i := range d.Streams {
		d.Streams[i].Fcr = 0x21
		d.update(i)
	}
	c.Schedule(slotDMA+n, clock.Never)
}

// dmaShare tells the core whether any stream is enabled, so that DMA may come
// between its accesses.
func (c *Chip) dmaShare() {
	on := false
	for i := range c.DMA {
		for j := range c.DMA[i].Streams {
			on = on || c.DMA[i].Streams[j].Cr&dmaEN != 0
		}
	}
	if on != c.core.Shared {
		c.core.Share(on)
	}
}

// dmaReadsFlash tells whether an enabled stream has a source in flash.
func (c *Chip) dmaReadsFlash() bool {
	for i := range c.DMA {
		for j := range c.DMA[i].Streams {
			if s := &c.DMA[i].Streams[j]; s.Cr&dmaEN != 0 && s.source()-flashBase < flashSize {
				return true
			}
		}
	}
	return false
}

// source is the address that a stream began to read at.
func (s *dmaStream) source() uint32 {
	if s.direction() == toPeripheral {
		return s.Mar[s.Cr/dmaCT&1]
	}
	return s.Par
}

// fail is a bus error on one of the ports (§10.3.18).
func (d dmaController) fail(s *dmaStream, addr uint32, f bus.Fault) {
	if f == bus.Unmodelled {
		d.c.halt(board.NotModelled, d.c.core.R[15], fmt.Sprintf("%s stream %d: %s not modelled", d.name(), d.Active, d.c.lacking))
		d.c.core.SetDeadline(d.c.core.Cycle)
	} else {
		d.c.warn("%s stream %d: bus error at 0x%08x", d.name(), d.Active, addr)
	}
	s.Flags |= dmaTEIF
	s.off()
}
