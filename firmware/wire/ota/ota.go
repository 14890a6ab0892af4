// Package ota is what a board and the host that updates it say to each other, in
// frames of package wire.
//
// The host asks and waits for the answer; a request without one is repeated. Every
// request may be made twice: the second does nothing that the first did not. An answer
// repeats its request's token, so that a late one isn't taken for another's.
//
// The boot program sends one [Boot] before it hands over, or every second if there is
// nothing to hand over to. Requests are for the application.
//
// Numbers are little endian. Left out: which key signs what, and what a payload is; that
// is between harness/ota and firmware/ota.
package ota

import "rigor/firmware/wire"

// The frames.
const (
	TypeBoot    wire.Type = 'B'
	TypeRequest wire.Type = 'U'
	TypeAnswer  wire.Type = 'A'
)

// Lengths in bytes.
const (
	ManifestSize = 256
	PieceSize    = 252 // of the payload; the last is padded with 0xFF
	MaxPieces    = 512
)

// Why a slot was booted.
type Why uint8

// The reasons.
const (
	Confirmed Why = iota // it holds the image that was confirmed last, or the first one
	Trial                // it has an image that waits to be confirmed
	Reverted             // the trial of the other one was given up
	Fallback             // the one to be booted doesn't verify
	None                 // neither does: nothing was booted
)

var whys = [...]string{"confirmed", "trial", "reverted", "fallback", "none"}

func (w Why) String() string { return name(whys[:], uint8(w)) }

// NoSlot stands for a slot where there is none.
const NoSlot = 0xFF

// Boot is the boot program's report.
type Boot struct {
	Slot    uint8 // NoSlot with None
	Why     Why
	Attempt uint8  // from 1, with Trial
	Version uint32 // of the image, major<<24 | minor<<16 | patch
	Update  uint32 // the id of its manifest
}

// Op is what the host asks for.
type Op uint8

// The requests.
const (
	Query    Op = iota
	Offer       // Data: a manifest
	Piece       // Index, Data: a part of the payload
	Install     // makes the image in the other slot and switches to it
	Confirm     // the image on trial is good
	Restart     // by software; done once the answer is out
	Hang        // no longer feed the watchdog: what a bad update does
	SelfTest    // RFC 8032's vectors; answers Cycles and Stack of a verification
)

var ops = [...]string{"query", "offer", "piece", "install", "confirm", "restart", "hang", "self-test"}

func (o Op) String() string { return name(ops[:], uint8(o)) }

// Request is what the host says.
type Request struct {
	Token uint16
	Op    Op
	Index uint16 // of a piece
	Data  []byte
}

// State is how an update stands.
type State uint8

// The states.
const (
	Idle      State = iota // what runs is confirmed, no update is under way
	Receiving              // pieces are missing, or were not all looked at since the last restart
	Staged                 // all pieces are there
	Switched               // installed: the next start tries it
	OnTrial                // what runs waits to be confirmed
)

var states = [...]string{"idle", "receiving", "staged", "switched", "on-trial"}

func (s State) String() string { return name(states[:], uint8(s)) }

// MaxFirst is how many missing pieces an answer names.
const MaxFirst = 8

// Answer is what the board says.
type Answer struct {
	Token   uint16
	Refusal Refusal
	State   State
	Slot    uint8  // that runs
	Version uint32 // that runs
	Running uint32 // the id of the manifest of what runs
	Update  uint32 // the id of the update under way or on trial, 0 for none
	Missing uint16 // pieces; known while Receiving
	First   [MaxFirst]uint16
	Cycles  uint32 // of a SelfTest
	Stack   uint32 // bytes, of a SelfTest
}

func name(names []string, n uint8) string {
	if int(n) < len(names) {
		return names[n]
	}
	return "unknown"
}
