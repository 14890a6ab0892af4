package esp32c3

import (
	"bytes"
	"slices"
	"testing"

	"rigor/firmware/network"
	"rigor/harness/sim/board"
	"rigor/harness/sim/bus"
	"rigor/harness/sim/clock"
)

// ether is air with an access point on channel 3 that admits who knows its key,
// and takes a millisecond for each message. Data it sends back.
type ether struct {
	wake  func()
	on    bool
	deaf  bool // nobody acknowledges
	queue []board.Message
	at    []clock.Time
	sent  []board.Message
}

func (e *ether) Attach(wake func()) { e.wake = wake }

func (e *ether) Listen(on bool, _ clock.Time) {
	if e.on = on; !on {
		e.queue, e.at = nil, nil
	}
}

func (e *ether) Next() clock.Time {
	if len(e.at) == 0 {
		return clock.NeverTime
	}
	return e.at[0]
}

func (e *ether) Receive(at clock.Time) (board.Message, bool) {
	if len(e.at) == 0 || e.at[0] > at {
		return board.Message{}, false
	}
	m := e.queue[0]
	e.queue, e.at = e.queue[1:], e.at[1:]
	return m, true
}

func (e *ether) say(m board.Message, at clock.Time) {
	e.queue, e.at = append(e.queue, m), append(e.at, at)
}

func (e *ether) Send(m board.Message, at clock.Time) (clock.Time, bool) {
	m.Frame = bytes.Clone(m.Frame)
	e.sent = append(e.sent, m)
	end := at + clock.Millisecond
	if e.deaf {
		return end, false
	}
	switch {
	case m.Kind == board.Probe && m.SSID == "rigor" && m.Channel == 3:
		e.say(board.Message{Kind: board.Here}, end)
	case m.Kind == board.Join && m.Key == "correct horse":
		e.say(board.Message{Kind: board.Admit}, end)
	case m.Kind == board.Join:
		e.say(board.Message{Kind: board.PutOff, Reason: board.ReasonHandshake}, end)
	case m.Kind == board.Data:
		e.say(m, end)
	}
	return end, true
}

// macRegs are the block's registers as a driver has them.
type macRegs struct {
	t *testing.T
	c *Chip
}

func (r macRegs) Load(off uintptr) uint32 {
	v, f := r.c.loadBlock(r.c.block(macAt), macAt+uint32(off), 4)
	if f != bus.None {
		r.t.Errorf("load of +%#x: %v %s", off, f, r.c.lacking)
	}
	return v
}

func (r macRegs) Store(off uintptr, v uint32) {
	if f := r.c.storeBlock(r.c.block(macAt), macAt+uint32(off), 4, v); f != bus.None {
		r.t.Errorf("store to +%#x: %v %s", off, f, r.c.lacking)
	}
}

const macAt = 0x600D1000

// newMAC is a chip in which nothing runs, its radio in the air, and the driver.
func newMAC(t *testing.T) (*Chip, *ether, *network.Paravirtual) {
	t.Helper()
	c, e := New(Options{MAC: [6]byte{2, 4, 6, 8, 10, 12}}), &ether{}
	c.SetAir(e)
	d, err := network.NewParavirtual(macRegs{t, c})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := d.MAC(), (network.MAC{2, 4, 6, 8, 10, 12}); got != want {
		t.Fatalf("address %x, want %x", got, want)
	}
	return c, e, d
}

func pass(c *Chip, d clock.Time) { c.Run(c.Now() + d) }

// joinMAC joins; the third channel's turn comes after 240 ms.
func joinMAC(t *testing.T) (*Chip, *ether, *network.Paravirtual) {
	t.Helper()
	c, e, d := newMAC(t)
	if err := d.Join("rigor", "correct horse"); err != nil {
		t.Fatal(err)
	}
	pass(c, 243*clock.Millisecond)
	if got, want := d.Status(), (network.Status{State: network.Joined}); got != want {
		t.Fatalf("after 243 ms %+v, want %+v", got, want)
	}
	return c, e, d
}

