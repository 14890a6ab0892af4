// Flasher is the program that harness/flash/esp32 puts into an ESP32-C3's RAM to
// write its flash. It speaks the protocol of the ROM's serial loader (Espressif,
// esptool documentation, Serial Protocol), over UART0 at the rate that the ROM left
// it at, or USB Serial/JTAG, with the ROM's form of replies. What the ROM does one
// after the other it does at once: an interrupt takes what comes over the line while
// the flash chip is busy (USB holds back what has no room), and a block is acknowledged
// before it is written, so that the next ones may be under way. What goes wrong with a
// block is the status of the ones after it, and of FLASH_END.
//
// The entry points of the ROM, their parameters, and that a loaded program may
// attach a handler to interrupts are facts of ESP-IDF (components/esp_rom/esp32c3/ld,
// and the headers beside it); registers are those of the ESP32-C3 Technical Reference
// Manual v1.1. It counts on what the ROM's loader has done before: pins and parameters
// of the flash chip set, watchdogs off, a stack.
//
// It leaves out encrypted writes and change of rate. Written flash is not read back;
// FLASH_MD5 is for that.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Named in the ELF file, for it has no Hello to say it in.
__asm__(".pushsection .source\n.ascii \"" SOURCE_DIGEST "\"\n.popsection");

// Functions of the ROM; flasher.ld has their addresses.
int tinfl_decompress(void *self, const uint8_t *in, size_t *in_size, uint8_t *out, uint8_t *next, size_t *out_size, uint32_t flags);
int esp_rom_spiflash_unlock(void);
int esp_rom_spiflash_erase_block(uint32_t block);
int esp_rom_spiflash_erase_sector(uint32_t sector);
int esp_rom_spiflash_write(uint32_t addr, const void *words, int32_t size);
int esp_rom_spiflash_read(uint32_t addr, void *words, int32_t size);
void MD5Init(void *context);
void MD5Update(void *context, const void *data, uint32_t size);
void MD5Final(uint8_t digest[16], void *context);
void ets_isr_attach(int interrupt, void (*handler)(void *), void *argument);
void ets_isr_unmask(uint32_t interrupts);
void esprv_intc_int_set_priority(int interrupt, int priority);

// Registers of UART0, USB Serial/JTAG and the interrupt matrix, and the ROM's number of
// the port in use, where esptool, too, looks for it.
#define REG(addr) (*(volatile uint32_t *)(addr))
#define UART_FIFO REG(0x60000000)
#define UART_INT_ENA REG(0x6000000C)
#define UART_INT_CLR REG(0x60000010)
#define UART_STATUS REG(0x6000001C) // RXFIFO_CNT in 9:0, TXFIFO_CNT in 25:16
#define UART_CONF1 REG(0x60000024)  // RXFIFO_FULL_THRHD in 8:0
#define USB_EP1 REG(0x60043000)
#define USB_EP1_CONF REG(0x60043004)
#define INTERRUPT_UART0_MAP REG(0x600C2054)
#define ROM_PORT REG(0x3FCDF07C)

enum {
	RXFIFO_FULL = 1 << 0,
	UART_INTERRUPT = 5, // of the CPU, the one that the ROM uses for it
	RX_THRESHOLD = 32,  // of 128; the rest is for what an interrupt has to wait
	TX_FULL = 126,
	MSTATUS_MIE = 1 << 3,
	ROM_PORT_USB = 3,
	WR_DONE = 1 << 0,
	SERIAL_IN_EP_DATA_FREE = 1 << 1,
	SERIAL_OUT_EP_DATA_AVAIL = 1 << 2,
};

// Commands.
enum {
	FLASH_BEGIN = 0x02,
	FLASH_DATA = 0x03,
	FLASH_END = 0x04,
	MEM_END = 0x06,
	SYNC = 0x08,
	WRITE_REG = 0x09,
	READ_REG = 0x0A,
	READ_FLASH_SLOW = 0x0E, // here of up to READ_MOST bytes, and not always 64
	FLASH_DEFL_BEGIN = 0x10,
	FLASH_DEFL_DATA = 0x11,
	FLASH_DEFL_END = 0x12,
	FLASH_MD5 = 0x13,
};

