package ota

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"rigor/firmware/images"
	wire "rigor/firmware/wire/ota"
	"rigor/harness"
	"rigor/harness/measure"
	"rigor/harness/ota"
	"rigor/harness/rig"
	"rigor/probes"
)

// home is the network that the program knows (firmware/ota/app).
var home = probes.Network{SSID: "rigor", Key: "correct horse", Host: netip.MustParsePrefix("192.168.4.1/24"), TTL: time.Hour}

// badAir loses, repeats and reorders frames, a tenth of them each.
var badAir = probes.Disturbance{Loss: probes.All / 10, Duplicate: probes.All / 10, Reorder: probes.All / 10, Jitter: 5 * time.Millisecond, Seed: 1}

// overNetwork are the questions to a board whose program has a network.
func overNetwork(chip string) ([]harness.Experiment, error) {
	if chip != "esp32c3" {
		return nil, nil
	}
	k, err := newKit(chip, "otaboot-"+chip, "ota-net-"+chip)
	if err != nil {
		return nil, err
	}
	return []harness.Experiment{
		k.experiment("takes a release over its network", true, takesFrom(probes.Disturbance{})),
		k.experiment("takes a release over a bad network", true, takesFrom(badAir)),
	}, nil
}

// takesFrom updates the board over a network.
func takesFrom(air probes.Disturbance) question {
	return func(ctx context.Context, s *session) (all []measure.Sample, err error) {
		image, err := images.Open("ota-net-" + release + "-" + s.chip)
		if err != nil {
			return nil, err
		}
		next, err := ota.ReadProgram(image.Data, s.chip, version(release))
		if err != nil {
			return nil, err
		}
		p, err := s.pack(next, ota.Options{Base: s.base})
		if err != nil {
			return nil, err
		}
		end, err := s.online(ctx, air)
		defer func() { err = errors.Join(err, end()) }()
		if err != nil {
			return nil, err
		}
		began := s.Clock().Now()
		result, err := s.push(ctx, p)
		if err == nil && air.Loss > 0 && result.Counts.Repeats == 0 {
			err = fmt.Errorf("bad air lost none of %d requests", result.Counts.Requests)
		}
		return []measure.Sample{sample(measure.UpdateTime, measure.Nanoseconds, s.Clock().Now().Sub(began).Nanoseconds())}, err
	}
}

// online puts the network up and has the board spoken to over it; end leaves the rig as
// it was.
func (s *session) online(ctx context.Context, air probes.Disturbance) (end func() error, err error) {
	if s.AP == nil || s.Net == nil {
		return func() error { return nil }, &rig.MissingError{What: "access point that does as it is told"}
	}
	socket, err := s.AP.Listen(ctx, wire.Port)
	if err != nil {
		return func() error { return nil }, s.blame("open a port", err)
	}
	end = func() error {
		ctx := context.WithoutCancel(ctx)
		return s.blame("leave the rig", errors.Join(socket.Close(), s.AP.Stop(ctx), s.Net.Disturb(ctx, probes.Disturbance{})))
	}
	if err := s.blame("put up the network", s.AP.Start(ctx, home)); err != nil {
		return end, err
	}
	address, err := s.leased(ctx)
	if err != nil {
		return end, err
	}
	s.connect(ota.Datagrams(socket, netip.AddrPortFrom(address, wire.Port), s.Clock()))
	return end, s.blame("disturb the air", s.Net.Disturb(ctx, air))
}

// leased waits until the board has an address.
func (s *session) leased(ctx context.Context) (netip.Addr, error) {
	const within, step = 15 * time.Second, 10 * time.Millisecond
	for range within / step {
		events, err := s.AP.Events(ctx)
		if err != nil {
			return netip.Addr{}, s.blame("look at the network", err)
		}
		for _, e := range events {
			if e.Kind == probes.StationLeased {
				return e.Address, nil
			}
		}
		if err := s.Clock().Sleep(ctx, step); err != nil {
			return netip.Addr{}, err
		}
	}
	return netip.Addr{}, fmt.Errorf("the board has not joined %s within %v", home.SSID, within)
}

// blame says that it is the rig that failed.
func (s *session) blame(op string, err error) error {
	if err == nil {
		return nil
	}
	return &rig.Error{Class: rig.Rig, Board: s.Name(), Op: op, Err: err}
}
