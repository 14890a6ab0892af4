//go:build tinygo

package main

import (
	"math"

	"rigor/firmware/board"
	"rigor/firmware/fft"
	"rigor/firmware/wire/audio"
)

// What is done with each input, and the room for it.
var (
	config audio.Config
	input  [audio.MaxSize]int16
	fixed  [audio.MaxSize]fft.Point
	float  [audio.MaxSize]complex64
	took   uint32 // by the last transform, in core clock cycles
	peak   audio.Result
)

func configure(c audio.Config) {
	config = c
	if c.Transform == audio.Accelerator {
		board.EnableTransform(c.Size)
	}
}

// analyse transforms the input and finds the peak. It allocates nothing and knows no goroutines, so
// that either hart can do it.
func analyse() {
	prepare()
	began := board.Cycles()
	transform()
	took = board.Cycles() - began
	findPeak()
}

// prepare puts the input where the transform takes it from.
func prepare() {
	in := input[:config.Size]
	switch config.Transform {
	case audio.Accelerator:
		for i, v := range in {
			board.SetInput(i, v)
		}
	case audio.Fixed:
		for i, v := range in {
			fixed[i] = fft.Point{Re: v}
		}
	case audio.Float:
		for i, v := range in {
			float[i] = complex(float32(v), 0)
		}
	}
}

func transform() {
	switch config.Transform {
	case audio.Accelerator:
		board.Transform(config.Size)
	case audio.Fixed:
		fft.Fixed(fixed[:config.Size])
	case audio.Float:
		fft.Float(float[:config.Size])
	}
}

// power of a bin, which is at most 2^30 for inputs of 16 bits.
func power(bin int) uint32 {
	if config.Transform == audio.Float {
		re, im := real(float[bin]), imag(float[bin])
		return uint32(re*re + im*im + 0.5)
	}
	p := point(bin)
	re, im := int32(p.Re), int32(p.Im)
	return uint32(re*re) + uint32(im*im)
}

// point is one of the output in numbers of 16 bits.
func point(bin int) fft.Point {
	if config.Transform == audio.Fixed {
		return fixed[bin]
	}
	re, im := board.Output(bin)
	return fft.Point{Re: re, Im: im}
}

// findPeak looks at each bin once. A peak's neighbours may be the first and the
// middle one.
func findPeak() {
	before, here := power(0), power(1)
	peak.Bin, peak.Power = 0, [3]uint32{}
	for bin := 1; bin < config.Size/2; bin++ {
		after := power(bin + 1)
		if peak.Bin == 0 || here > peak.Power[0] {
			peak.Bin, peak.Power = uint32(bin), [3]uint32{here, before, after}
		}
		before, here = here, after
	}
}

// outputWord is a part of the output, real and imaginary in turn.
func outputWord(i int) uint32 {
	if config.Transform == audio.Float {
		part := real(float[i/2])
		if i%2 != 0 {
			part = imag(float[i/2])
		}
		return math.Float32bits(part)
	}
	p := point(i / 2)
	if i%2 != 0 {
		return uint32(int32(p.Im))
	}
	return uint32(int32(p.Re))
}
