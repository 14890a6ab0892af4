//go:build tinygo && k210

// What TinyGo 0.41.1 does wrong on a 64-bit RISC-V part with two harts, or leaves out, and
// is done here instead. The target, k210.json, has the linker put __wrap_x in x's place, so that an
// official release of TinyGo is corrected as well.

// Hart 1 enters the program with hart 0, and TinyGo would give it hart 0's stack. It sleeps
// until work comes: see hart_k210.go. TinyGo counts on floating point being on, too, which the
// ROM need not leave so (mstatus.FS, The RISC-V Instruction Set Manual, Volume II, §3.1.6.6).
__attribute__((naked, used)) void __wrap_main(void) {
	__asm__ volatile(
		"li    t0, 0x6000       \n" // FS dirty
		"csrs  mstatus, t0      \n"
		"csrr  t0, mhartid      \n"
		"bnez  t0, 1f           \n"
		"tail  __real_main      \n"
		"1:                     \n"
		"la    sp, _stack1_top  \n"
		"tail  board_hart1      \n");
}

// The switch of goroutines. TinyGo saves and loads 32 bits of each register
// (src/internal/task/task_stack_tinygoriscv.S); order and size are those of its calleeSavedRegs. The ABI,
// lp64, has no floating point registers that a call keeps.
__attribute__((naked, used)) void __wrap_tinygo_swapTask(void) {
	__asm__ volatile(
		"addi sp, sp, -104\n"
		"sd s0, 0(sp)\n  sd s1, 8(sp)\n  sd s2, 16(sp)\n sd s3, 24(sp)\n sd s4, 32(sp)\n"
		"sd s5, 40(sp)\n sd s6, 48(sp)\n sd s7, 56(sp)\n sd s8, 64(sp)\n sd s9, 72(sp)\n"
		"sd s10, 80(sp)\n sd s11, 88(sp)\n sd ra, 96(sp)\n"
		"sd sp, 0(a1)\n" // where the old stack is noted
		"mv sp, a0\n"    // the new one
		"ld s0, 0(sp)\n  ld s1, 8(sp)\n  ld s2, 16(sp)\n ld s3, 24(sp)\n ld s4, 32(sp)\n"
		"ld s5, 40(sp)\n ld s6, 48(sp)\n ld s7, 56(sp)\n ld s8, 64(sp)\n ld s9, 72(sp)\n"
		"ld s10, 80(sp)\n ld s11, 88(sp)\n ld ra, 96(sp)\n"
		"addi sp, sp, 104\n"
		"ret\n");
}

// The way into an interrupt. TinyGo saves 32 bits of each floating point register
// and loads them in the opposite order (src/device/riscv/handleinterrupt.S), and not
// fcsr; and stores 64 bits, for a message that this chip's runtime never gives, to an address that it
// aligns for 32. Saved is all that a call may change; the stack need not be aligned, for a switch of
// goroutines may be under way.
#define EACH_F \
	".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n"

__attribute__((naked, used, aligned(64))) void __wrap_handleInterruptASM(void) {
	__asm__ volatile(
		"addi sp, sp, -400\n"
		"sd ra, 0(sp)\n  sd t0, 8(sp)\n  sd t1, 16(sp)\n sd t2, 24(sp)\n sd a0, 32(sp)\n sd a1, 40(sp)\n"
		"sd a2, 48(sp)\n sd a3, 56(sp)\n sd a4, 64(sp)\n sd a5, 72(sp)\n sd a6, 80(sp)\n sd a7, 88(sp)\n"
		"sd t3, 96(sp)\n sd t4, 104(sp)\n sd t5, 112(sp)\n sd t6, 120(sp)\n sd s0, 128(sp)\n"
		EACH_F "fsd f\\n, 144+8*\\n(sp)\n .endr\n"
		"frcsr t0\n sd t0, 136(sp)\n"
		"mv s0, sp\n andi sp, sp, -16\n"
		"call handleInterrupt\n"
		"mv sp, s0\n"
		"ld t0, 136(sp)\n fscsr t0\n"
		EACH_F "fld f\\n, 144+8*\\n(sp)\n .endr\n"
		"ld s0, 128(sp)\n ld t6, 120(sp)\n ld t5, 112(sp)\n ld t4, 104(sp)\n ld t3, 96(sp)\n ld a7, 88(sp)\n"
		"ld a6, 80(sp)\n ld a5, 72(sp)\n ld a4, 64(sp)\n ld a3, 56(sp)\n ld a2, 48(sp)\n ld a1, 40(sp)\n"
		"ld a0, 32(sp)\n ld t2, 24(sp)\n ld t1, 16(sp)\n ld t0, 8(sp)\n ld ra, 0(sp)\n"
		"addi sp, sp, 400\n"
		"mret\n");
}
