package spectrum

import (
	"fmt"
	"math"

	"rigor/firmware/wire/audio"
	"rigor/harness/rig"
	"rigor/harness/timebase"
	"rigor/probes"
)

// capturedRun is what a probe saw while sound was captured.
type capturedRun struct {
	onsets   []timebase.Ticks // sounds begin
	complete []timebase.Ticks // the last block of a transform is there
	results  []timebase.Ticks // a result goes to the UART
	bytes    []timebase.Ticks // start bits, and zeros within bytes
	frames   []timebase.Ticks // of I2S begin
}

// watched is an error if there was no probe.
func watched(c probes.Capture, l probes.Line) error {
	if c.Rate == 0 {
		return &rig.MissingError{What: fmt.Sprintf("probe that watches %s", l)}
	}
	return nil
}

// captured splits a capture into the times while the program captures sound.
func captured(c probes.Capture) (runs []capturedRun, err error) {
	if err := watched(c, running); err != nil {
		return nil, err
	}
	on := c.Initial[running]
	for _, e := range c.Edges {
		switch {
		case e.Line == running:
			if on = e.High; on {
				runs = append(runs, capturedRun{})
			}
		case on && len(runs) > 0:
			runs[len(runs)-1].take(e)
		}
	}
	if len(runs) == 0 {
		return nil, fmt.Errorf("the probe did not see %s rise", running)
	}
	return runs, nil
}

func (r *capturedRun) take(e probes.Edge) {
	switch {
	case e.Line == console && !e.High:
		r.bytes = append(r.bytes, e.At)
	case e.Line == frame && !e.High:
		r.frames = append(r.frames, e.At)
	case !e.High:
	case e.Line == stimulus:
		r.onsets = append(r.onsets, e.At)
	case e.Line == begun:
		r.complete = append(r.complete, e.At)
	case e.Line == ended:
		r.results = append(r.results, e.At)
	}
}

// interpolated is where a tone lies between bins by the powers of three of a transform
// without a window, the largest in the middle: the ratio of its neighbour's magnitude to
// its own is d/(1-d).
func interpolated(r audio.Result) float64 {
	above, sign := r.Power[2], 1.0
	if r.Power[1] > above {
		above, sign = r.Power[1], -1
	}
	ratio := math.Sqrt(float64(above) / float64(max(r.Power[0], 1)))
	return float64(r.Bin) + sign*ratio/(ratio+1)
}
