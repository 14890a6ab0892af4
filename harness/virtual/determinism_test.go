package virtual

import (
	"bytes"
	"context"
	"slices"
	"testing"
	"time"

	"rigor/firmware/wire"
	"rigor/harness"
	"rigor/harness/rig"
	"rigor/harness/sim/board"
	"rigor/probes"
)

// trail is all that a session leaves behind.
type trail struct {
	digests [][32]byte // of the board, after each step
	edges   []probes.Edge
	length  int64
	said    []byte // by the firmware
	now     time.Time
}

// equal reports the first thing in which two trails differ.
func (a *trail) equal(t *testing.T, what string, b *trail) {
	t.Helper()
	switch {
	case !slices.Equal(a.digests, b.digests):
		t.Errorf("%s: the boards' digests differ: %x and %x", what, a.digests, b.digests)
	case !slices.Equal(a.edges, b.edges) || a.length != b.length:
		t.Errorf("%s: %d edges in %d ticks and %d in %d differ", what, len(a.edges), a.length, len(b.edges), b.length)
	case !bytes.Equal(a.said, b.said):
		t.Errorf("%s: the firmware said %q and %q", what, a.said, b.said)
	case !a.now.Equal(b.now):
		t.Errorf("%s: it is %v and %v", what, a.now, b.now)
	}
}

// sim is the simulated board of a station.
func sim(s *rig.Station) *board.Board { return s.Board.(*Board).Sim() }

// session starts the program of latency and lets it measure twice.
func session(t *testing.T, s *rig.Station) *trail {
	t.Helper()
	if err := s.Reset(t.Context(), rig.BootApp); err != nil {
		t.Fatal(err)
	}
	return record(t, s, func(ctx context.Context, c *harness.Console, step func()) error {
		if _, err := c.Hello(ctx, harness.Patience); err != nil {
			return err
		}
		step()
		for _, name := range []string{wire.CommandGosched, wire.CommandLaunch} {
			if err := work(ctx, c, name); err != nil {
				return err
			}
			step()
		}
		return nil
	})
}

func work(ctx context.Context, c *harness.Console, name string) error {
	command := wire.Command{Name: name, Count: 50}
	if err := c.Start(ctx, command, harness.Patience); err != nil {
		return err
	}
	_, err := c.Collect(ctx, command, harness.Patience)
	return err
}

// record keeps what happens while f acts.
func record(t *testing.T, s *rig.Station, f func(ctx context.Context, c *harness.Console, step func()) error) *trail {
	t.Helper()
	r, err := s.Capturer.Arm(t.Context(), probes.CaptureSpec{Lines: s.Config.Watched()})
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	tr := &trail{}
	step := func() { tr.digests = append(tr.digests, sim(s).Digest()) }
	if err := f(t.Context(), harness.NewConsole(s.Console(), s.Clock(), &said), step); err != nil {
		t.Fatal(err)
	}
	c, err := r.Stop(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	step()
	tr.edges, tr.length, tr.said, tr.now = c.Edges, int64(c.Length), said.Bytes(), s.Clock().Now()
	return tr
}

const latencyImage = "latency-stm32f407-16mhz"

// The same input gives the same cycles, edges and bytes, in another board of the
// same seed too; another seed is another part.
func TestSameInputSameEverything(t *testing.T) {
	first := session(t, flashed(t, latencyImage))
	if len(first.edges) < 1000 || len(first.said) < 500 {
		t.Fatalf("only %d edges and %d bytes: nothing happened", len(first.edges), len(first.said))
	}
	first.equal(t, "again", session(t, flashed(t, latencyImage)))
	c := config(t)
	c.Seed++
	if other := session(t, load(t, open(t, c), latencyImage)); slices.Equal(other.digests, first.digests) {
		t.Error("another seed gives the same board")
	}
}

// A snapshot taken in the middle of a run goes on as the run did, in the same
// board and in another.
func TestSnapshotGoesOnAlike(t *testing.T) {
	s := flashed(t, latencyImage)
	con := harness.NewConsole(s.Console(), s.Clock(), new(bytes.Buffer))
	if _, err := con.Hello(t.Context(), harness.Patience); err != nil {
		t.Fatal(err)
	}
	command := wire.Command{Name: wire.CommandGoroutine, Count: 200}
	if err := con.Start(t.Context(), command, harness.Patience); err != nil {
		t.Fatal(err)
	}
	if err := s.Clock().Sleep(t.Context(), 3210*time.Microsecond); err != nil { // samples are being taken
		t.Fatal(err)
	}
	snapshot, digest := sim(s).Snapshot(), sim(s).Digest()
	goOn := func(s *rig.Station) *trail {
		return record(t, s, func(ctx context.Context, c *harness.Console, _ func()) error {
			_, err := c.Collect(ctx, command, harness.Patience)
			return err
		})
	}
	first := goOn(s)
	if len(first.edges) < 100 {
		t.Fatalf("only %d edges after the snapshot: it was not in the middle", len(first.edges))
	}
	for what, other := range map[string]*rig.Station{"the same board": s, "another board": blank(t)} {
		sim(other).Restore(snapshot)
		if sim(other).Digest() != digest {
			t.Errorf("%s: restored, it has another digest", what)
		}
		first.equal(t, what, goOn(other))
	}
}
