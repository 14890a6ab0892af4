//go:build tinygo

package main

import (
	"time"

	"rigor/firmware/mqtt"
	"rigor/firmware/network"
	"rigor/firmware/network/tcp"
	"rigor/firmware/wire/hub"
)

const (
	clientName  = "hub"
	answerTime  = 10 * time.Second // a broker's; after it the connection is given up
	longest     = 160              // bytes of a message
	maxReadings = 256              // that wait for the broker
)

// publisher keeps readings until the broker has acknowledged them, and tells it again what
// it did not. first, next and end are numbers of readings: the first one that is not
// acknowledged, the first that this connection has not carried, and the one to come.
type publisher struct {
	kept             [maxReadings]hub.Reading
	first, next, end uint32
	carried          uint32 // the first that no connection has carried

	stream  *network.Stream
	state   conversation
	heard   time.Duration // the broker, or when nothing was asked of it
	dialled time.Duration
	buf     [longest]byte

	published, dropped uint32
}

// conversation is how far that with the broker is.
type conversation uint8

const (
	silent   conversation = iota // there is no connection
	dialling                     // it is not open yet
	greeting                     // the broker owes its answer to CONNECT
	serving
)

var readings publisher

// publish takes a reading, if there is to be a network for it.
func (p *publisher) publish(r hub.Reading) {
	switch {
	case stack == nil || !wanted:
	case p.end-p.first == maxReadings:
		p.dropped++
	default:
		p.kept[p.end%maxReadings] = r
		p.end++
	}
}

// attend does what is due. A broken connection is made again, once a second.
func (p *publisher) attend() {
	if p.state != silent && p.stream.State() == tcp.Closed {
		p.state = silent
	}
	switch {
	case p.state == silent && online && now()-p.dialled >= retry:
		p.dial()
	case p.state == dialling && p.stream.State() == tcp.Open:
		p.state, p.heard = greeting, now()
		p.stream.Write(mqtt.AppendConnect(p.buf[:0], clientName))
	case p.state == greeting || p.state == serving:
		p.listen()
		p.tell()
	}
}

func (p *publisher) dial() {
	to := broker
	if to.Addr == (network.Addr{}) {
		to.Addr = stack.Router()
	}
	p.dialled = now()
	stream, err := stack.Dial(to)
	if err != nil {
		return
	}
	p.stream, p.state = stream, dialling
}

// listen takes the broker's answers.
func (p *publisher) listen() {
	for p.stream.Buffered() >= mqtt.AnswerSize {
		n := p.stream.Read(p.buf[:mqtt.AnswerSize])
		p.heard = now()
		switch a, err := mqtt.Parse(p.buf[:n]); {
		case err == nil && a.Kind == mqtt.Accepted && p.state == greeting:
			p.state, p.next = serving, p.first
		case err == nil && a.Kind == mqtt.Acknowledged && p.first != p.next && a.ID == packetID(p.first):
			p.first++
			p.published++
		default:
			p.hangUp()
			return
		}
	}
	if p.state == serving && p.first == p.next {
		p.heard = now()
	}
	if now()-p.heard >= answerTime {
		p.hangUp()
	}
}

func (p *publisher) hangUp() {
	p.stream.Abort()
	p.state = silent
}

// tell sends what there is room for.
func (p *publisher) tell() {
	var text [longest]byte
	for p.state == serving && p.next != p.end && p.stream.Free() >= longest {
		p.stream.Write(mqtt.AppendPublish(p.buf[:0], mqtt.Message{
			Topic:   hub.Topic,
			ID:      packetID(p.next),
			Again:   p.next != p.carried,
			Payload: hub.AppendReading(text[:0], p.kept[p.next%maxReadings]),
		}))
		if p.next++; p.next-p.first > p.carried-p.first {
			p.carried = p.next
		}
	}
}

// packetID is a reading's; 0 is none.
func packetID(reading uint32) uint16 { return uint16(reading%0xFFFF) + 1 }
