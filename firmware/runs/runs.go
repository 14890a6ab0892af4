//go:build tinygo

// Package runs is a program's side of the conversation that firmware/wire
// defines: it greets, takes commands, and sends the samples that a run has left in
// RAM.
package runs

import (
	"runtime"

	"rigor/firmware/board"
	"rigor/firmware/wire"
)

// Run is something that a command asks for.
type Run struct {
	Name     string
	MaxCount uint32 // the most samples; the fewest is one
	MaxParam uint32
	// Take calls Accept or Ready when it is set up, and returns its samples.
	Take func(count int, param uint32) []uint32
}

// Overhead is what an empty interval takes, for [wire.Done].
var Overhead uint32

var (
	frame   [wire.MaxFrame]byte
	decoder wire.Decoder
)

// Serve greets and obeys, for ever.
func Serve(program string, all []Run) {
	greet(program)
	for {
		f, ok := decoder.Feed(board.ReadByte())
		if ok && f.Type == wire.TypeCommand {
			obey(program, all, f.Payload)
		}
	}
}

// Accept tells the host that a command is obeyed.
func Accept() { answer(wire.StatusOK, "") }

// Ready tells host and probe that the run begins: from here on come samples, or
// the stimulus may come.
func Ready() {
	Accept()
	board.Running(true)
}

func greet(program string) { board.Write(wire.AppendHello(frame[:0], board.Hello(program))) }

func answer(code wire.StatusCode, text string) {
	board.Write(wire.AppendStatus(frame[:0], wire.Status{Code: code, Text: text}))
}

func obey(program string, all []Run, payload []byte) {
	c, err := wire.ParseCommand(payload)
	if err != nil {
		answer(wire.StatusArgument, err.Error())
		return
	}
	if c.Name == wire.CommandHello {
		greet(program)
		return
	}
	r := find(all, c.Name)
	switch {
	case r == nil:
		answer(wire.StatusUnknown, "no such command: "+c.Name)
	case c.Count < 1 || c.Count > r.MaxCount:
		answer(wire.StatusArgument, "count out of range")
	case c.Param > r.MaxParam:
		answer(wire.StatusArgument, "parameter too large")
	default:
		runtime.GC() // c.Name is not safe from it, see firmware/README.md
		samples := r.Take(int(c.Count), c.Param)
		board.Running(false)
		send(r.Name, samples)
	}
}

func find(all []Run, name string) *Run {
	for i := range all {
		if all[i].Name == name {
			return &all[i]
		}
	}
	return nil
}

func send(name string, samples []uint32) {
	for i := 0; i < len(samples); i += wire.MaxSamples {
		part := samples[i:min(i+wire.MaxSamples, len(samples))]
		board.Write(wire.AppendSamples(frame[:0], wire.Samples{Name: name, Index: uint32(i), Values: part}))
	}
	board.Write(wire.AppendDone(frame[:0], wire.Done{Name: name, Count: uint32(len(samples)), Overhead: Overhead}))
}
