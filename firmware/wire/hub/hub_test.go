package hub

import (
	"slices"
	"strings"
	"testing"

	"rigor/firmware/wire"
)

func TestReading(t *testing.T) {
	r := Reading{Sequence: 7, Temperature: -21480, Pressure: 98_765_000, Humidity: 4512}
	const want = "seq=7 fault=0 temperature=-21480 pressure=98765000 humidity=4512"
	if got := string(AppendReading(nil, r)); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, err := ParseReading(want); err != nil || got != r {
		t.Errorf("%v, %v, want %v", got, err, r)
	}
	words := r.Words()
	r.Sequence = 1
	if got := Readings(append(make([]uint32, Words), words[:]...)); len(got) != 2 || got[1] != r {
		t.Errorf("%v, want the second to be %v", got, r)
	}
}

func TestParseReadingErrors(t *testing.T) {
	const good = "seq=7 fault=0 temperature=1 pressure=2 humidity=3"
	for _, text := range []string{
		"", "seq=7", good[1:], good + " ", good + " more=1",
		strings.Replace(good, "seq=7", "seq=-7", 1),
		strings.Replace(good, "seq=7", "seq=07", 1),
		strings.Replace(good, "pressure=2", "pressure=2147483648", 1),
		strings.Replace(good, "humidity=3", "humidity=", 1),
	} {
		if r, err := ParseReading(text); err == nil {
			t.Errorf("%q is taken for %v", text, r)
		}
	}
}

func FuzzParseReading(f *testing.F) {
	f.Add("seq=7 fault=1 temperature=0 pressure=0 humidity=0")
	f.Fuzz(func(t *testing.T, text string) {
		if r, err := ParseReading(text); err == nil && string(AppendReading(nil, r)) != text {
			t.Errorf("%q is taken for %v", text, r)
		}
	})
}

func TestText(t *testing.T) {
	for _, tt := range []struct {
		text  string
		words []uint32
	}{
		{"", []uint32{0}},
		{"abc", []uint32{0x636261}},
		{"abcd", []uint32{0x64636261, 0}},
		{"abcde", []uint32{0x64636261, 0x65}},
	} {
		var want []wire.Command
		for i, w := range tt.words {
			want = append(want, wire.Command{Name: CommandSSID, Count: uint32(i + 1), Param: w})
		}
		if got := Text(CommandSSID, tt.text); !slices.Equal(got, want) {
			t.Errorf("%q: %v, want %v", tt.text, got, want)
		}
	}
}

func TestFaultNames(t *testing.T) {
	if got := Invalid.String(); got != "invalid" {
		t.Errorf("the last fault is %q", got)
	}
	if got := Fault(99).String(); got != "unknown" {
		t.Errorf("a fault beyond is %q", got)
	}
}
