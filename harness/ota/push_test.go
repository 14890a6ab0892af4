package ota_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"rigor/firmware/wire"
	wireota "rigor/firmware/wire/ota"
	"rigor/harness/ota"
)

var chips = []string{"stm32f407", "esp32c3", "k210"}

const (
	v100 = ota.Version(1 << 24)
	v110 = v100 + 1<<16
	v120 = v110 + 1<<16
)

// scene is a board that runs version 1.0.0, and updates to 1.1.0.
type scene struct {
	old, new   *ota.Program
	full, diff *ota.Package
	factory    []byte
}

func newScene(t testing.TB, chip string) scene {
	t.Helper()
	s := scene{old: program(t, chip, 0, v100, 12_000), new: program(t, chip, 1, v110, 12_400)}
	s.full = pack(t, s.new, ota.Options{Counter: 1})
	s.diff = pack(t, s.new, ota.Options{Counter: 1, Base: s.old})
	s.factory = factory(t, chip, pack(t, s.old, ota.Options{}))
	return s
}

// runs checks that a board runs a program, confirmed.
func (b *fakeBoard) runs(t *testing.T, p *ota.Program) {
	t.Helper()
	a, err := b.client().Query(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if a.State != wireota.Idle || a.Version != uint32(p.Version) || !bytes.Equal(b.image(a.Slot, len(p.Image)), p.Image) {
		t.Errorf("the board is %v and runs %v in slot %d, want %v, idle, and its image", a.State, ota.Version(a.Version), a.Slot, p.Version)
	}
}

func TestPush(t *testing.T) {
	for _, chip := range chips {
		s := newScene(t, chip)
		for name, p := range map[string]*ota.Package{"full": s.full, "difference": s.diff} {
			b := newBoard(t, chip, s.factory)
			b.runs(t, s.old)
			r, err := b.client().Push(t.Context(), p)
			if err != nil {
				t.Fatalf("%s, %s: %v", chip, name, err)
			}
			b.runs(t, s.new)
			if want := (len(p.Payload) + 251) / 252; b.pieces != want || r.Counts.Repeats != 0 || r.Counts.Late != 0 {
				t.Errorf("%s, %s: %d pieces, want %d; %+v", chip, name, b.pieces, want, r.Counts)
			}
			if got := fmt.Sprint(ops(r)); got != "[query offer piece install restart confirm]" {
				t.Errorf("%s, %s: steps %s", chip, name, got)
			}
		}
		if len(s.diff.Payload)*2 > len(s.full.Payload) {
			t.Errorf("%s: the difference has %d bytes, the full image %d", chip, len(s.diff.Payload), len(s.full.Payload))
		}
	}
}

func ops(r ota.Result) (all []wireota.Op) {
	for _, s := range r.Steps {
		all = append(all, s.Op)
	}
	return all
}

// A push of what runs does nothing; the next update goes to the slot that the last one left.
func TestPushAgain(t *testing.T) {
	for _, chip := range chips {
		s := newScene(t, chip)
		b := newBoard(t, chip, s.factory)
		for range 2 {
			if _, err := b.client().Push(t.Context(), s.diff); err != nil {
				t.Fatal(err)
			}
		}
		if want := (len(s.diff.Payload) + 251) / 252; b.pieces != want {
			t.Errorf("%s: %d pieces for two pushes, want %d", chip, b.pieces, want)
		}
		third := program(t, chip, 0, v120, 12_000)
		if _, err := b.client().Push(t.Context(), pack(t, third, ota.Options{Counter: 1, Base: s.new})); err != nil {
			t.Fatal(err)
		}
		b.runs(t, third)
	}
}

// Whatever a line does to frames, the update arrives, and in the same way each time.
func TestPushOverBadLine(t *testing.T) {
	worst := ota.Losses{Dropped: 150, Repeated: 150, Delayed: 150, Damaged: 150}
	for name, l := range map[string]ota.Losses{
		"drops": {Dropped: 300}, "repeats": {Repeated: 500}, "delays": {Delayed: 300}, "damages": {Damaged: 300}, "all": worst,
	} {
		for _, chip := range chips {
			s := newScene(t, chip)
			for seed := range uint64(4) {
				var counts [2]ota.Counts
				for i := range counts {
					b := newBoard(t, chip, s.factory)
					c := &ota.Client{Link: ota.Serial(ota.NewLossy(b, seed, l), b, nil), Clock: b}
					r, err := c.Push(t.Context(), s.diff)
					if err != nil {
						t.Fatalf("%s, %s, seed %d: %v", name, chip, seed, err)
					}
					b.said = nil
					b.runs(t, s.new)
					counts[i] = r.Counts
				}
				if counts[0] != counts[1] {
					t.Errorf("%s, %s, seed %d: %+v, then %+v", name, chip, seed, counts[0], counts[1])
				}
				if n := counts[0]; n.Repeats+n.Late == 0 {
					t.Errorf("%s, %s, seed %d: nothing was lost or came twice: %+v", name, chip, seed, n)
				}
			}
		}
	}
}

// The power fails in each flash operation of an update, once, and the same push goes on.
func TestPushThroughPowerCuts(t *testing.T) {
	for _, chip := range chips {
		s := newScene(t, chip)
		whole := newBoard(t, chip, s.factory)
		if _, err := whole.client().Push(t.Context(), s.diff); err != nil {
			t.Fatal(err)
		}
		for cut := range whole.ops {
			b := newBoard(t, chip, s.factory)
			b.cut = cut
			if _, err := b.client().Push(t.Context(), s.diff); err != nil {
				t.Errorf("%s, cut in operation %d: %v", chip, cut, err)
				continue
			}
			if b.cut >= 0 {
				t.Errorf("%s: the power did not fail in operation %d of %d", chip, cut, whole.ops)
			}
			b.runs(t, s.new)
		}
	}
}

// An interrupted push is resumed by another, which sends only what is missing.
func TestPushResumes(t *testing.T) {
	for _, chip := range chips {
		s := newScene(t, chip)
		pieces := (len(s.full.Payload) + 251) / 252
		b := newBoard(t, chip, s.factory)
		ctx, cancel := context.WithCancel(t.Context())
		c := b.client()
		c.Progress = func(e ota.Event) {
			if e.Op == wireota.Piece && b.pieces == 10 {
				cancel()
			}
		}
		if _, err := c.Push(ctx, s.full); !errors.Is(err, context.Canceled) {
			t.Fatalf("%s: %v, want %v", chip, err, context.Canceled)
		}
		b.start()
		if _, err := b.client().Push(t.Context(), s.full); err != nil {
			t.Fatal(err)
		}
		b.runs(t, s.new)
		if b.pieces != pieces {
			t.Errorf("%s: %d pieces were sent in all, the payload has %d", chip, b.pieces, pieces)
		}
	}
}

func TestPushReverted(t *testing.T) {
	for _, chip := range chips {
		s := newScene(t, chip)
		b := newBoard(t, chip, s.factory)
		b.broken = uint32(v110)
		_, err := b.client().Push(t.Context(), s.diff)
		var reverted *ota.RevertedError
		if !errors.As(err, &reverted) || reverted.Boot == nil || reverted.Boot.Why != wireota.Reverted {
			t.Fatalf("%s: got %v, want it to be reverted", chip, err)
		}
		b.runs(t, s.old)
	}
}

// The board is asked in steps, as suites do.
func TestSteps(t *testing.T) {
	s := newScene(t, "k210")
	b := newBoard(t, "k210", s.factory)
	c, ctx := b.client(), t.Context()
	expect := func(a wireota.Answer, err error, state wireota.State) {
		t.Helper()
		if err != nil || a.State != state {
			t.Fatalf("the board is %v, %v, want %v", a.State, err, state)
		}
	}
	a, err := c.Offer(ctx, s.diff.Manifest[:])
	expect(a, err, wireota.Receiving)
	a, err = c.Send(ctx, s.diff, a)
	expect(a, err, wireota.Staged)
	a, err = c.Install(ctx)
	expect(a, err, wireota.Switched)
	if err := c.Restart(ctx); err != nil {
		t.Fatal(err)
	}
	boot, err := c.AwaitBoot(ctx, time.Second)
	if want := (wireota.Boot{Slot: 1, Why: wireota.Trial, Attempt: 1, Version: uint32(v110), Update: s.diff.ID()}); err != nil || boot != want {
		t.Fatalf("the boot program said %+v, %v, want %+v", boot, err, want)
	}
	a, err = c.SelfTest(ctx)
	expect(a, err, wireota.OnTrial)
	a, err = c.Confirm(ctx)
	expect(a, err, wireota.Idle)
	a, err = c.Hang(ctx)
	expect(a, err, wireota.Idle)
	var late *ota.TimeoutError
	if _, err := c.Query(ctx); !errors.As(err, &late) || late.Op != wireota.Query {
		t.Errorf("a board that hangs answers: %v", err)
	}
}

func TestTimeout(t *testing.T) {
	b := &fakeBoard{now: epoch, mute: true}
	_, err := b.client().Query(t.Context())
	var late *ota.TimeoutError
	if !errors.As(err, &late) || late.Tries != 60 || late.After != 30*time.Second {
		t.Errorf("got %v, want a time-out after 30 s and 60 tries", err)
	}
	if err := b.client().Restart(t.Context()); err != nil { // it tells nothing
		t.Errorf("restart: %v", err)
	}
	if _, err := b.client().AwaitBoot(t.Context(), time.Second); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a report of no board: %v", err)
	}
}

