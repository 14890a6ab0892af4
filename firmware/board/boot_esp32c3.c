//go:build tinygo && esp32c3 && ota

// How a program that is not at the start of flash is started. Its image is one that the
// ROM would load from there (Espressif, esptool documentation, Firmware Image Format): this maps
// the image to where programs see the start of flash, copies those of its segments that are for
// RAM, and jumps to its entry, which must be behind what would map the start of flash again.
//
// All RAM but the last pages of it may be the program's: there the code runs from which
// does this, copied, with a stack of its own. It calls the ROM by address, and uses no data.

#include <stdint.h>

// The ROM's functions (ESP-IDF, components/esp_rom/esp32c3/ld, rom/cache.h).
#define ROM(type, addr) ((type)(addr))
#define CACHE_INVALIDATE_ALL ROM(void (*)(void), 0x400004D8)
#define CACHE_SUSPEND ROM(uint32_t (*)(void), 0x40000524)
#define CACHE_RESUME ROM(void (*)(uint32_t), 0x40000528)
#define CACHE_MMU_INIT ROM(void (*)(void), 0x4000055C)
#define CACHE_DBUS_MMU_SET ROM(int (*)(uint32_t, uint32_t, uint32_t, uint32_t, uint32_t, uint32_t), 0x40000564)

// The same RAM is on the bus of data and on that of instructions (TRM System and Memory).
enum {
	DROM = 0x3C000000,
	DRAM = 0x3FC80000,
	IRAM = 0x40380000,
	IRAM_TO_DRAM = IRAM - DRAM,
	LOADED_END = 0x3FCCD000,
	STACK_TOP = 0x3FCCE000, // and where the copied code begins; TinyGo's heap ends at 3FCCE710
	CODE_SIZE = 512,        // more than it is
	PAGES = 16,             // of 64 KB: a slot
};

__attribute__((section(".iram"), aligned(4), target("arch=rv32im"), noreturn)) static void start(uint32_t image) {
	uint32_t autoload = CACHE_SUSPEND();
	CACHE_INVALIDATE_ALL();
	CACHE_MMU_INIT();
	CACHE_DBUS_MMU_SET(0, DROM, image, 64, PAGES, 0); // and so for instructions
	CACHE_RESUME(autoload);
	const volatile uint32_t *p = (const volatile uint32_t *)DROM;
	uint32_t segments = p[0] >> 8 & 0xFF, entry = p[1];
	for (p += 6; segments > 0; segments--) {
		uint32_t addr = p[0], words = p[1] / 4;
		p += 2;
		if (addr - IRAM < LOADED_END - DRAM) {
			addr -= IRAM_TO_DRAM;
		}
		if (addr - DRAM < LOADED_END - DRAM && words <= (LOADED_END - addr) / 4) {
			for (uint32_t i = 0; i < words; i++) {
				((volatile uint32_t *)addr)[i] = p[i];
			}
		}
		p += words;
	}
	__asm__ volatile("fence" ::: "memory");
	((void (*)(void))entry)();
	__builtin_unreachable();
}

// hand_over starts the program whose image is at an offset of flash that is a
// multiple of 64 KB. Interrupts are off.
__attribute__((noreturn)) void hand_over(uint32_t image) {
	const volatile uint32_t *from = (const volatile uint32_t *)((uint32_t)start - IRAM_TO_DRAM);
	volatile uint32_t *to = (volatile uint32_t *)STACK_TOP;
	for (int i = 0; i < CODE_SIZE / 4; i++) {
		to[i] = from[i];
	}
	__asm__ volatile("fence\n mv sp, %0\n mv a0, %1\n jr %2" ::"r"(STACK_TOP), "r"(image), "r"(STACK_TOP + IRAM_TO_DRAM) : "a0", "memory");
	__builtin_unreachable();
}
