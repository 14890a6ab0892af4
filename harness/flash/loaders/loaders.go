// Package loaders finds the host's side of a chip's boot loader by the chip's
// name.
package loaders

import (
	"context"
	"debug/elf"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"rigor/firmware/images"
	"rigor/harness/flash"
	"rigor/harness/flash/esp32"
	"rigor/harness/flash/stm32"
	"rigor/harness/port"
	"rigor/harness/timebase"
)

// Kind is a boot loader.
type Kind struct {
	// Parity of its line.
	Parity port.Parity
	// Startup is how long after the end of reset it may take to listen.
	Startup time.Duration
	// Connect speaks to one that listens, at a rate.
	Connect func(ctx context.Context, p port.Port, c timebase.Clock, baud int) (flash.Loader, error)
}

var kinds = map[string]Kind{
	"stm32f407": {port.ParityEven, stm32.Startup, connect(stm32.Connect)},
	"esp32c3":   {port.ParityNone, esp32.Startup, connect(connectESP32)},
}

// connectESP32 gives the loader our flasher, to be used when something is programmed.
func connectESP32(ctx context.Context, p port.Port, c timebase.Clock, baud int) (*esp32.Loader, error) {
	image, err := images.Open("flasher-esp32c3")
	if err != nil {
		return nil, err
	}
	ram := flash.Part{Chip: "esp32c3", Machine: elf.EM_RISCV, Class: elf.ELFCLASS32}
	flasher, err := flash.ReadELF(image.Data, ram)
	if err != nil {
		return nil, err
	}
	l, err := esp32.Connect(ctx, p, c, baud)
	if err != nil {
		return nil, err
	}
	l.Flasher = flasher
	return l, nil
}

// connect lets a package's own type be any loader.
func connect[L flash.Loader](to func(context.Context, port.Port, timebase.Clock, int) (L, error)) func(context.Context, port.Port, timebase.Clock, int) (flash.Loader, error) {
	return func(ctx context.Context, p port.Port, c timebase.Clock, baud int) (flash.Loader, error) {
		l, err := to(ctx, p, c, baud)
		if err != nil {
			return nil, err
		}
		return l, nil
	}
}

// Of finds the boot loader of a chip.
func Of(chip string) (Kind, error) {
	if k, ok := kinds[chip]; ok {
		return k, nil
	}
	known := strings.Join(slices.Sorted(maps.Keys(kinds)), ", ")
	return Kind{}, fmt.Errorf("no boot loader of chip %q is known (known: %s)", chip, known)
}
