//go:build tinygo

package main

import (
	"rigor/firmware/board"
	"rigor/firmware/wire/ota"
)

func startUpdater() {}

func request(payload []byte) {
	r, err := ota.ParseRequest(payload)
	if err != nil {
		return
	}
	var a ota.Answer
	a.Token = r.Token
	switch r.Op {
	case ota.SelfTest:
		selfTest(&a)
	case ota.Hang:
		hung = true
	}
	board.Write(ota.AppendAnswer(frame[:0], &a))
}
