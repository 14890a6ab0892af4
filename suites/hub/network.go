package hub

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"rigor/firmware/wire/hub"
	"rigor/harness"
	"rigor/harness/measure"
	"rigor/harness/timebase"
	"rigor/probes"
	"rigor/suites/internal/broker"
)

// home is the network that the rig puts up.
var home = probes.Network{SSID: "rigor", Key: "correct horse", Host: netip.MustParsePrefix("192.168.4.1/24"), TTL: time.Hour}

// Reasons that the station may be told (firmware/network).
const (
	wrongKey = 15
	noSSID   = 201
)

var (
	air     = needs{readings: true, network: true}
	heard   = []probes.Line{stimulus, begun, ended, running}
	network = []entry{
		{name: "wrong key", needs: air, watch: heard, make: func() question {
			return &refusal{name: measure.RefusalKey, ssid: home.SSID, key: "wrong horse", reason: wrongKey}
		}},
		{name: "network that is not there", needs: air, watch: heard, make: func() question {
			return &refusal{name: measure.RefusalSSID, ssid: "elsewhere", key: home.Key, reason: noSSID}
		}},
		{name: "published readings", needs: air, watch: heard, make: func() question { return &publishing{state: measure.NetworkClear} }},
		{name: "published readings with loss", needs: air, watch: heard, make: func() question {
			return &publishing{state: measure.NetworkLossy, disturb: probes.Disturbance{Loss: probes.All / 10, Seed: 1}}
		}},
		{name: "published readings with delay", needs: air, watch: heard, make: func() question {
			return &publishing{state: measure.NetworkSlow, disturb: probes.Disturbance{Delay: 50 * time.Millisecond, Jitter: 30 * time.Millisecond, Seed: 1}}
		}},
		{name: "return after a loss that is told", needs: air, watch: heard, make: func() question { return &outage{name: measure.ReturnTold, told: true} }},
		{name: "return after a loss in silence", needs: air, watch: heard, make: func() question { return &outage{name: measure.ReturnSilent} }},
	}
)

// association is how an attempt to join went.
type association struct {
	state   hub.State
	reason  uint32
	address uint32
	took    time.Duration
}

// join tells the program a network, and waits until it has an address or is refused.
func (s *session) join(ctx context.Context, ssid, key string) (association, error) {
	for _, cmd := range append(hub.Text(hub.CommandSSID, ssid), hub.Text(hub.CommandKey, key)...) {
		if _, err := s.obey(ctx, cmd, nil); err != nil {
			return association{}, err
		}
	}
	const within = 15 * time.Second
	told, err := s.tell(ctx, hub.CommandJoin, 4, uint32(within.Milliseconds()))
	if err != nil {
		return association{}, err
	}
	return association{hub.State(told[0]), told[1], told[2], time.Duration(told[3]) * time.Millisecond}, nil
}

// online puts the network up and has the program join it.
func (s *session) online(ctx context.Context) (association, error) {
	if err := s.blame("put up the network", s.AP.Start(ctx, home)); err != nil {
		return association{}, err
	}
	a, err := s.join(ctx, home.SSID, home.Key)
	if err == nil && (a.state != hub.Joined || a.address == 0) {
		err = fmt.Errorf("join network %s: %+v", home.SSID, a)
	}
	return a, err
}

// serve puts a broker at the host's port, for as long as the session.
func (s *session) serve(ctx context.Context) (*broker.Broker, error) {
	b, err := broker.New(hub.Topic)
	if err != nil {
		return nil, s.blame("make a broker", err)
	}
	port, err := s.AP.Serve(ctx, broker.Port, b)
	if err != nil {
		return nil, s.blame("open the broker's port", errors.Join(err, b.Close()))
	}
	s.ends = append(s.ends, port, b)
	return b, nil
}

