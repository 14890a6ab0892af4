//go:build tinygo

package main

import (
	"runtime"
	"runtime/volatile"

	"rigor/firmware/board"
	"rigor/firmware/runs"
	"rigor/firmware/wire"
)

// maxRate of releases in Hz.
const maxRate = 20_000

// tick has room for one release, so that the handler never finds the goroutine
// not yet waiting.
var tick = make(chan struct{}, 1)

// Between the handler and the goroutine.
var (
	pending  volatile.Register8  // a release was not served yet
	released volatile.Register32 // the cycle counter at the handler's mark
	causes   volatile.Register32 // what the handler found, and what came since
	missed   volatile.Register32 // releases while one was pending
	ticked   volatile.Register32 // board.Ticks at the release
	received volatile.Register32 // board.Received at the release
)

// release is the timer's interrupt.
func release() {
	if pending.Get() != 0 {
		missed.Set(missed.Get() + 1)
		return
	}
	released.Set(board.Start())
	c := current.Get()
	if board.JustTicked() {
		c |= wire.CauseTick
	}
	causes.Set(c)
	ticked.Set(board.Ticks())
	received.Set(board.Received())
	pending.Set(1)
	select {
	case tick <- struct{}{}:
	default:
	}
}

// releases makes the run of one scenario: work is the goroutine beside.
func releases(work func()) func(int, uint32) []uint32 {
	return func(count int, rate uint32) []uint32 {
		begin(work)
		runs.Ready()
		board.Every(board.TimerHz/max(rate, 1), release)
		for i := range count {
			serve(i)
		}
		board.StopTimer()
		board.Running(false)
		finish()
		return at[:count]
	}
}

// serve waits for a release and notes it.
func serve(i int) {
	<-tick
	cycles, now := board.EndAt()
	board.Clear()
	at[i], wake[i] = now, cycles-released.Get()
	c := causes.Get()
	if board.Ticks() != ticked.Get() {
		c |= wire.CauseTick
	}
	if board.Received() != received.Get() {
		c |= wire.CauseReceive
	}
	n := missed.Get()
	if n > 0 {
		c |= wire.CauseMissed
		missed.Set(0)
	}
	cause[i] = c | n<<wire.MissedShift
	pending.Set(0)
}

// The goroutine beside.
var (
	current volatile.Register32 // what it is doing: causes, 0 while it lets others run
	stop    volatile.Register8
	working volatile.Register8
	sink    []byte // keeps allocations from being optimised away
)

func begin(work func()) {
	pending.Set(0)
	missed.Set(0)
	stop.Set(0)
	if work == nil {
		return
	}
	working.Set(1)
	go func() {
		for stop.Get() == 0 {
			work()
			runtime.Gosched()
		}
		working.Set(0)
	}()
}

func finish() {
	for stop.Set(1); working.Get() != 0; {
		runtime.Gosched()
	}
}

// as does something that may hold up a release.
func as(cause uint32, do func()) {
	current.Set(cause)
	if pending.Get() != 0 {
		causes.Set(causes.Get() | cause)
	}
	do()
	current.Set(0)
}

// collectEvery is after how many allocations garbage is collected: before the
// heap is full, so that the allocator never does it unasked.
const collectEvery = 256

var allocations int

func allocate() {
	as(wire.CauseAllocate, func() { sink = make([]byte, 64) })
	if allocations++; allocations%collectEvery == 0 {
		as(wire.CauseCollect, runtime.GC)
	}
}

// echo sends back what it receives. WriteByte waits for the line.
func echo() {
	if b, ok := board.TryReadByte(); ok {
		as(wire.CauseWrite, func() { board.WriteByte(b) })
	}
}

// compete computes for 50 us at a time.
func compete() {
	as(wire.CauseCompete, func() {
		for began := board.Cycles(); board.Cycles()-began < board.CoreHz/20_000; {
		}
	})
}
