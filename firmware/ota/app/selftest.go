//go:build tinygo

package main

import (
	"unsafe"

	"rigor/firmware/board"
	"rigor/firmware/ota/sign"
	wireota "rigor/firmware/wire/ota"
)

// selfTest verifies RFC 8032's signatures, each also with a bit wrong. The cycles are a
// verification's mean, and the stack is the most that one took.
func selfTest(a *wireota.Answer) {
	a.Refusal = wireota.SelfTestFailed
	a.Stack = stackUse(func() {
		began := board.Cycles()
		if updater.SelfTest() {
			a.Refusal = wireota.OK
		}
		a.Cycles = (board.Cycles() - began) / (2 * uint32(len(sign.Vectors)))
	})
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
