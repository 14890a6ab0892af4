//go:build tinygo && ota

// The collector of TinyGo 0.41.1 frees what only a register of the running goroutine points to: it
// pushes the registers that a call preserves, notes the goroutine's stack for later, and returns before
// it looks at it, so that they are overwritten by then. Here they are kept in a variable, which it looks at
// too. The linker's --wrap puts this in the way.
#ifdef __arm__
enum { pushed = 9 }; // r4 to r11, lr
#else
enum { pushed = 13 }; // ra, s0 to s11
#endif

static volatile unsigned long registers[pushed];

void __real_tinygo_scanstack(unsigned long *sp);

__attribute__((used)) void __wrap_tinygo_scanstack(unsigned long *sp) {
  for (int i = 0; i < pushed; i++)
    registers[i] = sp[i];
  __real_tinygo_scanstack(sp);
}
