// The flasher of the K210 is the program that harness/flash/k210 puts into its SRAM to
// write its flash. It speaks as the chip's boot ROM does (SLIP, a header of 16 bytes, a CRC),
// over UARTHS, with the commands of Kendryte's own such program where that has them, and says at once that it is
// ready. An interrupt takes what comes over the line while the flash chip is busy, and a block is
// acknowledged before it is written, so that the next ones may be under way. What
// goes wrong with a block is the answer to the ones after it, and to FLUSH.
//
// It follows Kendryte's standalone SDK for clocks, UARTHS and SPI3 (lib/drivers), SiFive's
// manual of the FE310-G000 for CLINT and PLIC, and Winbond's W25Q128JV data sheet for the flash chip. It counts on what
// the ROM has done before: pins set, SRAM and ACLK running, the second hart let in too.
//
// It leaves out flash chips of more than 16 MB, or with protected blocks, and encryption. Written
// flash is not read back; DIGEST is for that. A page that holds nothing but ones is not written,
// for the flash must be erased anyway.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Named in the ELF file, for it has no Hello to say it in.
__asm__(".pushsection .source\n.ascii \"" SOURCE_DIGEST "\"\n.popsection");

#define REG(addr) (*(volatile uint32_t *)(uintptr_t)(addr))
#define REG64(addr) (*(volatile uint64_t *)(uintptr_t)(addr))

// SYSCTL.
#define SYSCTL_PLL0 REG(0x50440008)
#define SYSCTL_CLK_SEL0 REG(0x50440020) // ACLK_SEL 0, ACLK_DIVIDER_SEL 2:1, SPI3_CLK_SEL 12
#define SYSCTL_CLK_EN_PERI REG(0x5044002C)
#define SYSCTL_SOFT_RESET REG(0x50440030)
#define SYSCTL_CLK_TH1 REG(0x5044003C) // SPI3_CLK 31:24
#define SYSCTL_PERI REG(0x50440058)    // SPI3_XIP_EN 15

// UARTHS.
#define UARTHS_TXDATA REG(0x38000000) // FULL 31
#define UARTHS_RXDATA REG(0x38000004) // EMPTY 31
#define UARTHS_TXCTRL REG(0x38000008)
#define UARTHS_RXCTRL REG(0x3800000C) // RXCNT 18:16: an interrupt with more bytes than that
#define UARTHS_IE REG(0x38000010)
#define UARTHS_IP REG(0x38000014)
#define UARTHS_DIV REG(0x38000018)

// CLINT, and the PLIC for hart 0 in machine mode.
#define MTIMECMP0 REG64(0x02004000)
#define MTIME REG64(0x0200BFF8)
#define PLIC_PRIORITY(irq) REG(0x0C000000 + 4 * (irq))
#define PLIC_ENABLE(n) REG(0x0C002000 + 4 * (n))
#define PLIC_THRESHOLD REG(0x0C200000)
#define PLIC_CLAIM REG(0x0C200004)

// SPI3, a DesignWare DW_apb_ssi.
#define SPI3_CTRLR0 REG(0x54000000) // DATA_LENGTH 4:0, TMOD 11:10
#define SPI3_CTRLR1 REG(0x54000004)
#define SPI3_SSIENR REG(0x54000008)
#define SPI3_SER REG(0x54000010)
#define SPI3_BAUDR REG(0x54000014)
#define SPI3_TXFLR REG(0x54000020)
#define SPI3_RXFLR REG(0x54000024)
#define SPI3_SR REG(0x54000028)
#define SPI3_IMR REG(0x5400002C)
#define SPI3_DMACR REG(0x5400004C)
#define SPI3_DR REG(0x54000060)
#define SPI3_SPI_CTRLR0 REG(0x540000F4)
#define SPI3_ENDIAN REG(0x54000118)

enum {
	CRYSTAL = 26000000, // Hz
	MTIME_DIVIDER = 50, // of ACLK
	SPI_MOST = 20000000, // Hz: within the chip's 50 MHz for a plain read, and what a FIFO of 32 bytes has time for

