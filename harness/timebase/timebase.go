// Package timebase holds the harness's two kinds of time. A Clock tells and
// spends time as a rig knows it: the host's clock for real boards, simulated
// time for virtual ones, so that a ten-second time-out costs microseconds
// there. Ticks count the edges of one capture's clock and are never mixed with
// another's.
package timebase

import (
	"context"
	"fmt"
	"math/big"
	"time"
)

// Clock is a rig's time. Protocol code never sleeps or reads time otherwise.
type Clock interface {
	Now() time.Time
	// Sleep returns after d, or with the context's error when that ends first.
	Sleep(ctx context.Context, d time.Duration) error
}

// Ticks counts periods of one clock since a capture began.
type Ticks int64

// Rate is the frequency of a clock in hertz.
type Rate uint64

// String gives the rate in the largest unit that keeps it exact, such as 16 MHz.
func (r Rate) String() string {
	for _, u := range []struct {
		hz   Rate
		name string
	}{{1e9, "GHz"}, {1e6, "MHz"}, {1e3, "kHz"}} {
		if r >= u.hz && r%u.hz == 0 {
			return fmt.Sprintf("%d %s", r/u.hz, u.name)
		}
	}
	return fmt.Sprintf("%d Hz", uint64(r))
}

// Convert gives the count of another clock for the same span, rounded to the
// nearest tick (halves away from zero). It panics on a zero rate, which no
// capture may carry.
func (t Ticks) Convert(from, to Rate) Ticks {
	if from == 0 {
		panic("BUG: ticks of a clock without a rate")
	}
	n := new(big.Int).Mul(big.NewInt(2*int64(t)), new(big.Int).SetUint64(uint64(to)))
	d := new(big.Int).SetUint64(uint64(from))
	half := new(big.Int).Set(d)
	if t < 0 {
		half.Neg(half)
	}
	return Ticks(n.Add(n, half).Quo(n, d.Lsh(d, 1)).Int64())
}

// Host is the host's own clock.
type Host struct{}

// Now is the host's time.
func (Host) Now() time.Time { return time.Now() }

// Sleep waits on the host's clock.
func (Host) Sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