// A board without a sound image says so, and there is no use in asking on.
func TestNoImage(t *testing.T) {
	s := newScene(t, "k210")
	b := newBoard(t, "k210", s.factory)
	b.flash[b.layout.Image(0)] ^= 1
	b.start()
	var none *ota.NoImageError
	if _, err := b.client().Push(t.Context(), s.full); !errors.As(err, &none) || b.now.Sub(epoch) > time.Second {
		t.Errorf("got %v after %v", err, b.now.Sub(epoch))
	}
}

// stubborn is a link to a device that is never content.
type stubborn struct {
	answer wireota.Answer
	tokens []uint16
}

func (s *stubborn) Send(frame []byte) error {
	var d wire.Decoder
	for _, b := range frame {
		if f, ok := d.Feed(b); ok {
			r, err := wireota.ParseRequest(f.Payload)
			if err != nil {
				return err
			}
			s.tokens = append(s.tokens, r.Token)
		}
	}
	return nil
}

func (s *stubborn) Receive(time.Time) (wire.Frame, error) {
	if len(s.tokens) == 0 {
		return wire.Frame{}, os.ErrDeadlineExceeded
	}
	a := s.answer
	a.Token, s.tokens = s.tokens[0], s.tokens[1:]
	frame := wireota.AppendAnswer(nil, &a)
	var d wire.Decoder
	for _, b := range frame {
		if f, ok := d.Feed(b); ok {
			return f, nil
		}
	}
	panic("no frame")
}

