package ota

import (
	"context"
	"errors"
	"fmt"
	"time"

	wireota "rigor/firmware/wire/ota"
)

// Result is what a Push did.
type Result struct {
	Answer wireota.Answer // the last
	Steps  []Step         // in the order in which they were begun
	Counts Counts
}

// Step is what requests of one kind took, by the rig's clock: all pieces are a step, and a
// Restart lasts up to the first answer after it.
type Step struct {
	Op       wireota.Op
	Duration time.Duration
}

// Took is the time of all steps of a kind.
func (r *Result) Took(op wireota.Op) time.Duration {
	var d time.Duration
	for _, s := range r.Steps {
		if s.Op == op {
			d += s.Duration
		}
	}
	return d
}

// RevertedError is an update that was installed and does not run: it did not start well, or
// was not confirmed in time, and the board went back.
type RevertedError struct {
	Answer wireota.Answer
	Boot   *wireota.Boot // what the boot program said of it, if that came
}

func (e *RevertedError) Error() string {
	text := fmt.Sprintf("the update was installed, but the board is back at version %v in slot %d", Version(e.Answer.Version), e.Answer.Slot)
	if e.Boot != nil {
		text += fmt.Sprintf("; its boot program says: %v", e.Boot.Why)
	}
	return text
}

// StuckError is a device that answers but comes no nearer to the update.
type StuckError struct {
	Steps  int
	Answer wireota.Answer
}

func (e *StuckError) Error() string {
	return fmt.Sprintf("the update is not done after %d steps; the device is %v with %d pieces missing", e.Steps, e.Answer.State, e.Answer.Missing)
}

// Push brings the device to run the package's program, confirmed. It goes on from wherever
// the device stands: an interrupted Push is resumed by another. When it returns without
// error, the program has started and answered.
func (c *Client) Push(ctx context.Context, p *Package) (Result, error) {
	s := session{Client: c, pack: p, id: p.ID()}
	err := s.run(ctx)
	s.result.Counts = c.count
	return s.result, err
}

// Send sends the pieces that the device lacks, until it has all, or has forgotten what
// they are of, as after a restart: the answer tells.
func (c *Client) Send(ctx context.Context, p *Package, a wireota.Answer) (wireota.Answer, error) {
	total, most := len(p.Payload), 4*p.pieces()+64
	for n := 0; a.State == wireota.Receiving && a.Missing > 0; n++ {
		if n == most {
			return a, &StuckError{n, a}
		}
		if int(a.First[0]) >= p.pieces() {
			return a, fmt.Errorf("the device asks for piece %d of %d", a.First[0], p.pieces())
		}
		c.tell(Event{wireota.Piece, max(0, total-int(a.Missing)*wireota.PieceSize), total})
		var err error
		if a, err = c.Piece(ctx, a.First[0], p.piece(a.First[0])); err != nil {
			return a, err
		}
	}
	c.tell(Event{wireota.Piece, total, total})
	return a, nil
}

// session is one Push.
type session struct {
	*Client
	pack      *Package
	id        uint32
	offered   bool // since the device was last seen to start
	restarted bool // into the new image, at least once
	retried   int
	result    Result
}

// steps is how many a Push may take: what has to be done is done in six, and each
// restart of the board in the middle adds some.
const steps = 64

func (s *session) run(ctx context.Context) error {
	a, err := s.timed(wireota.Query, func() (wireota.Answer, error) { return s.Query(ctx) })
	for range steps {
		if err != nil {
			return err
		}
		if s.done(a) {
			return nil
		}
		if s.restarted && a.Running != s.id && a.State == wireota.Idle {
			return &RevertedError{a, s.boot}
		}
		a, err = s.step(ctx, a)
	}
	return &StuckError{steps, a}
}

func (s *session) done(a wireota.Answer) bool {
	return a.Running == s.id && a.State != wireota.OnTrial
}

// step does what brings a device that stands like that nearer to the end.
func (s *session) step(ctx context.Context, a wireota.Answer) (wireota.Answer, error) {
	ours := a.Update == s.id
	switch {
	case a.State == wireota.OnTrial && a.Running == s.id:
		return s.timed(wireota.Confirm, func() (wireota.Answer, error) { return s.Confirm(ctx) })
	case a.State == wireota.Switched && ours:
		return s.timed(wireota.Restart, func() (wireota.Answer, error) { return s.restart(ctx) })
	case ours && s.offered && a.State == wireota.Receiving && a.Missing > 0:
		return s.forgiving(wireota.Piece, func() (wireota.Answer, error) { return s.Send(ctx, s.pack, a) })
	case ours && s.offered && (a.State == wireota.Staged || a.State == wireota.Receiving):
		return s.forgiving(wireota.Install, func() (wireota.Answer, error) { return s.Install(ctx) })
	}
	s.offered = true
	return s.timed(wireota.Offer, func() (wireota.Answer, error) { return s.Offer(ctx, s.pack.Manifest[:]) })
}

// retries is how often a Push has the device try again what its flash did not take, or what
// came together wrongly: a frame that is damaged in just the right way passes for another.
const retries = 2

// forgiving goes back to the offer if the device has forgotten it, as it does when it
// restarts, and goes on with what the device lacks if it had to give up what it had.
func (s *session) forgiving(op wireota.Op, do func() (wireota.Answer, error)) (wireota.Answer, error) {
	a, err := s.timed(op, do)
	switch {
	case errors.Is(err, wireota.NotStaged):
		s.offered = false
		return a, nil
	case (errors.Is(err, wireota.FlashFault) || errors.Is(err, wireota.PayloadDigest)) && s.retried < retries:
		s.retried++
		return a, nil
	}
	return a, err
}

func (s *session) restart(ctx context.Context) (wireota.Answer, error) {
	s.restarted, s.offered = true, false
	if err := s.Restart(ctx); err != nil {
		return wireota.Answer{}, err
	}
	return s.Query(ctx)
}

func (s *session) timed(op wireota.Op, do func() (wireota.Answer, error)) (wireota.Answer, error) {
	began := s.Clock.Now()
	a, err := do()
	if err == nil || a != (wireota.Answer{}) {
		s.result.Answer = a
	}
	s.result.Steps = append(s.result.Steps, Step{op, s.Clock.Now().Sub(began)})
	return a, err
}
