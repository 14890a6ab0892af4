package accesspoint

import (
	"context"
	"errors"
	"fmt"

	"rigor/harness/sim/board"
	"rigor/probes"
)

// Start puts a network on the air.
func (a *AccessPoint) Start(ctx context.Context, n probes.Network) error {
	return a.do(ctx, "start the network", n.Check(), func() {
		a.endOutage()
		a.fall(false)
		a.network = n
		a.leases = leases{}
		a.host.setAddress(n.Host)
		a.rise()
	})
}

// Stop takes the network off the air.
func (a *AccessPoint) Stop(ctx context.Context) error {
	return a.do(ctx, "stop the network", nil, func() {
		a.endOutage()
		a.fall(false)
	})
}

// Events gives what stations did.
func (a *AccessPoint) Events(ctx context.Context) (events []probes.StationEvent, err error) {
	err = a.do(ctx, "get the stations' events", nil, func() { events, a.events = a.events, nil })
	return events, err
}

// Listen opens a port of the host.
func (a *AccessPoint) Listen(ctx context.Context, port uint16) (probes.Socket, error) {
	var refusal error
	if port == 0 || a.host.taken(port) {
		refusal = errors.New("it is zero, or open already")
	}
	var s *socket
	if err := a.do(ctx, fmt.Sprintf("open port %d", port), refusal, func() { s = a.host.listen(port) }); err != nil {
		return nil, err
	}
	return s, nil
}

// DropOut takes the network off the air for a while.
func (a *AccessPoint) DropOut(ctx context.Context, o probes.Outage) error {
	return a.do(ctx, "drop the network out", o.Check(), func() {
		a.endOutage()
		begin := a.now + span(o.After)
		a.outage = []*event{a.at(begin, func() { a.fall(o.Deauth) })}
		if o.For > 0 {
			a.outage = append(a.outage, a.at(begin+span(o.For), a.rise))
		}
	})
}

// Disturb spoils the network.
func (a *AccessPoint) Disturb(ctx context.Context, d probes.Disturbance) error {
	return a.do(ctx, "disturb the network", d.Check(), func() { a.disturb(d) })
}

// Load lets the host send.
func (a *AccessPoint) Load(ctx context.Context, l probes.Load) error {
	return a.do(ctx, "load the network", l.Check(), func() {
		a.cancel(a.load)
		a.loadSpec = l
		if l.Every > 0 {
			a.load = a.after(span(l.Every), a.sendLoad)
		}
	})
}

// do is a call from outside the chip, which is then told, unless the call must
// not begin.
func (a *AccessPoint) do(ctx context.Context, what string, refusal error, f func()) error {
	if err := ctx.Err(); err != nil {
		refusal = err
	}
	if refusal != nil {
		return fmt.Errorf("%s: %w", what, refusal)
	}
	a.enter(a.world())
	f()
	a.wake()
	return nil
}

func (a *AccessPoint) endOutage() {
	for _, e := range a.outage {
		a.cancel(e)
	}
	a.outage = nil
}

// rise puts the network on the air.
func (a *AccessPoint) rise() {
	if a.onAir || a.network.SSID == "" {
		return
	}
	a.onAir = true
	a.session++
	a.beacon()
}

// fall takes it off, with a last word or without.
func (a *AccessPoint) fall(deauth bool) {
	if !a.onAir {
		return
	}
	if deauth && a.joined {
		a.tell(board.Message{Kind: board.PutOff, Reason: board.ReasonLeaving})
		a.leave(a.member, probes.StationPutOff)
	}
	a.onAir, a.joined, a.waiting = false, false, nil
}

func (a *AccessPoint) sendLoad() {
	a.host.sendLoad(a.loadSpec.Size)
	a.load = a.after(span(a.loadSpec.Every), a.sendLoad)
}