// received is what the broker's subscriber has got.
func (s *session) received(from *broker.Broker) ([]arrival, error) {
	all, err := from.Messages()
	if err != nil {
		return nil, fmt.Errorf("publish: %w", err)
	}
	var readings []arrival
	for _, m := range all {
		r, err := hub.ParseReading(string(m.Payload))
		if err != nil {
			return nil, fmt.Errorf("a message of %q: %w", m.Payload, err)
		}
		readings = append(readings, arrival{r, m.At})
	}
	return readings, nil
}

// arrival is a reading that was published, and when it came.
type arrival struct {
	hub.Reading
	at time.Time
}

// refusal tries a network that the program must not get into, then the right one.
type refusal struct {
	name      string
	ssid, key string
	reason    uint32

	refused, joined association
}

func (q *refusal) ask(ctx context.Context, s *session) (err error) {
	if err := s.blame("put up the network", s.AP.Start(ctx, home)); err != nil {
		return err
	}
	if q.refused, err = s.join(ctx, q.ssid, q.key); err != nil {
		return err
	}
	if q.refused.state != hub.Refused || q.refused.reason != q.reason || q.refused.address != 0 {
		return fmt.Errorf("join %q with key %q: %+v, want a refusal for reason %d", q.ssid, q.key, q.refused, q.reason)
	}
	events, err := s.events(ctx)
	if err != nil {
		return err
	}
	member := func(e probes.StationEvent) bool {
		return e.Kind != probes.StationRejected && e.Kind != probes.StationLeft
	}
	if i := slices.IndexFunc(events, member); i >= 0 {
		return fmt.Errorf("a station that was refused has %v", events[i].Kind)
	}
	if _, err = s.tell(ctx, hub.CommandLeave, 1, 0); err != nil {
		return err
	}
	q.joined, err = s.online(ctx)
	return err
}

func (q *refusal) answer(harness.Observation) ([]measure.Sample, error) {
	const ms = int64(time.Millisecond)
	return []measure.Sample{
		byFirmware(q.name, measure.Nanoseconds, ms, q.refused.took.Nanoseconds()),
		byFirmware(measure.Joining, measure.Nanoseconds, ms, q.joined.took.Nanoseconds()),
	}, nil
}

// publishing compares what the program reads with what comes to the host.
type publishing struct {
	state   string
	disturb probes.Disturbance

	started time.Time // the mark, on the rig's clock
	read    []hub.Reading
	came    []arrival
}

const (
	publishedReadings = 200
	publishedPeriod   = 10 * time.Millisecond
	underWay          = 300 * time.Millisecond // nothing is for so long, where nothing is lost
	longestWay        = 30 * time.Second       // for no reading, whatever is lost
)

func (q *publishing) ask(ctx context.Context, s *session) error {
	broker, err := s.serve(ctx)
	if err != nil {
		return err
	}
	if _, err := s.online(ctx); err != nil {
		return err
	}
	if q.read, err = s.read(ctx, 1, 0, nil); err != nil { // before it is sent the program connects
		return err
	}
	if err := s.sleep(ctx, underWay); err != nil {
		return err
	}
	if err := s.blame("disturb the network", s.Net.Disturb(ctx, q.disturb)); err != nil {
		return err
	}
	if err := s.start(ctx); err != nil {
		return err
	}
	q.started = s.Clock().Now()
	rest, err := s.read(ctx, publishedReadings, publishedPeriod, nil)
	if err != nil {
		return err
	}
	for _, r := range rest {
		r.Sequence++
		q.read = append(q.read, r)
	}
	return q.collect(ctx, s, broker)
}

// collect waits until all have come, or no more will.
func (q *publishing) collect(ctx context.Context, s *session, from *broker.Broker) error {
	for waited := time.Duration(0); len(q.came) < len(q.read) && waited < longestWay; waited += underWay {
		if err := s.sleep(ctx, underWay); err != nil {
			return err
		}
		more, err := s.received(from)
		if err != nil {
			return err
		}
		q.came = append(q.came, more...)
	}
	return nil
}

