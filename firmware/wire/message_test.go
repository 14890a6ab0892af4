package wire

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"
)

// payload is what the only frame in stream carries.
func payload(t *testing.T, stream []byte) []byte {
	t.Helper()
	frames := feed(new(Decoder), stream)
	if len(frames) != 1 {
		t.Fatalf("%d frames in %x, want 1", len(frames), stream)
	}
	return frames[0].Payload
}

// roundTrip sends a message and returns what arrives, and its payload.
func roundTrip(t *testing.T, m any) (any, []byte, error) {
	t.Helper()
	switch m := m.(type) {
	case Hello:
		p := payload(t, AppendHello(nil, m))
		got, err := ParseHello(p)
		return got, p, err
	case Command:
		p := payload(t, AppendCommand(nil, m))
		got, err := ParseCommand(p)
		return got, p, err
	case Status:
		p := payload(t, AppendStatus(nil, m))
		got, err := ParseStatus(p)
		return got, p, err
	case Samples:
		p := payload(t, AppendSamples(nil, m))
		got, err := ParseSamples(p)
		return got, p, err
	case Done:
		p := payload(t, AppendDone(nil, m))
		got, err := ParseDone(p)
		return got, p, err
	}
	panic("BUG: message without a round trip")
}

func TestMessages(t *testing.T) {
	full := make([]uint32, MaxSamples)
	for i := range full {
		full[i] = uint32(i) << 24
	}
	for _, m := range []any{
		Hello{Version: Version, Program: "latency", SourceDigest: strings.Repeat("5a", 32), Chip: "stm32f407", CoreHz: 168e6, CounterHz: 168e6},
		Hello{Version: Version},
		Command{Name: CommandLaunch, Count: 1000, Param: 1},
		Status{Code: StatusArgument, Text: "count 0"},
		Status{},
		Samples{Name: CommandGosched, Index: 128, Values: full},
		Samples{Name: "", Values: []uint32{}},
		Done{Name: CommandGosched, Count: 7, Overhead: 1<<32 - 1},
	} {
		got, p, err := roundTrip(t, m)
		if err != nil || !reflect.DeepEqual(got, m) {
			t.Errorf("sent %+v, got %+v, %v", m, got, err)
		}
		if len(p) > MaxPayload {
			t.Errorf("%+v takes %d bytes of payload, more than MaxPayload", m, len(p))
		}
	}
}

func TestOtherVersion(t *testing.T) {
	h, err := ParseHello(payload(t, AppendHello(nil, Hello{Version: Version + 1})))
	if !errors.Is(err, ErrVersion) || h.Version != Version+1 {
		t.Errorf("got version %d, %v, want %d, %v", h.Version, err, Version+1, ErrVersion)
	}
}

// parsers by frame type; a Log's payload is the text as it is.
var parsers = map[Type]func([]byte) error{
	TypeHello:   func(p []byte) error { _, err := ParseHello(p); return err },
	TypeCommand: func(p []byte) error { _, err := ParseCommand(p); return err },
	TypeStatus:  func(p []byte) error { _, err := ParseStatus(p); return err },
	TypeSamples: func(p []byte) error { _, err := ParseSamples(p); return err },
	TypeDone:    func(p []byte) error { _, err := ParseDone(p); return err },
}

func TestMalformed(t *testing.T) {
	whole := map[Type][]byte{
		TypeHello:   payload(t, AppendHello(nil, Hello{Version: Version, Program: "echo", Chip: "k210"})),
		TypeCommand: payload(t, AppendCommand(nil, Command{Name: "gosched"})),
		TypeStatus:  payload(t, AppendStatus(nil, Status{Text: "x"})),
		TypeSamples: payload(t, AppendSamples(nil, Samples{Name: "gosched", Values: []uint32{1, 2}})),
		TypeDone:    payload(t, AppendDone(nil, Done{Name: "gosched"})),
	}
	for typ, p := range whole {
		for n := range p {
			if err := parsers[typ](p[:n]); err == nil {
				t.Errorf("%c: the first %d of %d bytes parsed", typ, n, len(p))
			}
		}
		if err := parsers[typ](append(bytes.Clone(p), 0)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%c: a byte too many: %v, want %v", typ, err, ErrMalformed)
		}
	}
}

func TestTooManySamples(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	AppendSamples(nil, Samples{Values: make([]uint32, MaxSamples+1)})
}

func TestLongText(t *testing.T) {
	long := strings.Repeat("x", 2*MaxPayload)
	if got := payload(t, AppendLog(nil, long)); len(got) != MaxPayload {
		t.Errorf("log of %d bytes, want %d", len(got), MaxPayload)
	}
	s, err := ParseStatus(payload(t, AppendStatus(nil, Status{Text: long})))
	if err != nil || len(s.Text) != 255 {
		t.Errorf("text of %d bytes, %v, want 255", len(s.Text), err)
	}
}

func FuzzMessages(f *testing.F) {
	f.Add(byte(TypeSamples), []byte("\x01x\x00\x00\x00\x00\x40"))
	f.Add(byte(TypeHello), []byte("\x01\xff"))
	f.Fuzz(func(t *testing.T, typ byte, p []byte) {
		if parse := parsers[Type(typ)]; parse != nil {
			parse(p)
		}
	})
}
