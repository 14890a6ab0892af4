//go:build tinygo && esp32c3 && ota

// What is done while the cache cannot fetch code from flash: in RAM, with interrupts
// off, for their handlers are in flash. Nothing here reads constants, and what is called is the
// ROM's; its functions, their parameters and results are facts of ESP-IDF (components/esp_rom,
// rom/cache.h and rom/spi_flash.h). The cache keeps what it holds: where flash is changed no
// program looks through the cache, but that which hand_over maps anew.

#include <stdint.h>

uint32_t Cache_Suspend_ICache(void);
void Cache_Resume_ICache(uint32_t autoload);
int esp_rom_spiflash_read(uint32_t addr, void *words, int32_t size);
int esp_rom_spiflash_write(uint32_t addr, const void *words, int32_t size);
int esp_rom_spiflash_erase_sector(uint32_t sector);

// Registers of SPI1 (soc/spi_mem_reg.h), and the flash chip's status.
#define REG(addr) (*(volatile uint32_t *)(addr))
#define SPI1_CMD REG(0x60002000)
#define SPI1_RD_STATUS REG(0x6000202C)

enum {
	CMD_RDSR = 1 << 27,
	STATUS_WEL = 1 << 1, // write enable latch: cleared by an operation that was carried out
	REFUSED = -1,
	AT_ONCE = 32, // bytes that the ROM programs in one operation
};

// Whole words only: TinyGo's linker script lets the heap begin where the sizes of all
// sections in RAM end together.
#define WHOLE_WORDS target("arch=rv32im")
#define IN_RAM __attribute__((noinline, aligned(4), section(".iram"), WHOLE_WORDS))
#define WITHIN static inline __attribute__((always_inline, WHOLE_WORDS))

typedef struct {
	uint32_t mstatus, autoload;
} held;

WITHIN held hold(void) {
	held h;
	__asm__ volatile("csrrci %0, mstatus, 8" : "=r"(h.mstatus)::"memory");
	h.autoload = Cache_Suspend_ICache();
	return h;
}

WITHIN void release(held h) {
	Cache_Resume_ICache(h.autoload);
	__asm__ volatile("csrs mstatus, %0" ::"r"(h.mstatus & 8) : "memory");
}

// refused tells whether the chip has left an operation undone, as it does in
// protected areas: then writing is still enabled.
WITHIN int refused(void) {
	SPI1_CMD = CMD_RDSR;
	while (SPI1_CMD != 0) {
	}
	return SPI1_RD_STATUS & STATUS_WEL ? REFUSED : 0;
}

// flash_read copies whole words.
IN_RAM int flash_read(uint32_t off, void *words, uint32_t size) {
	held h = hold();
	int failed = esp_rom_spiflash_read(off, words, size);
	release(h);
	return failed;
}

// flash_program clears bits, one operation for each of the 32 bytes that lie at multiples
// of 32; it takes whole words.
IN_RAM int flash_program(uint32_t off, const uint8_t *words, uint32_t size) {
	held h = hold();
	int failed = 0;
	while (size > 0 && !failed) {
		uint32_t n = AT_ONCE - off % AT_ONCE;
		if (n > size) {
			n = size;
		}
		failed = esp_rom_spiflash_write(off, words, n);
		if (!failed) {
			failed = refused();
		}
		off += n;
		words += n;
		size -= n;
	}
	release(h);
	return failed;
}

// flash_erase erases a sector of 4 KB by its number.
IN_RAM int flash_erase(uint32_t sector) {
	held h = hold();
	int failed = esp_rom_spiflash_erase_sector(sector);
	if (!failed) {
		failed = refused();
	}
	release(h);
	return failed;
}