func (q *publishing) answer(o harness.Observation) ([]measure.Sample, error) {
	c := since(o.Capture)
	ends := measure.EdgeTimes("", c, measure.Rise(ended)).Values
	var delays []int64
	arrived := map[uint32]bool{}
	for _, a := range q.came {
		n := int(a.Sequence)
		if n >= len(q.read) || q.read[n] != a.Reading {
			return nil, fmt.Errorf("%+v came, which the program did not read", a.Reading)
		}
		if n == 0 || arrived[a.Sequence] { // before the mark, or told twice
			continue
		}
		arrived[a.Sequence] = true
		if n <= len(ends) {
			delays = append(delays, int64(a.at.Sub(q.started))-nanoseconds(c, ends[n-1]))
		}
	}
	samples := []measure.Sample{byHost(measure.Under(measure.PublishShare, q.state), measure.Percent, int64(100*len(arrived)/publishedReadings))}
	if c.Rate > 0 {
		samples = append(samples, byHost(measure.Under(measure.PublishDelay, q.state), measure.Nanoseconds, delays...))
	}
	return samples, nil
}

// nanoseconds is how long after the capture's mark a tick is.
func nanoseconds(c probes.Capture, tick int64) int64 {
	return int64((timebase.Ticks(tick) - c.TriggeredAt).Convert(c.Rate, 1e9))
}

// outage takes the network away for a while, and looks how soon readings come again
// when it is back.
type outage struct {
	name string
	told bool

	back time.Time
	came []arrival
}

// A network that goes in silence must be away for longer than the station waits
// for beacons: 6 s, as ESP-IDF does (esp_wifi_set_inactive_time).
const (
	outageAfter = time.Second
	silentFor   = 7 * time.Second
	toldFor     = 2 * time.Second
	outageMore  = 2500 * time.Millisecond
	outageEach  = 80 * time.Millisecond
)

func (q *outage) lasts() time.Duration {
	if q.told {
		return toldFor
	}
	return silentFor
}

func (q *outage) ask(ctx context.Context, s *session) error {
	broker, err := s.serve(ctx)
	if err != nil {
		return err
	}
	if _, err := s.online(ctx); err != nil {
		return err
	}
	n := int((outageAfter + q.lasts() + outageMore) / outageEach)
	_, err = s.read(ctx, n, outageEach, func() error {
		q.back = s.Clock().Now().Add(outageAfter + q.lasts())
		return s.blame("take the network away", s.Net.DropOut(ctx, probes.Outage{After: outageAfter, For: q.lasts(), Deauth: q.told}))
	})
	if err != nil {
		return err
	}
	if err := s.sleep(ctx, underWay); err != nil {
		return err
	}
	if q.came, err = s.received(broker); err != nil {
		return err
	}
	if came := q.distinct(); came != n {
		return fmt.Errorf("of %d readings the broker has %d: what was read meanwhile was not told afterwards", n, came)
	}
	link, err := s.tell(ctx, hub.CommandLink, 8, 0)
	if err == nil && (link[3] != 2 || link[4] != 1 || hub.State(link[0]) != hub.Joined) {
		err = fmt.Errorf("after one loss the program says that it is in state %d, joined %d times and lost the network %d times", link[0], link[3], link[4])
	}
	return err
}

// distinct is how many readings came, be it more than once.
func (q *outage) distinct() int {
	numbers := map[uint32]bool{}
	for _, a := range q.came {
		numbers[a.Sequence] = true
	}
	return len(numbers)
}

func (q *outage) answer(harness.Observation) ([]measure.Sample, error) {
	i, _ := slices.BinarySearchFunc(q.came, q.back, func(a arrival, t time.Time) int { return cmp.Compare(a.at.UnixNano(), t.UnixNano()) })
	if i == 0 || i == len(q.came) {
		return nil, fmt.Errorf("of %d readings that came, %d came before the network was back", len(q.came), i)
	}
	if gap := q.back.Sub(q.came[i-1].at); gap < q.lasts()-time.Second {
		return nil, fmt.Errorf("a reading came %v before the network was back: it was not away", gap)
	}
	return []measure.Sample{byHost(q.name, measure.Nanoseconds, int64(q.came[i].at.Sub(q.back)))}, nil
}
