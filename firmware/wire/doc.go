// Package wire is the language that firmware and harness speak over a serial
// line: typed frames with a checksum, and the messages inside them. The same
// code runs under TinyGo on the board and under Go on the host.
//
// On the line a frame is
//
//	0x00 | COBS( type | payload | CRC high | CRC low ) | 0x00
//
// COBS (Cheshire and Baker, "Consistent Overhead Byte Stuffing", IEEE/ACM
// Transactions on Networking 7(2), 1999) removes every zero from the inside, so
// a zero always is a frame's border. The zero in front ends whatever noise came before (a
// panic text, boot loader bytes), which so costs no good frame. The checksum is
// CRC-16/CCITT-FALSE (polynomial 0x1021, start 0xFFFF, not reflected, no final
// xor; "CRC-16/IBM-3740" in the RevEng catalogue) over type and payload.
//
// Numbers in payloads are little endian. A short string is a length byte and
// its bytes; a text runs to the payload's end.
//
// A conversation: the firmware sends [Hello] once after every reset. For each
// [Command] it answers with a [Status]; if that is [StatusOK], the run's
// [Samples] follow, and [Done] ends them. [Log] frames may come at any time.
//
// Left out: addressing, acknowledgement and retransmission. A lost frame shows
// in [Decoder.Dropped], in a gap of [Samples.Index], or as a missing [Done], and the
// host asks again.
package wire

// Version is the protocol version that [Hello] carries. It changes whenever
// bytes on the wire change meaning.
const Version = 1

// MaxPayload is the longest payload of a frame in bytes.
const MaxPayload = 512

// Type says which message a frame carries.
type Type byte

// The frame types. Letters, so that a hex dump of the line can be read.
const (
	TypeHello   Type = 'H'
	TypeCommand Type = 'C'
	TypeStatus  Type = 'S'
	TypeSamples Type = 'D'
	TypeLog     Type = 'L'
	TypeDone    Type = 'E'
)

// Frame is one undamaged frame.
type Frame struct {
	Type    Type
	Payload []byte
}
