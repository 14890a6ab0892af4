//go:build tinygo

package main

import (
	"runtime"

	"rigor/firmware/board"
	"rigor/firmware/ota"
	wireota "rigor/firmware/wire/ota"
)

var updater ota.Updater

func startUpdater() {
	updater.Open(board.Flash(), ota.LayoutOf(board.Chip))
	updater.Yield = others
	updater.Start(slot())
}

// slot is the one that the program runs from.
func slot() uint8 {
	if board.Image() == updater.Layout.Image(1) {
		return 1
	}
	return 0
}

// others lets the other goroutines run while the updater works.
func others() {
	feed()
	runtime.Gosched()
}

// request does what the host asks for, and answers.
func request(payload []byte, answer func(frame []byte)) {
	r, err := wireota.ParseRequest(payload)
	if err != nil {
		return
	}
	var a wireota.Answer
	updater.Do(&r, &a)
	if r.Op == wireota.SelfTest {
		selfTest(&a)
	}
	answer(wireota.AppendAnswer(frame[:0], &a))
	switch r.Op {
	case wireota.Hang:
		hung = true
	case wireota.Restart:
		board.Restart()
	}
}
