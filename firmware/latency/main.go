//go:build tinygo

// Latency measures what TinyGo's scheduler and interrupts cost, in core clock
// cycles. It sends Hello after a reset and then does what it is told by
// Command frames; the commands are documented in firmware/wire.
//
// Samples stay in RAM until the run is over. Both ends of each measured interval are
// marked on pins (see firmware/board), so that a probe can measure the same.
//
// Before a run garbage is collected, and no run but launch allocates, so the
// collector never runs in a sample unless it was asked for. The runtime's 100 Hz tick
// stays on, as in any TinyGo program: one sample in each 10 ms has its
// interrupt inside.
package main

import (
	"runtime"

	"rigor/firmware/board"
	"rigor/firmware/wire"
)

const program = "latency"

// maxCount is the most samples one run takes.
const maxCount = 1000

var (
	samples  [maxCount]uint32
	frame    [wire.MaxFrame]byte
	decoder  wire.Decoder
	overhead uint32
)

func main() {
	board.Init()
	overhead = leastOverhead()
	sendHello()
	for {
		f, ok := decoder.Feed(board.ReadByte())
		if ok && f.Type == wire.TypeCommand {
			obey(f.Payload)
		}
	}
}

func sendHello() { board.Write(wire.AppendHello(frame[:0], board.Hello(program))) }

// obey runs one command.
func obey(payload []byte) {
	c, err := wire.ParseCommand(payload)
	if err != nil {
		answer(wire.StatusArgument, err.Error())
		return
	}
	if c.Name == wire.CommandHello {
		sendHello()
		return
	}
	r := find(c.Name)
	switch {
	case r == nil:
		answer(wire.StatusUnknown, "no such command: "+c.Name)
	case c.Count < 1 || c.Count > maxCount:
		answer(wire.StatusArgument, "count is not in 1 to 1000")
	case c.Param > r.maxParam:
		answer(wire.StatusArgument, "parameter too large")
	default:
		measure(r, int(c.Count), c.Param)
	}
}

func answer(code wire.StatusCode, text string) {
	board.Write(wire.AppendStatus(frame[:0], wire.Status{Code: code, Text: text}))
}

// measure runs r and sends its samples.
func measure(r *run, count int, param uint32) {
	runtime.GC()
	r.take(samples[:count], param)
	board.Running(false)
	for i := 0; i < count; i += wire.MaxSamples {
		send(r.name, i, samples[i:min(i+wire.MaxSamples, count)])
	}
	board.Write(wire.AppendDone(frame[:0], wire.Done{Name: r.name, Count: uint32(count), Overhead: overhead}))
}

// ready tells host and probe that the run is set up: from here on come samples,
// or the stimulus may come.
func ready() {
	fired.Set(0) // an edge too many in the run before may have set it
	answer(wire.StatusOK, "")
	board.Running(true)
}

func send(name string, index int, values []uint32) {
	for i, v := range values {
		values[i] = report(v)
	}
	board.Write(wire.AppendSamples(frame[:0], wire.Samples{Name: name, Index: uint32(index), Values: values}))
}

// leastOverhead is the time an empty interval takes. The least of several:
// the first ones fill the flash cache.
func leastOverhead() uint32 {
	s := samples[:16]
	for i := range s {
		s[i] = empty()
	}
	least := s[0]
	for _, v := range s {
		least = min(least, v)
	}
	return least
}
