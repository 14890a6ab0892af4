package probestest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"rigor/harness/timebase"
	"rigor/probes"
)

// Station is a board's end of a wireless network. What it does takes the clock's
// time.
type Station interface {
	Join(ssid, key string)
	Joined() bool
	Address() netip.Addr // the zero Addr until it has one
	// Send sends a datagram from port StationPort.
	Send(to netip.AddrPort, payload []byte) error
	// Received gives what has come to that port since the last call.
	Received() []string
	// Dial begins a connection in place of an earlier one; Connected is whether it is
	// open. What Write is given is sent in time; Read gives what has come.
	Dial(to netip.AddrPort) error
	Connected() bool
	Write(data string) error
	Read() string
}

// StationPort is the port that a Station uses.
const StationPort = 4000

// AccessPointBench is an access point under test.
type AccessPointBench struct {
	AP      probes.AccessPoint
	Faults  probes.NetworkFaults
	Clock   timebase.Clock
	Station Station
	// Slack is by how much a datagram's time may be off.
	Slack time.Duration
}

// RunAccessPoint tests an access point; open gives a fresh bench each time and
// closes it by t.Cleanup.
func RunAccessPoint(t *testing.T, open func(t *testing.T) AccessPointBench) {
	fresh := func(t *testing.T) *accessPoint { return &accessPoint{tester{t}, open(t)} }
	each(t, fresh, []check[*accessPoint]{
		{"a network that cannot be is refused", (*accessPoint).refused},
		{"who knows SSID and key joins and gets an address", (*accessPoint).joins},
		{"an open network lets all in", (*accessPoint).joinsOpen},
		{"a wrong key is rejected", (*accessPoint).wrongKey},
		{"another SSID is not found", (*accessPoint).wrongSSID},
		{"datagrams go both ways", (*accessPoint).datagrams},
		{"a port opens once", (*accessPoint).ports},
		{"a service is talked to", (*accessPoint).serves},
		{"no byte of a connection is lost", (*accessPoint).repeats},
		{"a connection ends as its service says", (*accessPoint).hangsUp},
		{"a port without a service refuses", (*accessPoint).nobodyServes},
		{"a stopped network is found out", (*accessPoint).stops},
		{"a drop-out ends by itself", (*accessPoint).dropsOut},
		{"a network replaces another", (*accessPoint).replaces},
		{"frames are lost as asked", (*accessPoint).loses},
		{"frames come twice as asked", (*accessPoint).duplicates},
		{"frames are late as asked", (*accessPoint).delays},
		{"a server of addresses is silent as asked", (*accessPoint).silent},
		{"what cannot be asked is refused", (*accessPoint).refusesFaults},
		{"a cancelled context ends a call unbegun", (*accessPoint).cancelled},
	})
}

type accessPoint struct {
	tester
	AccessPointBench
}

const servicePort = 5000

// home is the network of most checks.
var home = probes.Network{SSID: "rigor", Key: "correct horse", Host: netip.MustParsePrefix("192.168.4.1/24"), TTL: time.Hour}

func (b *accessPoint) sleep(d time.Duration) {
	b.Helper()
	b.must("sleep", b.Clock.Sleep(b.Context(), d))
}

// until sleeps until something is so, for a minute at most.
func (b *accessPoint) until(what string, so func() bool) {
	b.Helper()
	for range 600 {
		if so() {
			return
		}
		b.sleep(100 * time.Millisecond)
	}
	b.Fatalf("not %s after a minute", what)
}

func (b *accessPoint) leased() bool { return b.Station.Address().IsValid() }

// join starts the network and waits for the station's address.
func (b *accessPoint) join(n probes.Network) probes.Socket {
	b.Helper()
	b.must("start", b.AP.Start(b.Context(), n))
	s, err := b.AP.Listen(b.Context(), servicePort)
	b.must("listen", err)
	b.Station.Join(n.SSID, n.Key)
	b.until("leased", b.leased)
	return s
}

