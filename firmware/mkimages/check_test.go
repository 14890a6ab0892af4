package main

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"rigor/firmware/images"
)

// folder is a folder with one image.
func folder(tinygo, source, data string) fstest.MapFS {
	manifest := fmt.Sprintf(`{"toolchains": {"c": {"tinygo": %q}}, "images": [{"name": "a", "file": "a.elf", "sha256": %q, "sourceDigest": %q}]}`,
		tinygo, images.SHA256([]byte(data)), source)
	return fstest.MapFS{"manifest.json": {Data: []byte(manifest)}, "a.elf": {Data: []byte(data)}}
}

func TestCompare(t *testing.T) {
	damaged := folder("1", "s", "abcd")
	damaged["a.elf"].Data = []byte("abXd")
	none := fstest.MapFS{"manifest.json": {Data: []byte(`{"toolchains": {"c": {"tinygo": "1"}}}`)}}
	for _, tt := range []struct {
		name string
		have fstest.MapFS
		want []string // a part of each line
	}{
		{"same", folder("1", "s", "abcd"), nil},
		{"toolchain", folder("0", "s", "abcd"), []string{"tinygo 0, "}},
		{"sources", folder("1", "t", "abcd"), []string{"sources differ: digest t checked in, s now"}},
		{"bytes", folder("1", "s", "abc"), []string{"3 bytes checked in, 4 built now, first difference at 0x3"}},
		{"damaged", damaged, []string{"first difference at 0x2", "the manifest has"}},
		{"missing", none, []string{"a: not checked in"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := compare(tt.have, folder("1", "s", "abcd"))
			if err != nil {
				t.Fatal(err)
			}
			if len(got) != len(tt.want) {
				t.Fatalf("%q, want %d lines", got, len(tt.want))
			}
			for i, want := range tt.want {
				if !strings.Contains(got[i], want) {
					t.Errorf("%q, want one with %q", got[i], want)
				}
			}
		})
	}
	got, err := compare(folder("1", "s", "abcd"), none)
	if err != nil || len(got) != 1 || got[0] != "a: checked in, but no longer built" {
		t.Errorf("%q, %v", got, err)
	}
}
