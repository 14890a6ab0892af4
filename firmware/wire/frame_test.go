package wire

import (
	"bytes"
	"encoding/hex"
	"testing"
)

// The check value of CRC-16/IBM-3740 (also called CCITT-FALSE) in Greg Cook's
// RevEng catalogue of parametrised CRC algorithms.
func TestChecksum(t *testing.T) {
	if got := checksum([]byte("123456789")); got != 0x29B1 {
		t.Errorf("checksum(123456789) = %#04x, want 0x29b1", got)
	}
	if got := checksum([]byte("123456789\x29\xB1")); got != 0 {
		t.Errorf("checksum over data and checksum = %#04x, want 0", got)
	}
}

// count is the bytes from first to last, both included.
func count(first, last int) []byte {
	var b []byte
	for v := first; v <= last; v++ {
		b = append(b, byte(v))
	}
	return b
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// The examples of Wikipedia's article "Consistent Overhead Byte Stuffing",
// table "Encoding examples" (there with the closing zero, which is the frame's here).
var cobsVectors = []struct{ plain, stuffed []byte }{
	{[]byte{0}, []byte{1, 1}},
	{[]byte{0, 0}, []byte{1, 1, 1}},
	{[]byte{0, 0x11, 0}, []byte{1, 2, 0x11, 1}},
	{[]byte{0x11, 0x22, 0, 0x33}, []byte{3, 0x11, 0x22, 2, 0x33}},
	{[]byte{0x11, 0x22, 0x33, 0x44}, []byte{5, 0x11, 0x22, 0x33, 0x44}},
	{[]byte{0x11, 0, 0, 0}, []byte{2, 0x11, 1, 1, 1}},
	{count(1, 0xFE), join([]byte{0xFF}, count(1, 0xFE))},
	{count(0, 0xFE), join([]byte{1, 0xFF}, count(1, 0xFE))},
	{count(1, 0xFF), join([]byte{0xFF}, count(1, 0xFE), []byte{2, 0xFF})},
	{join(count(2, 0xFF), []byte{0}), join([]byte{0xFF}, count(2, 0xFF), []byte{1, 1})},
	{join(count(3, 0xFF), []byte{0, 1}), join([]byte{0xFE}, count(3, 0xFF), []byte{2, 1})},
}

func TestStuffing(t *testing.T) {
	for _, v := range cobsVectors {
		e := encoder{buf: []byte{0}}
		for _, b := range v.plain {
			e.stuff(b)
		}
		e.closeBlock()
		if !bytes.Equal(e.buf, v.stuffed) {
			t.Errorf("stuff(%x) = %x, want %x", v.plain, e.buf, v.stuffed)
		}
		got, ok := unstuff(bytes.Clone(v.stuffed))
		if !ok || !bytes.Equal(got, v.plain) {
			t.Errorf("unstuff(%x) = %x, %v, want %x", v.stuffed, got, ok, v.plain)
		}
	}
}

// feed returns the frames in a stream, payloads copied.
func feed(d *Decoder, stream []byte) []Frame {
	var frames []Frame
	for _, b := range stream {
		if f, ok := d.Feed(b); ok {
			frames = append(frames, Frame{f.Type, bytes.Clone(f.Payload)})
		}
	}
	return frames
}

func TestDecoderResynchronises(t *testing.T) {
	good := AppendFrame(nil, TypeLog, []byte("a\x00b"))
	flip := func(i int) []byte {
		b := bytes.Clone(good)
		b[i] ^= 0x10
		return b
	}
	for _, tt := range []struct {
		name    string
		stream  []byte
		frames  int
		dropped int
	}{
		{"clean", join(good, good), 2, 0},
		{"zeros between", join(good, make([]byte, 5), good), 2, 0},
		{"text before", join([]byte("panic: oh\r\n"), good), 1, 1},
		{"text between", join(good, []byte("noise"), good), 2, 1},
		{"first byte lost", join(good[2:], good), 1, 1},
		{"last byte lost", join(good[:len(good)-1], good), 2, 0},
		{"length byte wrong", join(flip(1), good), 1, 1},
		{"type wrong", join(flip(2), good), 1, 1},
		{"payload wrong", join(flip(3), good), 1, 1},
		{"checksum wrong", join(flip(len(good)-2), good), 1, 1},
		{"endless noise", join(bytes.Repeat([]byte{0x55}, 3*MaxFrame), good), 1, 1},
		{"payload too long", join(AppendFrame(nil, TypeLog, make([]byte, MaxPayload+1)), good), 1, 1},
		{"longest payload", AppendFrame(nil, TypeLog, bytes.Repeat([]byte{1}, MaxPayload)), 1, 0},
		{"checksum alone", []byte{0, 3, 0xFF, 0xFF, 0}, 0, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var d Decoder
			if got := len(feed(&d, tt.stream)); got != tt.frames {
				t.Errorf("%d frames, want %d", got, tt.frames)
			}
			if d.Dropped() != tt.dropped {
				t.Errorf("dropped %d, want %d", d.Dropped(), tt.dropped)
			}
		})
	}
}

