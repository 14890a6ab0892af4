package ota

import (
	"encoding/binary"

	"rigor/firmware/wire"
)

// Lengths of payloads in bytes.
const (
	bootSize    = 11
	requestSize = 5 // before Data
	answerSize  = 2 + 3 + 3*4 + 2 + 2*MaxFirst + 2*4
)

var le = binary.LittleEndian

// AppendBoot appends a Boot frame to dst. Like all here it allocates only if dst
// lacks room; wire.MaxFrame bytes are enough.
func AppendBoot(dst []byte, b Boot) []byte {
	var p [bootSize]byte
	p[0], p[1], p[2] = b.Slot, byte(b.Why), b.Attempt
	le.PutUint32(p[3:], b.Version)
	le.PutUint32(p[7:], b.Update)
	return wire.AppendFrame(dst, TypeBoot, p[:])
}

// ParseBoot decodes the payload of a Boot frame.
func ParseBoot(p []byte) (Boot, error) {
	if len(p) != bootSize {
		return Boot{}, wire.ErrMalformed
	}
	return Boot{Slot: p[0], Why: Why(p[1]), Attempt: p[2], Version: le.Uint32(p[3:]), Update: le.Uint32(p[7:])}, nil
}

// AppendRequest appends a Request frame to dst. More Data than a manifest has is the
// caller's defect.
func AppendRequest(dst []byte, r Request) []byte {
	if len(r.Data) > ManifestSize {
		panic("BUG: ota: too much data for a request")
	}
	var p [requestSize + ManifestSize]byte
	le.PutUint16(p[0:], r.Token)
	p[2] = byte(r.Op)
	le.PutUint16(p[3:], r.Index)
	n := copy(p[requestSize:], r.Data)
	return wire.AppendFrame(dst, TypeRequest, p[:requestSize+n])
}

// ParseRequest decodes the payload of a Request frame. Data is a part of p.
func ParseRequest(p []byte) (Request, error) {
	if len(p) < requestSize || len(p) > requestSize+ManifestSize {
		return Request{}, wire.ErrMalformed
	}
	return Request{Token: le.Uint16(p), Op: Op(p[2]), Index: le.Uint16(p[3:]), Data: p[requestSize:]}, nil
}

// AppendAnswer appends an Answer frame to dst.
func AppendAnswer(dst []byte, a *Answer) []byte {
	var p [answerSize]byte
	le.PutUint16(p[0:], a.Token)
	p[2], p[3], p[4] = byte(a.Refusal), byte(a.State), a.Slot
	le.PutUint32(p[5:], a.Version)
	le.PutUint32(p[9:], a.Running)
	le.PutUint32(p[13:], a.Update)
	le.PutUint16(p[17:], a.Missing)
	for i, k := range a.First {
		le.PutUint16(p[19+2*i:], k)
	}
	le.PutUint32(p[answerSize-8:], a.Cycles)
	le.PutUint32(p[answerSize-4:], a.Stack)
	return wire.AppendFrame(dst, TypeAnswer, p[:])
}

// ParseAnswer decodes the payload of an Answer frame.
func ParseAnswer(p []byte) (Answer, error) {
	if len(p) != answerSize {
		return Answer{}, wire.ErrMalformed
	}
	a := Answer{
		Token: le.Uint16(p), Refusal: Refusal(p[2]), State: State(p[3]), Slot: p[4],
		Version: le.Uint32(p[5:]), Running: le.Uint32(p[9:]), Update: le.Uint32(p[13:]), Missing: le.Uint16(p[17:]),
		Cycles: le.Uint32(p[answerSize-8:]), Stack: le.Uint32(p[answerSize-4:]),
	}
	for i := range a.First {
		a.First[i] = le.Uint16(p[19+2*i:])
	}
	return a, nil
}
