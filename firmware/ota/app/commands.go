//go:build tinygo

package main

import (
	"rigor/firmware/board"
	"rigor/firmware/wire"
)

// command is something that the host can ask for.
type command struct {
	name string
	does func() []uint32 // makes the samples that are the answer
}

var common = [...]command{
	{"ticks", func() []uint32 { return []uint32{ticks} }},
	{"level", level},
	{"statistics", statistics},
}

// obey answers a command with a Status and, if it is known, its samples.
func obey(payload []byte) {
	c, err := wire.ParseCommand(payload)
	switch {
	case err != nil:
		answer(wire.StatusArgument, err.Error())
	case c.Name == wire.CommandHello:
		greet()
	default:
		for _, list := range [...][]command{common[:], added} {
			for _, known := range list {
				if known.name == c.Name {
					answer(wire.StatusOK, "")
					send(known.name, known.does())
					return
				}
			}
		}
		answer(wire.StatusUnknown, unknownText+c.Name)
	}
}

func answer(code wire.StatusCode, text string) {
	board.Write(wire.AppendStatus(frame[:0], wire.Status{Code: code, Text: text}))
}

func send(name string, values []uint32) {
	board.Write(wire.AppendSamples(frame[:0], wire.Samples{Name: name, Values: values}))
	board.Write(wire.AppendDone(frame[:0], wire.Done{Name: name, Count: uint32(len(values))}))
}
