package ota

import (
	"bytes"
	"encoding/hex"
	"testing"

	"rigor/firmware/wire"
)

// payload is the one frame's in a stream.
func payload(t *testing.T, stream []byte) (wire.Type, []byte) {
	t.Helper()
	var d wire.Decoder
	for _, b := range stream {
		if f, ok := d.Feed(b); ok {
			return f.Type, bytes.Clone(f.Payload)
		}
	}
	t.Fatalf("no frame in %x", stream)
	return 0, nil
}

var (
	boot    = Boot{Slot: 1, Why: Trial, Attempt: 2, Version: 0x01020003, Update: 0xDDCCBBAA}
	request = Request{Token: 0x1234, Op: Piece, Index: 0x0156, Data: []byte{7, 0, 9}}
	answer  = Answer{Token: 0x1234, Refusal: FlashFault, State: Receiving, Slot: 1, Version: 0x01020003, Running: 0x04030201,
		Update: 0x08070605, Missing: 300, First: [MaxFirst]uint16{1, 2, 3, 4, 5, 6, 7, 511}, Cycles: 5_000_000, Stack: 2000}
)

// Boards in the field speak these bytes. If this test fails, the conversation has changed: raise
// wire.Version and build the images anew.
func TestBytesOnTheWire(t *testing.T) {
	for _, tt := range []struct {
		name  string
		frame []byte
		typ   wire.Type
		want  string
	}{
		{"boot", AppendBoot(nil, boot), 'B', "010102" + "03000201" + "aabbccdd"},
		{"request", AppendRequest(nil, request), 'U', "3412" + "02" + "5601" + "070009"},
		{"answer", AppendAnswer(nil, &answer), 'A', "3412" + "100101" + "03000201" + "01020304" + "05060708" + "2c01" +
			"0100020003000400050006000700ff01" + "404b4c00" + "d0070000"},
	} {
		typ, p := payload(t, tt.frame)
		if typ != tt.typ || hex.EncodeToString(p) != tt.want {
			t.Errorf("%s: %c %x, want %c %s", tt.name, typ, p, tt.typ, tt.want)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	_, p := payload(t, AppendBoot(nil, boot))
	if got, err := ParseBoot(p); err != nil || got != boot {
		t.Errorf("%+v, %v, want %+v", got, err, boot)
	}
	_, p = payload(t, AppendRequest(nil, request))
	got, err := ParseRequest(p)
	if err != nil || got.Token != request.Token || got.Op != request.Op || got.Index != request.Index || !bytes.Equal(got.Data, request.Data) {
		t.Errorf("%+v, %v, want %+v", got, err, request)
	}
	_, p = payload(t, AppendAnswer(nil, &answer))
	if got, err := ParseAnswer(p); err != nil || got != answer {
		t.Errorf("%+v, %v, want %+v", got, err, answer)
	}
}

func TestLongestRequest(t *testing.T) {
	frame := AppendRequest(nil, Request{Op: Offer, Data: make([]byte, ManifestSize)})
	_, p := payload(t, frame)
	if r, err := ParseRequest(p); err != nil || len(r.Data) != ManifestSize {
		t.Errorf("%d bytes, %v", len(r.Data), err)
	}
}

func TestMalformed(t *testing.T) {
	for n := range 2 * ManifestSize {
		p := make([]byte, n)
		if _, err := ParseBoot(p); (err == nil) != (n == bootSize) {
			t.Errorf("boot report of %d bytes: %v", n, err)
		}
		if _, err := ParseRequest(p); (err == nil) != (n >= requestSize && n <= requestSize+ManifestSize) {
			t.Errorf("request of %d bytes: %v", n, err)
		}
		if _, err := ParseAnswer(p); (err == nil) != (n == answerSize) {
			t.Errorf("answer of %d bytes: %v", n, err)
		}
	}
}

// Each refusal has a name and a sentence of its own, and only OK is none.
func TestRefusals(t *testing.T) {
	seen := map[string]Refusal{}
	for r := OK; r <= SelfTestFailed; r++ {
		for _, s := range []string{r.String(), r.Error()} {
			if other, twice := seen[s]; twice || s == "" || s == "unknown" {
				t.Errorf("refusal %d is called %q, as is %d", r, s, other)
			}
			seen[s] = r
		}
		if (r.Err() == nil) != (r == OK) {
			t.Errorf("%v.Err() = %v", r, r.Err())
		}
	}
	if got := (SelfTestFailed + 1).String(); got != "unknown" {
		t.Errorf("a refusal that there isn't: %q", got)
	}
}

func TestNames(t *testing.T) {
	for got, want := range map[string]string{
		Confirmed.String(): "confirmed", None.String(): "none", (None + 1).String(): "unknown",
		Query.String(): "query", SelfTest.String(): "self-test", (SelfTest + 1).String(): "unknown",
		Idle.String(): "idle", OnTrial.String(): "on-trial", (OnTrial + 1).String(): "unknown",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestNoAllocation(t *testing.T) {
	buf := make([]byte, 0, wire.MaxFrame)
	p := make([]byte, answerSize)
	data := make([]byte, ManifestSize)
	if n := testing.AllocsPerRun(10, func() {
		AppendBoot(buf, boot)
		AppendRequest(buf, Request{Data: data})
		AppendAnswer(buf, &answer)
		if _, err := ParseAnswer(p); err != nil {
			t.Error(err)
		}
		if _, err := ParseRequest(data); err != nil {
			t.Error(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

// What is decoded is encoded as it was.
func FuzzParse(f *testing.F) {
	for _, frame := range [][]byte{AppendBoot(nil, boot), AppendRequest(nil, request), AppendAnswer(nil, &answer)} {
		var d wire.Decoder
		for _, b := range frame {
			if fr, ok := d.Feed(b); ok {
				f.Add(bytes.Clone(fr.Payload))
			}
		}
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		if b, err := ParseBoot(p); err == nil {
			if _, again := payload(t, AppendBoot(nil, b)); !bytes.Equal(again, p) {
				t.Errorf("boot report %x becomes %x", p, again)
			}
		}
		if r, err := ParseRequest(p); err == nil {
			if _, again := payload(t, AppendRequest(nil, r)); !bytes.Equal(again, p) {
				t.Errorf("request %x becomes %x", p, again)
			}
		}
		if a, err := ParseAnswer(p); err == nil {
			if _, again := payload(t, AppendAnswer(nil, &a)); !bytes.Equal(again, p) {
				t.Errorf("answer %x becomes %x", p, again)
			}
		}
	})
}
