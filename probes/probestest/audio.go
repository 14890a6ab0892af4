package probestest

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"rigor/harness/timebase"
	"rigor/probes"
)

// AudioBench is a source of sounds under test.
type AudioBench struct {
	Source probes.AudioSource
	Clock  timebase.Clock
	// Hears gives what reaches the microphone at a time on the clock that has passed.
	Hears func(at time.Time) probes.Amplitude
	// Accuracy is by how much an amplitude may be off.
	Accuracy probes.Amplitude
	// Slack is by how much the clock may be off when it says when a call was made.
	Slack time.Duration
}

// RunAudio tests a source of sounds; open gives a fresh bench each time and closes it
// by t.Cleanup.
func RunAudio(t *testing.T, open func(t *testing.T) AudioBench) {
	fresh := func(t *testing.T) *audioBench { return &audioBench{tester{t}, open(t)} }
	each(t, fresh, []check[*audioBench]{
		{"a source begins silent", (*audioBench).start},
		{"sounds are heard from their onset on", (*audioBench).follows},
		{"a sound replaces another and begins anew", (*audioBench).replaces},
		{"after the stop there is silence", (*audioBench).stop},
		{"a stop without a sound does nothing", (*audioBench).stopTwice},
		{"a sound that does not exist is refused and changes nothing", (*audioBench).refused},
		{"a cancelled context ends a call unbegun", (*audioBench).cancelled},
	})
}

type audioBench struct {
	tester
	AudioBench
}

// hum is slow enough for a clock's slack to matter little.
var hum = probes.Tone{Level: -3 * probes.Decibel, MicroHz: 10e6}

// play lets a sound be heard; its onset must lie within the call.
func (b *audioBench) play(s probes.Sound) probes.Onset {
	b.Helper()
	called := b.Clock.Now()
	o, err := b.Source.Play(b.Context(), s)
	if err != nil {
		b.Fatalf("play %T: %v", s, err)
	}
	if slack := o.Within + b.Slack; o.At.Before(called.Add(-slack)) || o.At.After(b.Clock.Now().Add(slack)) {
		b.Errorf("%T began at %v ± %v, played between %v and %v", s, o.At, o.Within, called, b.Clock.Now())
	}
	return o
}

func (b *audioBench) sleep(d time.Duration) {
	b.Helper()
	b.must("sleep", b.Clock.Sleep(b.Context(), d))
}

// hears checks the sound of now against what it has within the onset's error.
func (b *audioBench) hears(s probes.Sound, o probes.Onset) {
	b.Helper()
	now := b.Clock.Now()
	var may []probes.Amplitude
	const steps = 20
	for i := -steps; i <= steps; i++ {
		since := now.Sub(o.At) + time.Duration(i)*(o.Within+b.Slack)/steps
		a := probes.Amplitude(0)
		if since >= 0 {
			a = s.At(since.Nanoseconds() * 1000)
		}
		may = append(may, a)
	}
	got := b.Hears(now)
	if lo, hi := slices.Min(may)-b.Accuracy, slices.Max(may)+b.Accuracy; got < lo || got > hi {
		b.Errorf("%T is %d after %v, want %d to %d", s, got, now.Sub(o.At), lo, hi)
	}
}

func (b *audioBench) silent() {
	b.Helper()
	if got := b.Hears(b.Clock.Now()); got < -b.Accuracy || got > b.Accuracy {
		b.Errorf("%d is heard, want silence", got)
	}
}

func (b *audioBench) start() { b.silent() }

func (b *audioBench) follows() {
	const ms = time.Millisecond
	for _, s := range []probes.Sound{
		hum,
		probes.Mix{probes.Tone{Level: -12 * probes.Decibel, MicroHz: 7e6}, probes.Tone{Level: -9 * probes.Decibel, MicroHz: 11e6}},
		probes.Sweep{Level: -6 * probes.Decibel, From: 1e6, To: 20e6, Over: time.Second},
		probes.Clip{Rate: 100, Values: []int32{1 << 29, -1 << 30, 1 << 28, 0}, Linear: true, Repeat: true},
		probes.Clip{Rate: 100, Values: []int32{1 << 29, -1 << 30}, Linear: true}, // which ends
		probes.Silence{},
	} {
		o := b.play(s)
		for i := range 12 {
			b.sleep(4*ms + time.Duration(i)*123*time.Microsecond)
			b.hears(s, o)
		}
	}
}

func (b *audioBench) replaces() {
	for range 2 {
		o := b.play(hum)
		b.sleep(130 * time.Millisecond)
		b.hears(hum, o)
	}
}

func (b *audioBench) stop() {
	b.play(hum)
	b.sleep(20 * time.Millisecond)
	b.must("stop", b.Source.Stop(b.Context()))
	for range 5 {
		b.silent()
		b.sleep(15 * time.Millisecond)
	}
}

func (b *audioBench) stopTwice() {
	for range 2 {
		if err := b.Source.Stop(b.Context()); err != nil {
			b.Errorf("stop: %v", err)
		}
	}
	b.silent()
}

func (b *audioBench) refused() {
	o := b.play(hum)
	if _, err := b.Source.Play(b.Context(), probes.Tone{}); err == nil {
		b.Error("no error")
	}
	b.sleep(20 * time.Millisecond)
	b.hears(hum, o)
}

func (b *audioBench) cancelled() {
	o := b.play(hum)
	ctx, cancel := context.WithCancel(b.Context())
	cancel()
	if _, err := b.Source.Play(ctx, probes.Silence{}); !errors.Is(err, context.Canceled) {
		b.Errorf("play says %v, want %v", err, context.Canceled)
	}
	if err := b.Source.Stop(ctx); !errors.Is(err, context.Canceled) {
		b.Errorf("stop says %v, want %v", err, context.Canceled)
	}
	b.sleep(20 * time.Millisecond)
	b.hears(hum, o)
}
