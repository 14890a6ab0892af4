package measure

import (
	"fmt"
	"slices"
)

// Quantities of what is heard, by the sound that is played: see [Under]. Those by the
// harness judge the samples, those by the firmware its own transform of them.
const (
	Spectra            = "spectrum" // levels of all bins; the sample's clock is the rate that was sampled at
	PeakFrequencyError = "peak-frequency-error"
	PeakLevelError     = "peak-level-error"
	SignalToNoise      = "signal-to-noise"
	SignalToAll        = "sinad"
	Distortion         = "harmonic-distortion"
	Leakage            = "spectral-leakage"
	NoiseFloor         = "noise-floor"
	TonesDip           = "tones-dip"

	SoundTone      = "tone"    // of a bin
	SoundBetween   = "between" // a tone between two bins
	SoundTones     = "tones"   // two
	SoundSweep     = "sweep"
	SoundNoise     = "noise"
	SoundRecording = "recording"
)

// Quantities of transforms, by variant and size: see [Transforming].
const (
	TransformTime  = "transform-time"
	TransformRate  = "transform-rate"
	TransformError = "transform-error"
	TransformAlike = "transform-alike" // fixed-point and accelerator, by size alone: see [Under]
)

// Variants and sizes of transforms.
const (
	Accelerator = "accelerator"
	FixedPoint  = "fixed"
	FloatPoint  = "float"
)

// The transforms side by side.
var (
	TransformVariants = []string{Accelerator, FixedPoint, FloatPoint}
	TransformSizes    = []int{64, 128, 256, 512}
)

// Transforming names a quantity of transforms.
func Transforming(what, variant string, size int) string {
	return fmt.Sprintf("%s-%s-%d", what, variant, size)
}

// Quantities of the pipeline from microphone to UART, all but the last two by worker: see
// [Under].
const (
	AudioBlocksDropped = "audio-blocks-dropped"
	AudioOverruns      = "audio-overruns"
	AudioHighestRate   = "audio-highest-rate"
	AudioLatency       = "audio-latency"
	AudioLatencyJitter = "audio-latency-jitter"
	AudioOverhead      = "audio-scheduling-overhead"
	AudioWork          = "audio-work"
	AudioResponse      = "audio-response"
	AudioJitter        = "audio-jitter"
	AudioRateError     = "audio-rate-error"
	AudioFrames        = "audio-frames"
)

// SecondHart is the pipeline with the fixed-point transforms on the second hart.
const SecondHart = "fixed-second-hart"

// Workers are the pipeline's variants: the three transforms on the first hart, and that.
var Workers = []string{Accelerator, FixedPoint, FloatPoint, SecondHart}

// audio are the quantities of the program audio.
func audio() []Quantity {
	all := []Quantity{
		{NoiseFloor, "Level of what is sampled in silence", Lower},
		{TonesDip, "Depth of the dip between the peaks of two tones four bins apart, below the lower one", Higher},
		{Under(SignalToNoise, SoundTone), "Power of a tone of a bin's frequency against what is neither it nor its harmonics", Higher},
		{Under(SignalToAll, SoundTone), "Power of a tone of a bin's frequency against all that is beside it", Higher},
		{Under(Distortion, SoundTone), "Power of the harmonics of a tone of a bin's frequency against its own", Lower},
		{Under(Leakage, SoundBetween), "Power of a tone between two bins outside of its main lobe, against its own", Lower},
		{AudioFrames, "Frames of I2S a second between microphone and chip while sound is captured", Neither},
		{AudioRateError, "Rate of samples by the interrupts that end blocks, less what the program says", NearerZero},
	}
	for sound, of := range inOrder(SoundTone, "a tone of a bin's frequency", SoundBetween, "a tone between two bins",
		SoundTones, "two tones", SoundSweep, "a sweep", SoundNoise, "noise", SoundRecording, "a recording") {
		all = append(all,
			Quantity{Under(Spectra, sound), "Levels of the bins of " + of + ", from 0 to half the rate", Neither},
			Quantity{Under(PeakFrequencyError, sound), "Frequency of each peak of " + of + ", less what was played", NearerZero},
			Quantity{Under(PeakLevelError, sound), "Level of " + of + ", less what was played", NearerZero})
	}
	return slices.Concat(all, transforms(), pipelines())
}

func transforms() (all []Quantity) {
	for _, size := range TransformSizes {
		all = append(all, Quantity{Under(TransformAlike, fmt.Sprint(size)),
			fmt.Sprintf("Bins of %d points that fixed-point code gives to the bit as the accelerator does", size), Higher})
		for variant, by := range inOrder(Accelerator, "by the accelerator", FixedPoint, "in fixed-point Go", FloatPoint, "in floating-point Go") {
			of := fmt.Sprintf("transform of %d points %s", size, by)
			all = append(all,
				Quantity{Transforming(TransformTime, variant, size), "Begin of a " + of + " to its end", Lower},
				Quantity{Transforming(TransformRate, variant, size), "How often a second a " + of + " is done, one after the other", Higher},
				Quantity{Transforming(TransformError, variant, size), "Power by which a " + of + " is off, against the exact one's", Lower})
		}
	}
	return all
}

func pipelines() (all []Quantity) {
	for worker, by := range inOrder(Accelerator, "blocks transformed by the accelerator", FixedPoint, "blocks transformed in fixed-point Go",
		FloatPoint, "blocks transformed in floating-point Go", SecondHart, "blocks transformed in fixed-point Go on the second hart") {
		all = append(all,
			Quantity{Under(AudioBlocksDropped, worker), "Blocks of samples dropped at 16 kHz, " + by, Lower},
			Quantity{Under(AudioOverruns, worker), "Overruns of the receiver at 16 kHz, " + by, Lower},
			Quantity{Under(AudioHighestRate, worker), "Highest rate of samples at which nothing is dropped, " + by, Higher},
			Quantity{Under(AudioLatency, worker), "Onset of a sound to the first start bit of what tells of it, " + by, Lower},
			Quantity{Under(AudioLatencyJitter, worker), "Deviation of that time from the promptest one, " + by, Lower},
			Quantity{Under(AudioOverhead, worker), "Interrupt that completes a block to the worker's first action on it, " + by, Lower},
			Quantity{Under(AudioWork, worker), "Worker's first action on a block to the peak's being found, " + by, Lower},
			Quantity{Under(AudioResponse, worker), "Interrupt that completes a block to the first byte of its result, " + by, Lower},
			Quantity{Under(AudioJitter, worker), "Deviation of the time between two results from the blocks' period, " + by, NearerZero})
	}
	return all
}
