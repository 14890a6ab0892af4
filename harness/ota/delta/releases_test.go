package delta_test

import (
	"bytes"
	"testing"

	"rigor/firmware/images"
	device "rigor/firmware/ota"
	"rigor/firmware/ota/patch"
	"rigor/harness/ota"
	"rigor/harness/ota/delta"
)

// releases are pairs of checked-in images, and what a payload between them may
// have in percent of the new image. 1.0.1 is a change of a line or two. 1.1.0 has
// a seventh of its code new, and on the ESP32-C3 a fifth, which no difference can take from a base.
var releases = []struct {
	chip, from, to string
	most           float64
}{
	{"esp32c3", "ota-esp32c3", "ota-1.0.1-esp32c3", 3},
	{"esp32c3", "ota-esp32c3", "ota-1.1.0-esp32c3", 18},
	{"esp32c3", "ota-1.0.1-esp32c3", "ota-1.1.0-esp32c3", 18},
	{"k210", "ota-k210", "ota-1.0.1-k210", 3},
	{"k210", "ota-k210", "ota-1.1.0-k210", 15},
	{"stm32f407", "ota-stm32f407-slot0", "ota-1.0.1-stm32f407-slot1", 3},
	{"stm32f407", "ota-stm32f407-slot0", "ota-1.1.0-stm32f407-slot1", 15},
	{"stm32f407", "ota-1.0.1-stm32f407-slot1", "ota-1.1.0-stm32f407-slot0", 15},
}

func program(tb testing.TB, name, chip string) *ota.Program {
	tb.Helper()
	image, err := images.Open(name)
	if err != nil {
		tb.Fatal(err)
	}
	p, err := ota.ReadProgram(image.Data, chip, 0)
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

// running is a program as a decoder sees it that makes what goes into another slot.
func running(p *ota.Program) patch.Base {
	slot := 0
	if p.Slot != device.AnySlot {
		slot = int(p.Slot)
	}
	b := device.LayoutOf(p.Chip()).Base(flash(p.Image), slot, uint32(len(p.Image)))
	b.Start = 0
	return b
}

type flash []byte

func (f flash) Read(off uint32, p []byte) { copy(p, f[off:]) }

func percent(payload, image []byte) float64 { return 100 * float64(len(payload)) / float64(len(image)) }

// Payloads between releases are small, and make the image. With -v it prints the
// table that RATIONALE has: the payload as it is sent, without moving words that
// point into the slot, and of a full image.
func TestReleases(t *testing.T) {
	for _, r := range releases {
		from, to := program(t, r.from, r.chip), program(t, r.to, r.chip)
		base := running(from)
		moved := make([]byte, base.Size)
		base.Read(0, moved)
		payload := make([][]byte, 3)
		for i, base := range [][]byte{moved, from.Image, nil} {
			var err error
			if payload[i], err = delta.Payload(base, to.Image); err != nil {
				t.Fatal(err)
			}
		}
		if got := percent(payload[0], to.Image); got > r.most {
			t.Errorf("%s to %s: %d bytes, %.2f %% of the image, want at most %v %%", r.from, r.to, len(payload[0]), got, r.most)
		}
		var d patch.Decoder
		var out bytes.Buffer
		if err := d.Apply(bytes.NewReader(payload[0]), &base, &out, uint32(len(to.Image))); err != nil || !bytes.Equal(out.Bytes(), to.Image) {
			t.Errorf("%s to %s: %v, an image of %d bytes", r.from, r.to, err, out.Len())
		}
		t.Logf("%-25s to %-25s %6d bytes: %5d %5.2f %%; words not moved %5d %5.2f %%; full %5d %4.1f %%", r.from, r.to, len(to.Image),
			len(payload[0]), percent(payload[0], to.Image), len(payload[1]), percent(payload[1], to.Image), len(payload[2]), percent(payload[2], to.Image))
	}
}
