package compare

import (
	"math"
	"math/rand/v2"
	"testing"

	"rigor/harness/judge"
	"rigor/harness/judge/change"
	"rigor/harness/measure"
	"rigor/harness/rig"
	"slices"
)

// lab makes rounds of a board that is warmed by its room, 1 % in the course of them, with Gaussian
// noise of 0.3 % between runs. The second state takes its share more.
func lab(seed uint64, n int, more float64) []Round {
	random := rand.New(rand.NewPCG(seed, 0))
	runs := 0
	run := func(name, image string, factor float64) Side {
		warm := 1 + 0.01*math.Sin(2*math.Pi*float64(runs)/float64(3*n))
		runs++
		value := func(base float64) int64 { return int64(base * factor * warm * (1 + 0.003*random.NormFloat64())) }
		return side(name, "hardware", "1.0", figure(measure.GoroutineSwitch, name, image, value(16000)), figure(measure.PinEcho, name, "image-a", value(4000)/1))
	}
	var rounds []Round
	for range n {
		rounds = append(rounds, Round{run("a1", "image-a", 1), run("b", "image-b", 1+more), run("a2", "image-a", 1)})
	}
	return rounds
}

// accept is a baseline with the noise of the rounds.
func accept(rounds []Round) *judge.Baseline {
	b := &judge.Baseline{Rig: "bench", Kind: "hardware"}
	b.Put(Noise(rounds)...)
	return b
}

// A slow-down of 3 % is found though the room changes by a third of that, and nothing is
// where nothing changed. Without noise measured before there is no verdict.
func TestInterleaved(t *testing.T) {
	noise := accept(lab(1, 20, 0))
	for _, c := range []struct {
		more  float64
		noise *judge.Baseline
		want  change.Verdict
	}{
		{0.03, noise, change.Worse},
		{-0.03, noise, change.Better},
		{0, noise, change.Same},
		{0.03, nil, change.CannotTell},
	} {
		got := Interleaved(lab(2, 20, c.more), c.noise)
		if len(got.Rows) != 2 {
			t.Fatalf("%d rows", len(got.Rows))
		}
		for _, r := range got.Rows {
			if r.Change.Verdict != c.want || r.Change.Effect == nil || r.Change.Effect.Runs != [2]int{40, 20} {
				t.Errorf("%+.2f: %s %+v, want %s", c.more, r.Quantity, r.Change, c.want)
			}
			if suspects := slices.Contains(r.Whose, rig.DUT); suspects != r.Changed() {
				t.Errorf("%+.2f: %s is %v's", c.more, r.Quantity, r.Whose)
			}
		}
	}
}

// What a run of a round lacks, or has doubts of, does not count in that round.
func TestInterleavedLeavesOut(t *testing.T) {
	rounds := lab(3, 12, 0)
	rounds[0].A2.Figures = rounds[0].A2.Figures[:1]
	rounds[1].B.Figures[1].Doubts = []string{"the probe lost 2 edges"}
	rounds[2].A1.Figures[1].Unit = measure.Ticks
	got := Interleaved(rounds, nil)
	if len(got.Rows) != 2 || got.Rows[0].Change.Effect.Runs != [2]int{24, 12} {
		t.Fatalf("%+v", got.Rows)
	}
	if c := got.Rows[1].Change; c.Verdict != change.CannotTell || c.Effect != nil { // 9 rounds are too few
		t.Errorf("%+v", c)
	}
	figures := Noise(rounds)
	if len(figures) != 2 || figures[0].Noise.Runs != 36 || figures[1].Noise.Runs != 27 {
		t.Errorf("%+v", figures)
	}
}

// A single run against an accepted one takes the noise that was accepted.
func TestNoisy(t *testing.T) {
	rounds := lab(4, 20, 0)
	a, b := rounds[0].A1, rounds[0].A2
	if got := Compare(a, b); got.Count(change.CannotTell) != 2 {
		t.Errorf("without noise: %+v", got.Rows)
	}
	for _, r := range Compare(a.Noisy(accept(rounds)), b).Rows {
		if r.Change.Effect == nil {
			t.Errorf("with noise: %+v", r.Change)
		}
	}
	if a.Figures[0].Noise != nil {
		t.Error("the side itself was changed")
	}
}
