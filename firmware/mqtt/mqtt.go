// Package mqtt is what a publisher says to a broker and hears from it: MQTT 3.1.1
// (OASIS Standard, 29 October 2014), of which it has CONNECT with a clean session
// and without will, name, password or keep-alive, PUBLISH of quality 1, CONNACK and
// PUBACK. A lost connection is noticed by an answer that does not come.
// Nothing is allocated where the slices have room.
package mqtt

import (
	"encoding/binary"
	"errors"
)

// Port is a broker's (IANA).
const Port = 1883

// Types of packets, with their flags (§2.2).
const (
	connect = 0x10
	connack = 0x20
	publish = 0x30 | quality1
	puback  = 0x40

	quality1  = 0x02
	duplicate = 0x08
)

var be = binary.BigEndian

// AppendConnect appends CONNECT of a client by name (§3.1).
func AppendConnect(dst []byte, client string) []byte {
	const protocol, level, cleanSession = "MQTT", 4, 0x02
	dst = appendHeader(dst, connect, 2+len(protocol)+4+2+len(client))
	dst = append(appendString(dst, protocol), level, cleanSession, 0, 0) // no keep-alive
	return appendString(dst, client)
}

// Message is what is published.
type Message struct {
	Topic   string
	ID      uint16 // not 0
	Again   bool   // it was sent before
	Payload []byte
}

// AppendPublish appends PUBLISH (§3.3).
func AppendPublish(dst []byte, m Message) []byte {
	kind := byte(publish)
	if m.Again {
		kind |= duplicate
	}
	dst = appendHeader(dst, kind, 2+len(m.Topic)+2+len(m.Payload))
	dst = be.AppendUint16(appendString(dst, m.Topic), m.ID)
	return append(dst, m.Payload...)
}

// appendHeader appends type and remaining length, seven bits at a time (§2.2.3).
func appendHeader(dst []byte, kind byte, n int) []byte {
	dst = append(dst, kind)
	for ; n > 0x7F; n >>= 7 {
		dst = append(dst, byte(n)|0x80)
	}
	return append(dst, byte(n))
}

func appendString(dst []byte, s string) []byte {
	return append(be.AppendUint16(dst, uint16(len(s))), s...)
}

// Kind is an answer's.
type Kind uint8

// Accepted and Refused answer CONNECT, Acknowledged PUBLISH.
const (
	Accepted Kind = iota + 1
	Refused
	Acknowledged
)

// Answer is what a broker says.
type Answer struct {
	Kind Kind
	Code uint8  // of Refused: why (§3.2.2.3)
	ID   uint16 // of Acknowledged
}

// AnswerSize is the length of each.
const AnswerSize = 4

// ErrUnexpected is what no broker answers a publisher.
var ErrUnexpected = errors.New("mqtt: unexpected packet")

// Parse decodes an answer of AnswerSize bytes.
func Parse(b []byte) (Answer, error) {
	if len(b) != AnswerSize || b[1] != 2 {
		return Answer{}, ErrUnexpected
	}
	switch {
	case b[0] == puback:
		return Answer{Kind: Acknowledged, ID: be.Uint16(b[2:])}, nil
	case b[0] == connack && b[2] == 0 && b[3] == 0: // of a clean session nothing is there already
		return Answer{Kind: Accepted}, nil
	case b[0] == connack && b[2] == 0:
		return Answer{Kind: Refused, Code: b[3]}, nil
	}
	return Answer{}, ErrUnexpected
}
