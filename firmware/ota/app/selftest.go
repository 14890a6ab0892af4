//go:build tinygo

package main

import (
	"unsafe"

	"rigor/firmware/board"
	"rigor/firmware/ota/sign"
	"rigor/firmware/wire/ota"
)

var verifier sign.Verifier

// selfTest verifies RFC 8032's signatures, and the same spoilt, which must not
// verify. Cycles and stack are those of the verification that took the most.
func selfTest(a *ota.Answer) {
	for i := range sign.Vectors {
		v := &sign.Vectors[i]
		if !timed(a, v, []byte(v.Signature)) {
			a.Refusal = ota.SelfTestFailed
		}
		spoilt := []byte(v.Signature)
		spoilt[i] ^= 1
		if timed(a, v, spoilt) {
			a.Refusal = ota.SelfTestFailed
		}
	}
}

func timed(a *ota.Answer, v *sign.Vector, signature []byte) (ok bool) {
	stack := stackUse(func() {
		began := board.Cycles()
		ok = verifier.Verify([]byte(v.Public), signature, []byte(v.Message))
		a.Cycles = max(a.Cycles, board.Cycles()-began)
	})
	a.Stack = max(a.Stack, stack)
	return ok
}

// stackUse runs f and returns how many bytes of stack it took: it paints what is
// below its own frame, and looks where the paint ends.
func stackUse(f func()) uint32 {
	const depth, ours, paint = 4096, 64, 0xA5
	below := unsafe.Slice((*byte)(unsafe.Pointer(board.StackPointer()-depth)), depth-ours)
	for i := range below {
		below[i] = paint
	}
	f()
	for i, b := range below {
		if b != paint {
			return uint32(depth - i)
		}
	}
	return ours
}
