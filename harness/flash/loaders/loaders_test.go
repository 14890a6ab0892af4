package loaders

import (
	"strings"
	"testing"

	"rigor/harness/flash"
)

func TestOf(t *testing.T) {
	for chip := range kinds {
		k, err := Of(chip)
		if err != nil || k.Connect == nil || k.Startup <= 0 {
			t.Errorf("%s: %+v, %v", chip, k, err)
		}
		if _, err := flash.PartOf(chip); err != nil {
			t.Errorf("a boot loader without a part: %v", err)
		}
	}
	if _, err := Of("z80"); err == nil || !strings.Contains(err.Error(), "known: esp32c3, k210, stm32f407") {
		t.Errorf("z80: %v", err)
	}
}