	FULL_OR_EMPTY = 1u << 31,
	TXWM = 1 << 0,
	RXWM = 1 << 1,
	UARTHS_IRQ = 33,
	ACLK_SEL = 1 << 0,
	SPI3_CLK_EN = 1 << 9,
	SPI3_CLK_SEL = 1 << 12,
	SPI3_XIP_EN = 1 << 15,
	CLK_TH1_SPI3 = 0xFFu << 24,
	TXEN = 1 << 0,
	RXEN = 1 << 0,
	TXCNT_1 = 1 << 16, // TXWM: fewer than one byte
	BUSY = 1 << 0,
	TFE = 1 << 2,
	TRANSMIT = 1 << 10,    // TMOD: transmit only
	EEPROM_READ = 3 << 10, // TMOD: transmit what is in the FIFO, then receive CTRLR1+1
	FIFO = 32,

	MSTATUS_MIE = 1 << 3,
	MIE_MTIE = 1 << 7,
	MIE_MEIE = 1 << 11,
	EXTERNAL = 11, // mcause's number of an interrupt
};

// Commands.
enum {
	GREET = 0xD2,
	ERASE = 0xD3,
	WRITE = 0xD4,
	RUN = 0xD5,
	BAUD = 0xD6,
	INIT = 0xD7,
	READ = 0xD8,
	FLUSH = 0xD9,
	DIGEST = 0xDA,
};

// Reasons.
enum { OK = 0xE0, BAD_LENGTH, BAD_CHECKSUM, INVALID_COMMAND, NO_FLASH, FLASH_ERROR };

enum {
	PAGE = 256,
	SECTOR = 4096,
	BLOCK = 64 << 10,
	BAUD_AT_START = 115200,
	FLASH_SIZE = 16 << 20,
	HEADER = 16,
	DATA_MOST = 4096,
	PACKET_MOST = HEADER + DATA_MOST,
	RING = 256 << 10, // more than 16 blocks can have on the line
};

static uint8_t ring[RING];
static volatile uint32_t head, tail; // counts of bytes that came and that were taken

static union {
	uint32_t words[PACKET_MOST / 4];
	uint8_t bytes[PACKET_MOST];
} packet;

static uint8_t greeting[16]; // "RIG1", maker, type and capacity of the flash chip, 0, its unique number
static uint8_t lacking;      // NO_FLASH if the chip doesn't answer, or OK
static uint8_t failure;      // of a write, until FLUSH tells, or OK
static uint32_t aclk;        // Hz
static uint32_t baud;

static void mask_interrupts(void) { __asm__ volatile("csrc mstatus, %0" ::"r"(MSTATUS_MIE) : "memory"); }
static void admit_interrupts(void) { __asm__ volatile("csrs mstatus, %0" ::"r"(MSTATUS_MIE) : "memory"); }

// sleep waits for an interrupt, and lets it in. It must be masked, so that one that came since the
// caller looked ends the sleep at once.
static void sleep(void) {
	__asm__ volatile("wfi" ::: "memory");
	admit_interrupts();
	mask_interrupts();
}

static void pause_us(uint32_t us) {
	uint64_t until = MTIME + (uint64_t)us * (aclk / MTIME_DIVIDER) / 1000000 + 1;
	mask_interrupts();
	MTIMECMP0 = until;
	while (MTIME < until) {
		sleep();
	}
	admit_interrupts();
}

// on_interrupt takes what has come into the ring. The host sees to it that there is room.
__attribute__((interrupt("machine"), aligned(4))) static void on_interrupt(void) {
	uint64_t cause;
	__asm__ volatile("csrr %0, mcause" : "=r"(cause));
	if ((cause & 0xFF) != EXTERNAL) { // the timer's
		MTIMECMP0 = -1;
		return;
	}
	uint32_t irq = PLIC_CLAIM;
	for (uint32_t b; !((b = UARTHS_RXDATA) & FULL_OR_EMPTY); head++) {
		ring[head % RING] = b;
	}
	PLIC_CLAIM = irq;
}

// get waits for the next byte of the line.
static uint8_t get(void) {
	if (head == tail) {
		mask_interrupts();
		while (head == tail) {
			sleep();
		}
		admit_interrupts();
	}
	uint8_t b = ring[tail % RING];
	tail++;
	return b;
}

static void put(uint8_t b) {
	while (UARTHS_TXDATA & FULL_OR_EMPTY) {
	}
	UARTHS_TXDATA = b;
}

