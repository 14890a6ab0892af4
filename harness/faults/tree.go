package faults

import (
	"bytes"
	"errors"
	"slices"
)

// tree is what is known of a deterministic program that reads flash: what it
// reads first is always the same, and what it reads next depends on what it has
// read. A path through the tree is one content of all that a run read, and ends in
// a leaf: how that run went. It holds for every state that agrees on what the path
// read.
type tree[T any] struct{ root *branch[T] }

// branch is a piece of a path on which nothing has been seen to differ.
type branch[T any] struct {
	reads  []read
	values []byte // that were read, one span after another
	next   []*branch[T]
	leaf   *T // nil if there are next ones: they begin with the same read
}

// unknown says where a state left the paths that are known: after so many reads,
// with what it has there.
type unknown struct {
	reads int
	sum   uint64
}

// find follows a state to its leaf, or to where no one has been.
func (t *tree[T]) find(s *state) (*T, unknown) {
	var depth unknown
	for b := t.root; b != nil; {
		n := b.agree(s)
		depth.reads += n
		if n < len(b.reads) {
			depth.sum = s.hash(b.reads[n])
			return nil, depth
		}
		if b.leaf != nil {
			return b.leaf, depth
		}
		b, depth.sum = b.choose(s)
	}
	return nil, depth
}

// choose finds the branch that s goes on with, or nil and what led nowhere.
func (b *branch[T]) choose(s *state) (*branch[T], uint64) {
	first := b.next[0].reads[0]
	for _, n := range b.next {
		if s.holds(first, n.values[:first.n]) {
			return n, 0
		}
	}
	return nil, s.hash(first)
}

// agree counts the reads of the branch that give the same in s.
func (b *branch[T]) agree(s *state) int {
	at := uint32(0)
	for i, r := range b.reads {
		if !s.holds(r, b.values[at:at+r.n]) {
			return i
		}
		at += r.n
	}
	return len(b.reads)
}

// errUndetermined is a machine that read something else though all that it had
// read before was the same, or no more than that.
var errUndetermined = errors.New("the machine did two things with the same flash content")

// insert adds a run and gives back the leaf of its path: another one if the path
// was known.
func (t *tree[T]) insert(reads []read, values []byte, leaf *T) (*T, error) {
	if t.root == nil {
		t.root = &branch[T]{reads: reads, values: values, leaf: leaf}
		return leaf, nil
	}
	for b := t.root; ; {
		n, at := b.common(reads, values)
		switch {
		case n == len(reads) && n == len(b.reads) && b.leaf != nil:
			return b.leaf, nil
		case n == len(reads) || b.leaf != nil && n == len(b.reads):
			return nil, errUndetermined
		case n < len(b.reads):
			return leaf, b.fork(n, at, reads, values, leaf)
		}
		reads, values = reads[n:], values[at:]
		next := b.follow(reads, values)
		if next == nil {
			if b.next[0].reads[0] != reads[0] {
				return nil, errUndetermined
			}
			b.next = append(b.next, &branch[T]{reads: slices.Clone(reads), values: bytes.Clone(values), leaf: leaf})
			return leaf, nil
		}
		b = next
	}
}

// common counts the reads that the branch and a run share, and their bytes.
func (b *branch[T]) common(reads []read, values []byte) (n int, at uint32) {
	for n < len(reads) && n < len(b.reads) && reads[n] == b.reads[n] {
		end := at + reads[n].n
		if !bytes.Equal(values[at:end], b.values[at:end]) {
			break
		}
		n, at = n+1, end
	}
	return n, at
}

// fork splits a branch before its read n, which gave something else in a new run.
func (b *branch[T]) fork(n int, at uint32, reads []read, values []byte, leaf *T) error {
	if reads[n] != b.reads[n] {
		return errUndetermined
	}
	rest := &branch[T]{reads: b.reads[n:], values: b.values[at:], next: b.next, leaf: b.leaf}
	other := &branch[T]{reads: slices.Clone(reads[n:]), values: bytes.Clone(values[at:]), leaf: leaf}
	*b = branch[T]{reads: b.reads[:n:n], values: b.values[:at:at], next: []*branch[T]{rest, other}}
	return nil
}

// follow finds the branch whose first read a run shares.
func (b *branch[T]) follow(reads []read, values []byte) *branch[T] {
	for _, n := range b.next {
		if k, _ := n.common(reads[:1], values); k == 1 {
			return n
		}
	}
	return nil
}
