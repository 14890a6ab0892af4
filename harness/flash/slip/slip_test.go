package slip

import (
	"bytes"
	"testing"
)

const maxPacket = 4096

func unframe(wire []byte) (packets [][]byte) {
	d := Decoder{Max: maxPacket}
	for _, b := range wire {
		if p, ok := d.Take(b); ok {
			packets = append(packets, bytes.Clone(p))
		}
	}
	return packets
}

func TestFrame(t *testing.T) {
	for in, want := range map[string]string{ // RFC 1055
		"":                 "\xC0\xC0",
		"ab":               "\xC0ab\xC0",
		"\xC0a\xDB\xDC":    "\xC0\xDB\xDCa\xDB\xDD\xDC\xC0",
		"\xDB\xDB\xC0\xC0": "\xC0\xDB\xDD\xDB\xDD\xDB\xDC\xDB\xDC\xC0",
	} {
		if got := Frame([]byte(in)); string(got) != want {
			t.Errorf("%q is framed %q, want %q", in, got, want)
		}
	}
}

func TestDecoder(t *testing.T) {
	for in, want := range map[string][]string{
		"\xC0ab\xC0":               {"ab"},
		"\xC0ab\xC0\xC0cd\xC0":     {"ab", "cd"},
		"\xC0ab\xC0cd\xC0":         {"ab", "cd"}, // one END for both
		"text\r\n\xC0ab\xC0":       {"text\r\n", "ab"},
		"\xC0\xC0\xC0ab\xC0":       {"ab"},
		"\xC0a\xDBb\xC0\xC0cd\xC0": {"cd"}, // no such escape
		"\xC0a\xDB\xC0\xC0cd\xC0":  {"cd"},
		"\xC0\xDB\xDC\xDB\xDD\xC0": {"\xC0\xDB"},
		"\xC0ab":                   nil,
		"\xC0" + string(make([]byte, maxPacket+1)) + "\xC0\xC0cd\xC0": {"cd"},
	} {
		var got []string
		for _, p := range unframe([]byte(in)) {
			got = append(got, string(p))
		}
		if len(got) != len(want) {
			t.Errorf("%q holds %q, want %q", in, got, want)
			continue
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("%q holds %q, want %q", in, got, want)
			}
		}
	}
}

// FuzzFrames: any packet survives framing, whatever came before it, and no
// bytes make a packet longer than the bound.
func FuzzDecoder(f *testing.F) {
	f.Add([]byte("boot:0x4\r\n"), []byte("\x01\x08\xC0\xDB"))
	f.Add([]byte("\xC0\xDB"), []byte("a"))
	f.Fuzz(func(t *testing.T, before, packet []byte) {
		for _, p := range unframe(before) {
			if len(p) > maxPacket {
				t.Fatalf("packet of %d bytes", len(p))
			}
		}
		got := unframe(append(append(bytes.Clone(before), end), Frame(packet)...))
		if len(packet) == 0 || len(packet) > maxPacket {
			return
		}
		if len(got) == 0 || !bytes.Equal(got[len(got)-1], packet) {
			t.Errorf("% X came out as % X", packet, got)
		}
	})
}
