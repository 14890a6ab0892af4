//go:build tinygo

// App is an application that updates itself while it works: one goroutine blinks, one takes
// readings, and the main one obeys the console: commands of package wire, and requests of
// firmware/wire/ota. After a reset it sends one Hello frame.
//
// The watchdog, which the boot program starts with a trial, is fed only while all goroutines
// go round. Build tags make the releases: none 1.0.0, v1_0_1 and v1_1_0.
package main

import (
	"runtime"

	"rigor/firmware/board"
	"rigor/firmware/wire"
	wireota "rigor/firmware/wire/ota"
)

const program = "ota/app"

var (
	frame   [wire.MaxFrame]byte
	decoder wire.Decoder
)

func main() {
	board.Init()
	startUpdater()
	startNetwork()
	go blink()
	go read()
	greet()
	for {
		f, ok := decoder.Feed(nextByte())
		switch {
		case !ok:
		case f.Type == wire.TypeCommand:
			obey(f.Payload)
		case f.Type == wireota.TypeRequest:
			request(f.Payload, board.Write)
		}
	}
}

// nextByte lets the others run, and the network be heard, until a byte comes from the console.
func nextByte() byte {
	for {
		feed()
		attend()
		if b, ok := board.TryReadByte(); ok {
			return b
		}
		board.Idle()
		runtime.Gosched()
	}
}

func greet() { board.Write(wire.AppendHello(frame[:0], board.Hello(program))) }
