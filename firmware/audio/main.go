//go:build tinygo

// Audio listens: sound is sampled at a steady rate and comes in blocks of 32, by I2S and DMA,
// into a ring. A worker goroutine takes as many as a transform has points, transforms
// them, and looks for the peak; what it finds leaves over the console at once. The commands are
// documented in firmware/wire/audio.
//
// A transform is done by the chip's accelerator, or in Go with numbers of 16 bits or with complex64;
// by the hart that all goroutines run on, or the other one.
//
// The interrupt that completes a transform's input leaves the start mark (see firmware/board), and
// the first byte of what comes of it the end mark. Times stay in RAM until the run is
// over.
package main

import (
	"rigor/firmware/board"
	"rigor/firmware/runs"
	"rigor/firmware/wire/audio"
)

func main() {
	board.Init()
	runs.Overhead = leastOverhead()
	const configs = audio.Configs - 1
	runs.Serve("audio", []runs.Run{
		{Name: audio.CommandRate, MaxCount: 1, MaxParam: audio.MaxRate, Take: setRate},
		{Name: audio.CommandFFT, MaxCount: audio.MaxTransforms * audio.ResultWords, MaxParam: configs, Take: listen},
		{Name: audio.CommandLoad, MaxCount: audio.CountsWords, MaxParam: audio.Configs*(audio.MaxLoad+1) - 1, Take: load},
		{Name: audio.CommandCycles, MaxCount: audio.MaxTransforms, Take: tell(cycles[:])},
		{Name: audio.CommandWork, MaxCount: audio.MaxTransforms, Take: tell(work[:])},
		{Name: audio.CommandWait, MaxCount: audio.MaxTransforms, Take: tell(wait[:])},
		{Name: audio.CommandCounts, MaxCount: audio.CountsWords, Take: tellCounts},
		{Name: audio.CommandInput, MaxCount: audio.MaxSize, Take: tellInput},
		{Name: audio.CommandOutput, MaxCount: 2 * audio.MaxSize, Take: tellOutput},
		{Name: audio.CommandBench, MaxCount: audio.MaxTransforms, MaxParam: configs, Take: bench},
	})
}

// What runs leave for the commands that ask for it afterwards.
var (
	results [audio.MaxTransforms * audio.ResultWords]uint32
	cycles  [audio.MaxTransforms]uint32
	work    [audio.MaxTransforms]uint32
	wait    [audio.MaxTransforms]uint32
	counts  audio.Counts
	words   [2 * audio.MaxSize]uint32 // room for what a command asks for
)

// tell sends what the run before has left.
func tell(series []uint32) func(int, uint32) []uint32 {
	return func(count int, _ uint32) []uint32 {
		runs.Accept()
		return series[:count]
	}
}

func tellCounts(count int, _ uint32) []uint32 {
	runs.Accept()
	w := counts.Words()
	copy(words[:], w[:])
	return words[:count]
}

func tellInput(count int, _ uint32) []uint32 {
	runs.Accept()
	for i, v := range input[:count] {
		words[i] = uint32(int32(v))
	}
	return words[:count]
}

func tellOutput(count int, _ uint32) []uint32 {
	runs.Accept()
	for i := range words[:count] {
		words[i] = outputWord(i)
	}
	return words[:count]
}

var rate uint32 = 16000 // Hz

// setRate tries the rate out.
func setRate(_ int, hz uint32) []uint32 {
	runs.Accept()
	rate = max(hz, audio.MinRate)
	words[0] = board.StartAudio(rate, func(uint32) uint32 { return 0 })
	board.StopAudio()
	return words[:1]
}

// bench transforms the input kept, again and again.
func bench(count int, param uint32) []uint32 {
	configure(audio.ConfigOf(param))
	runs.Ready()
	for i := range count {
		prepare()
		cycles[i] = timed()
	}
	return cycles[:count]
}

// timed is a transform between two marks.
func timed() uint32 {
	took := board.Start()
	transform()
	took = board.End() - took
	board.Clear()
	return took
}

// leastOverhead is the time between two marks with nothing in between. The
// least of several: the first ones fill the caches.
func leastOverhead() uint32 {
	least := ^uint32(0)
	for range 16 {
		took := board.Start()
		took = board.End() - took
		board.Clear()
		least = min(least, took)
	}
	return least
}
