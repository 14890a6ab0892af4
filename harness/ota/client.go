package ota

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"rigor/firmware/wire"
	wireota "rigor/firmware/wire/ota"
	"rigor/harness/timebase"
)

// Client updates a device over a link. It asks one thing at a time and asks again
// where no answer comes: nothing that a Link may do to frames leads to more than
// time lost. Its time is the clock's alone.
type Client struct {
	Link  Link
	Clock timebase.Clock
	// Progress is told of what happens; nil: nobody is.
	Progress func(Event)
	// Token is that of the last request. A client that takes over from another
	// begins with some other number.
	Token uint16

	boot  *wireota.Boot // the last report
	hello bool          // a program has greeted since the last request
	count Counts
}

// Counts is what a client has seen of its link.
type Counts struct {
	Requests int // frames sent
	Repeats  int // of them, those that were sent before
	Late     int // answers to an earlier request, or second ones
	Boots    int // reports of the boot program
}

// Counts since the client was made.
func (c *Client) Counts() Counts { return c.count }

// Event is progress: Done of Total bytes of the payload with Piece, and else a
// request that is about to be made.
type Event struct {
	Op          wireota.Op
	Done, Total int
}

// RefusedError is a request that the device refused.
type RefusedError struct {
	Op   wireota.Op
	Code wireota.Refusal
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("the device refused the request %q: %s [%s]", e.Op, e.Code.Error(), e.Code.String())
}

func (e *RefusedError) Unwrap() error { return e.Code }

// TimeoutError is a request that was never answered.
type TimeoutError struct {
	Op    wireota.Op
	After time.Duration
	Tries int
}

func (e *TimeoutError) Error() string {
	return fmt.Sprintf("no answer to %v within %v, asked %d times: does the board run a program that takes updates, and is the rate right?",
		e.Op, e.After, e.Tries)
}

// NoImageError is a board whose boot program finds nothing to hand over to. Only
// its chip's own boot loader can help it.
type NoImageError struct{ Op wireota.Op }

func (e *NoImageError) Error() string {
	return fmt.Sprintf("no answer to %v: the boot program says that neither slot holds a signed image of the right digest", e.Op)
}

// patience is how long an answer may take, and how often one that may have been lost is
// asked for again. It follows what the slowest part takes: a signature is verified
// in 6 s at 16 MHz, 128 KB of an STM32F407 are erased in 4 s at most (DS8626 table
// 48), and three sectors of it hold a slot.
type patience struct{ again, total time.Duration }

var patient = map[wireota.Op]patience{
	wireota.Offer:    {8 * time.Second, 90 * time.Second},
	wireota.Install:  {20 * time.Second, 3 * time.Minute},
	wireota.SelfTest: {30 * time.Second, 2 * time.Minute},
}

// usual is for all else: what comes after a start may have to wait for the boot
// program's verification.
var usual = patience{500 * time.Millisecond, 30 * time.Second}

func patienceOf(op wireota.Op) patience {
	if p, ok := patient[op]; ok {
		return p
	}
	return usual
}

// Query asks how the device stands.
func (c *Client) Query(ctx context.Context) (wireota.Answer, error) {
	return c.ask(ctx, wireota.Request{Op: wireota.Query})
}

// Offer asks the device to take an update. It answers which pieces of the payload
// it lacks, which are not all of them if it was offered before.
func (c *Client) Offer(ctx context.Context, manifest []byte) (wireota.Answer, error) {
	return c.ask(ctx, wireota.Request{Op: wireota.Offer, Data: manifest})
}

// Piece sends one piece of the payload of the update that was offered.
func (c *Client) Piece(ctx context.Context, index uint16, data []byte) (wireota.Answer, error) {
	return c.ask(ctx, wireota.Request{Op: wireota.Piece, Index: index, Data: data})
}

// Install has the device make the new image and switch to it from its next start on.
func (c *Client) Install(ctx context.Context) (wireota.Answer, error) {
	return c.ask(ctx, wireota.Request{Op: wireota.Install})
}

// Confirm ends the trial of the image that runs.
func (c *Client) Confirm(ctx context.Context) (wireota.Answer, error) {
	return c.ask(ctx, wireota.Request{Op: wireota.Confirm})
}

// Hang has the device starve its watchdog, as a bad update does.
func (c *Client) Hang(ctx context.Context) (wireota.Answer, error) {
	return c.ask(ctx, wireota.Request{Op: wireota.Hang})
}

