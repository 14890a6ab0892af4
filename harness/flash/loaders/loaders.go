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
	"rigor/harness/flash/k210"
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
	"k210":      {port.ParityNone, k210.Startup, connect(connectK210)},
}

// connectESP32 gives the loader our flasher, to be used when something is programmed.
func connectESP32(ctx context.Context, p port.Port, c timebase.Clock, baud int) (*esp32.Loader, error) {
	program, err := flasher("esp32c3", elf.ELFCLASS32)
	if err != nil {
		return nil, err
	}
	l, err := esp32.Connect(ctx, p, c, baud)
	if err != nil {
		return nil, err
	}
	l.Flasher = program
	return l, nil
}

// connectK210 does so with a loader that writes no flash by itself.
func connectK210(ctx context.Context, p port.Port, c timebase.Clock, baud int) (*k210.Loader, error) {
	program, err := flasher("k210", elf.ELFCLASS64)
	if err != nil {
		return nil, err
	}
	l, err := k210.Connect(ctx, p, c, baud)
	if err != nil {
		return nil, err
	}
	l.Flasher = program
	return l, nil
}

// flasher is the program that writes flash from a RISC-V chip's RAM.
func flasher(chip string, class elf.Class) (*flash.Image, error) {
	image, err := images.Open("flasher-" + chip)
	if err != nil {
		return nil, err
	}
	return flash.ReadELF(image.Data, flash.Part{Chip: chip, Machine: elf.EM_RISCV, Class: class})
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