// drain waits until the last byte has left. The one that the FIFO has given away is still
// on the line.
static void drain(void) {
	while (!(UARTHS_IP & TXWM)) {
	}
	pause_us(11 * 1000000 / baud + 1);
}

// SLIP, RFC 1055.
enum { END = 0xC0, ESC = 0xDB, ESC_END = 0xDC, ESC_ESC = 0xDD };

static void put_escaped(const void *data, size_t n) {
	for (const uint8_t *p = data; n > 0; p++, n--) {
		if (*p == END || *p == ESC) {
			put(ESC);
			put(*p == END ? ESC_END : ESC_ESC);
		} else {
			put(*p);
		}
	}
}

// receive takes the next packet, and leaves out what is too long to be one.
static size_t receive(void) {
	for (size_t n = 0;;) {
		uint8_t b = get();
		if (b == END) {
			if (n > 0 && n <= PACKET_MOST) {
				return n;
			}
			n = 0;
			continue;
		}
		if (b == ESC) {
			b = get() == ESC_END ? END : ESC;
		}
		if (n < PACKET_MOST) {
			packet.bytes[n] = b;
		}
		n++;
	}
}

static void reply(uint8_t command, uint8_t reason, uint16_t number, const void *data, size_t n) {
	uint8_t header[4] = {command, reason, number, number >> 8};
	put(END);
	put_escaped(header, sizeof header);
	put_escaped(data, n);
	put(END);
}

// CRC-32 as zlib has it, four bits at a time.
static uint32_t crc32(const uint8_t *data, size_t n) {
	static const uint32_t table[16] = {
		0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4, 0x4DB26158, 0x5005713C,
		0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C, 0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C,
	};
	uint32_t crc = -1;
	for (; n > 0; n--) {
		crc ^= *data++;
		crc = crc >> 4 ^ table[crc & 15];
		crc = crc >> 4 ^ table[crc & 15];
	}
	return ~crc;
}

// SPI. A transfer lasts for as long as there is something in the FIFO, so that it must not run
// dry: what the interrupt takes is far less than the FIFO's 32 bytes.

static void transfer(uint32_t mode, uint32_t count) {
	SPI3_SSIENR = 0;
	SPI3_CTRLR0 = 7 | mode; // frames of 8 bits
	SPI3_CTRLR1 = count - 1;
	SPI3_SSIENR = 1;
}

static void finish(void) {
	SPI3_SER = 0;
	SPI3_SSIENR = 0;
}

// put_command puts a command into the FIFO, with its address if it has one.
static void put_command(uint8_t command, const uint32_t *addr) {
	SPI3_DR = command;
	for (int shift = 16; addr && shift >= 0; shift -= 8) {
		SPI3_DR = *addr >> shift & 0xFF;
	}
}

// transmit sends a command and n bytes.
static void transmit(uint8_t command, const uint32_t *addr, const uint8_t *data, size_t n) {
	transfer(TRANSMIT, 1);
	put_command(command, addr);
	for (size_t room = FIFO - 4; room > 0 && n > 0; room--, n--) {
		SPI3_DR = *data++;
	}
	SPI3_SER = 1;
	while (n > 0) {
		for (size_t room = FIFO - SPI3_TXFLR; room > 0 && n > 0; room--, n--) {
			SPI3_DR = *data++;
		}
	}
	while ((SPI3_SR & (TFE | BUSY)) != TFE) {
	}
	finish();
}

// collect takes n bytes that come after the command in the FIFO.
static void collect(uint8_t *data, size_t n) {
	SPI3_SER = 1;
	while (n > 0) {
		for (size_t have = SPI3_RXFLR; have > 0 && n > 0; have--, n--) {
			*data++ = SPI3_DR;
		}
	}
	finish();
}

// The flash chip: W25Q128JV 8.2.

static void read_flash(uint32_t addr, uint8_t *data, size_t n) {
	transfer(EEPROM_READ, n);
	put_command(0x03, &addr);
	collect(data, n);
}

static uint8_t status(void) {
	uint8_t s;
	transfer(EEPROM_READ, 1);
	put_command(0x05, NULL);
	collect(&s, 1);
	return s;
}

