package hub

import (
	"context"
	"fmt"
	"math/big"
	"time"

	"rigor/firmware/wire/hub"
	"rigor/harness"
	"rigor/harness/measure"
	"rigor/harness/timebase"
	"rigor/probes"
)

// What the network does while the LED blinks and the sensor is read. For comparison
// there is none at first.
var coexistence = []entry{
	{name: "beside no network", watch: steady, needs: needs{readings: true}, make: func() question { return &coexisting{state: measure.NetworkOff} }},
	{name: "beside an idle network", watch: steady, needs: air, make: func() question { return &coexisting{state: measure.NetworkIdle} }},
	{name: "beside a busy network", watch: steady, needs: air, make: func() question { return &coexisting{state: measure.NetworkBusy} }},
	{name: "beside a failing network", watch: steady, needs: air, make: func() question { return &coexisting{state: measure.NetworkFailing} }},
}

var steady = []probes.Line{running, led, begun, ended}

const (
	blinkEach   = 5 * time.Millisecond
	steadyEach  = 20 * time.Millisecond
	steadyCount = 200 // readings
	// changes of the LED meanwhile that are looked at: fewer than there must be, since
	// one that is late may lose others.
	steadyChanges = int(steadyCount*steadyEach/blinkEach) * 9 / 10
)

// heldUp are the first changes, which the command and its answer hold up.
const heldUp = 2

// load is full datagrams, nearly as many as the air carries (package
// accesspoint: 30 Mbit/s).
var load = probes.Load{Every: 500 * time.Microsecond, Size: probes.MaxDatagram}

// coexisting blinks and reads at steady rates.
type coexisting struct {
	state         string
	blinks, reads []uint32 // when, by the program
	loaded        time.Time
	taken         int64 // datagrams of the load, in percent
}

func (q *coexisting) ask(ctx context.Context, s *session) error {
	if q.state != measure.NetworkOff {
		if _, err := s.online(ctx); err != nil {
			return err
		}
	}
	if _, err := s.tell(ctx, hub.CommandLED, 1, uint32(blinkEach.Microseconds())); err != nil {
		return err
	}
	if _, err := s.read(ctx, 1, 0, nil); err != nil { // the first one takes longer
		return err
	}
	if q.state == measure.NetworkBusy {
		q.loaded = s.Clock().Now()
		if err := s.blame("load the network", s.Net.Load(ctx, load)); err != nil {
			return err
		}
	}
	all, err := s.read(ctx, steadyCount, steadyEach, func() error { return q.trouble(ctx, s) })
	if err == nil {
		err = faultless(all)
	}
	if err != nil {
		return err
	}
	if q.blinks, err = s.tell(ctx, hub.CommandLEDTimes, uint32(steadyChanges), 0); err != nil {
		return err
	}
	if q.reads, err = s.tell(ctx, hub.CommandReadTimes, steadyCount, 0); err != nil || q.state == measure.NetworkOff {
		return err
	}
	return q.look(ctx, s)
}

// look asks how the network was for the program: it must have been what the
// question wants.
func (q *coexisting) look(ctx context.Context, s *session) error {
	link, err := s.tell(ctx, hub.CommandLink, 8, 0)
	if err != nil {
		return err
	}
	lost, received := link[4], link[7]
	q.taken = int64(100 * time.Duration(received) * load.Every / s.Clock().Now().Sub(q.loaded))
	switch {
	case q.state == measure.NetworkBusy && q.taken < 50:
		err = fmt.Errorf("the network was not busy: %d datagrams came, %d %% of those sent", received, q.taken)
	case q.state == measure.NetworkFailing && lost == 0:
		err = fmt.Errorf("the network did not fail: it was never lost")
	case q.state == measure.NetworkIdle && lost+received > 0:
		err = fmt.Errorf("the network was not idle: lost %d times, %d datagrams came", lost, received)
	}
	return err
}

