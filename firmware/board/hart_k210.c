//go:build tinygo && k210

// Hart 1: it sleeps until hart 0 raises its software interrupt, does what hart_k210.go has
// for it, and sleeps again. Interrupts stay off, so that the software interrupt only
// ends the sleep (The RISC-V Instruction Set Manual, Volume II, §3.3.3).

#define MSIP1 (*(volatile unsigned *)0x02000004) // CLINT
#define MIE_MSIE 8ul

void board_work(void); // in Go

__attribute__((used, noreturn)) void board_hart1(void) {
	__asm__ volatile("csrw mie, %0" ::"r"(MIE_MSIE));
	for (;;) {
		__asm__ volatile("wfi");
		if (MSIP1) {
			MSIP1 = 0;
			__asm__ volatile("fence" ::: "memory");
			board_work();
		}
	}
}