static void identify(void) {
	transfer(EEPROM_READ, 3);
	put_command(0x9F, NULL);
	collect(greeting + 4, 3);
	transfer(EEPROM_READ, 8);
	put_command(0x4B, NULL);
	for (int i = 0; i < 4; i++) {
		SPI3_DR = 0;
	}
	collect(greeting + 8, 8);
	lacking = greeting[4] == 0x00 || greeting[4] == 0xFF ? NO_FLASH : OK;
}

// change has the chip program or erase, and waits, in so many pauses at most.
static bool change(uint8_t command, uint32_t addr, const uint8_t *data, size_t n, uint32_t pause, uint32_t most) {
	enum { WIP = 1 << 0, WEL = 1 << 1 };
	transmit(0x06, NULL, NULL, 0);
	if (!(status() & WEL)) {
		return false;
	}
	transmit(command, &addr, data, n);
	for (; most > 0; most--) {
		pause_us(pause);
		if (!(status() & WIP)) {
			return true;
		}
	}
	return false;
}

static bool blank(const uint8_t *data, size_t n) {
	while (n > 0 && *data == 0xFF) {
		data++;
		n--;
	}
	return n == 0;
}

static bool program(uint32_t addr, const uint8_t *data, size_t left) {
	for (size_t n; left > 0; addr += n, data += n, left -= n) {
		n = PAGE - addr % PAGE;
		n = n < left ? n : left;
		if (!blank(data, n) && !change(0x02, addr, data, n, 20, 500)) {
			return false;
		}
	}
	return true;
}

// erase takes the largest pieces that fit: they are faster by the byte.
static bool erase(uint32_t addr, uint32_t left) {
	static const struct {
		uint32_t size;
		uint8_t command;
	} piece[] = {{BLOCK, 0xD8}, {BLOCK / 2, 0x52}, {SECTOR, 0x20}};
	while (left > 0) {
		int i = 0;
		while (addr % piece[i].size != 0 || left < piece[i].size) {
			i++;
		}
		if (!change(piece[i].command, addr, NULL, 0, 1000, 5000)) {
			return false;
		}
		addr += piece[i].size;
		left -= piece[i].size;
	}
	return true;
}

// SHA-256, FIPS 180-4.

static uint32_t rotate(uint32_t x, int n) { return x >> n | x << (32 - n); }

static void sha256_block(uint32_t hash[8], const uint8_t *p) {
	static const uint32_t k[64] = {
		0x428A2F98, 0x71374491, 0xB5C0FBCF, 0xE9B5DBA5, 0x3956C25B, 0x59F111F1, 0x923F82A4, 0xAB1C5ED5,
		0xD807AA98, 0x12835B01, 0x243185BE, 0x550C7DC3, 0x72BE5D74, 0x80DEB1FE, 0x9BDC06A7, 0xC19BF174,
		0xE49B69C1, 0xEFBE4786, 0x0FC19DC6, 0x240CA1CC, 0x2DE92C6F, 0x4A7484AA, 0x5CB0A9DC, 0x76F988DA,
		0x983E5152, 0xA831C66D, 0xB00327C8, 0xBF597FC7, 0xC6E00BF3, 0xD5A79147, 0x06CA6351, 0x14292967,
		0x27B70A85, 0x2E1B2138, 0x4D2C6DFC, 0x53380D13, 0x650A7354, 0x766A0ABB, 0x81C2C92E, 0x92722C85,
		0xA2BFE8A1, 0xA81A664B, 0xC24B8B70, 0xC76C51A3, 0xD192E819, 0xD6990624, 0xF40E3585, 0x106AA070,
		0x19A4C116, 0x1E376C08, 0x2748774C, 0x34B0BCB5, 0x391C0CB3, 0x4ED8AA4A, 0x5B9CCA4F, 0x682E6FF3,
		0x748F82EE, 0x78A5636F, 0x84C87814, 0x8CC70208, 0x90BEFFFA, 0xA4506CEB, 0xBEF9A3F7, 0xC67178F2,
	};
	uint32_t w[64], v[8];
	for (int i = 0; i < 16; i++, p += 4) {
		w[i] = (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
	}
	for (int i = 16; i < 64; i++) {
		uint32_t a = w[i - 15], b = w[i - 2];
		w[i] = w[i - 16] + w[i - 7] + (rotate(a, 7) ^ rotate(a, 18) ^ a >> 3) + (rotate(b, 17) ^ rotate(b, 19) ^ b >> 10);
	}
	for (int i = 0; i < 8; i++) {
		v[i] = hash[i];
	}
	for (int i = 0; i < 64; i++) {
		uint32_t a = v[0], e = v[4];
		uint32_t t = v[7] + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & v[5]) ^ (~e & v[6])) + k[i] + w[i];
		uint32_t u = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]));
		for (int j = 7; j > 0; j--) {
			v[j] = v[j - 1];
		}
		v[4] += t;
		v[0] = t + u;
	}
	for (int i = 0; i < 8; i++) {
		hash[i] += v[i];
	}
}