// The ROM's codes for what went wrong.
enum {
	INVALID_PARAMETER = 0x01,
	INVALID_MESSAGE = 0x05,
	RESULT_WRONG = 0x06,
	BAD_CHECKSUM = 0x07,
	WRITE_ERROR = 0x08,
	READ_ERROR = 0x09,
	READ_LENGTH = 0x0A,
	DEFLATE_ERROR = 0x0B,
	ADLER_ERROR = 0x0C,
};

enum {
	GREETING = 0x31474952, // the value of the first packet: "RIG1"
	PAGE = 256,
	SECTOR = 4096,
	BLOCK = 64 << 10,
	READ_MOST = 4096,
	HEADER = 8,
	DATA_HEADER = 16,
	PACKET_MOST = HEADER + DATA_HEADER + 1024,
	RING = 32 << 10, // more than the 15 blocks that the host sends ahead can have on the line
	WINDOW = 32 << 10, // what deflate looks back
	INFLATER = 11 << 10, // more than miniz's tinfl_decompressor
	MD5_CONTEXT = 88,
};

static uint8_t ring[RING];
static volatile uint32_t head, tail; // counts of bytes that came and that were taken

static union {
	uint32_t words[PACKET_MOST / 4];
	uint8_t bytes[PACKET_MOST];
} packet;

static uint32_t inflater[INFLATER / 4]; // its first word 0: at the beginning
static union {
	uint32_t words[WINDOW / 4];
	uint8_t bytes[WINDOW];
} window;

// The write under way.
static struct {
	uint8_t command; // that brings its data; 0: there is none
	uint8_t failure;
	bool inflated;   // the stream's end was seen
	uint32_t blocks; // that came
	uint32_t made;   // bytes inflated
	uint32_t used;   // of them programmed
	uint32_t next, end; // addresses
} writing;

static bool usb; // and not UART0

// drain takes what has come into the ring. The host sees to it that there is room.
static void drain(void) {
	while (usb ? USB_EP1_CONF & SERIAL_OUT_EP_DATA_AVAIL : UART_STATUS & 0x3FF) {
		ring[head % RING] = usb ? USB_EP1 : UART_FIFO;
		head++;
	}
}

static void on_interrupt(void *unused) {
	(void)unused;
	drain();
	UART_INT_CLR = RXFIFO_FULL;
}

// get waits for the next byte of the line. The end of a packet does not fill the
// FIFO to its threshold, and is looked for.
static uint8_t get(void) {
	while (head == tail) {
		__asm__ volatile("csrc mstatus, %0" ::"r"(MSTATUS_MIE) : "memory");
		drain();
		__asm__ volatile("csrs mstatus, %0" ::"r"(MSTATUS_MIE) : "memory");
	}
	uint8_t b = ring[tail % RING];
	tail++;
	return b;
}

static void wait_for_room(void) {
	while (usb ? !(USB_EP1_CONF & SERIAL_IN_EP_DATA_FREE) : (UART_STATUS >> 16 & 0x3FF) >= TX_FULL) {
	}
}

