// Package audio is what the program audio and the harness say to each other beyond
// package wire: names of commands, their parameters, and results.
package audio

import (
	"errors"
	"strconv"
	"strings"
)

// Commands. Count is how many samples are wanted.
const (
	// Param is a rate in Hz; the sample is the true rate in thousandths. It stays until the
	// next.
	CommandRate = "audio-rate"
	// Param is a Config's: sound is captured and transformed, as often as Count has
	// ResultWords. Each result leaves at once in a Log frame (AppendResult), and
	// after the run all of them as samples.
	CommandFFT = "fft"
	// The same without Log frames. Param is of LoadParam; samples are the Counts.
	CommandLoad = "fft-load"
	// Of the run before, for each of its transforms, in core clock cycles:
	CommandCycles = "fft-cycles" // the transform alone
	CommandWork   = "fft-work"   // taking the blocks, transform and search of the peak
	CommandWait   = "fft-wait"   // from the last block's interrupt until the worker has it
	// Of the run before: its Counts.
	CommandCounts = "fft-counts"
	// Of the last transform, its input: signed numbers.
	CommandInput = "fft-input"
	// Of the last transform, its output: real and imaginary parts in turn, signed numbers or the bits
	// of a float32.
	CommandOutput = "fft-output"
	// Param is a Config's: the input kept is transformed again, Count times. Samples
	// are the transforms' core clock cycles.
	CommandBench = "fft-bench"
)

// Limits.
const (
	MaxTransforms = 1000      // of a run
	MaxLoad       = 2047      // of CommandLoad
	MinRate       = 4000      // Hz
	MaxRate       = 1_536_000 // far beyond microphones, so that there is a rate that does not hold
	MaxSize       = 512
	Block         = 32 // samples
)

// Transform is a way of transforming.
type Transform uint8

const (
	Accelerator Transform = iota // the chip's own
	Fixed                        // in Go, 16-bit numbers
	Float                        // in Go, complex64
	transforms
)

func (t Transform) String() string {
	return [...]string{"accelerator", "fixed", "float"}[t]
}

// Config is what is to be done with the samples.
type Config struct {
	Size      int // points of a transform: 64, 128, 256 or 512
	Transform Transform
	Second    bool // the second hart does the work
}

// Configs is how many there are: a Config's Param is less.
const Configs = uint32(transforms) << 3

// Param is the parameter that says it in commands.
func (c Config) Param() uint32 {
	p := uint32(c.Transform) << 3
	if c.Second {
		p |= 1 << 2
	}
	for size := 64; size < c.Size; size *= 2 {
		p++
	}
	return p
}

// ConfigOf is the Config of a parameter less than Configs.
func ConfigOf(param uint32) Config {
	return Config{Size: 64 << (param & 3), Second: param&(1<<2) != 0, Transform: Transform(param >> 3)}
}

// LoadParam is the parameter of CommandLoad.
func LoadParam(c Config, transforms int) uint32 { return c.Param() + Configs*uint32(transforms) }

// ResultWords is how many samples a result has.
const ResultWords = 5

// Result is the peak of one transform: of its bins but the first and the middle one
// that with the most power.
type Result struct {
	Block uint32    // number of the input's last block in the run
	Bin   uint32    // from 1 to half the size less 1
	Power [3]uint32 // of it, and of the bins below and above it; squares of units of the input by size
}

// Words are its samples.
func (r Result) Words() [ResultWords]uint32 {
	return [ResultWords]uint32{r.Block, r.Bin, r.Power[0], r.Power[1], r.Power[2]}
}

// ResultOf is the result in samples, of which there are ResultWords.
func ResultOf(s []uint32) Result { return Result{s[0], s[1], [3]uint32(s[2:ResultWords])} }

// Results are the results in a run's samples.
func Results(samples []uint32) []Result {
	var all []Result
	for ; len(samples) >= ResultWords; samples = samples[ResultWords:] {
		all = append(all, ResultOf(samples))
	}
	return all
}

// Counts is what a run has counted.
type Counts struct {
	Captured   uint32 // blocks, dropped ones too
	Dropped    uint32 // blocks for which there was no room
	Overruns   uint32 // of the receiver's FIFO
	Transforms uint32
	Queued     uint32 // the most results that waited for the line
	Waiting    uint32 // the most blocks that waited to be transformed
}

// CountsWords is how many samples they have.
const CountsWords = 6

// Words are its samples.
func (c Counts) Words() [CountsWords]uint32 {
	return [CountsWords]uint32{c.Captured, c.Dropped, c.Overruns, c.Transforms, c.Queued, c.Waiting}
}

// CountsOf are the counts in samples.
func CountsOf(s [CountsWords]uint32) Counts { return Counts{s[0], s[1], s[2], s[3], s[4], s[5]} }

const resultStart = "fft "

// AppendResult appends the text of a result's Log frame to dst, for example
// "fft 43 8 1048576": its block, bin and power.
func AppendResult(dst []byte, r Result) []byte {
	dst = append(dst, resultStart...)
	dst = strconv.AppendUint(dst, uint64(r.Block), 10)
	dst = append(dst, ' ')
	dst = strconv.AppendUint(dst, uint64(r.Bin), 10)
	dst = append(dst, ' ')
	return strconv.AppendUint(dst, uint64(r.Power[0]), 10)
}

// ErrMalformed is a text that AppendResult did not write.
var ErrMalformed = errors.New("audio: malformed result")

// ParseResult decodes the text of a Log frame. Power has no neighbours.
func ParseResult(text string) (Result, error) {
	rest, ok := strings.CutPrefix(text, resultStart)
	words := strings.Split(rest, " ")
	if !ok || len(words) != 3 {
		return Result{}, ErrMalformed
	}
	var v [3]uint32
	for i, w := range words {
		n, err := strconv.ParseUint(w, 10, 32)
		if err != nil {
			return Result{}, ErrMalformed
		}
		v[i] = uint32(n)
	}
	r := Result{Block: v[0], Bin: v[1], Power: [3]uint32{v[2]}}
	if string(AppendResult(nil, r)) != text { // numbers written otherwise
		return Result{}, ErrMalformed
	}
	return r, nil
}