// digest hashes flash, in pieces that leave room for the padding.
static void digest(uint32_t addr, uint32_t size, uint8_t sum[32]) {
	enum { PIECE = 2048 };
	uint32_t hash[8] = {0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19};
	uint64_t bits = (uint64_t)size * 8;
	for (uint32_t n = PIECE; n == PIECE; addr += n, size -= n) {
		n = size < PIECE ? size : PIECE;
		if (n > 0) {
			read_flash(addr, packet.bytes, n);
		}
		uint32_t end = n;
		if (n < PIECE) {
			packet.bytes[end++] = 0x80;
			while (end % 64 != 56) {
				packet.bytes[end++] = 0;
			}
			for (int shift = 56; shift >= 0; shift -= 8) {
				packet.bytes[end++] = bits >> shift;
			}
		}
		for (uint32_t i = 0; i < end; i += 64) {
			sha256_block(hash, packet.bytes + i);
		}
	}
	for (int i = 0; i < 32; i++) {
		sum[i] = hash[i / 4] >> (24 - i % 4 * 8);
	}
}

// A request, as it lies in the packet.
static uint8_t op(void) { return packet.words[0]; }
static uint16_t number(void) { return packet.words[0] >> 16; }
static uint32_t address(void) { return packet.words[2]; }
static uint32_t length(void) { return packet.words[3]; }

static void answer(uint8_t reason) { reply(op(), reason, number(), NULL, 0); }

static bool within_flash(void) { return address() < FLASH_SIZE && length() <= FLASH_SIZE - address(); }

static void greet(void) { reply(GREET, lacking, number(), greeting, sizeof greeting); }

// divider is what UARTHS divides ACLK by for a rate, or 0 if it can't.
static uint32_t divider(uint32_t rate) {
	if (rate == 0) {
		return 0;
	}
	uint32_t d = (aclk + rate / 2) / rate;
	uint32_t off = aclk / (d ? d : 1) > rate ? aclk / d - rate : rate - aclk / (d ? d : 1);
	return d < 16 || d > 65536 || off > rate / 50 ? 0 : d;
}

// set_baud answers at the old rate.
static void set_baud(size_t n) {
	uint32_t d = n == 4 && length() == 4 ? divider(packet.words[4]) : 0;
	if (d == 0) {
		answer(BAD_LENGTH);
		return;
	}
	answer(OK);
	drain();
	baud = packet.words[4];
	UARTHS_DIV = d - 1;
}

static void erase_sectors(void) {
	if (lacking != OK) {
		answer(lacking);
	} else if ((address() | length()) % SECTOR != 0 || length() == 0 || !within_flash()) {
		answer(BAD_LENGTH);
	} else {
		answer(erase(address(), length()) ? OK : FLASH_ERROR);
	}
}

// write acknowledges a block, and writes it then. Once one has failed, so do all until
// FLUSH.
static void write(size_t n, bool damaged) {
	if (failure == OK) {
		failure = damaged ? BAD_CHECKSUM : n == 0 || n != length() || !within_flash() ? BAD_LENGTH : lacking;
	}
	answer(failure);
	if (failure == OK && !program(address(), packet.bytes + HEADER, n)) {
		failure = FLASH_ERROR;
	}
}

static void flush(void) {
	answer(failure);
	failure = OK;
}

static void read(void) {
	uint8_t o = op();
	uint16_t i = number();
	uint32_t n = length();
	if (lacking != OK) {
		answer(lacking);
	} else if (n == 0 || n > DATA_MOST || !within_flash()) {
		answer(BAD_LENGTH);
	} else {
		read_flash(address(), packet.bytes, n);
		reply(o, OK, i, packet.bytes, n);
	}
}