func (b *accessPoint) kinds() (kinds []probes.StationEventKind) {
	b.Helper()
	events, err := b.AP.Events(b.Context())
	b.must("events", err)
	for _, e := range events {
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

func (b *accessPoint) refused() {
	b.join(home)
	for _, n := range []probes.Network{
		{Key: home.Key, Host: home.Host, TTL: home.TTL},
		{SSID: home.SSID, Key: "short", Host: home.Host, TTL: home.TTL},
		{SSID: home.SSID, Key: home.Key, TTL: home.TTL},
		{SSID: home.SSID, Key: home.Key, Host: home.Host},
	} {
		if b.AP.Start(b.Context(), n) == nil {
			b.Errorf("%+v is no error", n)
		}
	}
	b.sleep(10 * time.Second)
	if !b.Station.Joined() {
		b.Error("the station is put off")
	}
}

func (b *accessPoint) joins() {
	before := b.Clock.Now()
	b.join(home)
	if a := b.Station.Address(); !home.Host.Contains(a) || a == home.Host.Addr() {
		b.Errorf("address %v, want another one of %v", a, home.Host)
	}
	events, err := b.AP.Events(b.Context())
	b.must("events", err)
	if len(events) != 2 || events[0].Kind != probes.StationJoined || events[1].Kind != probes.StationLeased {
		b.Fatalf("events %+v, want joined and leased", events)
	}
	if events[1].Address != b.Station.Address() || events[0].MAC != events[1].MAC {
		b.Errorf("%+v and then %+v, the station has %v", events[0], events[1], b.Station.Address())
	}
	if events[0].At.Before(before) || events[1].At.Before(events[0].At) || events[1].At.After(b.Clock.Now()) {
		b.Errorf("from %v to %v: joined at %v, leased at %v", before, b.Clock.Now(), events[0].At, events[1].At)
	}
	if more := b.kinds(); len(more) != 0 {
		b.Errorf("events again: %v", more)
	}
}

func (b *accessPoint) joinsOpen() {
	n := home
	n.Key = ""
	b.join(n)
}

func (b *accessPoint) wrongKey() {
	b.must("start", b.AP.Start(b.Context(), home))
	b.Station.Join(home.SSID, "wrong horse")
	b.sleep(15 * time.Second)
	kinds := b.kinds()
	if b.Station.Joined() || len(kinds) == 0 || kinds[0] != probes.StationRejected {
		b.Errorf("joined %v, events %v", b.Station.Joined(), kinds)
	}
}

func (b *accessPoint) wrongSSID() {
	b.must("start", b.AP.Start(b.Context(), home))
	b.Station.Join("another", home.Key)
	b.sleep(15 * time.Second)
	if kinds := b.kinds(); b.Station.Joined() || len(kinds) != 0 {
		b.Errorf("joined %v, events %v", b.Station.Joined(), kinds)
	}
}

// exchange sends from the station and gives what came.
func (b *accessPoint) exchange(s probes.Socket, n int) []probes.Datagram {
	b.Helper()
	for i := range n {
		b.must("send", b.Station.Send(netip.AddrPortFrom(home.Host.Addr(), servicePort), []byte{byte(i), byte(i >> 8)}))
		b.sleep(20 * time.Millisecond)
	}
	b.sleep(time.Second)
	d, err := s.Receive(b.Context())
	b.must("receive", err)
	return d
}

func (b *accessPoint) datagrams() {
	s := b.join(home)
	before := b.Clock.Now()
	got := b.exchange(s, 1)
	if len(got) != 1 || string(got[0].Payload) != "\x00\x00" || got[0].From != netip.AddrPortFrom(b.Station.Address(), StationPort) {
		b.Fatalf("received %+v", got)
	}
	if late := got[0].At.Sub(before); late < -b.Slack || late > time.Second/2 {
		b.Errorf("it came %v after it was sent", late)
	}
	for _, size := range []int{0, 1, probes.MaxDatagram} {
		payload := make([]byte, size)
		b.must("send", s.Send(b.Context(), got[0].From, payload))
		b.sleep(time.Second / 2)
		if r := b.Station.Received(); len(r) != 1 || r[0] != string(payload) {
			b.Errorf("of %d bytes the station receives %q", size, r)
		}
	}
	if s.Send(b.Context(), got[0].From, make([]byte, probes.MaxDatagram+1)) == nil {
		b.Error("a datagram longer than a frame is no error")
	}
}

func (b *accessPoint) ports() {
	s := b.join(home)
	if _, err := b.AP.Listen(b.Context(), servicePort); err == nil {
		b.Error("an open port opens again")
	}
	b.must("close", s.Close())
	if _, err := s.Receive(b.Context()); !errors.Is(err, net.ErrClosed) {
		b.Errorf("a closed port says %v, want %v", err, net.ErrClosed)
	}
	s, err := b.AP.Listen(b.Context(), servicePort)
	b.must("listen again", err)
	if got := b.exchange(s, 1); len(got) != 1 {
		b.Errorf("received %d datagrams, want 1", len(got))
	}
}

// shouter answers in capitals, and hangs up on a full stop.
type shouter struct {
	opened []netip.AddrPort
	heard  strings.Builder
	last   time.Time
	closed int
}

func (s *shouter) Open(from netip.AddrPort) probes.Connection {
	s.opened = append(s.opened, from)
	return s
}

func (s *shouter) Take(at time.Time, data []byte) ([]byte, error) {
	s.last = at
	s.heard.Write(data)
	if bytes.Contains(data, []byte(".")) {
		return nil, errors.New("a full stop")
	}
	return bytes.ToUpper(data), nil
}

func (s *shouter) Close() error { s.closed++; return nil }

// talk joins and connects to a shouter.
func (b *accessPoint) talk() (*shouter, io.Closer) {
	b.Helper()
	b.join(home)
	s := &shouter{}
	port, err := b.AP.Serve(b.Context(), servicePort, s)
	b.must("serve", err)
	b.must("dial", b.Station.Dial(netip.AddrPortFrom(home.Host.Addr(), servicePort)))
	b.until("connected", b.Station.Connected)
	return s, port
}

func (b *accessPoint) serves() {
	s, port := b.talk()
	if _, err := b.AP.Serve(b.Context(), servicePort, s); err == nil {
		b.Error("an open port opens again")
	}
	before := b.Clock.Now()
	b.must("write", b.Station.Write("hello"))
	b.sleep(time.Second)
	if got := b.Station.Read(); got != "HELLO" || s.heard.String() != "hello" {
		b.Errorf("the service hears %q, the station %q", s.heard.String(), got)
	}
	if len(s.opened) != 1 || s.opened[0].Addr() != b.Station.Address() {
		b.Errorf("connections from %v, want one from %v", s.opened, b.Station.Address())
	}
	if late := s.last.Sub(before); late < -b.Slack || late > time.Second/2 {
		b.Errorf("it came %v after it was sent", late)
	}
	b.must("close", port.Close())
	if s.closed != 1 {
		b.Errorf("closed %d times, want once", s.closed)
	}
}

func (b *accessPoint) repeats() {
	s, _ := b.talk()
	b.must("disturb", b.Faults.Disturb(b.Context(), probes.Disturbance{Loss: probes.All / 5, Duplicate: probes.All / 10, Reorder: probes.All / 10, Seed: 1}))
	var sent, got string
	for i := range 100 {
		text := fmt.Sprintf("line %d\n", i)
		b.must("write", b.Station.Write(text))
		sent += text
		b.sleep(50 * time.Millisecond)
		got += b.Station.Read()
	}
	b.until("all read", func() bool { got += b.Station.Read(); return len(got) >= len(sent) })
	if s.heard.String() != sent || got != strings.ToUpper(sent) {
		b.Errorf("of %d bytes the service hears %d and the station %d, or others", len(sent), s.heard.Len(), len(got))
	}
}

func (b *accessPoint) hangsUp() {
	s, _ := b.talk()
	b.must("write", b.Station.Write("bye."))
	b.sleep(time.Second)
	if s.closed != 1 {
		b.Errorf("closed %d times, want once", s.closed)
	}
	b.Station.Write("are you there?")
	b.until("disconnected", func() bool { return !b.Station.Connected() })
	if s.heard.String() != "bye." {
		b.Errorf("the service hears %q", s.heard.String())
	}
}

func (b *accessPoint) nobodyServes() {
	_, port := b.talk()
	b.must("close", port.Close())
	b.must("dial", b.Station.Dial(netip.AddrPortFrom(home.Host.Addr(), servicePort)))
	b.sleep(2 * time.Second)
	if b.Station.Connected() {
		b.Error("it is connected")
	}
}

func (b *accessPoint) stops() {
	b.join(home)
	b.must("stop", b.AP.Stop(b.Context()))
	b.until("off", func() bool { return !b.Station.Joined() })
}

func (b *accessPoint) dropsOut() {
	b.join(home)
	b.kinds()
	b.must("drop out", b.Faults.DropOut(b.Context(), probes.Outage{After: 2 * time.Second, For: 5 * time.Second, Deauth: true}))
	b.sleep(time.Second)
	if !b.Station.Joined() {
		b.Error("put off too soon")
	}
	b.sleep(2 * time.Second)
	if kinds := b.kinds(); b.Station.Joined() || len(kinds) != 1 || kinds[0] != probes.StationPutOff {
		b.Errorf("joined %v, events %v", b.Station.Joined(), kinds)
	}
	b.sleep(5 * time.Second)
	b.Station.Join(home.SSID, home.Key)
	b.until("leased", b.leased)
}

func (b *accessPoint) replaces() {
	b.join(home)
	n := home
	n.SSID, n.Host = "other", netip.MustParsePrefix("10.1.2.3/16")
	b.must("start", b.AP.Start(b.Context(), n))
	b.until("off", func() bool { return !b.Station.Joined() })
	b.Station.Join(n.SSID, n.Key)
	b.until("leased", b.leased)
	if a := b.Station.Address(); !n.Host.Contains(a) {
		b.Errorf("address %v, want one of %v", a, n.Host)
	}
}

// loses wants within four standard deviations of 200 chances of a half, each 7.1.
func (b *accessPoint) loses() {
	s := b.join(home)
	b.must("disturb", b.Faults.Disturb(b.Context(), probes.Disturbance{Loss: probes.All / 2, Seed: 1}))
	if n := len(b.exchange(s, 200)); n < 72 || n > 128 {
		b.Errorf("%d of 200 came through, want about half", n)
	}
	b.must("disturb", b.Faults.Disturb(b.Context(), probes.Disturbance{Loss: probes.All}))
	if n := len(b.exchange(s, 20)); n != 0 {
		b.Errorf("%d came through, want none", n)
	}
	b.must("disturb", b.Faults.Disturb(b.Context(), probes.Disturbance{}))
	if n := len(b.exchange(s, 20)); n != 20 {
		b.Errorf("%d of 20 came through, want all", n)
	}
}

func (b *accessPoint) duplicates() {
	s := b.join(home)
	b.must("disturb", b.Faults.Disturb(b.Context(), probes.Disturbance{Duplicate: probes.All}))
	if n := len(b.exchange(s, 10)); n != 20 {
		b.Errorf("%d came of 10, want each twice", n)
	}
}

func (b *accessPoint) delays() {
	s := b.join(home)
	b.exchange(s, 1) // neighbours know each other
	b.must("disturb", b.Faults.Disturb(b.Context(), probes.Disturbance{Delay: 300 * time.Millisecond, Jitter: 100 * time.Millisecond}))
	before := b.Clock.Now()
	got := b.exchange(s, 1)
	if len(got) != 1 {
		b.Fatalf("received %d datagrams, want 1", len(got))
	}
	if late := got[0].At.Sub(before); late < 300*time.Millisecond-b.Slack || late > 500*time.Millisecond {
		b.Errorf("it came after %v, want 300 to 400 ms and a little", late)
	}
}

func (b *accessPoint) silent() {
	b.must("disturb", b.Faults.Disturb(b.Context(), probes.Disturbance{DHCP: probes.DHCPSilent}))
	b.must("start", b.AP.Start(b.Context(), home))
	b.Station.Join(home.SSID, home.Key)
	b.until("joined", b.Station.Joined)
	b.sleep(20 * time.Second)
	if b.leased() {
		b.Errorf("it has the address %v", b.Station.Address())
	}
	b.must("disturb", b.Faults.Disturb(b.Context(), probes.Disturbance{}))
	b.until("leased", b.leased)
}

func (b *accessPoint) refusesFaults() {
	for _, d := range []probes.Disturbance{{Loss: probes.All + 1}, {Delay: -1}, {DHCP: 200}, {Busy: probes.All}} {
		if b.Faults.Disturb(b.Context(), d) == nil {
			b.Errorf("%+v is no error", d)
		}
	}
	if b.Faults.DropOut(b.Context(), probes.Outage{After: -1}) == nil {
		b.Error("an outage in the past is no error")
	}
	if b.Faults.Load(b.Context(), probes.Load{Every: time.Second, Size: probes.MaxDatagram + 1}) == nil {
		b.Error("a load that fits no frame is no error")
	}
}

func (b *accessPoint) cancelled() {
	s := b.join(home)
	ctx, cancel := context.WithCancel(b.Context())
	cancel()
	_, events := b.AP.Events(ctx)
	_, listen := b.AP.Listen(ctx, servicePort+1)
	_, serve := b.AP.Serve(ctx, servicePort+1, &shouter{})
	_, receive := s.Receive(ctx)
	for i, err := range []error{
		b.AP.Start(ctx, home), b.AP.Stop(ctx), events, listen, serve, receive,
		s.Send(ctx, netip.AddrPortFrom(b.Station.Address(), StationPort), nil),
		b.Faults.Disturb(ctx, probes.Disturbance{Loss: probes.All}), b.Faults.DropOut(ctx, probes.Outage{}), b.Faults.Load(ctx, probes.Load{}),
	} {
		if !errors.Is(err, context.Canceled) {
			b.Errorf("call %d says %v, want %v", i, err, context.Canceled)
		}
	}
	if got := b.exchange(s, 1); len(got) != 1 {
		b.Errorf("%d of 1 came through", len(got))
	}
}
