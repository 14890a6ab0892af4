package ota

import (
	"bytes"
	"slices"
	"testing"

	"rigor/firmware/wire/ota"
)

func piece(u *update, k int) []byte {
	p := bytes.Repeat([]byte{0xFF}, ota.PieceSize)
	copy(p, u.payload[k*ota.PieceSize:])
	return p
}

func (w *world) want(t *testing.T, what string, refusal ota.Refusal, state ota.State, missing ...uint16) {
	t.Helper()
	a := w.answer
	if a.Refusal != refusal || a.State != state || int(a.Missing) != len(missing) || !slices.Equal(a.First[:len(missing)], missing) {
		t.Errorf("%s: %v, %v, %d missing: %v; want %v, %v, %v", what, a.Refusal, a.State, a.Missing, a.First, refusal, state, missing)
	}
	if a.Token != w.token {
		t.Errorf("%s: token %d, want %d", what, a.Token, w.token)
	}
}

// A conversation step by step: everything is asked twice, in a strange order, with power-ons between.
func TestConversation(t *testing.T) {
	w := factory(small(0), 256)
	w.new = pack(w.l, 2, 1)
	u := w.new
	if n := pieces(u.PayloadSize); n != 3 {
		t.Fatalf("%d pieces, want 3", n)
	}
	w.powerOn()
	ask := func(what string, op ota.Op, index uint16, data []byte, refusal ota.Refusal, state ota.State, missing ...uint16) {
		t.Helper()
		w.ask(op, index, data)
		w.want(t, what, refusal, state, missing...)
	}
	ask("query", ota.Query, 0, nil, ok, ota.Idle)
	ask("piece before the offer", ota.Piece, 0, piece(u, 0), ota.NotStaged, ota.Idle)
	ask("install before the offer", ota.Install, 0, nil, ota.NotStaged, ota.Idle)
	ask("confirm before the offer", ota.Confirm, 0, nil, ota.NotOnTrial, ota.Idle)
	ask("half a manifest", ota.Offer, 0, u.raw[:128], ota.BadRequest, ota.Idle)
	ask("no such request", ota.SelfTest+1, 0, nil, ota.BadRequest, ota.Idle)
	ask("offer", ota.Offer, 0, u.raw[:], ok, ota.Receiving, 0, 1, 2)
	ask("offer again", ota.Offer, 0, u.raw[:], ok, ota.Receiving, 0, 1, 2)
	ask("last piece", ota.Piece, 2, piece(u, 2), ok, ota.Receiving, 0, 1)
	ask("last piece again", ota.Piece, 2, piece(u, 2), ok, ota.Receiving, 0, 1)
	ask("piece beyond", ota.Piece, 3, piece(u, 2), ota.BadRequest, ota.Receiving, 0, 1)
	ask("half a piece", ota.Piece, 1, piece(u, 1)[:251], ota.BadRequest, ota.Receiving, 0, 1)
	ask("install too early", ota.Install, 0, nil, ota.NotStaged, ota.Receiving, 0, 1)
	ask("first piece", ota.Piece, 0, piece(u, 0), ok, ota.Receiving, 1)
	w.powerOn()
	ask("piece after a restart", ota.Piece, 1, piece(u, 1), ota.NotStaged, ota.Receiving)
	ask("offer after a restart", ota.Offer, 0, u.raw[:], ok, ota.Receiving, 1)
	ask("middle piece", ota.Piece, 1, piece(u, 1), ok, ota.Staged)
	ask("install", ota.Install, 0, nil, ok, ota.Switched)
	ask("install again", ota.Install, 0, nil, ok, ota.Switched)
	ask("offer of what is installed", ota.Offer, 0, u.raw[:], ok, ota.Switched)
	ask("confirm too early", ota.Confirm, 0, nil, ota.NotOnTrial, ota.Switched)
	w.powerOn()
	ask("query on trial", ota.Query, 0, nil, ok, ota.OnTrial)
	if w.answer.Running != ID(u.raw[:]) || w.answer.Version != 2 || w.answer.Slot != 1 || w.answer.Update != ID(u.raw[:]) {
		t.Errorf("on trial: %+v", w.answer)
	}
	next := pack(w.l, 3, 0)
	ask("another offer on trial", ota.Offer, 0, next.raw[:], ota.Busy, ota.OnTrial)
	ask("offer of what is on trial", ota.Offer, 0, u.raw[:], ok, ota.OnTrial)
	ask("install on trial", ota.Install, 0, nil, ota.NotStaged, ota.OnTrial)
	ask("confirm", ota.Confirm, 0, nil, ok, ota.Idle)
	ask("confirm again", ota.Confirm, 0, nil, ok, ota.Idle)
	ask("offer of what runs", ota.Offer, 0, u.raw[:], ok, ota.Idle)
	if len(w.findings) > 0 {
		t.Error(w.findings)
	}
}