static void tell_digest(void) {
	uint8_t sum[32], o = op();
	uint16_t i = number();
	if (lacking != OK) {
		answer(lacking);
	} else if (!within_flash()) {
		answer(BAD_LENGTH);
	} else {
		digest(address(), length(), sum);
		reply(o, OK, i, sum, sizeof sum);
	}
}

static void restart(void) {
	answer(OK);
	drain();
	SYSCTL_SOFT_RESET = 1;
	for (;;) {
	}
}

static void obey(size_t n) {
	bool damaged = crc32(packet.bytes + 8, HEADER - 8 + n) != packet.words[1];
	if (op() == WRITE) {
		write(n, damaged);
		return;
	}
	if (damaged) {
		answer(BAD_CHECKSUM);
		return;
	}
	switch (op()) {
	case INIT:
		answer(lacking);
		break;
	case ERASE:
		erase_sectors();
		break;
	case BAUD:
		set_baud(n);
		break;
	case READ:
		read();
		break;
	case FLUSH:
		flush();
		break;
	case DIGEST:
		tell_digest();
		break;
	case RUN:
		restart();
		break;
	default:
		answer(INVALID_COMMAND);
	}
}

// start_clocks finds ACLK and has SPI3 run by PLL0, if that runs.
static void start_clocks(void) {
	uint32_t pll = SYSCTL_PLL0, sel = SYSCTL_CLK_SEL0, source = CRYSTAL;
	aclk = CRYSTAL;
	if (sel & ACLK_SEL) {
		source = (uint64_t)CRYSTAL * ((pll >> 4 & 63) + 1) / (((pll & 15) + 1) * ((pll >> 10 & 15) + 1));
		aclk = source >> ((sel >> 1 & 3) + 1);
		SYSCTL_CLK_SEL0 = sel | SPI3_CLK_SEL;
	}
	SYSCTL_CLK_TH1 &= ~CLK_TH1_SPI3; // half of it
	SYSCTL_CLK_EN_PERI |= SPI3_CLK_EN;
	SYSCTL_PERI &= ~SPI3_XIP_EN;
	SPI3_SSIENR = 0;
	SPI3_SER = 0;
	SPI3_IMR = SPI3_DMACR = SPI3_SPI_CTRLR0 = SPI3_ENDIAN = 0;
	SPI3_BAUDR = (source / 2 / SPI_MOST + 2) & ~1u; // it must be even
}

static void listen(void) {
	head = tail = 0;
	baud = BAUD_AT_START;
	UARTHS_DIV = divider(baud) - 1;
	UARTHS_TXCTRL = TXEN | TXCNT_1;
	UARTHS_RXCTRL = RXEN;
	UARTHS_IE = RXWM;
	for (int n = 0; n < 3; n++) {
		PLIC_ENABLE(n) = n == UARTHS_IRQ / 32 ? 1 << UARTHS_IRQ % 32 : 0;
	}
	PLIC_PRIORITY(UARTHS_IRQ) = 1;
	PLIC_THRESHOLD = 0;
	MTIMECMP0 = -1;
	__asm__ volatile("csrw mtvec, %0" ::"r"(on_interrupt));
	__asm__ volatile("csrw mie, %0" ::"r"(MIE_MTIE | MIE_MEIE));
	admit_interrupts();
}

__attribute__((used, noreturn)) static void serve(void) {
	failure = OK;
	start_clocks();
	listen();
	__builtin_memcpy(greeting, "RIG1", 4);
	greeting[7] = 0;
	identify();
	packet.words[0] = 0;
	greet();
	for (;;) {
		size_t n = receive();
		if (op() == GREET && n >= 4) {
			greet();
		} else if (n >= HEADER) {
			obey(n - HEADER);
		}
	}
}

// start is where the ROM jumps to, with both harts. The second one sleeps for ever.
__attribute__((section(".start"), naked, noreturn)) void start(void) {
	__asm__ volatile(
		"csrw mie, zero    \n"
		"csrci mstatus, 8  \n"
		"fence.i           \n"
		"csrr t0, mhartid  \n"
		"bnez t0, 1f       \n"
		"la   sp, stack_top\n"
		"j    serve        \n"
		"1: wfi            \n"
		"j    1b           \n");
}