func TestFrameLengthBound(t *testing.T) {
	for _, fill := range []byte{0, 1} {
		f := AppendFrame(nil, TypeLog, bytes.Repeat([]byte{fill}, MaxPayload))
		if len(f) > MaxFrame {
			t.Errorf("frame of %d bytes, MaxFrame is %d", len(f), MaxFrame)
		}
	}
}

// Images in the field and records under results/ speak these bytes. If this test
// fails, the protocol has changed: raise Version and rebuild the images; don't
// fix the expected bytes alone. They were made by a Python script of a few lines
// (binascii.crc_hqx, str.split), not by this package.
func TestBytesOnTheWire(t *testing.T) {
	for _, tt := range []struct {
		name  string
		frame []byte
		want  string
	}{
		{"hello", AppendHello(nil, Hello{Version: 1, Program: "echo", SourceDigest: "c0de", Chip: "stm32f407", CoreHz: 16e6, CounterHz: 16e6}), "00174801046563686f04633064650973746d3332663430370324f4010324f403eacd00"},
		{"command", AppendCommand(nil, Command{Name: "gosched", Count: 1000, Param: 0}), "000c4307676f7363686564e8030101010101030bfd00"},
		{"status", AppendStatus(nil, Status{Code: StatusUnknown, Text: "no such command"}), "001553010f6e6f207375636820636f6d6d616e6481f300"},
		{"samples", AppendSamples(nil, Samples{Name: "gosched", Index: 64, Values: []uint32{112, 0x01020304}}), "000b4407676f7363686564400101030270010107040302015e9900"},
		{"log", AppendLog(nil, "hi"), "00064c6869db5c00"},
		{"done", AppendDone(nil, Done{Name: "gosched", Count: 1000, Overhead: 19}), "000c4507676f7363686564e803010213010103e9ca00"},
	} {
		if got := hex.EncodeToString(tt.frame); got != tt.want {
			t.Errorf("%s: got  %s\nwant %s", tt.name, got, tt.want)
		}
	}
}

func TestNoAllocation(t *testing.T) {
	buf := make([]byte, 0, MaxFrame)
	values := make([]uint32, MaxSamples)
	var d Decoder
	n := testing.AllocsPerRun(100, func() {
		for _, b := range AppendSamples(buf, Samples{Name: "gosched", Values: values}) {
			d.Feed(b)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations per frame, want 0", n)
	}
}

func FuzzRoundTrip(f *testing.F) {
	f.Add(byte(TypeLog), []byte("text\x00text"), []byte("noise"))
	f.Add(byte(0), bytes.Repeat([]byte{1}, 254), []byte{0})
	f.Fuzz(func(t *testing.T, typ byte, payload, noise []byte) {
		payload = payload[:min(len(payload), MaxPayload)]
		var d Decoder
		feed(&d, noise)
		got := feed(&d, AppendFrame(nil, Type(typ), payload))
		// Noise that ends like a frame is complete with the zero in front of ours.
		if len(got) == 0 || got[len(got)-1].Type != Type(typ) || !bytes.Equal(got[len(got)-1].Payload, payload) {
			t.Errorf("sent %d %x, got %v", typ, payload, got)
		}
	})
}

func FuzzDecoder(f *testing.F) {
	f.Add(AppendSamples(nil, Samples{Name: "x", Values: []uint32{1, 2}}))
	f.Add([]byte{0, 0xFF, 1, 0})
	f.Fuzz(func(t *testing.T, stream []byte) {
		var d Decoder
		for _, fr := range feed(&d, stream) {
			again := feed(new(Decoder), AppendFrame(nil, fr.Type, fr.Payload))
			if len(again) != 1 || !bytes.Equal(again[0].Payload, fr.Payload) {
				t.Errorf("frame %v does not survive being sent again", fr)
			}
		}
	})
}