// A piece that came wrongly, though its frame was whole, is found out by the payload's digest, and
// all of them are asked for anew.
func TestSpoiltPayload(t *testing.T) {
	w := factory(small(0x08000000), 4)
	w.new = packDifference(w.cells, w.l, 1, 2, 1)
	spoilt := *w.new
	spoilt.payload = bytes.Clone(w.new.payload)
	spoilt.payload[len(spoilt.payload)/2] ^= 4
	w.powerOn()
	if got := w.send(&spoilt); got != ota.PayloadDigest {
		t.Errorf("%v, want %v", got, ota.PayloadDigest)
	}
	if int(w.answer.Missing) != int(pieces(w.new.PayloadSize)) {
		t.Errorf("%d pieces are asked for", w.answer.Missing)
	}
	if w.answer.State = ota.Idle; w.send(w.new) != ok || w.answer.State != ota.Switched {
		t.Errorf("the true payload: %v, %v", w.answer.Refusal, w.answer.State)
	}
}

// What was installed but not started yet gives way to another update.
func TestSuperseded(t *testing.T) {
	w := factory(small(0), 256)
	w.new = pack(w.l, 2, 1)
	w.powerOn()
	w.send(w.new)
	w.new = pack(w.l, 3, 1)
	if w.answer.State = ota.Idle; !w.push() {
		t.Fatalf("%v, %v", w.answer.Refusal, w.answer.State)
	}
	if w.conclude(); len(w.findings) > 0 {
		t.Error(w.findings)
	}
}

// An image that reverted may be offered again.
func TestRevertedAgain(t *testing.T) {
	w := factory(small(0), 256)
	w.new = pack(w.l, 2, 1)
	w.hanging(true, func(int) bool { return false }, func(s string) { t.Error(s) })
	w.powerOn()
	w.send(w.new)
	for range Attempts + 1 {
		w.powerOn()
	}
	if w.report.Why != ota.Reverted {
		t.Fatalf("%v, want reverted", w.report.Why)
	}
	if w.conclude(); len(w.findings) > 0 {
		t.Error(w.findings)
	}
}

// Update follows update, from slot to slot.
func TestUpdateAfterUpdate(t *testing.T) {
	w := factory(small(0), 256)
	w.powerOn()
	for version := uint32(2); version < 16; version++ {
		w.new = pack(w.l, version, 1-w.report.Slot)
		if !w.push() || len(w.findings) > 0 {
			t.Fatalf("version %d: %v %v", version, w.answer.Refusal, w.findings)
		}
		if want := version - 1; w.updater.Seq != want {
			t.Errorf("entry %d, want %d", w.updater.Seq, want)
		}
		w.old = w.new
	}
}

// Nothing but the curve's arithmetic allocates: 2 tables for each verification.
func TestAllocations(t *testing.T) {
	w := factory(small(0), 256)
	w.new = packDifference(w.cells, w.l, 1, 2, 1)
	w.powerOn()
	verifications := 0
	whole := testing.AllocsPerRun(1, func() {
		b := w // the first run does all, the second finds it done
		b.send(b.new)
		verifications++
	})
	if whole != 0 {
		t.Errorf("%v allocations when there is nothing to do, want 0", whole)
	}
	d := &Device{}
	d.Open(w.cells, w.l)
	if n := testing.AllocsPerRun(5, func() { d.Boot() }); n != 2 {
		t.Errorf("%v allocations in a boot, want 2", n)
	}
}

// Whatever a host says, the old image or the new one runs after it.
func FuzzConversation(f *testing.F) {
	f.Add([]byte{1, 2, 0, 2, 1, 2, 2, 3, 8, 4})
	f.Add([]byte{1, 2, 2, 8, 1, 3, 1, 3, 2, 0, 2, 1, 3, 3, 8, 8, 8, 8, 8})
	f.Fuzz(func(t *testing.T, script []byte) {
		w := factory(small(0), 256)
		w.new = pack(w.l, 2, 1)
		w.powerOn()
		for i := 0; i < min(len(script), 40) && w.report.Slot != ota.NoSlot; i++ {
			op, k := ota.Op(script[i]%9), 0
			var data []byte
			switch op {
			case ota.SelfTest + 1:
				w.powerOn()
				continue
			case ota.Offer:
				data = w.new.raw[:]
			case ota.Piece:
				if i++; i < len(script) {
					k = int(script[i] % 4)
				}
				data = piece(w.new, min(k, 2))
			}
			w.ask(op, uint16(k), data)
		}
		if w.conclude(); len(w.findings) > 0 {
			t.Errorf("%v: %v", script, w.findings)
		}
	})
}

// Whatever is in the journal, a board boots what is right, or reports that nothing is.
func FuzzJournal(f *testing.F) {
	base := factory(small(0), 256)
	base.new = pack(base.l, 2, 1)
	base.powerOn()
	base.send(base.new)
	f.Add(base.mem[0x100:0x140], base.mem[0x200:0x240])
	f.Fuzz(func(t *testing.T, first, second []byte) {
		w := base.branch()
		copy(w.mem[0x100:0x140], first)
		copy(w.mem[0x200:0x240], second)
		if w.powerOn(); len(w.findings) > 0 && w.report.Slot != ota.NoSlot {
			t.Error(w.findings)
		}
	})
}

func TestSelfTest(t *testing.T) {
	var u Updater
	if !u.SelfTest() {
		t.Error("a signature of RFC 8032 is judged wrongly")
	}
}
