package main

import (
	"slices"
	"strings"
	"testing"

	"rigor/firmware/ota/defect"
)

// A name stands for one image: the manifest, the files and package images go by it.
func TestNamesAreUnique(t *testing.T) {
	seen := map[string]bool{}
	for _, v := range variants {
		if seen[v.name] {
			t.Errorf("%s is built twice", v.name)
		}
		seen[v.name] = true
	}
}

// A defect is in the programs that its list says, by the tags that plant it.
func TestPlanted(t *testing.T) {
	built := planted()
	for _, d := range defect.All {
		for stem, want := range map[string]bool{"otaboot-" + d.Name + "-stm32f407": d.Boot, "ota-" + d.Name + "-stm32f407-slot": d.App} {
			i := slices.IndexFunc(built, func(v variant) bool { return strings.HasPrefix(v.name, stem) })
			if (i >= 0) != want {
				t.Errorf("%s is built: %v, want %v", stem, i >= 0, want)
			}
			if i >= 0 && built[i].tags != "defect defect_"+d.Name {
				t.Errorf("%s has tags %q", stem, built[i].tags)
			}
		}
	}
}
