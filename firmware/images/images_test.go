package images

import (
	"bytes"
	"debug/elf"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func names(t *testing.T) []string {
	t.Helper()
	names, err := Names()
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestImages(t *testing.T) {
	for _, name := range names(t) {
		t.Run(name, func(t *testing.T) {
			img, err := Open(name)
			if err != nil {
				t.Fatal(err)
			}
			if len(img.Data) != img.Size {
				t.Errorf("%d bytes, the manifest has %d", len(img.Data), img.Size)
			}
			if len(img.Data) >= 1<<20 {
				t.Errorf("%d bytes: too large to be checked in", len(img.Data))
			}
			// The update system's boot program greets nobody: what it starts does.
			if img.Program != "ota/boot" && !bytes.Contains(img.Data, []byte(img.SourceDigest)) {
				t.Error("the source digest is not in the program: it can't say so in Hello")
			}
			f, err := elf.NewFile(bytes.NewReader(img.Data))
			if err != nil {
				t.Fatal(err)
			}
			if symbols, err := f.Symbols(); err != nil || len(symbols) == 0 {
				t.Errorf("%d symbols, %v", len(symbols), err)
			}
			if f.Section(".debug_info") != nil {
				t.Error("has debug information, which names folders of the build machine")
			}
		})
	}
}

// A fresh clone must not run firmware that differs from its sources.
// make firmware-check compares the bytes, but needs the cross toolchain; this doesn't.
func TestImagesAreCurrent(t *testing.T) {
	m, err := ReadManifest(embedded)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range m.Images {
		got, err := SourceDigest(os.DirFS("../.."), e.Options, e.Sources)
		if err != nil {
			t.Fatal(err)
		}
		if got != e.SourceDigest {
			t.Errorf("%s: its sources have changed since it was built: run make firmware", e.Name)
		}
	}
}

func TestNoStrayImage(t *testing.T) {
	files, err := fs.Glob(embedded, "*.elf")
	if err != nil {
		t.Fatal(err)
	}
	m, err := ReadManifest(embedded)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if !slices.ContainsFunc(m.Images, func(e Entry) bool { return e.File == file }) {
			t.Errorf("%s is embedded but not in the manifest", file)
		}
	}
}

func TestOpenErrors(t *testing.T) {
	const manifest = `{"images": [{"name": "a", "file": "a.elf", "sha256": "00"}]}`
	for _, tt := range []struct {
		name string
		dir  fstest.MapFS
		open string
		want string
	}{
		{"no manifest", fstest.MapFS{}, "a", "manifest.json: file does not exist"},
		{"bad manifest", fstest.MapFS{"manifest.json": {Data: []byte("{")}}, "a", "run make firmware"},
		{"unknown", fstest.MapFS{"manifest.json": {Data: []byte(manifest)}}, "b", `"b" of here: there is no such image, only a`},
		{"missing", fstest.MapFS{"manifest.json": {Data: []byte(manifest)}}, "a", "a.elf: file does not exist: run make firmware"},
		{"changed", fstest.MapFS{"manifest.json": {Data: []byte(manifest)}, "a.elf": {Data: []byte("x")}}, "a", "the manifest has 00: run make firmware"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := folder{tt.dir, "here", "run make firmware"}.open(tt.open)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

func TestSourceDigest(t *testing.T) {
	dir := fstest.MapFS{"a": {Data: []byte("1")}, "b": {Data: []byte("2")}}
	sum := func(options string, sources ...string) string {
		d, err := SourceDigest(dir, options, sources)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	base := sum("-opt=z", "a", "b")
	if sum("-opt=z", "b", "a") != base {
		t.Error("depends on the order of the sources")
	}
	if sum("-opt=2", "a", "b") == base {
		t.Error("does not depend on the options")
	}
	if sum("-opt=z", "a") == base {
		t.Error("does not depend on the set of sources")
	}
	dir["b"].Data = []byte("3")
	if sum("-opt=z", "a", "b") == base {
		t.Error("does not depend on the contents")
	}
}

func TestFor(t *testing.T) {
	for program, want := range map[string][]string{
		"latency": {"latency-stm32f407-16mhz", "latency-stm32f407-168mhz"},
		"echo":    {"echo-stm32f407"},
		"lat":     nil,
	} {
		all, err := For(program, "stm32f407")
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, image := range all {
			got = append(got, image.Name)
		}
		if !slices.Equal(got, want) {
			t.Errorf("images of %s: got %v, want %v", program, got, want)
		}
	}
}
