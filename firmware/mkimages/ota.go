package main

import (
	"fmt"
	"strings"

	"rigor/firmware/ota/defect"
)

// linked is the chip with a target of the update system's: a file in firmware/ota/target,
// and the linker scripts there that it takes.
func (c chip) linked(target string, scripts ...string) chip {
	const dir = "firmware/ota/target/"
	c.target = "-target=" + dir + target + ".json"
	c.files = append(c.files[:len(c.files):len(c.files)], dir+target+".json")
	for _, s := range scripts {
		c.files = append(c.files, dir+s+".ld")
	}
	return c
}

// The chips as the boot program sees them, and as programs in their slots do.
var (
	stm32f407Boot  = stm32f407.linked("stm32f407-boot", "stm32f407-boot", "stm32f407")
	stm32f407Slots = [...]chip{
		stm32f407.linked("stm32f407-slot0", "stm32f407-slot0", "stm32f407"),
		stm32f407.linked("stm32f407-slot1", "stm32f407-slot1", "stm32f407"),
	}
	esp32c3Boot = esp32c3.linked("esp32c3-boot").optimized("s")
	esp32c3App  = esp32c3.linked("esp32c3-app").optimized("s")

	k210Boot = k210.linked("k210-boot", "k210-boot", "k210").optimized("s")
	k210App  = k210.linked("k210-app", "k210-app", "k210").optimized("s")
)

// optimized is the chip with TinyGo's option -opt, which is z by default. With s a program is a tenth larger and
// verifies signatures in three quarters of the time.
func (c chip) optimized(opt string) chip {
	c.target += " -opt=" + opt
	return c
}

// updated is the update system: the boot program otaboot, the application ota as 1.0.0 and, under
// names with their versions, what it is updated to.
//
// An image that runs where it lies has the slot at the end of its name.
var updated = []variant{
	{name: "otaboot-stm32f407", program: "ota/boot", chip: stm32f407Boot, clockHz: 168e6},
	{name: "ota-stm32f407-slot0", program: "ota/app", chip: stm32f407Slots[0], clockHz: 168e6},
	{name: "ota-stm32f407-slot1", program: "ota/app", chip: stm32f407Slots[1], clockHz: 168e6},
	{name: "ota-1.0.1-stm32f407-slot0", program: "ota/app", chip: stm32f407Slots[0], clockHz: 168e6, tags: "v1_0_1"},
	{name: "ota-1.0.1-stm32f407-slot1", program: "ota/app", chip: stm32f407Slots[1], clockHz: 168e6, tags: "v1_0_1"},
	{name: "ota-1.1.0-stm32f407-slot0", program: "ota/app", chip: stm32f407Slots[0], clockHz: 168e6, tags: "v1_1_0"},
	{name: "ota-1.1.0-stm32f407-slot1", program: "ota/app", chip: stm32f407Slots[1], clockHz: 168e6, tags: "v1_1_0"},
	{name: "ota-16mhz-stm32f407-slot0", program: "ota/app", chip: stm32f407Slots[0], clockHz: 16e6, tags: "hsi16"},
	{name: "otaboot-esp32c3", program: "ota/boot", chip: esp32c3Boot, clockHz: 160e6},
	{name: "ota-esp32c3", program: "ota/app", chip: esp32c3App, clockHz: 160e6},
	{name: "ota-1.0.1-esp32c3", program: "ota/app", chip: esp32c3App, clockHz: 160e6, tags: "v1_0_1"},
	{name: "ota-1.1.0-esp32c3", program: "ota/app", chip: esp32c3App, clockHz: 160e6, tags: "v1_1_0"},
	{name: "ota-net-esp32c3", program: "ota/app", chip: esp32c3App, clockHz: 160e6, tags: "net notcp"},
	{name: "ota-net-1.1.0-esp32c3", program: "ota/app", chip: esp32c3App, clockHz: 160e6, tags: "net notcp v1_1_0"},
	{name: "otaboot-k210", program: "ota/boot", chip: k210Boot, clockHz: 390e6},
	{name: "ota-k210", program: "ota/app", chip: k210App, clockHz: 390e6},
	{name: "ota-1.0.1-k210", program: "ota/app", chip: k210App, clockHz: 390e6, tags: "v1_0_1"},
	{name: "ota-1.1.0-k210", program: "ota/app", chip: k210App, clockHz: 390e6, tags: "v1_1_0"},
}

// planted are boot programs and applications of the STM32F407 with a defect each, under its name. An application
// is for the slot in which it does harm.
func planted() (all []variant) {
	for _, d := range defect.All {
		tags := strings.Join(d.Tags(), " ")
		if d.Boot {
			all = append(all, variant{name: "otaboot-" + d.Name + "-stm32f407", program: "ota/boot", chip: stm32f407Boot, clockHz: 168e6, tags: tags})
		}
		if d.App {
			slot := d.Slot()
			name := fmt.Sprintf("ota-%s-stm32f407-slot%d", d.Name, slot)
			all = append(all, variant{name: name, program: "ota/app", chip: stm32f407Slots[slot], clockHz: 168e6, tags: tags})
		}
	}
	return all
}