func TestMACJoins(t *testing.T) {
	for _, c := range []struct {
		ssid, key string
		after     clock.Time // until when it is joining
		want      network.Status
	}{
		{"rigor", "correct horse", 241 * clock.Millisecond, network.Status{State: network.Joined}},
		{"rigor", "wrong horse", 241 * clock.Millisecond, network.Status{State: network.Refused, Reason: network.WrongKey}},
		{"other", "correct horse", 1559 * clock.Millisecond, network.Status{State: network.Refused, Reason: network.NoAccessPoint}},
	} {
		chip, _, d := newMAC(t)
		if err := d.Join(c.ssid, c.key); err != nil {
			t.Fatal(err)
		}
		pass(chip, c.after)
		if got := d.Status(); got.State != network.Joining {
			t.Errorf("%s, %s: after %d ps %+v", c.ssid, c.key, c.after, got)
		}
		pass(chip, 2*clock.Millisecond)
		if got := d.Status(); got != c.want {
			t.Errorf("%s, %s: then %+v, want %+v", c.ssid, c.key, got, c.want)
		}
	}
}

func TestMACWithoutAir(t *testing.T) {
	c := New(Options{})
	d, err := network.NewParavirtual(macRegs{t, c})
	if err != nil {
		t.Fatal(err)
	}
	d.Join("rigor", "")
	pass(c, 2*clock.Second)
	if got, want := d.Status(), (network.Status{State: network.Refused, Reason: network.NoAccessPoint}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// Without beacons a network lasts 6 s.
func TestMACBeacons(t *testing.T) {
	c, e, d := joinMAC(t)
	for range 10 {
		pass(c, 5*clock.Second)
		e.say(board.Message{Kind: board.Beacon, SSID: "rigor"}, c.Now())
		e.wake()
		pass(c, clock.Millisecond)
	}
	pass(c, 5900*clock.Millisecond)
	e.say(board.Message{Kind: board.Beacon, SSID: "another"}, c.Now())
	e.wake()
	if got := d.Status().State; got != network.Joined {
		t.Errorf("state %d after less than 6 s", got)
	}
	pass(c, 200*clock.Millisecond)
	if got, want := d.Status(), (network.Status{State: network.Off, Reason: network.BeaconTimeout}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestMACLeaves(t *testing.T) {
	c, e, d := joinMAC(t)
	d.Leave()
	if got := d.Status(); got != (network.Status{}) || e.on {
		t.Errorf("%+v, listening %v", got, e.on)
	}
	if last := e.sent[len(e.sent)-1]; last.Kind != board.Leave || last.Station != c.opt.MAC {
		t.Errorf("last said %+v", last)
	}
	c, e, d = joinMAC(t)
	e.say(board.Message{Kind: board.PutOff, Reason: board.ReasonLeaving}, c.Now())
	e.wake()
	pass(c, clock.Millisecond)
	if got, want := d.Status(), (network.Status{State: network.Off, Reason: network.Leaving}); got != want {
		t.Errorf("put off: %+v, want %+v", got, want)
	}
}

// frame is one of n bytes to all.
func frame(n int) []byte {
	f := bytes.Repeat([]byte{0xFF}, 6)
	for i := 6; i < n; i++ {
		f = append(f, byte(i))
	}
	return f
}

// Frames of all lengths come back as they went.
func TestMACFrames(t *testing.T) {
	c, _, d := joinMAC(t)
	buf := make([]byte, network.MaxFrame)
	for n := macHeader; n <= board.MaxFrame; n++ {
		if err := d.Send(frame(n)); err != nil {
			t.Fatalf("%d bytes: %v", n, err)
		}
		pass(c, 1100*clock.Microsecond)
		if got, ok := d.Receive(buf); !ok || !bytes.Equal(buf[:got], frame(n)) {
			t.Fatalf("%d bytes: %v, %d bytes", n, ok, got)
		}
		c.MAC.State = macJoined
		c.ScheduleIn(slotMACTimer, macBeaconTime) // as if a beacon had come
	}
	other := frame(60)
	copy(other, []byte{2, 0, 0, 0, 0, 99})
	d.Send(other)
	pass(c, 2*clock.Millisecond)
	if n, ok := d.Receive(buf); ok {
		t.Errorf("a frame of %d bytes to another station is received", n)
	}
	if lost := (macRegs{t, c}).Load(0x03C); lost != 0 {
		t.Errorf("%d frames lost", lost)
	}
}

func TestMACQueues(t *testing.T) {
	c, e, d := joinMAC(t)
	r := macRegs{t, c}
	for i := range macTXQueue {
		if room := r.Load(0x038); room != uint32(macTXQueue-i) {
			t.Errorf("room for %d with %d queued", room, i)
		}
		if err := d.Send(frame(60)); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Send(frame(60)); err != network.ErrFull {
		t.Errorf("with a full queue: %v, want %v", err, network.ErrFull)
	}
	pass(c, clock.Millisecond)
	if err := d.Send(frame(60)); err != nil {
		t.Errorf("after the first: %v", err)
	}
	e.deaf = true
	pass(c, 10*clock.Millisecond)
	if lost := r.Load(0x03C); lost != 3 { // one had been heard, and one was on its way
		t.Errorf("%d frames lost that nobody heard, want 3", lost)
	}
	if got := r.Load(0x04C); got != 0 {
		t.Errorf("%d received frames lost", got)
	}
	for range macRXQueue + 3 {
		e.say(board.Message{Kind: board.Data, Frame: frame(60)}, c.Now())
	}
	e.wake()
	pass(c, clock.Millisecond)
	if got, want := r.Load(0x04C), uint32(3+2); got != want { // two had come back
		t.Errorf("%d received frames lost, want %d", got, want)
	}
}

func TestMACInterrupts(t *testing.T) {
	c, _, d := newMAC(t)
	r := macRegs{t, c}
	r.Store(0x024, 7)
	expect := func(when string, want uint32) {
		t.Helper()
		if got := r.Load(0x028); got != want {
			t.Errorf("%s: INT_ST %d, want %d", when, got, want)
		}
	}
	expect("at first", 0)
	d.Join("rigor", "correct horse")
	expect("joining", macIntLink)
	r.Store(0x02C, macIntLink)
	pass(c, 300*clock.Millisecond)
	expect("joined", macIntLink)
	r.Store(0x02C, 7)
	d.Send(frame(60))
	pass(c, 500*clock.Microsecond)
	expect("sending", 0)
	pass(c, clock.Millisecond)
	expect("sent and come back", macIntTX|macIntRX)
	r.Store(0x02C, 7)
	expect("cleared", macIntRX)
	r.Store(0x048, 0)
	expect("taken", 0)
}

// What no driver should do is counted and warned of.
func TestMACMisuse(t *testing.T) {
	c, _, _ := joinMAC(t)
	r := macRegs{t, c}
	for _, n := range []uint32{0, 13, 1515, 1 << 31, 60} { // of the last no word is written
		r.Store(0x034, n)
	}
	for range 2 * macWords {
		r.Store(0x030, 1)
	}
	r.Store(0x034, board.MaxFrame)
	if lost := r.Load(0x03C); lost != 6 {
		t.Errorf("%d frames lost, want 6", lost)
	}
	r.Store(0x048, 0)
	r.Load(0x044)
	r.Store(0x120, 33)
	r.Store(0x008, 1)
	if got := r.Load(0x010) & 3; got != uint32(macRefused) {
		t.Errorf("with an SSID of 33 bytes the state is %d", got)
	}
	if len(c.Warnings()) < 5 {
		t.Errorf("warnings %q", c.Warnings())
	}
	for _, off := range []uint32{0x00C, 0x140, 0x184, 0x3FC} {
		if _, f := (macDevice{c}).Load(off, 4); f != bus.Unmodelled || c.lacking == "" {
			t.Errorf("load of +%#x: %v %q", off, f, c.lacking)
		}
	}
	if f := (macDevice{c}).Store(0x184, 4, 0); f != bus.Unmodelled {
		t.Errorf("store to +0x184: %v", f)
	}
}

// A restored chip tells the air whether it listens, and has its frames.
func TestMACRestores(t *testing.T) {
	c, e, d := joinMAC(t)
	d.Send(frame(100))
	pass(c, 2*clock.Millisecond)
	s, digest := c.Snapshot(), c.Digest()
	d.Leave()
	c.Restore(s)
	if !e.on || c.Digest() != digest {
		t.Errorf("listening %v, digests equal %v", e.on, c.Digest() == digest)
	}
	buf := make([]byte, network.MaxFrame)
	if n, ok := d.Receive(buf); !ok || !slices.Equal(buf[:n], frame(100)) {
		t.Errorf("received %v, %d bytes", ok, n)
	}
	if c.Digest() == digest {
		t.Error("a frame taken does not show in the digest")
	}
}
