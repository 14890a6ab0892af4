package accesspoint

import (
	"bytes"
	"context"
	"fmt"
	"hash"
	"hash/fnv"
	"net/netip"
	"testing"
	"time"

	"rigor/firmware/network"
	"rigor/firmware/network/tcp"
	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
	"rigor/probes"
	"rigor/probes/probestest"
)

// radio is a station's MAC without a chip: it asks on the access point's channel
// only, and sends one frame at a time.
type radio struct {
	air    board.Air
	now    clock.Time
	status network.Status
	ssid   string
	key    string
	frames [][]byte
	free   clock.Time // when the frame on the air has passed
	beacon clock.Time // the last one
	seen   hash.Hash64
}

var address = [6]byte{2, 0, 0, 0, 0, 1}

func (r *radio) SetAir(a board.Air) { r.air = a; a.Attach(func() {}) }

func (r *radio) say(m board.Message) {
	m.Station = address
	r.free, _ = r.air.Send(m, r.now)
}

func (r *radio) Join(ssid, key string) error {
	r.Leave()
	r.ssid, r.key, r.status = ssid, key, network.Status{State: network.Joining}
	r.air.Listen(true, r.now)
	r.say(board.Message{Kind: board.Probe, SSID: ssid, Channel: 6})
	return nil
}

func (r *radio) Leave() {
	if r.status.State == network.Joined {
		r.say(board.Message{Kind: board.Leave})
	}
	r.end(network.Off, 0)
}

func (r *radio) end(s network.State, why board.Reason) {
	r.status = network.Status{State: s, Reason: network.Reason(why)}
	r.frames = nil
	r.air.Listen(false, r.now)
}

func (r *radio) Status() network.Status { return r.status }
func (r *radio) MAC() network.MAC       { return address }

func (r *radio) Send(frame []byte) error {
	if r.status.State != network.Joined {
		return network.ErrNotJoined
	}
	if r.now < r.free {
		return network.ErrFull
	}
	r.say(board.Message{Kind: board.Data, Frame: frame})
	return nil
}

func (r *radio) Receive(buf []byte) (n int, ok bool) {
	if len(r.frames) == 0 {
		return 0, false
	}
	n = copy(buf, r.frames[0])
	r.frames = r.frames[1:]
	return n, true
}

// hear takes what has come.
func (r *radio) hear() {
	for {
		m, ok := r.air.Receive(r.now)
		if !ok {
			break
		}
		fmt.Fprintln(r.seen, r.now, m)
		switch m.Kind {
		case board.Here:
			r.say(board.Message{Kind: board.Join, SSID: r.ssid, Key: r.key})
		case board.Admit:
			r.status, r.beacon = network.Status{State: network.Joined}, r.now
		case board.PutOff:
			if r.status.State == network.Joining {
				r.end(network.Refused, m.Reason)
			} else {
				r.end(network.Off, m.Reason)
			}
		case board.Beacon:
			if m.SSID == r.ssid {
				r.beacon = r.now
			}
		case board.Data:
			r.frames = append(r.frames, m.Frame)
		}
	}
	if r.status.State == network.Joined && r.now-r.beacon > 6*clock.Second {
		r.end(network.Off, board.ReasonBeaconTimeout)
	}
}

// world is a station with the firmware's stack, an access point and their time.
type world struct {
	radio
	stack    *network.Stack
	stream   *network.Stream
	ap       *AccessPoint
	poll     clock.Time
	received []string
}

const pollEvery = 500 * clock.Microsecond

func newWorld(seed uint64) *world {
	w := &world{radio: radio{seen: fnv.New64a()}}
	w.ap = New(&w.radio, func() clock.Time { return w.now }, Options{Seed: seed})
	w.stack = network.New(&w.radio, 1)
	w.stack.Handle(probestest.StationPort, func(_ network.Endpoint, p []byte) { w.received = append(w.received, string(p)) })
	return w
}

// run moves time.
func (w *world) run(d time.Duration) {
	until := w.now + span(d)
	for w.now < until {
		next := min(until, w.poll)
		if w.status.State != network.Off {
			next = min(next, max(w.air.Next(), w.now))
		}
		w.now = next
		w.hear()
		if w.now == w.poll {
			w.stack.Poll(time.Duration(w.now / clock.Nanosecond))
			w.poll += pollEvery
		}
	}
}

