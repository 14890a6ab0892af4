package riscv

import "math/bits"

// Predictor is the branch prediction of Rocket: a buffer of targets, fully associative and filled in turn, a table of two-bit counters
// that is indexed by the address and the history of branches, and a stack of return addresses. The sizes are
// those of rocket-chip's BTBParams of February 2017 (see K210Timing). It differs in
// that branches in the same word don't share an entry.
type Predictor struct {
	Targets [targetEntries]TargetEntry
	Next    uint8      // the entry that is replaced next
	Buckets [64]uint64 // the entries of each hash value of PC, as a set
	Counts  [branchCounts]uint8
	History uint8
	Returns [2]uint64 // the stack, which overwrites its oldest entry
	Top     uint8
	Depth   uint8
}

// TargetEntry is a branch or jump that has been taken. PC is 1 more than its address.
type TargetEntry struct{ PC, Target uint64 }

const (
	targetEntries = 40
	branchCounts  = 128
	historyBits   = 7
)

func bucketOf(pc uint64) uint64 { return (pc>>1 ^ pc>>7) & 63 }

// find returns the entry of the branch at pc. It is likely to be where it was before.
func (p *Predictor) find(pc uint64, hint *uint8) *TargetEntry {
	if e := &p.Targets[*hint%targetEntries]; e.PC == pc+1 {
		return e
	}
	return p.search(pc, hint)
}

func (p *Predictor) search(pc uint64, hint *uint8) *TargetEntry {
	for set := p.Buckets[bucketOf(pc)]; set != 0; set &= set - 1 {
		i := uint8(bits.TrailingZeros64(set)) % targetEntries
		if e := &p.Targets[i]; e.PC == pc+1 {
			*hint = i
			return e
		}
	}
	return nil
}

func (p *Predictor) insert(pc, target uint64) {
	e := &p.Targets[p.Next%targetEntries]
	bit := uint64(1) << p.Next
	p.Buckets[bucketOf(e.PC-1)] &^= bit
	p.Buckets[bucketOf(pc)] |= bit
	*e = TargetEntry{pc + 1, target}
	p.Next = (p.Next + 1) % targetEntries
}

// branch says whether a conditional branch is predicted, and learns. One that the buffer doesn't
// have is predicted not to be taken, and learnt only if it is.
func (p *Predictor) branch(pc uint64, l *link, taken bool) (right bool) {
	if l.hint >= targetEntries || p.Targets[l.hint].PC != pc+1 { // find, without its call
		if p.search(pc, &l.hint) == nil {
			if taken {
				p.insert(pc, l.addr)
			}
			return !taken
		}
	}
	count := &p.Counts[(uint8(pc>>1)&^1^p.History)%branchCounts]
	v, t := *count, uint8(truth(taken))
	p.History = p.History>>1 | t<<(historyBits-1)
	// Bit 0 is the prediction and bit 1 the last outcome: it takes two that differ from it to change.
	*count = t<<1 | (v>>1&v|(v>>1|v)&t)&1
	return v&1 == t
}

// jump says whether the target of what always jumps is predicted, and learns it.
func (p *Predictor) jump(pc, target uint64, hint *uint8) (right bool) {
	e := p.find(pc, hint)
	if e == nil {
		p.insert(pc, target)
		return false
	}
	right = e.Target == target
	e.Target = target
	return right
}

// call remembers where a call returns to.
func (p *Predictor) call(to uint64) {
	p.Top = (p.Top + 1) % uint8(len(p.Returns))
	p.Returns[p.Top] = to
	p.Depth = min(p.Depth+1, uint8(len(p.Returns)))
}

// ret is jump for returns, of which those that the buffer has go to the top of the stack.
func (p *Predictor) ret(pc, target uint64, hint *uint8) (right bool) {
	e := p.find(pc, hint)
	if e == nil {
		p.insert(pc, target)
		return false
	}
	if p.Depth == 0 {
		right = e.Target == target
		e.Target = target
		return right
	}
	right = p.Returns[p.Top%uint8(len(p.Returns))] == target
	p.Top = (p.Top + 1) % uint8(len(p.Returns))
	p.Depth--
	return right
}

// always is branch for what always jumps.
func (p *Predictor) always(pc uint64, in *insn, l *link) (right bool) {
	if in.op >= opJR && returns(in) {
		right = p.ret(pc, l.addr, &l.hint)
	} else {
		right = p.jump(pc, l.addr, &l.hint)
	}
	if (in.op == opJAL || in.op == opJALR) && in.d&1 != 0 {
		p.call(pc + uint64(in.size))
	}
	return right
}

// returns says whether a JALR returns: by the link registers x1 or x5 (volume I 2.5).
func returns(in *insn) bool { return in.n == 1 || in.n == 5 }
