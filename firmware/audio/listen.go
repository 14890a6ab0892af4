//go:build tinygo

package main

import (
	"runtime"
	"runtime/volatile"
	"unsafe"

	"rigor/firmware/board"
	"rigor/firmware/runs"
	"rigor/firmware/wire"
	"rigor/firmware/wire/audio"
)

// Between the interrupt, which fills the ring, and the worker, which takes from it. Blocks are
// counted from the run's start; the ring's slots follow one another.
var (
	filled   volatile.Register32 // blocks that are in the ring or were
	taken    volatile.Register32 // of them by the worker
	captured volatile.Register32 // blocks, dropped ones too
	overruns volatile.Register32
	numbers  [board.AudioSlots]volatile.Register32 // of the blocks in the ring
	marks    [board.AudioSlots]volatile.Register32 // the cycle counter when they came
)

// The channels by which the interrupt tells the worker to look, and the worker the main
// goroutine. They have room for one, so that the one who tells need not wait.
var (
	wake = make(chan struct{}, 1)
	news = make(chan struct{}, 1)
)

func notify(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// perTransform is how many blocks a transform takes.
func perTransform() uint32 { return uint32(config.Size / audio.Block) }

// capture is the interrupt of a block. If there is no room for the next one, this
// block is dropped, and its slot used again.
func capture(lost uint32) uint32 {
	overruns.Set(overruns.Get() + lost)
	number := captured.Get()
	captured.Set(number + 1)
	n := filled.Get()
	if n+1-taken.Get() >= board.AudioSlots {
		return n % board.AudioSlots
	}
	slot := n % board.AudioSlots
	numbers[slot].Set(number)
	n++
	filled.Set(n)
	if n%perTransform() == 0 {
		marks[slot].Set(board.Start())
		notify(wake)
	}
	return n % board.AudioSlots
}

// listen is a run whose results leave as they come.
func listen(count int, param uint32) []uint32 {
	n := count / audio.ResultWords
	streaming = true
	begin(param, n)
	for i := range n {
		stream(i)
	}
	end()
	return results[:n*audio.ResultWords]
}

// load is a run that keeps its results to itself.
func load(count int, param uint32) []uint32 {
	n := int(param / audio.Configs)
	streaming = false
	begin(param%audio.Configs, n)
	await(n)
	end()
	w := counts.Words()
	copy(words[:], w[:])
	return words[:count]
}

func begin(param uint32, transforms int) {
	configure(audio.ConfigOf(param))
	counts = audio.Counts{}
	for _, r := range [...]*volatile.Register32{&filled, &taken, &captured, &overruns, &worked} {
		r.Set(0)
	}
	runs.Ready()
	go serve(transforms)
	board.StartAudio(rate, capture)
}

func end() {
	board.StopAudio()
	board.Clear()
	counts.Captured = captured.Get()
	counts.Dropped = captured.Get() - filled.Get()
	counts.Overruns = overruns.Get()
	counts.Transforms = worked.Get()
}

// Between the worker and the main goroutine.
var (
	worked    volatile.Register32 // transforms
	streaming bool
)

// serve is the worker.
func serve(transforms int) {
	for i := range transforms {
		for filled.Get()-taken.Get() < perTransform() {
			<-wake
		}
		began := board.Cycles()
		counts.Waiting = max(counts.Waiting, filled.Get()-taken.Get())
		last := (taken.Get() + perTransform() - 1) % board.AudioSlots
		came, number := marks[last].Get(), numbers[last].Get()
		do(process)
		note(i, number)
		if i < audio.MaxTransforms {
			wait[i], cycles[i], work[i] = began-came, took, board.Cycles()-began
		}
		if !streaming {
			markEnd()
			board.Clear()
		}
		worked.Set(uint32(i) + 1)
		notify(news)
	}
}

// do has one of the harts do something. Other goroutines of this one go on while it is the other
// one.
func do(f func()) {
	if !config.Second {
		f()
		return
	}
	for board.OnSecond(f); board.SecondBusy(); {
		runtime.Gosched()
	}
}

// process takes a transform's blocks out of the ring.
func process() {
	n := taken.Get()
	for i := range perTransform() {
		board.Samples((n+i)%board.AudioSlots, input[i*audio.Block:])
	}
	taken.Set(n + perTransform())
	analyse()
}

func note(i int, number uint32) {
	peak.Block = number
	if i < audio.MaxTransforms {
		w := peak.Words()
		copy(results[i*audio.ResultWords:], w[:])
	}
}

// await waits for so many transforms.
func await(n int) {
	for worked.Get() < uint32(n) {
		<-news
	}
}

var (
	text  [64]byte
	frame [wire.MaxFrame]byte
)

// stream sends a result. The worker goes on whenever the line takes no more.
func stream(i int) {
	await(i + 1)
	counts.Queued = max(counts.Queued, worked.Get()-uint32(i))
	r := audio.ResultOf(results[i*audio.ResultWords:])
	t := audio.AppendResult(text[:0], r)
	bytes := wire.AppendLog(frame[:0], unsafe.String(&t[0], len(t)))
	markEnd()
	for _, b := range bytes {
		for !board.CanWrite() {
			runtime.Gosched()
		}
		board.WriteByte(b)
	}
	board.Clear()
}

// markEnd leaves the end mark, which the interrupt's must not come into.
func markEnd() {
	mask := board.Hold()
	board.End()
	board.Release(mask)
}
