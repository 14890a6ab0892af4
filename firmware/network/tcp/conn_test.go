package tcp

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"
	"time"
)

const (
	clientPort = 50000
	serverPort = 1883
	mtu        = 1480
)

// link is two ends and what is between them: latency, and loss by a seed.
type link struct {
	t              *testing.T
	now            time.Duration
	client, server Conn
	lose           func(toServer bool, segment []byte) bool
	flying         []flight
	sent, lost     int
}

type flight struct {
	at       time.Duration
	toServer bool
	segment  []byte
}

const latency = 5 * time.Millisecond

func newLink(t *testing.T) *link {
	l := &link{t: t, lose: func(bool, []byte) bool { return false }}
	if err := l.server.Listen(0, serverPort, 7000); err != nil {
		t.Fatal(err)
	}
	if err := l.client.Open(0, clientPort, serverPort, 0xFFFF_FFF0); err != nil { // wraps soon
		t.Fatal(err)
	}
	return l
}

func (l *link) run(d time.Duration) {
	for end := l.now + d; l.now < end; l.now += time.Millisecond {
		for len(l.flying) > 0 && l.flying[0].at <= l.now {
			f := l.flying[0]
			l.flying = l.flying[1:]
			if f.toServer {
				l.server.Take(l.now, f.segment)
			} else {
				l.client.Take(l.now, f.segment)
			}
		}
		l.drain(&l.client, true)
		l.drain(&l.server, false)
	}
}

func (l *link) drain(c *Conn, toServer bool) {
	var buf [mtu]byte
	at := l.sent
	for n := c.Make(l.now, buf[:]); n > 0; n = c.Make(l.now, buf[:]) {
		if l.sent++; l.sent-at > 20 {
			l.t.Fatalf("it sends %x again and again", buf[:n])
		}
		if l.lose(toServer, buf[:n]) {
			l.lost++
			continue
		}
		l.flying = append(l.flying, flight{l.now + latency, toServer, bytes.Clone(buf[:n])})
	}
}

func (l *link) want(client, server State) {
	l.t.Helper()
	if l.client.State() != client || l.server.State() != server {
		l.t.Fatalf("client %d (%v), server %d (%v), want %d and %d", l.client.State(), l.client.Err(), l.server.State(), l.server.Err(), client, server)
	}
}

func (l *link) write(c *Conn, text string) {
	l.t.Helper()
	if err := c.Write([]byte(text)); err != nil {
		l.t.Fatalf("write %q: %v", text, err)
	}
}

func read(c *Conn) string {
	var buf [BufferSize]byte
	return string(buf[:c.Read(buf[:])])
}

func TestExchange(t *testing.T) {
	l := newLink(t)
	l.want(Opening, Opening)
	l.run(20 * time.Millisecond)
	l.want(Open, Open)
	l.write(&l.client, "ask")
	l.run(20 * time.Millisecond)
	if got := read(&l.server); got != "ask" {
		t.Errorf("the server reads %q", got)
	}
	l.write(&l.server, "answer")
	l.run(20 * time.Millisecond)
	if got := read(&l.client); got != "answer" {
		t.Errorf("the client reads %q", got)
	}
	if _, ok := l.client.Due(); ok {
		t.Error("something is due though nothing is under way")
	}
	l.client.Close()
	l.run(100 * time.Millisecond)
	l.want(Closed, Closed)
	if l.client.Err() != nil || l.server.Err() != nil {
		t.Errorf("closed by %v and %v", l.client.Err(), l.server.Err())
	}
}

// TestNagle wants small writes gathered while one is unacknowledged.
func TestNagle(t *testing.T) {
	l := newLink(t)
	l.run(20 * time.Millisecond)
	l.sent = 0
	for range 5 {
		l.write(&l.client, "xy")
		l.run(time.Millisecond)
	}
	l.run(50 * time.Millisecond)
	if got := read(&l.server); got != "xyxyxyxyxy" || l.sent != 4 {
		t.Errorf("%q in %d segments, want all in 2 and their acknowledgements", got, l.sent)
	}
}