// trouble is a network that loses a third of the frames, and goes for a while each
// second.
func (q *coexisting) trouble(ctx context.Context, s *session) error {
	if q.state != measure.NetworkFailing {
		return nil
	}
	if err := s.blame("disturb the network", s.Net.Disturb(ctx, probes.Disturbance{Loss: probes.All / 3, Seed: 1})); err != nil {
		return err
	}
	for range 3 {
		if err := s.blame("take the network away", s.Net.DropOut(ctx, probes.Outage{For: 400 * time.Millisecond, Deauth: true})); err != nil {
			return err
		}
		if err := s.sleep(ctx, time.Second); err != nil {
			return err
		}
	}
	return nil
}

// clockResolution is within what the program's times are known, in cycles of the
// core: two ticks of the runtime's timer, which counts by fours.
const clockResolution = 8

func (q *coexisting) answer(o harness.Observation) ([]measure.Sample, error) {
	blink := measure.Period{Count: blinkEach.Nanoseconds(), Of: 1e9}
	each := measure.Period{Count: steadyEach.Nanoseconds(), Of: 1e9}
	own := func(times []uint32) measure.Sample {
		s := byFirmware("", measure.Cycles, clockResolution, measure.Unwrap(times)...)
		s.Clock = timebase.Rate(o.Hello.CounterHz)
		return s
	}
	all := []measure.Sample{
		jitter(measure.LEDJitter, q.state, own(q.blinks[heldUp:]), blink),
		jitter(measure.ReadingJitter, q.state, own(q.reads), each),
	}
	if q.state == measure.NetworkBusy {
		all = append(all, byFirmware(measure.LoadTaken, measure.Percent, 1, q.taken))
	}
	if o.Capture.Rate == 0 {
		return all, nil
	}
	ran, _ := measure.Intervals(o.Capture, measure.Rise(running), measure.Fall(running))
	if len(ran) == 0 {
		return nil, fmt.Errorf("the probe did not see %s rise and fall", running)
	}
	run := ran[len(ran)-1]
	c := within(o.Capture, run)
	changes := c
	changes.Edges = nil
	for _, e := range c.Edges {
		if e.Line == led {
			e.High = true // either edge is one
			changes.Edges = append(changes.Edges, e)
		}
	}
	if len(changes.Edges) < steadyChanges {
		return nil, fmt.Errorf("the probe saw %d changes of the LED, want %d", len(changes.Edges), steadyChanges)
	}
	changes.Edges = changes.Edges[heldUp:steadyChanges]
	return append(all,
		jitter(measure.LEDJitter, q.state, measure.EdgeTimes("", changes, measure.Rise(led)), blink),
		jitter(measure.ReadingJitter, q.state, measure.EdgeTimes("", c, measure.Rise(begun)), each),
		measure.Durations(measure.Under(measure.ReadingTime, q.state), c, measure.Rise(begun), measure.Rise(ended))), nil
}

func jitter(what, state string, times measure.Sample, p measure.Period) measure.Sample {
	s, worst := measure.PeriodJitterOf(measure.Under(what, state), times, p)
	if s.Source == measure.Probe && len(s.Values) > 0 {
		s.Warnings = append(s.Warnings, fmt.Sprintf("worst is %s us off, %s s after the first", scaled(s, worst.Value, 1e6), scaled(s, worst.At, 1)))
	}
	return s
}

// scaled writes a time of the sample's in parts of a second.
func scaled(s measure.Sample, n, parts int64) string {
	t, _ := s.Seconds(n)
	return t.Mul(t, big.NewRat(parts, 1)).FloatString(3)
}

// within is a capture's part.
func within(c probes.Capture, s measure.Span) probes.Capture {
	var edges []probes.Edge
	for _, e := range c.Edges {
		if e.At >= s.Start && e.At <= s.End {
			edges = append(edges, e)
		}
	}
	c.Edges = edges
	return c
}
