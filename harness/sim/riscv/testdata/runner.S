# Runs the random programs of qemu_test.go one after another, in frames of 8 KB behind it. See frame there.
#
# Traps go to a handler that logs them and goes on behind the instruction. A program ends with a trap outside of its
# code, or when the log is full.

#if __riscv_xlen == 64
#define LX ld
#define SX sd
#else
#define LX lw
#define SX sw
#endif

#define X(n)	(8*(n))		/* initial and final registers */
#define SIZE	X(0)		/* of the code; 0 ends the run */
#define F(n)	(0x100+8*(n))
#define MSTATUS	0x200
#define MIE	0x208
#define FCSR	0x210
#define PMPCFG	0x218
#define PMPADDR	0x220
#define LOG	0x240		/* where the next entry goes */
#define CODE	0x800
#define FRAME	0x2000

#define FS	0x6000
#define CLINT	0x2000		/* LUI's operand; so the next ones */
#define MTIMECMP 0x2004
#define FINISH	0x100

	lla	sp, . + FRAME
	lla	t0, handler
	csrw	mtvec, t0
	lui	t0, MTIMECMP		# no interrupts of the timer
	li	t1, -1
	sw	t1, 0(t0)
	sw	t1, 4(t0)

program:
	LX	t0, SIZE(sp)
	beqz	t0, finish
	csrw	mscratch, sp
	lui	t0, CLINT
	sw	zero, 0(t0)
	csrwi	pmpcfg0, 0
	LX	t0, PMPADDR(sp)
	csrw	pmpaddr0, t0
	LX	t0, PMPADDR+8(sp)
	csrw	pmpaddr1, t0
	LX	t0, PMPADDR+16(sp)
	csrw	pmpaddr2, t0
	LX	t0, PMPADDR+24(sp)
	csrw	pmpaddr3, t0
	LX	t0, PMPCFG(sp)
	csrw	pmpcfg0, t0
	LX	t0, MIE(sp)
	csrw	mie, t0
	li	t0, CODE
	add	t0, t0, sp
	csrw	mepc, t0
	csrwi	mcause, 0
	csrwi	mtval, 0
#if __riscv_flen
	li	t0, FS
	csrs	mstatus, t0
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	fld	f\n, F(\n)(sp)
	.endr
	LX	t0, FCSR(sp)
	fscsr	t0
#endif
	LX	t0, MSTATUS(sp)
	csrw	mstatus, t0
	.irp	n, 1,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,2
	LX	x\n, X(\n)(sp)
	.endr
	mret

	.balign	4
handler:
	csrrw	sp, mscratch, sp
	SX	t0, X(5)(sp)
	SX	t1, X(6)(sp)
	SX	t2, X(7)(sp)
	csrr	t0, mscratch
	SX	t0, X(2)(sp)
	LX	t0, LOG(sp)
	csrr	t1, mcause
	SX	t1, 0(t0)
	csrr	t1, mtval
	SX	t1, 8(t0)
	csrr	t1, mepc
	SX	t1, 16(t0)
	csrr	t1, mstatus
	SX	t1, 24(t0)
	addi	t0, t0, 32
	SX	t0, LOG(sp)
	li	t1, CODE		# where the log ends
	add	t1, t1, sp
	bgeu	t0, t1, done
	csrr	t2, mcause
	bltz	t2, interrupt
	csrr	t2, mepc
	sub	t0, t2, t1
	LX	t1, SIZE(sp)
	bgeu	t0, t1, done
	lhu	t0, 0(t2)
	not	t0, t0
	andi	t0, t0, 3
	seqz	t0, t0			# a wide instruction
	slli	t0, t0, 1
	add	t2, t2, t0
	addi	t2, t2, 2
	csrw	mepc, t2
resume:
	LX	t0, X(5)(sp)
	LX	t1, X(6)(sp)
	LX	t2, X(7)(sp)
	csrw	mscratch, sp
	LX	sp, X(2)(sp)
	mret
interrupt:
	lui	t2, CLINT
	sw	zero, 0(t2)
	j	resume

done:
	.irp	n, 1,3,4,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	SX	x\n, X(\n)(sp)
	.endr
	csrr	t0, mie
	SX	t0, MIE(sp)
#if __riscv_flen
	li	t0, FS
	csrs	mstatus, t0
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	fsd	f\n, F(\n)(sp)
	.endr
	frcsr	t0
	SX	t0, FCSR(sp)
#endif
	li	t0, FRAME
	add	sp, sp, t0
	j	program

finish:
	li	t0, 0x5555
	lui	t1, FINISH
	sw	t0, 0(t1)
	j	.
