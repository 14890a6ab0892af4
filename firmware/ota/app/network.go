//go:build tinygo && net

package main

import (
	"time"

	"rigor/firmware/board"
	"rigor/firmware/network"
	"rigor/firmware/wire"
	wireota "rigor/firmware/wire/ota"
)

// The network that the program joins. It keeps no settings in flash, and must find it
// again after each restart.
const (
	ssid  = "rigor"
	key   = "correct horse"
	retry = time.Second
)

// The station. Without a radio there is no stack.
var (
	stack     *network.Stack
	began     time.Time
	attempted time.Duration
	datagram  wire.Decoder
	asking    network.Endpoint
)

func startNetwork() {
	radio, err := network.Open()
	if err != nil {
		return
	}
	began = time.Now()
	stack = network.New(radio, board.Random())
	stack.Handle(wireota.Port, take)
	stack.Join(ssid, key) // how it goes, attend sees
}

// attend looks after the station, and joins again when the network is lost.
func attend() {
	if stack == nil {
		return
	}
	now := time.Since(began)
	stack.Poll(now)
	state := stack.Link().State
	if (state == network.Off || state == network.Refused) && now-attempted >= retry {
		attempted = now
		stack.Join(ssid, key)
	}
}

// take does what a datagram asks for, if it is one whole frame.
func take(from network.Endpoint, payload []byte) {
	datagram = wire.Decoder{}
	for i, b := range payload {
		f, ok := datagram.Feed(b)
		if ok && i == len(payload)-1 && f.Type == wireota.TypeRequest {
			asking = from
			request(f.Payload, reply)
		}
	}
}

func reply(frame []byte) { stack.Send(wireota.Port, asking, frame) }
