//go:build tinygo && stm32f407 && ota

// The last step to another program: its stack pointer and its entry are the first two
// words of its vector table (DDI0403E B1.5.3), interrupts are let in as after a reset.
__attribute__((naked, noinline, used))
void jump(unsigned vectors) {
  __asm__ volatile(
      "ldr   r1, [r0]      \n"
      "ldr   r2, [r0, #4]  \n"
      "movs  r3, #0        \n"
      "msr   control, r3   \n"
      "msr   msp, r1       \n"
      "isb                 \n"
      "cpsie i             \n"
      "bx    r2            \n");
}