static void put(uint8_t b) {
	wait_for_room();
	if (usb) {
		USB_EP1 = b;
	} else {
		UART_FIFO = b;
	}
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

static void reply(uint8_t command, uint32_t value, const void *data, size_t n, uint8_t failure) {
	uint32_t header[2] = {0x01 | command << 8 | (n + 4) << 16, value};
	uint8_t status[4] = {failure != 0, failure, 0, 0};
	put(END);
	put_escaped(header, sizeof header);
	put_escaped(data, n);
	put_escaped(status, sizeof status);
	put(END);
	if (usb) { // which would wait for the rest of its 64 bytes
		wait_for_room();
		USB_EP1_CONF = WR_DONE;
	}
}

static void done(uint8_t command, uint8_t failure) { reply(command, 0, NULL, 0, failure); }

// program writes to flash that is erased, whole words.
static void program(const void *data, uint32_t n) {
	if (n > writing.end - writing.next) {
		writing.failure = RESULT_WRONG;
	} else if (esp_rom_spiflash_write(writing.next, data, n) != 0) {
		writing.failure = WRITE_ERROR;
	}
	writing.next += n;
}

// flush programs what was inflated, in whole pages until the end.
static void flush(void) {
	uint32_t n = writing.made - writing.used, at = writing.used % WINDOW;
	if (!writing.inflated) {
		n -= n % PAGE;
	}
	for (; n % 4 != 0; n++) {
		window.bytes[at + n] = 0xFF;
	}
	if (n > 0) {
		program(window.bytes + at, n);
	}
	writing.used += n;
}

static void inflate(const uint8_t *data, size_t size) {
	enum { PARSE_ZLIB_HEADER = 1, HAS_MORE_INPUT = 2 };
	enum { ADLER32_MISMATCH = -2, DONE = 0, HAS_MORE_OUTPUT = 2 };
	int status = HAS_MORE_OUTPUT;
	while (status == HAS_MORE_OUTPUT && !writing.failure) {
		size_t in = size, at = writing.made % WINDOW, out = WINDOW - at;
		status = tinfl_decompress(inflater, data, &in, window.bytes, window.bytes + at, &out, PARSE_ZLIB_HEADER | HAS_MORE_INPUT);
		if (status < 0) {
			writing.failure = status == ADLER32_MISMATCH ? ADLER_ERROR : DEFLATE_ERROR;
			return;
		}
		data += in;
		size -= in;
		writing.made += out;
		writing.inflated = status == DONE;
		flush();
	}
}

static uint8_t erase(uint32_t addr, uint32_t end) {
	int failed = esp_rom_spiflash_unlock();
	while (addr < end && !failed) {
		if (addr % BLOCK == 0 && end - addr >= BLOCK) {
			failed = esp_rom_spiflash_erase_block(addr / BLOCK);
			addr += BLOCK;
		} else {
			failed = esp_rom_spiflash_erase_sector(addr / SECTOR);
			addr += SECTOR;
		}
	}
	return failed ? WRITE_ERROR : 0;
}

// begin erases for a write: its size in bytes, blocks and their size, address.
static uint8_t begin(uint8_t data_command, const uint32_t *p) {
	writing.command = data_command;
	writing.inflated = false;
	writing.blocks = writing.made = writing.used = 0;
	writing.next = p[3];
	writing.end = (p[3] + p[0] + SECTOR - 1) & -SECTOR;
	inflater[0] = 0;
	return writing.failure = erase(p[3] & -SECTOR, writing.end);
}

// refusal is why a block cannot be taken: length, number, two zeros, data.
static uint8_t refusal(uint8_t command, uint32_t checksum, const uint32_t *p, size_t n) {
	if (command != writing.command) {
		return RESULT_WRONG;
	}
	if (n < DATA_HEADER || p[0] != n - DATA_HEADER) {
		return INVALID_MESSAGE;
	}
	if (p[1] != writing.blocks) {
		return INVALID_PARAMETER;
	}
	uint8_t sum = 0xEF;
	for (const uint8_t *b = (const uint8_t *)p + DATA_HEADER; b < (const uint8_t *)p + n; b++) {
		sum ^= *b;
	}
	return sum == checksum ? 0 : BAD_CHECKSUM;
}

// take acknowledges a block, and writes it then. Once one has failed, so do all
// to the end.
static void take(uint8_t command, uint32_t checksum, const uint32_t *p, size_t n) {
	if (!writing.failure) {
		writing.failure = refusal(command, checksum, p, n);
	}
	done(command, writing.failure);
	if (writing.failure) {
		return;
	}
	writing.blocks++;
	if (command == FLASH_DEFL_DATA) {
		inflate((const uint8_t *)p + DATA_HEADER, n - DATA_HEADER);
	} else {
		program((const uint8_t *)p + DATA_HEADER, n - DATA_HEADER);
	}
}

// end tells what has become of a write.
static uint8_t end(void) {
	if (!writing.failure && writing.command == FLASH_DEFL_DATA && !writing.inflated) {
		writing.failure = DEFLATE_ERROR;
	}
	writing.command = 0;
	return writing.failure;
}

static void digest(uint32_t addr, uint32_t size) {
	uint32_t context[MD5_CONTEXT / 4];
	uint8_t sum[16], text[32];
	MD5Init(context);
	while (size > 0) {
		uint32_t n = size < WINDOW ? size : WINDOW;
		if (esp_rom_spiflash_read(addr, window.words, (n + 3) & -4) != 0) {
			done(FLASH_MD5, READ_ERROR);
			return;
		}
		MD5Update(context, window.bytes, n);
		addr += n;
		size -= n;
	}
	MD5Final(sum, context);
	for (int i = 0; i < 32; i++) {
		uint8_t digit = sum[i / 2] >> (i % 2 ? 0 : 4) & 15;
		text[i] = digit < 10 ? '0' + digit : 'a' + digit - 10;
	}
	reply(FLASH_MD5, 0, text, sizeof text, 0);
}

static void read_flash(uint32_t addr, uint32_t size) {
	if (size > READ_MOST || size % 4 != 0) {
		done(READ_FLASH_SLOW, READ_LENGTH);
	} else if (esp_rom_spiflash_read(addr, window.words, size) != 0) {
		done(READ_FLASH_SLOW, READ_ERROR);
	} else {
		reply(READ_FLASH_SLOW, 0, window.bytes, size, 0);
	}
}

// write_registers stores words: address, value, mask and a delay, which is not kept.
static void write_registers(const uint32_t *p, size_t n) {
	for (; n >= 16; p += 4, n -= 16) {
		REG(p[0]) = (REG(p[0]) & ~p[2]) | (p[1] & p[2]);
	}
	done(WRITE_REG, 0);
}

// length is the least that a command's data have.
static size_t length(uint8_t command) {
	switch (command) {
	case FLASH_BEGIN:
	case FLASH_DEFL_BEGIN:
	case FLASH_MD5:
	case WRITE_REG:
		return 16;
	case READ_FLASH_SLOW:
		return 8;
	case READ_REG:
		return 4;
	}
	return 0;
}

static void run(uint8_t command, uint32_t checksum, const uint32_t *p, size_t n) {
	switch (command) {
	case SYNC:
		reply(SYNC, GREETING, NULL, 0, 0);
		break;
	case READ_REG:
		reply(READ_REG, REG(p[0]), NULL, 0, 0);
		break;
	case WRITE_REG:
		write_registers(p, n);
		break;
	case FLASH_BEGIN:
	case FLASH_DEFL_BEGIN:
		done(command, begin(command + 1, p));
		break;
	case FLASH_DATA:
	case FLASH_DEFL_DATA:
		take(command, checksum, p, n);
		break;
	case FLASH_END:
	case FLASH_DEFL_END:
		done(command, end());
		break;
	case FLASH_MD5:
		digest(p[0], p[1]);
		break;
	case READ_FLASH_SLOW:
		read_flash(p[0], p[1]);
		break;
	default:
		done(command, INVALID_MESSAGE);
	}
}

static void listen(void) {
	head = tail = 0;
	usb = ROM_PORT == ROM_PORT_USB;
	if (usb) {
		return;
	}
	UART_CONF1 = (UART_CONF1 & ~0x1FF) | RX_THRESHOLD;
	UART_INT_ENA = RXFIFO_FULL;
	INTERRUPT_UART0_MAP = UART_INTERRUPT;
	ets_isr_attach(UART_INTERRUPT, on_interrupt, NULL);
	esprv_intc_int_set_priority(UART_INTERRUPT, 1);
	ets_isr_unmask(1 << UART_INTERRUPT);
	__asm__ volatile("csrs mstatus, %0" ::"r"(MSTATUS_MIE) : "memory");
}

// start is where the ROM jumps to.
__attribute__((section(".start"), noreturn)) void start(void) {
	writing.command = writing.failure = 0;
	listen();
	reply(MEM_END, GREETING, NULL, 0, 0);
	for (;;) {
		size_t n = receive();
		uint8_t command = packet.bytes[1];
		if (n < HEADER || packet.bytes[0] != 0) {
			continue; // no request
		}
		n -= HEADER;
		if (packet.words[0] >> 16 != n || n < length(command)) {
			done(command, INVALID_MESSAGE);
		} else {
			run(command, packet.words[1], packet.words + HEADER / 4, n);
		}
	}
}
