//go:build tinygo

package main

import (
	"machine"
	"runtime"
	"runtime/volatile"

	"rigor/firmware/board"
	"rigor/firmware/wire"
)

// A run measures one thing: take sets it up, calls ready, and fills its slice.
type run struct {
	name     string
	take     func(samples []uint32, param uint32)
	maxParam uint32
}

var runs = [...]run{
	{name: wire.CommandOverhead, take: takeOverhead},
	{name: wire.CommandGosched, take: takeGosched},
	{name: wire.CommandChannel, take: takeChannel},
	{name: wire.CommandLaunch, take: takeLaunch, maxParam: 1},
	{name: wire.CommandHandler, take: takeHandler},
	{name: wire.CommandGoroutine, take: takeGoroutine},
	{name: wire.CommandPoll, take: takePoll},
	{name: wire.CommandHandlerPin, take: takeHandlerPin},
	{name: wire.CommandGoroutinePin, take: takeGoroutinePin},
}

func find(name string) *run {
	for i := range runs {
		if runs[i].name == name {
			return &runs[i]
		}
	}
	return nil
}

// Between the two ends of an interval: in most runs one side calls board.Start
// and the other, a goroutine or the stimulus handler, puts board.End here.
// Volatile, because handlers write them.
var (
	end   volatile.Register32
	fired volatile.Register8 // a handler or a goroutine has been there
)

// The channels between the measuring goroutine and the one it wakes. They are
// unbuffered and the woken one sends to ack only after it left its mark.
var (
	wake = make(chan struct{})
	ack  = make(chan struct{})
)

// empty is an interval with nothing in it.
func empty() uint32 {
	start := board.Start()
	end.Set(board.End())
	board.Clear()
	return end.Get() - start
}

func takeOverhead(samples []uint32, _ uint32) {
	ready()
	for i := range samples {
		samples[i] = empty()
	}
}

// takeGosched plays ping-pong with a second goroutine. Only the two are
// runnable, so each Gosched is one switch to the other.
func takeGosched(samples []uint32, _ uint32) {
	go func(n int) {
		for range n {
			runtime.Gosched()
			end.Set(board.End())
		}
	}(len(samples))
	runtime.Gosched() // up to the other's first Gosched
	ready()
	for i := range samples {
		start := board.Start()
		runtime.Gosched()
		board.Clear()
		samples[i] = end.Get() - start
	}
}

// takeChannel hands over to a goroutine that waits to receive. TinyGo's send
// only makes it runnable; it runs when the sender blocks on ack.
func takeChannel(samples []uint32, _ uint32) {
	go receiver(len(samples))
	runtime.Gosched() // up to its first receive
	ready()
	for i := range samples {
		start := board.Start()
		wake <- struct{}{}
		<-ack
		board.Clear()
		samples[i] = end.Get() - start
	}
}

// receiver marks the end of an interval each time it is woken.
func receiver(n int) {
	for range n {
		<-wake
		end.Set(board.End())
		ack <- struct{}{}
	}
}

// takeLaunch starts a goroutine that lives for one mark.
func takeLaunch(samples []uint32, letCollect uint32) {
	ready()
	for i := range samples {
		if letCollect == 0 {
			runtime.GC()
		}
		start := board.Start()
		go func() { end.Set(board.End()) }()
		runtime.Gosched()
		board.Clear()
		samples[i] = end.Get() - start
	}
}

// takeHandler raises the interrupt itself, from a loop that then waits for it.
func takeHandler(samples []uint32, _ uint32) {
	board.HandleStimulus(board.Rising, func(machine.Pin) {
		end.Set(board.End())
		fired.Set(1)
	})
	ready()
	for i := range samples {
		start := board.Start()
		board.RaiseStimulus()
		for fired.Get() == 0 {
		}
		board.Clear()
		fired.Set(0)
		samples[i] = end.Get() - start
	}
	board.HandleStimulus(board.Rising, nil)
}

// wakeReceiver is the handler that wakes a goroutine. The default, for edges
// that come before the receiver waits again, keeps the handler from blocking.
func wakeReceiver(machine.Pin) {
	select {
	case wake <- struct{}{}:
	default:
	}
}

// takeGoroutine is interrupted while it runs, then blocks, so that the woken
// goroutine can run.
func takeGoroutine(samples []uint32, _ uint32) {
	go receiver(len(samples))
	runtime.Gosched() // up to its first receive
	board.HandleStimulus(board.Rising, wakeReceiver)
	ready()
	for i := range samples {
		start := board.Start()
		board.RaiseStimulus()
		<-ack
		board.Clear()
		samples[i] = end.Get() - start
	}
	board.HandleStimulus(board.Rising, nil)
}

// takePoll has the other goroutine look at a flag each time it gets its turn.
func takePoll(samples []uint32, _ uint32) {
	go func(n int) {
		for range n {
			for fired.Get() == 0 {
				runtime.Gosched()
			}
			end.Set(board.End())
			fired.Set(0)
		}
	}(len(samples))
	runtime.Gosched() // up to its first Gosched
	board.HandleStimulus(board.Rising, func(machine.Pin) { fired.Set(1) })
	ready()
	for i := range samples {
		start := board.Start()
		board.RaiseStimulus()
		runtime.Gosched()
		for fired.Get() != 0 {
			runtime.Gosched()
		}
		board.Clear()
		samples[i] = end.Get() - start
	}
	board.HandleStimulus(board.Rising, nil)
}

// takeHandlerPin waits in a loop for edges. The start is the edge itself, which
// only a probe sees.
func takeHandlerPin(samples []uint32, _ uint32) {
	board.HandleStimulus(board.Rising, func(machine.Pin) {
		end.Set(board.End())
		fired.Set(1)
	})
	ready()
	for i := range samples {
		for fired.Get() == 0 {
		}
		board.Clear()
		samples[i] = end.Get()
		fired.Set(0)
	}
	board.HandleStimulus(board.Rising, nil)
}

// takeGoroutinePin has all goroutines blocked, so that the scheduler sleeps
// when the edge comes.
func takeGoroutinePin(samples []uint32, _ uint32) {
	go receiver(len(samples))
	runtime.Gosched() // up to its first receive
	board.HandleStimulus(board.Rising, wakeReceiver)
	ready()
	for i := range samples {
		<-ack
		board.Clear()
		samples[i] = end.Get()
	}
	board.HandleStimulus(board.Rising, nil)
}
