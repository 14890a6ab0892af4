package yamlfile

import (
	"errors"
	"strings"
	"testing"
)

// shop is something to decode.
type shop struct {
	Name   string           `yaml:"name"`
	Open   bool             `yaml:"open"`
	Prices map[string]int64 `yaml:"prices"`
	Staff  []*person        `yaml:"staff"`
}

type person struct {
	Name string `yaml:"name"`
	Age  uint8  `yaml:"age"`
}

const good = `# a shop
name: corner
open: true
prices:
  bread: 3
  milk: 2

staff:
  - {name: Ann, age: 30}
  - name: Bob
    age: 40
`

func TestDecode(t *testing.T) {
	var s shop
	if _, err := Decode("shop.yaml", []byte(good), &s); err != nil {
		t.Fatal(err)
	}
	if s.Name != "corner" || !s.Open || s.Prices["milk"] != 2 || len(s.Staff) != 2 || s.Staff[1].Age != 40 {
		t.Errorf("got %+v", s)
	}
}

// Each mistake is one edit of the good file; the error must name its line.
func TestDecodeMistakes(t *testing.T) {
	for name, m := range map[string]struct{ old, new, want string }{
		"unknown key":        {"open:", "opne:", "shop.yaml:3: unknown key opne"},
		"unknown nested key": {"age: 40", "aeg: 40", "shop.yaml:11: unknown key aeg"},
		"unknown in flow":    {"age: 30", "aeg: 30", "shop.yaml:9: unknown key aeg"},
		"duplicate key":      {"open: true", "open: true\nopen: false", "shop.yaml:4: "},
		"duplicate map key":  {"  milk: 2", "  milk: 2\n  milk: 4", "shop.yaml:7: "},
		"text for a number":  {"bread: 3", "bread: dear", "shop.yaml:5: `dear` is of the wrong type: want int64"},
		"text for a truth":   {"open: true", "open: maybe", "shop.yaml:3: `maybe` is of the wrong type: want bool"},
		"fraction":           {"bread: 3", "bread: 3.5", "shop.yaml:5: "},
		"out of range":       {"age: 40", "age: 400", "shop.yaml:11: "},
		"negative":           {"age: 40", "age: -4", "shop.yaml:11: "},
		"not YAML":           {"open: true", "open: [true", "shop.yaml:"},
	} {
		_, err := Decode("shop.yaml", []byte(strings.Replace(good, m.old, m.new, 1)), new(shop))
		if err == nil || !strings.Contains(err.Error(), m.want) {
			t.Errorf("%s: %v, want %q", name, err, m.want)
		}
	}
}

func TestEveryMistakeIsTold(t *testing.T) {
	text := strings.NewReplacer("open: true", "open: maybe", "bread: 3", "bread: dear").Replace(good)
	_, err := Decode("shop.yaml", []byte(text), new(shop))
	if err == nil || strings.Count(err.Error(), "shop.yaml:") != 2 {
		t.Errorf("want two errors, got %v", err)
	}
}

func TestErrorfFindsTheLine(t *testing.T) {
	f, err := Decode("shop.yaml", []byte(good), new(shop))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		path []any
		line string
	}{
		{nil, "2"}, // the first key
		{[]any{"name"}, "2"},
		{[]any{"prices", "milk"}, "6"},
		{[]any{"prices", "eggs"}, "4"}, // is not there: the entry above it
		{[]any{"prices", "milk", "fresh"}, "6"},
		{[]any{"rent"}, "2"},
		{[]any{"staff", 0, "age"}, "9"},
		{[]any{"staff", 1}, "10"},
		{[]any{"staff", 1, "age"}, "11"},
		{[]any{"staff", 2}, "8"},
		{[]any{"staff", "1"}, "8"},
		{[]any{"prices", 0}, "4"},
	} {
		cause := errors.New("too dear")
		err := f.Errorf(c.path, "price: %w", cause)
		if want := "shop.yaml:" + c.line + ": price: too dear"; err.Error() != want || !errors.Is(err, cause) {
			t.Errorf("%v: %q, want %q", c.path, err, want)
		}
	}
}

func TestEmptyFile(t *testing.T) {
	for _, text := range []string{"", "# nothing\n"} {
		_, err := Decode("shop.yaml", []byte(text), new(shop))
		if err == nil || err.Error() != "shop.yaml:1: the file is empty" {
			t.Errorf("%q: %v", text, err)
		}
	}
	f, err := Decode("shop.yaml", []byte("null\n"), new(shop))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Errorf([]any{"name"}, "no name"); err.Error() != "shop.yaml:1: no name" {
		t.Error(err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte("a: &a [*a]"))
	f.Add([]byte("staff: [{}, null]"))
	f.Fuzz(func(t *testing.T, text []byte) {
		file, err := Decode("shop.yaml", text, new(shop))
		if err != nil {
			if !strings.HasPrefix(err.Error(), "shop.yaml:") {
				t.Errorf("the error does not name the file: %v", err)
			}
			return
		}
		_ = file.Errorf([]any{"staff", 1, "age"}, "wrong")
	})
}
