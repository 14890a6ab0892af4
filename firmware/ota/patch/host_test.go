package patch

import (
	"bytes"
	"slices"
	"testing"
)

func TestStretches(t *testing.T) {
	base, image, want := sample()
	b := Base{Memory: bytesMemory(base), Size: uint32(len(base))}
	got, err := Stretches(bytes.NewReader(encoded(t, base, image, want)), &b, uint32(len(image)))
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	if _, err := Stretches(bytes.NewReader(Forge(Stretch{Own: 1 << 30})), &b, uint32(len(image))); err != OutsideTarget {
		t.Errorf("a stretch past the image's end: %v", err)
	}
}