// worldStation is the world as the conformance test wants it.
type worldStation struct{ *world }

func (w worldStation) Now() time.Time {
	return time.Time{}.Add(time.Duration(w.now / clock.Nanosecond))
}

func (w worldStation) Sleep(ctx context.Context, d time.Duration) error {
	w.run(d)
	return ctx.Err()
}

func (w worldStation) Join(ssid, key string) { w.stack.Join(ssid, key) }
func (w worldStation) Joined() bool          { return w.status.State == network.Joined }

func (w worldStation) Address() netip.Addr {
	if a := w.stack.Address(); a != (network.Addr{}) {
		return netip.AddrFrom4(a)
	}
	return netip.Addr{}
}

func (w worldStation) Send(to netip.AddrPort, payload []byte) error {
	return w.stack.Send(probestest.StationPort, network.Endpoint{Addr: to.Addr().As4(), Port: to.Port()}, payload)
}

func (w worldStation) Received() []string {
	r := w.received
	w.received = nil
	return r
}

func (w worldStation) Dial(to netip.AddrPort) (err error) {
	w.stream, err = w.stack.Dial(network.Endpoint{Addr: to.Addr().As4(), Port: to.Port()})
	return err
}

func (w worldStation) Connected() bool         { return w.stream.State() == tcp.Open }
func (w worldStation) Write(data string) error { return w.stream.Write([]byte(data)) }

func (w worldStation) Read() string {
	b := make([]byte, w.stream.Buffered())
	return string(b[:w.stream.Read(b)])
}

func TestConformance(t *testing.T) {
	probestest.RunAccessPoint(t, func(t *testing.T) probestest.AccessPointBench {
		w := worldStation{newWorld(1)}
		return probestest.AccessPointBench{AP: w.ap, Faults: w.ap, Clock: w, Station: w, Slack: time.Microsecond}
	})
}

var home = probes.Network{SSID: "rigor", Key: "correct horse", Host: netip.MustParsePrefix("192.168.4.1/24"), TTL: time.Minute}

// join starts the network and has the station join it.
func (w *world) join(t *testing.T, within time.Duration) probes.Socket {
	t.Helper()
	return w.joinTo(t, home, within)
}