// TestLoss wants every byte, in order, whatever is lost.
func TestLoss(t *testing.T) {
	for seed := range uint64(30) {
		chance := rand.New(rand.NewPCG(seed, 0))
		l := newLink(t)
		l.lose = func(bool, []byte) bool { return chance.IntN(100) < 12 }
		var up, down, gotUp, gotDown []byte
		for i := 0; i < 300 || len(gotUp) < len(up) || len(gotDown) < len(down); i++ {
			if i == 20_000 {
				t.Fatalf("seed %d: %d of %d bytes up, %d of %d down; client %d %v, server %d %v", seed, len(gotUp), len(up), len(gotDown), len(down),
					l.client.State(), l.client.Err(), l.server.State(), l.server.Err())
			}
			if i < 300 {
				up = say(&l.client, up, byte(i), 1+chance.IntN(90))
				down = say(&l.server, down, byte(i), 1+chance.IntN(9))
			}
			l.run(10 * time.Millisecond)
			gotUp, gotDown = append(gotUp, read(&l.server)...), append(gotDown, read(&l.client)...)
		}
		if !bytes.Equal(up, gotUp) || !bytes.Equal(down, gotDown) {
			t.Errorf("seed %d: what came is not what was written", seed)
		}
		if l.lost == 0 {
			t.Errorf("seed %d: nothing was lost", seed)
		}
	}
}

// say writes n bytes if it can, and gives all that were written so far.
func say(c *Conn, before []byte, b byte, n int) []byte {
	more := bytes.Repeat([]byte{b}, n)
	if c.State() != Open || c.Free() < n || c.Write(more) != nil {
		return before
	}
	return append(before, more...)
}

func TestRefused(t *testing.T) {
	l := newLink(t)
	var syn, rst [mtu]byte
	n := l.client.Make(0, syn[:])
	if !Segment(syn[:n]).Opens() {
		t.Fatalf("the first segment is %x", syn[:n])
	}
	if n = Segment(syn[:n]).Refuse(rst[:]); n != HeaderSize {
		t.Fatalf("%d bytes refuse it", n)
	}
	l.client.Take(0, rst[:n])
	if l.client.State() != Closed || !errors.Is(l.client.Err(), ErrRefused) {
		t.Errorf("state %d, error %v", l.client.State(), l.client.Err())
	}
	if n := Segment(rst[:n]).Refuse(syn[:]); n != 0 {
		t.Error("a reset is answered")
	}
}

func TestGivesUp(t *testing.T) {
	none := func(bool, []byte) bool { return true }
	l := newLink(t)
	l.lose = none
	l.run(Patience + time.Second)
	if l.client.State() != Closed || l.client.Err() != ErrTimeout || l.sent != 5 { // at 0, 1, 3, 7 and 15 s
		t.Errorf("state %d, error %v after %d segments", l.client.State(), l.client.Err(), l.sent)
	}
	l = newLink(t)
	l.run(time.Hour / 100) // idle for long
	l.lose = none
	l.write(&l.client, "x")
	l.run(Patience - time.Second)
	l.want(Open, Open)
	l.run(2 * time.Second)
	l.want(Closed, Open)
	if l.client.Err() != ErrTimeout {
		t.Errorf("error %v", l.client.Err())
	}
}

// TestAgain wants a connection to work after another.
func TestAgain(t *testing.T) {
	l := newLink(t)
	l.run(20 * time.Millisecond)
	l.write(&l.client, "of before")
	l.client.Abort()
	l.flying = nil
	l.server.Listen(l.now, serverPort, 1)
	l.client.Open(l.now, clientPort+1, serverPort, 2)
	l.run(20 * time.Millisecond)
	l.write(&l.client, "new")
	l.run(20 * time.Millisecond)
	if got := read(&l.server); got != "new" {
		t.Errorf("the server reads %q", got)
	}
}

// FuzzTake gives a connection in each state segments of any kind.
func FuzzTake(f *testing.F) {
	f.Add(uint8(0), []byte("\x07\x5B\xC3\x50\x00\x00\x1B\x58\xFF\xFF\xFF\xF1\x50\x12\x08\x00\x00\x00\x00\x00"))
	f.Add(uint8(2), []byte("\x07\x5B\xC3\x50\x00\x00\x1B\x59\xFF\xFF\xFF\xF1\x50\x18\x08\x00\x00\x00\x00\x00data"))
	f.Fuzz(func(t *testing.T, steps uint8, segment []byte) {
		l := newLink(t)
		l.run(time.Duration(steps%16) * time.Millisecond)
		if steps&16 != 0 && l.client.State() == Open {
			l.write(&l.client, "written")
		}
		if steps&32 != 0 {
			l.client.Close()
		}
		for range 3 {
			l.client.Take(l.now, segment)
			l.server.Take(l.now, segment)
			l.run(4 * time.Millisecond)
		}
		var buf [HeaderSize]byte
		Segment(segment).Opens()
		Segment(segment).Refuse(buf[:])
	})
}
