//go:build tinygo && k210 && ota && otaboot

// The last step to another program, for each hart: with interrupts as after a reset, and without
// what the instruction cache may hold of the memory that the program was written to (The RISC-V Instruction
// Set Manual, Volume I, "Zifencei").
__attribute__((naked, noinline, used)) void board_enter(unsigned long entry) {
	__asm__ volatile(
		"csrci mstatus, 8   \n" // MIE
		"csrw  mie, zero    \n"
		"fence              \n"
		"fence.i            \n"
		"jr    a0           \n");
}
