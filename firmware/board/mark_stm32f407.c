//go:build tinygo && stm32f407

// Marks: raise a pin, then read the cycle counter. Naked functions, so that no
// compiler has a say in the order or the distance of the two.
//
// Aligned so that the store and the load behind it, at offsets 20 and 22, are two
// halfwords of one word: they come with one instruction fetch even when flash has
// wait states. Addresses are immediates, for a literal pool would be fetched through
// the 168 MHz part's data cache (RM0090 3.5.2), whose state the program under test
// changes.

#define MARK(name, bit)                                                    \
  __attribute__((naked, noinline, used, aligned(16)))                      \
  unsigned name(void) {                                                    \
    __asm__ volatile(                                                      \
        "movw  r1, #0x0C18   \n" /* GPIOD_BSRR, RM0090 8.4.7 */            \
        "movt  r1, #0x4002   \n"                                           \
        "movw  r2, #0x1004   \n" /* DWT_CYCCNT, DDI0403E C1.8.8 */         \
        "movt  r2, #0xE000   \n"                                           \
        "mov.w r3, %[mask]   \n"                                           \
        "str.n r3, [r1]      \n"                                           \
        "ldr.n r0, [r2]      \n"                                           \
        "bx    lr            \n"                                           \
        :                                                                  \
        : [mask] "i"(1 << (bit)));                                         \
  }

MARK(mark_start, 13)
MARK(mark_end, 14)
