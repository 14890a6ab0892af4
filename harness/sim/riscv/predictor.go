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

// TargetEntry is a branch or jump that has been taken.
type TargetEntry struct{ PC, Target uint64 }

const (
	targetEntries = 40
	branchCounts  = 128
	historyBits   = 7
)

func bucketOf(pc uint64) uint64 { return (pc>>1 ^ pc>>7) & 63 }

// find returns the entry of the branch at pc.
func (p *Predictor) find(pc uint64) *TargetEntry {
	for set := p.Buckets[bucketOf(pc)]; set != 0; set &= set - 1 {
		if e := &p.Targets[bits.TrailingZeros64(set)%targetEntries]; e.PC == pc {
			return e
		}
	}
	return nil
}

func (p *Predictor) insert(pc, target uint64) {
	e := &p.Targets[p.Next%targetEntries]
	bit := uint64(1) << p.Next
	p.Buckets[bucketOf(e.PC)] &^= bit
	p.Buckets[bucketOf(pc)] |= bit
	*e = TargetEntry{pc, target}
	p.Next = (p.Next + 1) % targetEntries
}

// branch says whether a conditional branch is predicted, and learns. One that the buffer doesn't
// have is predicted not to be taken, and learnt only if it is.
func (p *Predictor) branch(pc, target uint64, taken bool) (right bool) {
	if p.find(pc) == nil {
		if taken {
			p.insert(pc, target)
		}
		return !taken
	}
	count := &p.Counts[(uint8(pc>>1)&^1^p.History)%branchCounts]
	predicted := *count&1 != 0
	p.History = p.History>>1 | uint8(truth(taken))<<(historyBits-1)
	// Bit 0 is the prediction and bit 1 the last outcome: it takes two that differ from it to change.
	v := *count
	*count = uint8(truth(taken))<<1 | (v>>1&v|(v>>1|v)&uint8(truth(taken)))&1
	return predicted == taken
}

// jump says whether the target of what always jumps is predicted, and learns it.
func (p *Predictor) jump(pc, target uint64) (right bool) {
	e := p.find(pc)
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
func (p *Predictor) ret(pc, target uint64) (right bool) {
	e := p.find(pc)
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

// resolve returns what a branch or jump at pc costs beyond one that is predicted.
func (c *Core) resolve(in *insn, pc, target uint64, taken bool) (cycles uint64) {
	p := &c.Predictor
	right := false
	switch op := in.op; {
	case op < opJ:
		right = p.branch(pc, target, taken)
	case op < opJR || !returns(in):
		right = p.jump(pc, target)
	default:
		right = p.ret(pc, target)
	}
	if (in.op == opJAL || in.op == opJALR) && in.d&1 != 0 {
		p.call(c.pcMask & (pc + uint64(in.size)))
	}
	if right {
		return 0
	}
	return uint64(c.cfg.Timing.Mispredict)
}

// returns says whether a JALR returns: by the link registers x1 or x5 (volume I 2.5).
func returns(in *insn) bool { return in.n == 1 || in.n == 5 }
