package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"

	"rigor/firmware/images"
)

// check builds into a folder of its own and compares that with dir, bit for bit.
func (b builder) check(dir string) error {
	tmp, err := os.MkdirTemp("", "firmware-check")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	if err := b.build(tmp); err != nil {
		return err
	}
	diffs, err := compare(os.DirFS(dir), os.DirFS(tmp))
	if err != nil {
		return err
	}
	if len(diffs) == 0 {
		fmt.Printf("%d images are what their sources give\n", len(variants))
		return nil
	}
	for _, d := range diffs {
		fmt.Println(d)
	}
	return errors.New("the checked-in images are not what their sources give: run make firmware and commit the result")
}

// compare says how the images in have differ from those in want, both folders with a manifest.
func compare(have, want fs.FS) (diffs []string, err error) {
	old, err := images.ReadManifest(have)
	if err != nil {
		return nil, err
	}
	fresh, err := images.ReadManifest(want)
	if err != nil {
		return nil, err
	}
	for _, chip := range slices.Sorted(maps.Keys(fresh.Toolchains)) {
		if o, f := old.Toolchains[chip], fresh.Toolchains[chip]; o != f {
			diffs = append(diffs, fmt.Sprintf("toolchain for %s: checked in with %v\n           built now with  %v", chip, o, f))
		}
	}
	entries := map[string]images.Entry{}
	for _, e := range old.Images {
		entries[e.Name] = e
	}
	for _, e := range fresh.Images {
		o, ok := entries[e.Name]
		delete(entries, e.Name)
		if !ok {
			diffs = append(diffs, e.Name+": not checked in")
			continue
		}
		d, err := compareImage(have, want, o, e)
		if err != nil {
			return nil, err
		}
		diffs = append(diffs, d...)
	}
	for name := range entries {
		diffs = append(diffs, name+": checked in, but no longer built")
	}
	return diffs, nil
}

func compareImage(have, want fs.FS, o, e images.Entry) (diffs []string, err error) {
	if o.SourceDigest != e.SourceDigest {
		diffs = append(diffs, fmt.Sprintf("%s: sources differ: digest %s checked in, %s now", e.Name, o.SourceDigest, e.SourceDigest))
	}
	a, err := fs.ReadFile(have, o.File)
	if err != nil {
		return nil, err
	}
	b, err := fs.ReadFile(want, e.File)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(a, b) {
		diffs = append(diffs, fmt.Sprintf("%s: %d bytes checked in, %d built now, first difference at %#x", e.File, len(a), len(b), firstDifference(a, b)))
	}
	if got := images.SHA256(a); got != o.SHA256 {
		diffs = append(diffs, fmt.Sprintf("%s: sha256 %s, the manifest has %s", o.File, got, o.SHA256))
	}
	return diffs, nil
}

func firstDifference(a, b []byte) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}
