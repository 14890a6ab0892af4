package virtual

import (
	"context"
	"fmt"
	"time"

	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
	"rigor/harness/timebase"
	"rigor/probes"
)

// Audio plays sounds to a microphone of a virtual board. They begin at once, and the
// microphone hears them as they are.
type Audio struct {
	board      *board.Board
	microphone *board.Microphone
	now        func() time.Time
}

var _ probes.AudioSource = (*Audio)(nil)

// NewAudio makes a source for one of a board's microphones; the clock is the rig's.
func NewAudio(b *board.Board, m *board.Microphone, c timebase.Clock) *Audio {
	return &Audio{b, m, c.Now}
}

// Play lets a sound be heard from now on.
func (a *Audio) Play(ctx context.Context, s probes.Sound) (probes.Onset, error) {
	err := ctx.Err()
	if err == nil {
		err = s.Check()
	}
	if err != nil {
		return probes.Onset{}, fmt.Errorf("play to %s: %w", a.microphone.Name(), err)
	}
	a.microphone.Hear(soundOf(s, a.board.Now()))
	return probes.Onset{At: a.now(), Calibrated: true}, nil
}

// Stop ends the sound.
func (a *Audio) Stop(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("stop the sound at %s: %w", a.microphone.Name(), err)
	}
	a.microphone.Hear(nil)
	return nil
}

// step is an amplitude's worth of a microphone's sample of 24 bits.
const step = int64(probes.FullScale) >> 23

// soundOf is a sound that began at a time, as samples of 24 bits.
func soundOf(s probes.Sound, start clock.Time) func(clock.Time) int32 {
	const loudest = 1 << 23 // more is cut off by the microphone
	return func(at clock.Time) int32 {
		if at < start {
			return 0
		}
		rounded := (int64(s.At(int64(at-start))) + step/2) >> 8
		return int32(min(max(rounded, -loudest), loudest))
	}
}
