// Package tcp is one end of a TCP connection that moves in calls alone: segments
// are handed in and taken out, and time is told. There are no goroutines, and
// IPv4 and its checksum are the caller's.
//
// States, sequence numbers, buffers and the retransmission timer of RFC 6298 are
// those of github.com/soypat/lneto. This package adds what that leaves to its user:
// SYN and SYN-ACK are repeated, small writes wait while something is
// unacknowledged (Nagle's algorithm, RFC 9293 §3.7.4), and who is not heard of
// is given up. It follows RFC 9293. Left out: a lost FIN is not repeated, a closed
// window is not probed, and there is no keep-alive.
package tcp

import (
	"errors"
	"time"

	lneto "github.com/soypat/lneto/tcp"
)

const (
	// BufferSize is how many bytes wait in either direction at most.
	BufferSize = 4096
	// HeaderSize is a segment's without options.
	HeaderSize = 20
	// Patience is how long an answer may take.
	Patience = 20 * time.Second

	firstPause = time.Second // from SYN to SYN, doubled each time (RFC 6298 §2.1, §5.5)
	inFlight   = 2           // segments that lneto keeps account of; there is one
)

// Why a connection is closed that was not by us.
var (
	ErrRefused = errors.New("connection refused")
	ErrReset   = errors.New("connection reset by the peer")
	ErrTimeout = errors.New("connection timed out")
)

// State is one of these.
type State uint8

// An Open connection carries data both ways. In Closing the peer has ended it
// or we have; what came before may be read still.
const (
	Closed State = iota
	Opening
	Open
	Closing
)

// Conn is one end of a connection, closed at first. It must not be copied.
type Conn struct {
	handler lneto.Handler
	rto     lneto.RTO
	tx, rx  [BufferSize]byte
	now     time.Duration
	heard   time.Duration // when the peer was heard last, or nothing was expected of it
	again   time.Duration // when SYN is due again; 0: not sent yet
	pause   time.Duration
	closing bool
	err     error
}

// Open begins a connection to a peer's port. iss is the first sequence number.
func (c *Conn) Open(now time.Duration, local, remote uint16, iss uint32) error {
	c.clear(now)
	return c.handler.OpenActive(local, remote, lneto.Value(iss))
}

// Listen waits for a connection to a port: the next segment's.
func (c *Conn) Listen(now time.Duration, local uint16, iss uint32) error {
	c.clear(now)
	return c.handler.OpenListen(local, lneto.Value(iss))
}

func (c *Conn) clear(now time.Duration) {
	c.handler.Abort()
	if c.pause == 0 { // it was never open
		c.handler.SetBuffers(c.tx[:], c.rx[:], inFlight) // they are long enough
		c.handler.SetLossRecovery(&c.rto, func() int64 { return int64(c.now) })
	}
	c.now, c.heard, c.again, c.pause = now, now, 0, firstPause
	c.closing, c.err = false, nil
}

// Close ends the connection behind what was written.
func (c *Conn) Close() {
	if c.State() == Opening {
		c.Abort()
		return
	}
	c.closing = true
	c.handler.Close() // it is closing already, or has been closed
}

// Abort ends the connection at once. The peer is not told.
func (c *Conn) Abort() { c.handler.Abort() }

// Err is why the connection is closed, nil if as it should be.
func (c *Conn) Err() error { return c.err }

// State is how the connection stands.
func (c *Conn) State() State {
	switch s := c.handler.State(); {
	case c.handler.AwaitingSynSend(), s.IsPreestablished():
		return Opening
	case s.IsClosed():
		return Closed
	case s == lneto.StateEstablished && !c.closing:
		return Open
	}
	return Closing
}

// Local and Remote are the connection's ports.
func (c *Conn) Local() uint16  { return c.handler.LocalPort() }
func (c *Conn) Remote() uint16 { return c.handler.RemotePort() }

// Free is how many bytes Write takes.
func (c *Conn) Free() int { return c.handler.FreeOutput() }

// Write has bytes sent: all or, with an error, none.
func (c *Conn) Write(b []byte) error {
	_, err := c.handler.Write(b)
	return err
}

// Buffered is how many bytes have come that Read has not taken.
func (c *Conn) Buffered() int { return c.handler.BufferedInput() }

// Read takes bytes that have come, 0 if there are none now.
func (c *Conn) Read(b []byte) int {
	if c.Buffered() == 0 {
		return 0
	}
	n, _ := c.handler.Read(b) // there are bytes
	return n
}

