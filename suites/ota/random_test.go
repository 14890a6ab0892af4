package ota

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"rigor/firmware/wire"
	"rigor/harness"
	"rigor/harness/ota"
	"rigor/harness/rig"
	"rigor/harness/timebase"
)

// bare is a board with the least of a switch, and nothing behind it.
type bare struct {
	rig.Board
	missing  error
	switched []bool
}

func (b *bare) Name() string          { return "bare" }
func (b *bare) Clock() timebase.Clock { return timebase.Host{} }

func (b *bare) Power(_ context.Context, on bool) error {
	b.switched = append(b.switched, on)
	return b.missing
}

func (b *bare) session(t *testing.T) *session {
	t.Helper()
	k, err := soundKit("k210")
	if err != nil {
		t.Fatal(err)
	}
	return &session{Bench: &harness.Bench{Station: &rig.Station{Board: b}}, kit: k}
}

// A rig without a switch is found out before anything else is tried: bare has no loader.
func TestRandomCutsNeedASwitch(t *testing.T) {
	b := &bare{missing: &rig.MissingError{What: "switch for the supply"}}
	_, err := survivesRandomCuts(t.Context(), b.session(t))
	if missing := (*rig.MissingError)(nil); !errors.As(err, &missing) {
		t.Errorf("got %v", err)
	}
}

// A rig that cannot be told to cut later has it done for it, and no later than what follows.
func TestCutByTheClock(t *testing.T) {
	b := &bare{}
	r := &benched{session: b.session(t)}
	if err := r.CutAfter(t.Context(), time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if err := r.settle(); err != nil {
		t.Fatal(err)
	}
	if len(b.switched) != 1 || b.switched[0] {
		t.Errorf("the supply was switched %v", b.switched)
	}
}

// mute is a link to a board that says nothing, and keeps until when it was waited for.
type mute struct {
	ota.Link
	until time.Time
}

func (m *mute) Receive(deadline time.Time) (wire.Frame, error) {
	m.until = deadline
	return wire.Frame{}, os.ErrDeadlineExceeded
}

// Nobody waits for a board past the end of its supply.
func TestNothingComesWithoutPower(t *testing.T) {
	now := time.Now()
	on := (&bare{}).session(t)
	for _, c := range []struct {
		dies, until time.Time
		want        error
	}{
		{time.Time{}, now.Add(time.Hour), os.ErrDeadlineExceeded},
		{now.Add(2 * time.Hour), now.Add(time.Hour), os.ErrDeadlineExceeded},
		{now, now, errGone},
	} {
		link := &mute{}
		r := &benched{session: on, dies: c.dies}
		_, err := mortal{link, r}.Receive(now.Add(time.Hour))
		if !errors.Is(err, c.want) || !link.until.Equal(c.until) {
			t.Errorf("a supply until %v: waited until %v, %v", c.dies, link.until, err)
		}
	}
}