func (w *world) joinTo(t *testing.T, n probes.Network, within time.Duration) probes.Socket {
	t.Helper()
	if err := w.ap.Start(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	s, err := w.ap.Listen(t.Context(), 5000)
	if err != nil {
		t.Fatal(err)
	}
	w.stack.Join(n.SSID, n.Key)
	for range within / time.Millisecond {
		if w.stack.Address() != (network.Addr{}) {
			return s
		}
		w.run(time.Millisecond)
	}
	t.Fatalf("no address within %v: %+v", within, w.status)
	return nil
}

func (w *world) disturb(t *testing.T, d probes.Disturbance) {
	t.Helper()
	if err := w.ap.Disturb(t.Context(), d); err != nil {
		t.Fatal(err)
	}
}

var hostEndpoint = network.Endpoint{Addr: network.Addr(home.Host.Addr().As4()), Port: 5000}

// Two worlds with the same seeds hear the same bits at the same picosecond, and
// another seed gives other ones.
func TestDeterminism(t *testing.T) {
	play := func(seed uint64) uint64 {
		w := newWorld(seed)
		w.disturb(t, probes.Disturbance{Loss: 100_000, Duplicate: 50_000, Reorder: 50_000, Jitter: 3 * time.Millisecond, Busy: 300_000, Seed: seed})
		s := w.join(t, time.Minute)
		if err := w.ap.Load(t.Context(), probes.Load{Every: 2 * time.Millisecond, Size: 200}); err != nil {
			t.Fatal(err)
		}
		for i := range 300 {
			w.stack.Send(4000, hostEndpoint, []byte{byte(i)})
			w.run(3 * time.Millisecond)
		}
		d, err := s.Receive(t.Context())
		if err != nil || len(d) < 200 {
			t.Fatalf("%d datagrams, %v", len(d), err)
		}
		fmt.Fprintln(w.seen, d)
		return w.seen.Sum64()
	}
	if a, b := play(7), play(7); a != b {
		t.Errorf("%x, and then %x", a, b)
	}
	if a, b := play(7), play(8); a == b {
		t.Error("the seed has no effect")
	}
}

// The air gives what the package says: 30.5 Mbit/s of payload in full frames,
// and a share of it when others use the channel.
func TestThroughput(t *testing.T) {
	for _, c := range []struct {
		busy     probes.PPM
		min, max int // bit/s
	}{{0, 30_300_000, 30_500_000}, {500_000, 13_500_000, 17_000_000}} {
		w := newWorld(1)
		s := w.join(t, 10*time.Second)
		w.stack.Send(4000, hostEndpoint, nil)
		w.run(time.Second)
		w.disturb(t, probes.Disturbance{Busy: c.busy})
		if _, err := s.Receive(t.Context()); err != nil {
			t.Fatal(err)
		}
		payload := bytes.Repeat([]byte{1}, probes.MaxDatagram)
		for end := w.now + clock.Second; w.now < end; {
			if w.stack.Send(4000, hostEndpoint, payload) != nil {
				t.Fatal("no room")
			}
			w.run(time.Duration((w.free-w.now)/clock.Nanosecond + 1))
		}
		d, _ := s.Receive(t.Context())
		if bits := len(d) * probes.MaxDatagram * 8; bits < c.min || bits > c.max {
			t.Errorf("others use %d ppm: %d bit/s, want %d to %d", c.busy, bits, c.min, c.max)
		}
	}
}

// A network of bad luck: a third of all frames lost each way, yet the station
// gets its address, keeps it, and most datagrams that it sends often enough come.
func TestLossyNetwork(t *testing.T) {
	for seed := range uint64(5) {
		w := newWorld(seed)
		w.disturb(t, probes.Disturbance{Loss: 333_333, Duplicate: 100_000, Reorder: 100_000, Delay: time.Millisecond, Jitter: 20 * time.Millisecond, Seed: seed})
		n := home
		n.TTL = 10 * time.Minute
		s := w.joinTo(t, n, 5*time.Minute)
		lost := 0
		for range 1800 {
			w.stack.Send(4000, hostEndpoint, []byte("x"))
			w.run(time.Second)
			if w.stack.Address() == (network.Addr{}) {
				lost++
			}
		}
		d, _ := s.Receive(t.Context())
		if len(d) < 900 || lost > 180 {
			t.Errorf("seed %d: %d of 1800 datagrams, %d s without an address", seed, len(d), lost)
		}
	}
}

// Faults of the server of addresses.
func TestDHCPFaults(t *testing.T) {
	for _, f := range []probes.DHCPFault{probes.DHCPSilent, probes.DHCPRefuses, probes.DHCPGarbles} {
		w := newWorld(1)
		w.disturb(t, probes.Disturbance{DHCP: f})
		if err := w.ap.Start(t.Context(), home); err != nil {
			t.Fatal(err)
		}
		w.stack.Join(home.SSID, home.Key)
		w.run(time.Minute)
		if w.status.State != network.Joined || w.stack.Address() != (network.Addr{}) {
			t.Errorf("fault %d: %+v, address %v", f, w.status, w.stack.Address())
		}
		w.disturb(t, probes.Disturbance{})
		w.run(80 * time.Second)
		if w.stack.Address() != (network.Addr{192, 168, 4, 2}) {
			t.Errorf("after fault %d the address is %v", f, w.stack.Address())
		}
	}
	w := newWorld(1)
	w.disturb(t, probes.Disturbance{DHCP: probes.DHCPStrays})
	s := w.join(t, time.Minute)
	if w.stack.Address() != (network.Addr{192, 0, 2, 2}) || w.stack.Router() != (network.Addr{192, 0, 2, 1}) {
		t.Errorf("astray at %v, router %v", w.stack.Address(), w.stack.Router())
	}
	w.stack.Send(4000, hostEndpoint, nil)
	w.run(5 * time.Second)
	if d, _ := s.Receive(t.Context()); len(d) != 0 {
		t.Error("the host hears a station that is astray")
	}
}

// A lease of a minute lasts for as long as its server does, and ends with it.
func TestRenewal(t *testing.T) {
	w := newWorld(1)
	w.join(t, 10*time.Second)
	w.run(10 * time.Minute)
	events, _ := w.ap.Events(t.Context())
	leased := 0
	for _, e := range events {
		if e.Kind == probes.StationLeased {
			leased++
		}
	}
	if leased < 15 || w.stack.Address() == (network.Addr{}) { // every half minute
		t.Errorf("leased %d times, address %v", leased, w.stack.Address())
	}
	w.disturb(t, probes.Disturbance{DHCP: probes.DHCPSilent})
	w.run(61 * time.Second)
	if a := w.stack.Address(); a != (network.Addr{}) {
		t.Errorf("it still has %v", a)
	}
}

// A silent outage is found out by missing beacons, 6 s later; afterwards the access
// point does not know the station any more.
func TestSilentOutage(t *testing.T) {
	w := newWorld(1)
	w.join(t, 10*time.Second)
	if err := w.ap.DropOut(t.Context(), probes.Outage{For: 3 * time.Second}); err != nil {
		t.Fatal(err)
	}
	w.run(5 * time.Second)
	if w.status.State != network.Joined {
		t.Errorf("an outage of 3 s is noticed: %+v", w.status)
	}
	w.stack.Send(4000, hostEndpoint, nil)
	w.run(100 * time.Millisecond)
	if want := (network.Status{State: network.Off, Reason: network.NotMember}); w.status != want {
		t.Errorf("after it: %+v, want %+v", w.status, want)
	}
	w.stack.Join(home.SSID, home.Key)
	w.run(5 * time.Second)
	if err := w.ap.DropOut(t.Context(), probes.Outage{}); err != nil {
		t.Fatal(err)
	}
	w.run(7 * time.Second)
	if want := (network.Status{State: network.Off, Reason: network.BeaconTimeout}); w.status != want {
		t.Errorf("of an outage without an end: %+v, want %+v", w.status, want)
	}
}

// A load comes at its rate.
func TestLoad(t *testing.T) {
	w := newWorld(1)
	n := 0
	w.stack.Handle(probes.DiscardPort, func(from network.Endpoint, p []byte) {
		if len(p) == 100 && from.Addr == hostEndpoint.Addr {
			n++
		}
	})
	w.join(t, 10*time.Second)
	if err := w.ap.Load(t.Context(), probes.Load{Every: time.Millisecond, Size: 100}); err != nil {
		t.Fatal(err)
	}
	w.run(time.Second)
	if n < 998 || n > 1000 {
		t.Errorf("%d datagrams in a second, want 1000 but for the last", n)
	}
	if err := w.ap.Load(t.Context(), probes.Load{}); err != nil {
		t.Fatal(err)
	}
	n = 0
	w.run(time.Second)
	if n > 2 {
		t.Errorf("%d datagrams after its end", n)
	}
}

// Wrong keys are told as such.
func TestWrongKey(t *testing.T) {
	w := newWorld(1)
	if err := w.ap.Start(t.Context(), home); err != nil {
		t.Fatal(err)
	}
	w.stack.Join(home.SSID, "wrong horse")
	w.run(5 * time.Second)
	if want := (network.Status{State: network.Refused, Reason: network.WrongKey}); w.stack.Link() != want {
		t.Errorf("%+v, want %+v", w.stack.Link(), want)
	}
}

// A chip that was put back to an earlier time says so by Listen. The access point,
// which was not, goes on, and dates what follows as the chip's world has it.
func TestWorldPutBack(t *testing.T) {
	w := newWorld(1)
	s := w.join(t, 10*time.Second)
	earlier := w.now
	w.run(5 * time.Second)
	w.now, w.poll, w.free, w.beacon = earlier, earlier, earlier, earlier
	w.air.Listen(true, w.now)
	w.run(time.Second)
	w.stack.Send(4000, hostEndpoint, []byte("back"))
	sent := w.now
	w.run(100 * time.Millisecond)
	d, _ := s.Receive(t.Context())
	if len(d) != 1 || w.status.State != network.Joined {
		t.Fatalf("%d datagrams, %+v", len(d), w.status)
	}
	if late := d[0].At.Sub(time.Time{}) - time.Duration(sent/clock.Nanosecond); late < 0 || late > time.Millisecond {
		t.Errorf("it came %v after it was sent", late)
	}
}
