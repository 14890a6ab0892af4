// A mix of what firmware does: sorting a linked list, a matrix product with
// saturation, a CRC bit by bit and by table, a state machine over text, and
// 64-bit arithmetic. It repeats for ever; rounds counts, checksum is the same after
// every round.
//
//   arm-none-eabi-gcc -mcpu=cortex-m4 -O2 -ffreestanding -fno-builtin -nostdlib \
//     -T mix.ld -o mix.elf mix.c
//   arm-none-eabi-objcopy -O binary -j .text mix.elf mix.bin
//
// With a hosted compiler and -DHOST it prints the checksum.
#include <stdint.h>

struct node {
	struct node *next;
	int16_t key, value;
};

struct memory {
	uint32_t rounds, checksum;
	uint32_t seed;
	struct node nodes[64];
	int16_t a[12][12], b[12][12];
	int32_t c[12][12];
	uint16_t table[256];
	uint8_t text[200];
	uint32_t counts[8];
};

#ifdef HOST
static struct memory host;
#define M (&host)
#else
#define M ((struct memory *)0x20000000)
#endif

static uint32_t random(void) { return M->seed = M->seed * 1664525u + 1013904223u; }

static struct node *merge(struct node *a, struct node *b) {
	struct node *head, **tail = &head;
	while (a && b) {
		struct node **least = a->key <= b->key ? &a : &b;
		*tail = *least;
		tail = &(*least)->next;
		*least = *tail;
	}
	*tail = a ? a : b;
	return head;
}

__attribute__((noinline)) static struct node *sort(struct node *list, int n) {
	if (n < 2)
		return list;
	struct node *middle = list, *rest;
	for (int i = 1; i < n / 2; i++)
		middle = middle->next;
	rest = middle->next;
	middle->next = 0;
	return merge(sort(list, n / 2), sort(rest, n - n / 2));
}

__attribute__((noinline)) static uint32_t lists(void) {
	for (int i = 0; i < 64; i++) {
		M->nodes[i].next = i < 63 ? &M->nodes[i + 1] : 0;
		M->nodes[i].key = random() >> 18;
		M->nodes[i].value = i;
	}
	uint32_t sum = 0;
	for (struct node *p = sort(M->nodes, 64); p; p = p->next)
		sum = sum * 31 + p->value;
	return sum;
}

__attribute__((noinline)) static uint32_t matrix(void) {
	for (int i = 0; i < 12; i++)
		for (int j = 0; j < 12; j++) {
			M->a[i][j] = random() >> 20;
			M->b[i][j] = random() >> 20;
		}
	uint32_t sum = 0;
	for (int i = 0; i < 12; i++)
		for (int j = 0; j < 12; j++) {
			int32_t v = 0;
			for (int k = 0; k < 12; k++)
				v += M->a[i][k] * M->b[k][j];
			if (v > 100000000)
				v = 100000000;
			M->c[i][j] = v >> 3;
			sum ^= v;
		}
	return sum;
}

__attribute__((noinline)) static uint16_t crc(uint16_t crc, const uint8_t *p, int n) {
	while (n--) {
		crc ^= *p++;
		for (int i = 0; i < 8; i++)
			crc = crc & 1 ? crc >> 1 ^ 0xA001 : crc >> 1;
	}
	return crc;
}

__attribute__((noinline)) static uint16_t tableCRC(uint16_t crc, const uint8_t *p, int n) {
	while (n--)
		crc = crc >> 8 ^ M->table[(crc ^ *p++) & 0xFF];
	return crc;
}

enum state { START, SIGN, DIGITS, POINT, FRACTION, EXPONENT, WORD, BAD };

static enum state step(enum state s, uint8_t ch) {
	int digit = ch >= '0' && ch <= '9';
	if (ch == ',')
		return START;
	switch (s) {
	case START:
		return digit ? DIGITS : ch == '-' ? SIGN : ch == '.' ? POINT : WORD;
	case SIGN:
		return digit ? DIGITS : ch == '.' ? POINT : BAD;
	case DIGITS:
		return digit ? DIGITS : ch == '.' ? FRACTION : ch == 'e' ? EXPONENT : BAD;
	case POINT:
	case FRACTION:
		return digit ? FRACTION : ch == 'e' ? EXPONENT : BAD;
	case EXPONENT:
		return digit ? EXPONENT : BAD;
	case WORD:
		return digit ? BAD : WORD;
	default:
		return BAD;
	}
}

__attribute__((noinline)) static uint32_t states(void) {
	static const char alphabet[16] = "0123456789.-e,ab";
	enum state s = START;
	for (int i = 0; i < 200; i++)
		M->text[i] = alphabet[random() >> 28];
	for (int i = 0; i < 8; i++)
		M->counts[i] = 0;
	for (int i = 0; i < 200; i++) {
		s = step(s, M->text[i]);
		M->counts[s]++;
	}
	uint32_t sum = 0;
	for (int i = 0; i < 8; i++)
		sum = sum * 211 + M->counts[i];
	return sum;
}

__attribute__((noinline)) static uint32_t wide(void) {
	uint64_t x = 1;
	for (int i = 0; i < 40; i++) {
		x = x * (random() | 1) + i;
		x ^= x >> 29;
		x += x / (uint32_t)((i & 7) + 3) & 0xFF;
	}
	return (uint32_t)(x >> 17);
}

static uint32_t once(void) {
	M->seed = 1;
	uint32_t sum = lists();
	sum = sum * 17 + matrix();
	sum = sum * 17 + states();
	for (int i = 0; i < 256; i++) {
		uint8_t b = i;
		M->table[i] = crc(0, &b, 1);
	}
	sum = sum * 17 + crc(0xFFFF, M->text, 200);
	sum = sum * 17 + tableCRC(0xFFFF, (uint8_t *)M->c, sizeof M->c);
	return sum * 17 + wide();
}

#ifdef HOST
#include <stdio.h>
int main(void) { printf("%#x\n", once()); }
#else

uint64_t __aeabi_uldivmod(uint64_t n, uint64_t d) {
	uint64_t q = 0, r = 0;
	for (int i = 63; i >= 0; i--) {
		r = r << 1 | (n >> i & 1);
		if (r >= d) {
			r -= d;
			q |= 1ull << i;
		}
	}
	return q;
}

__attribute__((noreturn, section(".text.start"))) void start(void) {
	for (M->rounds = 0;; M->rounds++)
		M->checksum = once();
}

__attribute__((section(".text.vectors"), used)) static void *const vectors[] = {(void *)0x20010000, (void *)start};
#endif
