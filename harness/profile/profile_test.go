package profile

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"rigor/firmware/images"
	"rigor/harness/rig"
)

func imageOf(t testing.TB, name string) []byte {
	t.Helper()
	image, err := images.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	return image.Data
}

// TestPlacesHaveNames: functions by their symbols, with the bit of Thumb taken off, those of assembly without a size, ROM's
// by the absolute symbols of the linker script, and nothing beyond them.
func TestPlacesHaveNames(t *testing.T) {
	for _, c := range []struct {
		image, function string
		off             uint64
		want            string
	}{
		{"latency-stm32f407-16mhz", "tinygo_swapTask", 0, "tinygo_swapTask"},
		{"latency-stm32f407-16mhz", "tinygo_swapTask", 20, "tinygo_swapTask"},
		{"latency-stm32f407-16mhz", "tinygo_swapTask", 24, "tinygo_scanCurrentStack"},
		{"latency-esp32c3", "tinygo_swapTask", 0x42, "tinygo_swapTask"},
		{"latency-k210", "__wrap_tinygo_swapTask", 0x42, "__wrap_tinygo_swapTask"},
	} {
		all, err := readSymbols(imageOf(t, c.image))
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range all {
			if s.name == c.function {
				if got := all.find(s.addr + c.off).name; got != c.want {
					t.Errorf("%s: %s+%d is %s, not %s", c.image, c.function, c.off, got, c.want)
				}
			}
		}
		if got := all.find(0xF0000000).name; got != Unknown {
			t.Errorf("%s: nothing is at 0xF0000000, but for %s", c.image, got)
		}
	}
}

func TestROMHasNames(t *testing.T) {
	all, err := readSymbols(imageOf(t, "hub-esp32c3"))
	if err != nil {
		t.Fatal(err)
	}
	const disable = 0x40000524 // Cache_Suspend_ICache, of ESP-IDF's esp32c3.rom.ld
	if got := all.find(disable).name; got != "Cache_Suspend_ICache" {
		t.Errorf("0x%x is %s", disable, got)
	}
}

// TestFunctionsAddUp makes a profile of counts chosen here.
func TestFunctionsAddUp(t *testing.T) {
	image := imageOf(t, "latency-stm32f407-16mhz")
	all, err := readSymbols(image)
	if err != nil {
		t.Fatal(err)
	}
	var at uint64
	for _, s := range all {
		if s.name == "tinygo_swapTask" {
			at = s.addr
		}
	}
	p, err := Of(image, rig.Profile{Intervals: 2, Cores: []rig.CoreProfile{{
		At:         map[uint64]rig.Cost{at: {Cycles: 20, Instructions: 2}, at + 4: {Cycles: 6, Instructions: 2}, 8: {Cycles: 1, Instructions: 1}},
		Exceptions: 12, Slept: 100,
	}}})
	if err != nil {
		t.Fatal(err)
	}
	want := []Function{
		{Name: Sleep, Cycles: 100},
		{Name: "tinygo_swapTask", Cycles: 26, Instructions: 4, Calls: 2},
		{Name: Exceptions, Cycles: 12},
		{Name: Unknown, Cycles: 1, Instructions: 1},
	}
	if !reflect.DeepEqual(p.Functions, want) {
		t.Errorf("got %+v, not %+v", p.Functions, want)
	}
	if p.Cycles() != 39 {
		t.Errorf("%d cycles, not 39", p.Cycles())
	}
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	p := &Profile{Schema: Schema, Board: "f407", Functions: []Function{{Name: "a<b>", Cycles: 3}, {Name: "c", Core: 1, Calls: 2}}}
	for n := range 3 {
		q := *p
		q.Functions = p.Functions[:n]
		path := filepath.Join(t.TempDir(), "p.json")
		var text bytes.Buffer
		if err := q.Write(&text); err != nil {
			t.Fatal(err)
		}
		if lines := strings.Count(text.String(), "\n"); lines != n+2 {
			t.Errorf("%d functions on %d lines:\n%s", n, lines, &text)
		}
		os.WriteFile(path, text.Bytes(), 0o644)
		got, err := Load(path)
		if err != nil || !reflect.DeepEqual(got, &q) {
			t.Errorf("read %+v, %v", got, err)
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	for text, want := range map[string]string{
		`{"schema": 9}`: "it has schema 9, this rigor reads 1",
		`[]`:            "cannot unmarshal array",
	} {
		path := filepath.Join(t.TempDir(), "p.json")
		os.WriteFile(path, []byte(text), 0o644)
		if _, err := Load(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

func TestDiff(t *testing.T) {
	old := &Profile{Functions: []Function{
		{Name: "same", Cycles: 5, Instructions: 5, Calls: 1}, {Name: "slower", Cycles: 10, Instructions: 9, Calls: 1}, {Name: "moved", Cycles: 10, Instructions: 9, Calls: 1},
		{Name: "gone", Cycles: 3, Instructions: 3, Calls: 1}, {Name: "same", Core: 1, Cycles: 7},
	}}
	new := &Profile{Functions: []Function{
		{Name: "same", Cycles: 5, Instructions: 5, Calls: 1}, {Name: "slower", Cycles: 30, Instructions: 10, Calls: 1}, {Name: "moved", Cycles: 50, Instructions: 9, Calls: 1},
		{Name: "fresh", Cycles: 4, Instructions: 2, Calls: 2}, {Name: "same", Core: 1, Cycles: 6},
	}}
	var text strings.Builder
	if err := Table(&text, Diff(old, new), 4); err != nil {
		t.Fatal(err)
	}
	want := `  cycles  instructions  calls  function
     +20            +1     +0  slower
      +4            +2     +2  fresh
      -3            -3     -1  gone
     +40            +0     +0  moved, executing the same
                               and 1 more
`
	if text.String() != want {
		t.Errorf("got\n%s\nwant\n%s", &text, want)
	}
	if got := Diff(new, new); got != nil {
		t.Errorf("what is the same differs in %+v", got)
	}
}

// FuzzOf: what is no image is refused, or has names; it does no harm.
func FuzzOf(f *testing.F) {
	f.Add(imageOf(f, "echo-esp32c3"))
	f.Add(imageOf(f, "echo-stm32f407"))
	f.Add([]byte("\x7fELF"))
	counts := rig.Profile{Cores: []rig.CoreProfile{{At: map[uint64]rig.Cost{0: {Cycles: 1}, 0x0800_0200: {Cycles: 2}, ^uint64(1): {Cycles: 3}}}}}
	f.Fuzz(func(t *testing.T, image []byte) {
		p, err := Of(image, counts)
		if err == nil && p.Cycles() != 6 {
			t.Errorf("%d cycles, not 6", p.Cycles())
		}
	})
}
