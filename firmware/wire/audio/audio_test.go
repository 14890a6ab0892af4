package audio

import (
	"slices"
	"testing"
)

func TestConfig(t *testing.T) {
	for param := range Configs {
		c := ConfigOf(param)
		if got := c.Param(); got != param {
			t.Errorf("%+v: %d, want %d", c, got, param)
		}
		if LoadParam(c, 3) != param+3*Configs {
			t.Errorf("%+v: 3 transforms of it are %d", c, LoadParam(c, 3))
		}
	}
	want := Config{Size: 512, Transform: Float, Second: true}
	if got := ConfigOf(Configs - 1); got != want {
		t.Errorf("the last is %+v, want %+v", got, want)
	}
	if got := Float.String(); got != "float" {
		t.Errorf("the last transform is %q", got)
	}
}

func TestResults(t *testing.T) {
	a, b := Result{1, 2, [3]uint32{3, 4, 5}}, Result{Block: 6}
	aw, bw := a.Words(), b.Words()
	got := Results(append(aw[:], bw[:]...))
	if !slices.Equal(got, []Result{a, b}) {
		t.Errorf("%v", got)
	}
	c := Counts{1, 2, 3, 4, 5, 6}
	if got := CountsOf(c.Words()); got != c {
		t.Errorf("%+v, want %+v", got, c)
	}
}

func TestResultText(t *testing.T) {
	r := Result{Block: 43, Bin: 8, Power: [3]uint32{4294967295}}
	const want = "fft 43 8 4294967295"
	if got := string(AppendResult(nil, r)); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, err := ParseResult(want); err != nil || got != r {
		t.Errorf("%v, %v", got, err)
	}
	for _, text := range []string{"", "fft 1 2", "fft 1 2 3 4", "fft 1 2 4294967296", "fft 01 2 3", "fft 1 2 3 ", "ftt 1 2 3", "fft 1 2 -3"} {
		if r, err := ParseResult(text); err == nil {
			t.Errorf("%q is taken for %v", text, r)
		}
	}
}

func FuzzParseResult(f *testing.F) {
	f.Add("fft 43 8 1048576")
	f.Fuzz(func(t *testing.T, text string) {
		if r, err := ParseResult(text); err == nil && string(AppendResult(nil, r)) != text {
			t.Errorf("%q is taken for %v", text, r)
		}
	})
}
