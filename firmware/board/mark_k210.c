//go:build tinygo && k210

// Marks: raise a pin, then read the cycle counter. Naked functions, so that no
// compiler has a say in the order or the distance of the two. Both are the same instructions, each within
// one line of the instruction cache, 64 bytes.
//
// GPIOHS has no register that sets single pins: board_outputs is what was last
// written to OUTPUT_VAL, by whoever wrote it.

unsigned board_outputs __attribute__((used));

#define MARK(name, bit)                                                    \
  __attribute__((naked, noinline, used, aligned(64)))                      \
  unsigned name(void) {                                                    \
    __asm__ volatile(                                                      \
        ".option push               \n"                                    \
        ".option norvc              \n"                                    \
        "la    t0, board_outputs    \n"                                    \
        "lw    t1, 0(t0)            \n"                                    \
        "ori   t1, t1, 1 << " #bit "\n"                                    \
        "sw    t1, 0(t0)            \n"                                    \
        "lui   t0, 0x38001          \n" /* GPIOHS */                       \
        "sw    t1, 12(t0)           \n" /* OUTPUT_VAL: the edge */         \
        "csrr  a0, mcycle           \n" /* the reading */                  \
        "ret                        \n"                                    \
        ".option pop                \n");                                  \
  }

MARK(mark_start, 6)
MARK(mark_end, 7)
