package board

import (
	"errors"
	"testing"

	"rigor/harness/sim/clock"
)

// receiving is a chip that keeps the microphone at its pins.
type receiving struct {
	fake
	sck, ws, sd Pin
	right       bool
	source      func(clock.Time) int32
}

var errPins = errors.New("no I2S there")

func (c *receiving) ConnectI2S(sck, ws, sd Pin, right bool, source func(clock.Time) int32) error {
	if sck == sd {
		return errPins
	}
	c.sck, c.ws, c.sd, c.right, c.source = sck, ws, sd, right, source
	return nil
}

func TestMicrophone(t *testing.T) {
	c := &receiving{}
	b, err := New(c, Wiring{Microphones: []MicrophoneWiring{{Name: "mic", SCK: "TX", WS: "RX", SD: "X", Right: true}}})
	if err != nil {
		t.Fatal(err)
	}
	m := b.Microphone("mic")
	if c.sck != tx || c.ws != rx || c.sd != other || !c.right || m == nil || m.Name() != "mic" || b.Microphone("") != nil {
		t.Fatalf("connected to %d, %d, %d, right: %v; found %v", c.sck, c.ws, c.sd, c.right, m)
	}
	if got := c.source(5); got != 0 {
		t.Errorf("silence is %d", got)
	}
	m.Hear(func(at clock.Time) int32 { return int32(at) * 1000 })
	for _, s := range []struct {
		at   clock.Time
		want int32
	}{{7, 7000}, {8388, 8_388_000}, {9000, 1<<23 - 1}, {-9000, -1 << 23}} {
		if got := c.source(s.at); got != s.want || m.Sample(s.at) != got {
			t.Errorf("at %d the chip receives %d, want %d", s.at, got, s.want)
		}
	}
	m.Hear(nil)
	if got := c.source(7); got != 0 {
		t.Errorf("after the sound %d", got)
	}
}

// What is heard is outside of the board.
func TestMicrophoneIsNoPartOfSnapshots(t *testing.T) {
	b, err := New(&receiving{}, Wiring{Microphones: []MicrophoneWiring{{Name: "mic", SCK: "TX", WS: "RX", SD: "X"}}})
	if err != nil {
		t.Fatal(err)
	}
	s, digest := b.Snapshot(), b.Digest()
	b.Microphone("mic").Hear(func(clock.Time) int32 { return 1 })
	if b.Digest() != digest {
		t.Error("a sound changes the digest")
	}
	b.Restore(s)
	if got := b.Microphone("mic").Sample(0); got != 1 {
		t.Errorf("after the restore %d is heard", got)
	}
}

func TestMicrophoneIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		chip   Chip
		wiring MicrophoneWiring
	}{
		"no I2S":   {&fake{}, MicrophoneWiring{SCK: "TX", WS: "RX", SD: "X"}},
		"no pin":   {&receiving{}, MicrophoneWiring{SCK: "TX", WS: "RX", SD: "Y"}},
		"not here": {&receiving{}, MicrophoneWiring{SCK: "X", WS: "RX", SD: "X"}},
	} {
		if _, err := New(c.chip, Wiring{Microphones: []MicrophoneWiring{c.wiring}}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