// Take handles a segment whose checksum is right. One that does not belong to
// the connection is passed over.
func (c *Conn) Take(now time.Duration, segment []byte) {
	c.now = now
	before := c.handler.State()
	if before.IsClosed() || !valid(segment) || !expected(before, segment) {
		return
	}
	err := c.handler.Recv(segment)
	if err == nil {
		c.heard = now
	}
	if c.handler.State() != lneto.StateClosed {
		return
	}
	switch before {
	case lneto.StateSynSent:
		c.err = ErrRefused
	case lneto.StateLastAck:
	default:
		c.err = ErrReset
	}
	c.Abort() // with its ports lneto would open it again
}

// valid is what lneto wants to be checked before.
func valid(segment []byte) bool {
	if len(segment) < HeaderSize {
		return false
	}
	n := int(segment[12]>>4) * 4
	return n >= HeaderSize && n <= len(segment)
}

// expected keeps from lneto what it would take for data of a connection that is not
// there yet.
func expected(s lneto.State, segment []byte) bool {
	f := flags(segment)
	switch s {
	case lneto.StateListen:
		return f.HasAny(lneto.FlagSYN) && !f.HasAny(lneto.FlagACK|lneto.FlagRST)
	case lneto.StateSynSent:
		return f.HasAny(lneto.FlagSYN | lneto.FlagRST)
	}
	return true
}

func flags(segment []byte) lneto.Flags { return lneto.Flags(segment[13]) }

// Make writes the next segment that is due into buf, from its header on and without
// the checksum, and gives its length: 0 if there is none now. The longest
// segment is as long as buf, also for the peer.
func (c *Conn) Make(now time.Duration, buf []byte) int {
	c.now = now
	c.tick()
	if n := c.unacknowledged(); n > 0 {
		if !c.overdue() {
			n = 0
		}
		buf = buf[:min(len(buf), HeaderSize+n)] // what is repeated is as it was
	}
	n, err := c.handler.Send(buf)
	if err != nil {
		return 0
	}
	if n > 0 && c.handler.IsAwaitingControl() {
		c.again = now + c.pause
		c.pause *= 2
	}
	return n
}

// Due is when Make is to be called even if nothing happens; false: not at all.
func (c *Conn) Due() (at time.Duration, ok bool) {
	if !c.expecting() {
		return 0, false
	}
	at = c.heard + Patience
	if d := time.Duration(c.handler.NextDeadline()); d > 0 {
		at = min(at, d)
	}
	if c.handler.IsAwaitingControl() && c.again > 0 {
		at = min(at, c.again)
	}
	return at, true
}

func (c *Conn) tick() {
	switch {
	case !c.expecting():
		c.heard = c.now
	case c.now-c.heard >= Patience:
		c.err = ErrTimeout
		c.Abort()
	case c.handler.IsAwaitingControl() && c.again > 0 && c.now >= c.again:
		c.handler.RequeueControl()
	}
}

// expecting reports that the peer owes an answer.
func (c *Conn) expecting() bool {
	s := c.State()
	return s == Opening && !c.handler.AwaitingSynAck() || s == Closing || s == Open && c.unacknowledged() > 0
}

// unacknowledged is how many bytes have been sent and not been acknowledged.
func (c *Conn) unacknowledged() int {
	h := &c.handler
	return h.SizeOutput() - h.FreeOutput() - h.BufferedUnsent()
}

func (c *Conn) overdue() bool {
	d := c.handler.NextDeadline()
	return d > 0 && int64(c.now) >= d
}

// A Segment's header, for what has no connection.
type Segment []byte

// Ports are the sender's and the receiver's.
func (s Segment) Ports() (from, to uint16) {
	return uint16(s[0])<<8 | uint16(s[1]), uint16(s[2])<<8 | uint16(s[3])
}

// Opens reports a connection's first segment.
func (s Segment) Opens() bool {
	return valid(s) && flags(s)&(lneto.FlagSYN|lneto.FlagACK|lneto.FlagRST) == lneto.FlagSYN
}

// Refuse writes what answers a segment to a port that is closed (RFC 9293
// §3.10.7.1) and gives its length: 0 if nothing does.
func (s Segment) Refuse(buf []byte) int {
	if !valid(s) || flags(s).HasAny(lneto.FlagRST) {
		return 0
	}
	in, _ := lneto.NewFrame(s)
	out, _ := lneto.NewFrame(buf[:HeaderSize])
	seg := in.Segment(len(in.Payload()))
	reset := lneto.Segment{SEQ: seg.ACK, Flags: lneto.FlagRST}
	if !seg.Flags.HasAny(lneto.FlagACK) {
		reset = lneto.Segment{ACK: lneto.Add(seg.SEQ, seg.LEN()), Flags: lneto.FlagRST | lneto.FlagACK}
	}
	out.ClearHeader()
	out.SetSourcePort(in.DestinationPort())
	out.SetDestinationPort(in.SourcePort())
	out.SetSegment(reset, HeaderSize/4)
	return HeaderSize
}