func TestStuck(t *testing.T) {
	s := newScene(t, "k210")
	for name, a := range map[string]wireota.Answer{
		"wants the same piece for ever": {State: wireota.Receiving, Update: s.full.ID(), Missing: 1},
		"is offered in vain":            {State: wireota.Idle},
		"never starts the new image":    {State: wireota.Switched, Update: s.full.ID()},
	} {
		b := &fakeBoard{now: epoch}
		c := &ota.Client{Link: &stubborn{answer: a}, Clock: b}
		var stuck *ota.StuckError
		if _, err := c.Push(t.Context(), s.full); !errors.As(err, &stuck) {
			t.Errorf("a device that %s: %v", name, err)
		}
	}
	c := &ota.Client{Link: &stubborn{answer: wireota.Answer{State: wireota.Receiving, Update: s.full.ID(), Missing: 1, First: [8]uint16{500}}}, Clock: &fakeBoard{now: epoch}}
	if _, err := c.Push(t.Context(), s.full); err == nil || err.Error() != "the device asks for piece 500 of "+fmt.Sprint((len(s.full.Payload)+251)/252) {
		t.Errorf("a device that asks for what is not there: %v", err)
	}
}

// A confirmed update raises the floor and revokes a key, and a key that replaces it goes on.
func TestKeyRotation(t *testing.T) {
	s := newScene(t, "esp32c3")
	b := newBoard(t, "esp32c3", s.factory)
	rotate, err := ota.Pack(s.new, ota.Options{Key: 1, Revoke: 1, Counter: 5})
	if err != nil {
		t.Fatal(err)
	}
	rotate.Sign(second)
	if _, err := b.client().Push(t.Context(), rotate); err != nil {
		t.Fatal(err)
	}
	next := program(t, "esp32c3", 0, v120, 12_000)
	for _, c := range []struct {
		o    ota.Options
		with ed25519.PrivateKey
		want error
	}{
		{ota.Options{Counter: 5}, key, wireota.RevokedKey},
		{ota.Options{Counter: 4, Key: 1}, second, wireota.OldCounter},
		{ota.Options{Counter: 5, Key: 2}, stranger, wireota.UnknownKey},
		{ota.Options{Counter: 5, Key: 1}, second, nil},
	} {
		p, err := ota.Pack(next, c.o)
		if err != nil {
			t.Fatal(err)
		}
		p.Sign(c.with)
		if _, err := b.client().Push(t.Context(), p); !errors.Is(err, c.want) {
			t.Errorf("%+v: got %v, want %v", c.o, err, c.want)
		}
	}
	b.runs(t, next)
}
