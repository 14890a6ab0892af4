package record

import (
	"bytes"
	"errors"
	"math"
	"os"
	"reflect"
	"strings"
	"testing"

	"rigor/probes"
)

// What is written reads back the same where no edge had to be moved.
func TestVCDReadsBack(t *testing.T) {
	c := uart(100e6, "Rigor")
	c.Lost = 3
	var text bytes.Buffer
	if err := WriteVCD(&text, c, "a board; with, 9 edges lost"); err != nil {
		t.Fatal(err)
	}
	got, err := ReadVCD(bytes.NewReader(text.Bytes()), math.MaxInt)
	if err != nil {
		t.Fatal(err)
	}
	c.Resolution = 0 // the file doesn't have it
	if !reflect.DeepEqual(got, c) {
		t.Errorf("got %+v, want %+v", got, c)
	}
	few, err := ReadVCD(bytes.NewReader(text.Bytes()), 5)
	if err != nil || !reflect.DeepEqual(few.Edges, c.Edges[:5]) || few.Length != c.Edges[4].At {
		t.Errorf("the first 5 edges: %+v, %v", few, err)
	}
}

func TestVCDForeign(t *testing.T) {
	const head = "$timescale 1 ns $end $var wire 1 ! a $end $enddefinitions $end "
	for _, text := range []string{
		"", "hello", "$timescale 3 ns $end", "$var wire 1 ! a $end", head + "#", head + "#5 #4", head + "#-1",
		head + "x!", head + "1?", head + "b101 !", strings.Replace(head, "wire 1", "wire 8", 1),
	} {
		if _, err := ReadVCD(strings.NewReader(text), 10); !errors.Is(err, ErrVCD) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func FuzzReadVCD(f *testing.F) {
	golden, err := os.ReadFile("testdata/uart.vcd")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(golden)
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := ReadVCD(bytes.NewReader(text), 100)
		if err != nil {
			return
		}
		for i, e := range c.Edges {
			if e.At > c.Length || i > 0 && e.At < c.Edges[i-1].At {
				t.Errorf("edge %d at %d of %d", i, e.At, c.Length)
			}
		}
		if err := WriteVCD(new(bytes.Buffer), probes.Capture(c), "again"); err != nil {
			t.Error(err)
		}
	})
}
