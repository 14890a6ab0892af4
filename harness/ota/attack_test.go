package ota_test

import (
	"bytes"
	"errors"
	"testing"

	wireota "rigor/firmware/wire/ota"
	"rigor/harness/ota"
	"rigor/harness/ota/attack"
)

// target is the board of a scene.
func (s scene) target() attack.Target {
	return attack.Target{Base: s.old, New: s.new, Key: key, Second: second, Stranger: stranger}
}

// Each attack is refused by its own name, and the old image runs on, after each of them and
// after a restart. Then the good update is taken.
func TestAttacks(t *testing.T) {
	for _, chip := range chips {
		s := newScene(t, chip)
		attacks, err := attack.All(s.target())
		if err != nil {
			t.Fatal(err)
		}
		b := newBoard(t, chip, s.factory)
		slot := bytes.Clone(b.image(0, len(s.old.Image)))
		for _, a := range attacks {
			err := a.Try(t.Context(), b.client())
			var refused *ota.RefusedError
			if !errors.As(err, &refused) || refused.Code != a.Want || refused.Op != a.Op {
				t.Errorf("%s, %s: got %v, want %v to be refused: %v", chip, a.Name, err, a.Op, a.Want)
			}
			b.start()
			if r, err := b.client().Query(t.Context()); err != nil || r.Slot != 0 || r.Version != uint32(v100) || !bytes.Equal(b.image(0, len(slot)), slot) {
				t.Fatalf("%s, %s: the board does not run the old image any more: %+v, %v", chip, a.Name, r, err)
			}
		}
		if _, err := b.client().Offer(t.Context(), s.diff.Manifest[:100]); !errors.Is(err, wireota.BadRequest) {
			t.Errorf("%s: a manifest of 100 bytes: %v", chip, err)
		}
		if _, err := b.client().Push(t.Context(), s.diff); err != nil {
			t.Errorf("%s: the good update after %d attacks: %v", chip, len(attacks), err)
		}
		b.runs(t, s.new)
	}
}