// SelfTest has the device try RFC 8032's vectors and measure a verification.
func (c *Client) SelfTest(ctx context.Context) (wireota.Answer, error) {
	return c.ask(ctx, wireota.Request{Op: wireota.SelfTest})
}

// Restart asks once: each restart uses one attempt of a trial. It waits until a program
// greets, but no longer than a lost frame is waited for; what came of it, Query tells.
func (c *Client) Restart(ctx context.Context) error {
	c.tell(Event{Op: wireota.Restart})
	c.hello, c.boot = false, nil
	if err := c.send(ctx, c.begin(wireota.Request{Op: wireota.Restart})); err != nil {
		return err
	}
	greeted := func() bool { return c.hello }
	for deadline := c.Clock.Now().Add(usual.again); !c.hello; {
		switch _, err := c.await(ctx, c.Token, deadline, greeted); {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return nil
		case err != nil:
			return fmt.Errorf("wait for the restart: %w", err)
		}
	}
	return nil
}

// AwaitBoot waits for a report of the boot program that comes after the last
// Restart, or after this call if there was none.
func (c *Client) AwaitBoot(ctx context.Context, patience time.Duration) (wireota.Boot, error) {
	deadline := c.Clock.Now().Add(patience)
	for c.boot == nil {
		_, err := c.await(ctx, c.Token, deadline, func() bool { return c.boot != nil })
		if err != nil {
			return wireota.Boot{}, fmt.Errorf("wait for the boot program's report: %w", err)
		}
	}
	return *c.boot, nil
}

// Boot is the last report of the boot program; nil: none came since the last Restart.
func (c *Client) Boot() *wireota.Boot { return c.boot }

// ask makes a request until it is answered.
func (c *Client) ask(ctx context.Context, r wireota.Request) (wireota.Answer, error) {
	if r.Op != wireota.Piece {
		c.tell(Event{Op: r.Op})
	}
	p := patienceOf(r.Op)
	r = c.begin(r)
	began := c.Clock.Now()
	for try := 1; ; try++ {
		if err := c.send(ctx, r); err != nil {
			return wireota.Answer{}, err
		}
		a, err := c.await(ctx, r.Token, c.Clock.Now().Add(p.again), nil)
		took := c.Clock.Now().Sub(began)
		switch {
		case err == nil && a.Refusal != wireota.OK:
			return a, &RefusedError{r.Op, a.Refusal}
		case err == nil:
			return a, nil
		case errors.Is(err, os.ErrDeadlineExceeded) && c.boot != nil && c.boot.Why == wireota.None:
			return a, &NoImageError{r.Op}
		case !errors.Is(err, os.ErrDeadlineExceeded):
			return a, fmt.Errorf("wait for the answer to %v: %w", r.Op, err)
		case took >= p.total:
			return a, &TimeoutError{r.Op, took, try}
		}
		c.count.Repeats++
	}
}

// begin gives a request the next token.
func (c *Client) begin(r wireota.Request) wireota.Request {
	c.Token++
	r.Token = c.Token
	return r
}

func (c *Client) send(ctx context.Context, r wireota.Request) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("ask for %v: %w", r.Op, err)
	}
	c.count.Requests++
	return c.Link.Send(wireota.AppendRequest(make([]byte, 0, wire.MaxFrame), r))
}

// await gives the answer with the token, unless something else is enough.
func (c *Client) await(ctx context.Context, token uint16, deadline time.Time, enough func() bool) (wireota.Answer, error) {
	for {
		if err := ctx.Err(); err != nil {
			return wireota.Answer{}, err
		}
		f, err := c.Link.Receive(deadline)
		if err != nil {
			return wireota.Answer{}, err
		}
		if a, ok := c.take(f, token); ok || enough != nil && enough() {
			return a, nil
		}
	}
}

// take looks at a frame; ok: it is the answer.
func (c *Client) take(f wire.Frame, token uint16) (a wireota.Answer, ok bool) {
	switch f.Type {
	case wire.TypeHello:
		c.hello = true
	case wireota.TypeBoot:
		if b, err := wireota.ParseBoot(f.Payload); err == nil {
			c.boot = &b
			c.count.Boots++
		}
	case wireota.TypeAnswer:
		a, err := wireota.ParseAnswer(f.Payload)
		if err == nil && a.Token == token {
			return a, true
		}
		c.count.Late++
	}
	return wireota.Answer{}, false
}

func (c *Client) tell(e Event) {
	if c.Progress != nil {
		c.Progress(e)
	}
}
