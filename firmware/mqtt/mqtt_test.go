package mqtt

import (
	"bytes"
	"strings"
	"testing"
)

// The packets are made by hand from the figures of the standard.
func TestAppend(t *testing.T) {
	long := AppendPublish(nil, Message{Topic: "t", ID: 1, Payload: bytes.Repeat([]byte("x"), 123)})
	for _, c := range []struct{ name, got, want string }{
		{"connect", string(AppendConnect(nil, "hub")), "\x10\x0F\x00\x04MQTT\x04\x02\x00\x00\x00\x03hub"},
		{"publish", string(AppendPublish(nil, Message{Topic: "a/b", ID: 0x102, Payload: []byte("hi")})), "\x32\x09\x00\x03a/b\x01\x02hi"},
		{"publish again", string(AppendPublish(nil, Message{Topic: "a/b", ID: 10, Again: true})), "\x3A\x07\x00\x03a/b\x00\x0A"},
		{"a length of two bytes", string(long), "\x32\x80\x01\x00\x01t\x00\x01" + strings.Repeat("x", 123)},
	} {
		if c.got != c.want {
			t.Errorf("%s: % x, want % x", c.name, c.got, c.want)
		}
	}
}

func TestParse(t *testing.T) {
	for _, c := range []struct {
		b    string
		want Answer
	}{
		{"\x20\x02\x00\x00", Answer{Kind: Accepted}},
		{"\x20\x02\x00\x05", Answer{Kind: Refused, Code: 5}},
		{"\x40\x02\x12\x34", Answer{Kind: Acknowledged, ID: 0x1234}},
	} {
		if got, err := Parse([]byte(c.b)); err != nil || got != c.want {
			t.Errorf("% x: %+v, %v, want %+v", c.b, got, err, c.want)
		}
	}
	for _, b := range []string{"", "\x20\x02\x00", "\x20\x03\x00\x00", "\x20\x02\x01\x00", "\x30\x02\x00\x00", "\x40\x02\x00\x01\x02"} {
		if got, err := Parse([]byte(b)); err != ErrUnexpected {
			t.Errorf("% x is %+v, %v", b, got, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("\x40\x02\x12\x34"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if a, err := Parse(b); (err == nil) != (a.Kind != 0) || err == nil && len(b) != AnswerSize {
			t.Errorf("% x is %+v, %v", b, a, err)
		}
	})
}
