// Package broker is an MQTT broker behind a TCP port of the rig's access point:
// github.com/mochi-mqtt/server, in this process, with a subscriber.
//
// A broker acts in goroutines of its own, and a virtual rig must not depend on when
// they run. A publisher's packets are therefore passed on one by one, and the rig's time
// stands still until the broker has answered each and the subscriber has what it is
// about. That takes knowing which packet is answered by what: CONNECT by CONNACK, PUBLISH of
// quality 1 by PUBACK; others are refused.
package broker

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"

	"rigor/probes"
)

// Port is a broker's (IANA).
const Port = 1883

// patience is how long the broker may take for an answer, on the host's clock.
const patience = 10 * time.Second

// Message is what the subscriber received.
type Message struct {
	At      time.Time // on the rig's clock, when the broker was given it
	Payload []byte
}

// Broker is one with a subscriber.
type Broker struct {
	server    *mqtt.Server
	at        time.Time     // of the packet in hand
	delivered chan struct{} // it is with the subscriber
	messages  []Message
	err       error
}

var _ probes.Service = (*Broker)(nil)

// New makes a broker whose subscriber receives a topic.
func New(topic string) (*Broker, error) {
	b := &Broker{
		server:    mqtt.New(&mqtt.Options{InlineClient: true, Logger: slog.New(slog.DiscardHandler)}),
		delivered: make(chan struct{}, 1),
	}
	receive := func(_ *mqtt.Client, _ packets.Subscription, p packets.Packet) {
		b.messages = append(b.messages, Message{b.at, slices.Clone(p.Payload)})
	}
	if err := b.server.AddHook(&hook{delivered: b.delivered}, nil); err != nil {
		return nil, err
	}
	return b, b.server.Subscribe(topic, 1, receive)
}

// hook lets everybody in and tells when a message is with its subscribers.
type hook struct {
	mqtt.HookBase
	delivered chan<- struct{}
}

func (*hook) ID() string { return "rigor" }

func (*hook) Provides(b byte) bool {
	return b == mqtt.OnConnectAuthenticate || b == mqtt.OnACLCheck || b == mqtt.OnPublished
}

func (*hook) OnConnectAuthenticate(*mqtt.Client, packets.Packet) bool { return true }
func (*hook) OnACLCheck(*mqtt.Client, string, bool) bool              { return true }
func (h *hook) OnPublished(*mqtt.Client, packets.Packet)              { h.delivered <- struct{}{} }

// Messages gives what the subscriber received since the last call, or why the broker
// did not do as brokers do.
func (b *Broker) Messages() ([]Message, error) {
	all := b.messages
	b.messages = nil
	return all, b.err
}

// Close ends the broker. Its connections are closed by then.
func (b *Broker) Close() error { return b.server.Close() }

// Open gives the broker a connection.
func (b *Broker) Open(from netip.AddrPort) probes.Connection {
	own, far := net.Pipe()
	c := &connection{broker: b, pipe: own, answers: make(chan [answerSize]byte, 1), ended: make(chan struct{})}
	go func() {
		b.server.EstablishConnection(from.String(), far) // why it ends shows in what it answers
		close(c.ended)
	}()
	go c.listen()
	return c
}

// connection is a publisher's.
type connection struct {
	broker  *Broker
	pipe    net.Conn
	pending []byte // of a packet that is not complete
	answers chan [answerSize]byte
	ended   chan struct{}
}

// answerSize is the length of CONNACK and of PUBACK.
const answerSize = 4

// listen takes what the broker says at any time: to a client that has connected again it
// says farewell on the old connection.
func (c *connection) listen() {
	defer close(c.answers)
	for {
		var b [answerSize]byte
		if _, err := io.ReadFull(c.pipe, b[:]); err != nil {
			return
		}
		c.answers <- b
	}
}

// Take passes on the packets that are complete.
func (c *connection) Take(at time.Time, data []byte) (answers []byte, err error) {
	c.broker.at = at
	c.pending = append(c.pending, data...)
	for {
		n, err := length(c.pending)
		if err != nil || n == 0 {
			return answers, c.broker.blame(err)
		}
		answer, err := c.ask(c.pending[:n])
		if err != nil {
			return answers, c.broker.blame(err)
		}
		answers = append(answers, answer...)
		c.pending = c.pending[n:]
	}
}

// blame keeps the first error.
func (b *Broker) blame(err error) error {
	if b.err == nil {
		b.err = err
	}
	return err
}

// Close tells the broker that the connection is over, and waits until it knows.
func (c *connection) Close() error {
	c.pipe.Close()
	select {
	case <-c.ended:
		return nil
	case <-time.After(patience):
		return fmt.Errorf("the broker still keeps a closed connection after %v", patience)
	}
}

// Types of packets (MQTT 3.1.1 §2.2.1), with PUBLISH's quality (§3.3.1.2).
const (
	typeMask    = 0xF0
	connect     = 0x10
	connack     = 0x20
	publish     = 0x30
	puback      = 0x40
	qualityMask = 0x06
	quality1    = 0x02
)

// ask passes a packet on and gives the broker's answer.
func (c *connection) ask(packet []byte) ([]byte, error) {
	kind, want := packet[0], byte(0)
	switch {
	case kind&typeMask == connect:
		want = connack
	case kind&(typeMask|qualityMask) == publish|quality1:
		want = puback
	default:
		return nil, fmt.Errorf("a packet with the header %#02x: it is not known what the broker answers", kind)
	}
	c.pipe.SetWriteDeadline(time.Now().Add(patience)) // a pipe's never fails
	if _, err := c.pipe.Write(packet); err != nil {
		return nil, fmt.Errorf("pass a packet on to the broker: %w", err)
	}
	answer, err := c.answer()
	if err != nil {
		return nil, fmt.Errorf("wait for the broker's answer to %#02x: %w", kind, err)
	}
	if answer[0] != want || answer[1] != 2 {
		return nil, fmt.Errorf("the broker answers %#02x by % x", kind, answer)
	}
	if want == puback {
		return answer[:], c.broker.waitForSubscriber()
	}
	return answer[:], nil
}

func (c *connection) answer() ([answerSize]byte, error) {
	select {
	case answer, ok := <-c.answers:
		if !ok {
			return answer, io.ErrUnexpectedEOF
		}
		return answer, nil
	case <-time.After(patience):
		return [answerSize]byte{}, fmt.Errorf("none after %v", patience)
	}
}

func (b *Broker) waitForSubscriber() error {
	select {
	case <-b.delivered:
		return nil
	case <-time.After(patience):
		return fmt.Errorf("a message is not with the subscriber after %v", patience)
	}
}

// length is that of the first packet, 0 if it is not complete (§2.2.3).
func length(b []byte) (int, error) {
	const header, longestLength = 1, 4
	if len(b) < 2 {
		return 0, nil
	}
	n, size := binary.Uvarint(b[header:min(len(b), header+longestLength)])
	switch {
	case size <= 0 && len(b) > longestLength:
		return 0, errors.New("a packet's length of more than four bytes")
	case size <= 0 || uint64(len(b)) < uint64(header+size)+n:
		return 0, nil
	}
	return header + size + int(n), nil
}
