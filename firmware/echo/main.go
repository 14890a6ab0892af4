//go:build tinygo

// Echo repeats what it gets: the stimulus pin's level on the echo pin, by an
// interrupt on each edge, and every byte of the console on the console. After a
// reset it sends one Hello frame; everything after that is raw bytes.
package main

import (
	"machine"

	"rigor/firmware/board"
	"rigor/firmware/wire"
)

func main() {
	board.Init()
	board.Write(wire.AppendHello(nil, board.Hello("echo")))
	board.SetEcho(board.Stimulus())
	board.HandleStimulus(board.Both, func(machine.Pin) { board.SetEcho(board.Stimulus()) })
	for {
		board.WriteByte(board.ReadByte())
	}
}
