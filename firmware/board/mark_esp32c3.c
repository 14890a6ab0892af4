//go:build tinygo && esp32c3

// Marks: raise a pin, then read the cycle counter. Naked functions, so that no
// compiler has a say in the order or the distance of the two.
//
// The pin is one of the core's dedicated outputs, which a CSR instruction sets
// within its own cycle, and the counter is a CSR too: neither waits for the bus, whose
// 80 MHz would place a store's edge on one of every two core cycles only. The
// functions are in RAM, so that no cache miss comes between the two instructions. Their
// alignment and size are multiples of four: TinyGo's linker script lets the heap begin
// where all sizes together end.

#define GPIO_OUT_USER "0x805" /* dedicated outputs, TRM 1.4 */
#define MPCCR "0x7E2"         /* cycle counter, TRM 1.4 */

#define MARK(name, bit)                                                    \
  __attribute__((naked, noinline, used, aligned(4), section(".iram")))     \
  unsigned name(void) {                                                    \
    __asm__ volatile(                                                      \
        ".option norvc                    \n"                              \
        "csrsi " GPIO_OUT_USER ", %[mask] \n"                              \
        "csrr  a0, " MPCCR "              \n"                              \
        "ret                              \n"                              \
        :                                                                  \
        : [mask] "i"(1 << (bit)));                                         \
  }

MARK(mark_start, 0)
MARK(mark_end, 1)
