package measure

import "fmt"

// Quantities of what is heard, by the sound that is played: see [Under]. Those by the
// harness judge the samples, those by the firmware its own transform of them.
const (
	Spectra            = "spectrum" // levels of all bins; the sample's clock is the rate that was sampled at
	PeakFrequencyError = "peak-frequency-error"
	PeakLevelError     = "peak-level-error"
	SignalToNoise      = "signal-to-noise"
	Leakage            = "spectral-leakage"
	NoiseFloor         = "noise-floor"
	TonesDip           = "tones-dip"

	SoundTone    = "tone"    // of a bin
	SoundBetween = "between" // a tone between two bins
	SoundTones   = "tones"   // two
	SoundSweep   = "sweep"
	SoundNoise   = "noise"
	SoundSilence = "silence"
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

// Quantities of the pipeline from microphone to UART, by variant: see [Under].
const (
	AudioBlocksDropped = "audio-blocks-dropped"
	AudioOverruns      = "audio-overruns"
	AudioHighestRate   = "audio-highest-rate"
	AudioLatency       = "audio-latency"
	AudioLatencyJitter = "audio-latency-jitter"
	AudioOverhead      = "audio-scheduling-overhead"
	AudioBlockJitter   = "audio-block-jitter"
)

// SecondHart is the pipeline with the fixed-point transforms on the second hart.
const SecondHart = "fixed-second-hart"

// Workers are the pipeline's variants: the three transforms on the first hart, and that.
var Workers = []string{Accelerator, FixedPoint, FloatPoint, SecondHart}

// audio are the quantities of the program audio.
func audio() (all []Quantity) {
	for sound, of := range inOrder(SoundTone, "a tone of a bin's frequency", SoundBetween, "a tone between two bins", SoundTones, "two tones",
		SoundSweep, "a sweep", SoundNoise, "noise", SoundSilence, "silence") {
		all = append(all,
			Quantity{Under(Spectra, sound), "Levels of the bins of " + of + ", from 0 to half the rate"},
			Quantity{Under(PeakFrequencyError, sound), "Frequency of the strongest peak of " + of + ", less what was played"},
			Quantity{Under(PeakLevelError, sound), "Level of " + of + ", less what was played"},
			Quantity{Under(SignalToNoise, sound), "Power of " + of + " against all that is beside it"},
			Quantity{Under(Leakage, sound), "Power of " + of + " outside of the main lobe, against its own"},
			Quantity{Under(NoiseFloor, sound), "Level of what is left of " + of + " without its peaks"})
	}
	all = append(all, Quantity{TonesDip, "Depth of the dip between the peaks of two tones, below the lower one"})
	for _, size := range TransformSizes {
		all = append(all, Quantity{Under(TransformAlike, fmt.Sprint(size)),
			fmt.Sprintf("Bins of %d points that fixed-point code gives to the bit as the accelerator does", size)})
		for variant, by := range inOrder(Accelerator, "by the accelerator", FixedPoint, "in fixed-point Go", FloatPoint, "in floating-point Go") {
			of := fmt.Sprintf("transform of %d points %s", size, by)
			all = append(all,
				Quantity{Transforming(TransformTime, variant, size), "Begin of a " + of + " to its end"},
				Quantity{Transforming(TransformRate, variant, size), "How often a second the " + of + " is done, one after the other"},
				Quantity{Transforming(TransformError, variant, size), "Power by which a " + of + " is off, against the exact one's"})
		}
	}
	for worker, by := range inOrder(Accelerator, "transformed by the accelerator", FixedPoint, "transformed in fixed-point Go",
		FloatPoint, "transformed in floating-point Go", SecondHart, "transformed in fixed-point Go on the second hart") {
		all = append(all,
			Quantity{Under(AudioBlocksDropped, worker), "Blocks of samples dropped at 16 kHz, " + by},
			Quantity{Under(AudioOverruns, worker), "Overruns of the receiver at 16 kHz, blocks " + by},
			Quantity{Under(AudioHighestRate, worker), "Highest rate of samples at which no block is dropped, blocks " + by},
			Quantity{Under(AudioLatency, worker), "Onset of a sound to the start bit of the first byte that tells of it, blocks " + by},
			Quantity{Under(AudioLatencyJitter, worker), "Deviation of that time from the promptest one, blocks " + by},
			Quantity{Under(AudioOverhead, worker), "Block complete to the worker's first action on it, blocks " + by},
			Quantity{Under(AudioBlockJitter, worker), "Deviation of the time between two blocks' ends of work from the blocks' period, " + by})
	}
	return all
}
