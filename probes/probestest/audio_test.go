package probestest

import (
	"context"
	"testing"
	"time"

	"rigor/probes"
)

// speaker is a source of sounds in memory, with the ear beside it.
type speaker struct {
	instrument
	sound probes.Sound
	began time.Duration
}

func (s *speaker) Play(ctx context.Context, sound probes.Sound) (probes.Onset, error) {
	if err := ctx.Err(); err != nil && !s.has("plays when cancelled") {
		return probes.Onset{}, err
	}
	if s.has("plays before it checks") {
		s.sound = probes.Silence{}
	}
	if err := sound.Check(); err != nil {
		return probes.Onset{}, err
	}
	s.sound = sound
	if s.began == 0 || !s.has("never begins anew") {
		s.began = s.now
	}
	o := probes.Onset{At: s.Now()}
	switch s.defect {
	case "begins before the call":
		o.At = o.At.Add(-time.Microsecond)
	case "begins after the call":
		o.At = o.At.Add(time.Microsecond)
	}
	return o, nil
}

func (s *speaker) Stop(ctx context.Context) error {
	if err := ctx.Err(); err != nil && !s.has("stops when cancelled") {
		return err
	}
	if !s.has("never stops") {
		s.sound = nil
	}
	return nil
}

func (s *speaker) hears(at time.Time) probes.Amplitude {
	since := at.Sub(s.Now()) + s.now - s.began
	switch {
	case s.sound == nil && s.has("hums by itself"):
		return hum.At(since.Nanoseconds() * 1000)
	case s.sound == nil:
		return 0
	case s.has("late"):
		since = max(since-10*time.Microsecond, 0)
	case s.has("too loud"):
		return 2 * s.sound.At(since.Nanoseconds()*1000)
	}
	return s.sound.At(since.Nanoseconds() * 1000)
}

func runAudio(t *testing.T, defect string) {
	RunAudio(t, func(t *testing.T) AudioBench {
		s := &speaker{instrument: instrument{defect: defect, now: time.Millisecond}}
		return AudioBench{Source: s, Clock: s, Hears: s.hears}
	})
}

func TestGoodSpeaker(t *testing.T) { runAudio(t, "") }

func TestAudioDefectsAreFound(t *testing.T) {
	findsDefects(t, runAudio, map[string]string{
		"hums by itself":         "a_source_begins_silent",
		"late":                   "sounds_are_heard",
		"too loud":               "sounds_are_heard",
		"begins before the call": "sounds_are_heard",
		"begins after the call":  "sounds_are_heard",
		"never begins anew":      "a_sound_replaces",
		"never stops":            "after_the_stop",
		"plays before it checks": "a_sound_that_does_not_exist",
		"plays when cancelled":   "a_cancelled_context",
		"stops when cancelled":   "a_cancelled_context",
	})
}
