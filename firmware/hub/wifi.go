//go:build tinygo

package main

import (
	"encoding/binary"
	"time"

	"rigor/firmware/board"
	"rigor/firmware/mqtt"
	"rigor/firmware/network"
	"rigor/firmware/runs"
	"rigor/firmware/wire/hub"
)

const (
	discard   = 9 // RFC 863
	pollEvery = time.Millisecond
	retry     = time.Second // from a lost network or a failed attempt to the next
)

// The station. Without a radio there is no stack.
var (
	stack     *network.Stack
	ssid, key text
	broker    = network.Endpoint{Port: mqtt.Port} // of no host: the network's router

	wanted    bool // to be joined, and again when lost
	awaited   bool // by a command, that tells how the attempt went
	attempted time.Duration
	online    bool // has an address

	counts struct{ joined, lost, received uint32 }
)

func startStation() {
	radio, err := network.Open()
	if err != nil {
		return
	}
	stack = network.New(radio, board.Random())
	stack.Handle(discard, func(network.Endpoint, []byte) { counts.received++ })
}

// attend looks after the station, for ever.
func attend() {
	for stack != nil {
		stack.Poll(now())
		observe()
		readings.attend()
		time.Sleep(pollEvery)
	}
}

// observe counts comings and goings, and joins again. A wrong key doesn't heal.
func observe() {
	if is := stack.Address() != (network.Addr{}); is != online {
		if online = is; is {
			counts.joined++
		} else {
			counts.lost++
		}
	}
	l := stack.Link()
	down := l.State == network.Off || l.State == network.Refused && l.Reason != network.WrongKey
	if wanted && !awaited && down && now()-attempted >= retry {
		tryToJoin()
	}
}

func tryToJoin() {
	attempted = now()
	stack.Join(ssid.String(), key.String()) // how it goes is in Link
}

func join(count int, millis uint32) []uint32 {
	runs.Accept()
	if stack == nil {
		return answer(count, uint32(hub.NoRadio))
	}
	wanted, awaited = true, true
	tryToJoin()
	end := attempted + time.Duration(millis)*time.Millisecond
	for !online && stack.Link().State != network.Refused && now() < end {
		time.Sleep(pollEvery)
	}
	awaited = false
	state, reason, address := standing()
	return answer(count, state, reason, address, uint32((now()-attempted)/time.Millisecond))
}

func leave(count int, _ uint32) []uint32 {
	runs.Accept()
	if wanted = false; stack != nil {
		stack.Leave()
	}
	return answer(count)
}

func link(count int, _ uint32) []uint32 {
	runs.Accept()
	state, reason, address := standing()
	return answer(count, state, reason, address, counts.joined, counts.lost, readings.published, readings.dropped, counts.received)
}

func standing() (state, reason, address uint32) {
	if stack == nil {
		return uint32(hub.NoRadio), 0, 0
	}
	l, a := stack.Link(), stack.Address()
	return uint32(l.State), uint32(l.Reason), binary.BigEndian.Uint32(a[:])
}

func setHost(_ int, param uint32) []uint32 {
	runs.Accept()
	binary.BigEndian.PutUint32(broker.Addr[:], param)
	return answer(1, param)
}

func setPort(_ int, param uint32) []uint32 {
	runs.Accept()
	broker.Port = uint16(param)
	return answer(1, param)
}

// A text comes word by word, see hub.Text.
type text [hub.MaxText]byte

func (t *text) set(count int, param uint32) []uint32 {
	runs.Accept()
	at := 4 * (count - 1)
	clear(t[at:])
	binary.LittleEndian.PutUint32(t[at:], param)
	for i := range count {
		samples[i] = param
	}
	return samples[:count]
}

func (t *text) String() string {
	n := 0
	for n < len(t) && t[n] != 0 {
		n++
	}
	return string(t[:n])
}
