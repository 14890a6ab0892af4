package player

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rigor/harness/timebase"
	"rigor/probes"
	"rigor/probes/probestest"
)

// The test's own binary is the command that plays: it keeps the file, as a loudspeaker
// would sound it, and goes on until it is ended.
const (
	heardVariable = "RIGOR_TEST_HEARD"
	failVariable  = "RIGOR_TEST_FAIL"
)

func TestMain(m *testing.M) {
	heard := os.Getenv(heardVariable)
	if heard == "" {
		os.Exit(m.Run())
	}
	if os.Getenv(failVariable) != "" {
		os.Stderr.WriteString("no such device\n")
		os.Exit(3)
	}
	file, err := os.ReadFile(os.Args[len(os.Args)-1])
	if err == nil {
		err = os.WriteFile(heard+".new", file, 0o600)
	}
	if err == nil {
		err = os.Rename(heard+".new", heard)
	}
	if err != nil {
		panic(err)
	}
	select {}
}

// room is where the sound is heard.
type room struct {
	t    *testing.T
	file string
	p    *Player
	o    probes.Onset
}

const within = 5 * time.Millisecond

func enter(t *testing.T) *room {
	t.Helper()
	r := &room{t: t, file: filepath.Join(t.TempDir(), "heard.wav")}
	t.Setenv(heardVariable, r.file)
	t.Setenv("TMPDIR", t.TempDir())
	r.p = New(Config{Command: []string{os.Args[0], "-D", "hw:1"}, Delay: time.Millisecond, Within: within}, timebase.Host{})
	t.Cleanup(func() {
		r.p.end()
		if left, _ := filepath.Glob(filepath.Join(os.TempDir(), "*.wav")); len(left) > 0 {
			t.Errorf("files are left: %v", left)
		}
	})
	return r
}

func (r *room) Play(ctx context.Context, s probes.Sound) (probes.Onset, error) {
	o, err := r.p.Play(ctx, s)
	if err == nil {
		r.o = o
	}
	return o, err
}

func (r *room) Stop(ctx context.Context) error { return r.p.Stop(ctx) }

// hears takes the amplitude from the file that the command was given, if it plays.
func (r *room) hears(at time.Time) probes.Amplitude {
	if r.p.now == nil {
		return 0
	}
	file, err := os.ReadFile(r.p.now.file)
	if err != nil {
		r.t.Fatal(err)
	}
	c, err := probes.ReadWAV(file)
	if err != nil {
		r.t.Fatal(err)
	}
	return c.At(at.Sub(r.o.At).Nanoseconds() * 1000)
}

func TestConformance(t *testing.T) {
	probestest.RunAudio(t, func(t *testing.T) probestest.AudioBench {
		r := enter(t)
		return probestest.AudioBench{
			Source: r, Clock: timebase.Host{}, Hears: r.hears,
			Accuracy: 1 << 16, // a step of 16 bits, and between two samples
			Slack:    100 * time.Millisecond,
		}
	})
}

// The command gets a file of the sound, behind its own arguments.
func TestCommandPlaysTheFile(t *testing.T) {
	r := enter(t)
	tone := probes.Tone{Level: -6 * probes.Decibel, MicroHz: 440e6}
	o, err := r.p.Play(t.Context(), tone)
	if err != nil || o.Within != within || o.Calibrated {
		t.Fatalf("%+v, %v", o, err)
	}
	var file []byte
	for range 500 { // the command is another process
		if file, err = os.ReadFile(r.file); err == nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	c, err := probes.ReadWAV(file)
	if err != nil || c.Rate != rate || len(c.Values) != rate*20 {
		t.Fatalf("%d samples at %v: %v", len(c.Values), c.Rate, err)
	}
	if err := r.p.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

// A command that fails is told of, at the latest when the sound ends.
func TestFailures(t *testing.T) {
	r := enter(t)
	r.p.config.Command = []string{"/nowhere"}
	if _, err := r.p.Play(t.Context(), probes.Silence{}); err == nil {
		t.Error("a command that is not there plays")
	}
	r.p.config.Command = []string{os.Args[0]}
	t.Setenv(failVariable, "1")
	if _, err := r.p.Play(t.Context(), probes.Silence{}); err != nil {
		t.Fatal(err)
	}
	<-r.p.now.ended
	if err := r.p.Stop(t.Context()); err == nil || !strings.Contains(err.Error(), "no such device") {
		t.Errorf("of a command that ended early it is told: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.p.Play(ctx, probes.Silence{}); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "play by") {
		t.Errorf("%v", err)
	}
}
