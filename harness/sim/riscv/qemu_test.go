//go:build vendortools

package riscv

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/binary"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rigor/harness/sim/bus"
)

// The test of this file runs random programs on QEMU and on a core with the same
// memory map, and wants the same bytes in all of memory afterwards: what the programs
// have written, the registers they end with, and a log of their traps. QEMU executes
// instruction by instruction, for only then it takes an interrupt as soon as it is raised.

var (
	qemuPrograms = flag.Int("programs", 3000, "random programs for each core")
	qemuSeed     = flag.Uint64("seed", 1, "what they depend on")
)

// The runners are testdata/runner.S, built in that folder by
//
//	riscv64-unknown-elf-gcc -march=rv32imc_zicsr -mabi=ilp32 -mcmodel=medany -nostdlib -Wl,-Ttext=0x80000000 -o runner.elf runner.S
//	riscv64-unknown-elf-objcopy -O binary -j .text runner.elf runner32.bin
//
// and the same with rv64imafdc_zicsr and lp64d.
var (
	//go:embed testdata/runner32.bin
	runner32 []byte
	//go:embed testdata/runner64.bin
	runner64 []byte
)

// What there is of QEMU's machine "virt".
const (
	virtFinish   = 0x00100000
	virtCLINT    = 0x02000000
	virtMTIMECMP = 0x02004000
	virtRAM      = 0x80000000
	virtSize     = 128 << 20
	virtNone     = 0xC0000000 // nothing is there

	virtFrames = 0x2000  // in RAM
	virtSpare  = 4 << 20 // at the end of RAM, where QEMU puts a device tree
)

// frame is a program and what comes of it, as runner.S has it: all in eights of bytes.
type frame []byte

const (
	frameX       = 0
	frameF       = 0x100
	frameStatus  = 0x200
	frameMie     = 0x208
	frameFCSR    = 0x210
	framePMPCfg  = 0x218
	framePMPAddr = 0x220
	frameLogEnd  = 0x240
	frameLog     = 0x300
	frameCode    = 0x800
	frameData    = 0x1400
	frameSize    = 0x2000
)

func (f frame) put(off int, v uint64) { binary.LittleEndian.PutUint64(f[off:], v) }
func (f frame) get(off int) uint64    { return binary.LittleEndian.Uint64(f[off:]) }

// code is what the program consists of.
func (f frame) code() []byte { return f[frameCode : frameCode+int(f.get(frameX))] }

// settle makes alike what may differ in the log's mstatus: how precisely FS tells what is dirty (volume II 3.1.6.6),
// and SXL, which QEMU has even without a supervisor mode.
func (f frame) settle() {
	const sxl = 3 << 34
	for off := frameLog + 24; off < frameCode; off += 32 {
		v := f.get(off) &^ sxl
		if v&mstatusFS != 0 {
			v |= mstatusFS | 1<<63
		}
		f.put(off, v)
	}
}

// at names a place in a frame.
func (f frame) at(off int) string {
	switch {
	case off < frameF:
		return fmt.Sprintf("x%d", off/8)
	case off < frameStatus:
		return fmt.Sprintf("f%d", (off-frameF)/8)
	case off < frameLog:
		return map[int]string{frameMie: "mie", frameFCSR: "fcsr", frameLogEnd: "end of log"}[off&^7]
	case off < frameCode:
		field := [4]string{"mcause", "mtval", "mepc", "mstatus"}[off/8&3]
		return fmt.Sprintf("%s of trap %d", field, (off-frameLog)/32)
	case off < frameData:
		return fmt.Sprintf("code at %#x", off-frameCode)
	}
	return fmt.Sprintf("data at %#x", off-frameData)
}

// virt is the machine's bus.
type virt struct {
	c    *Core
	done bool
}

func (v *virt) Load(addr uint64, width uint8) (uint64, bus.Fault) {
	if addr == virtCLINT && width == 4 {
		return v.c.Mip >> 3 & 1, bus.None
	}
	return 0, bus.Error
}

func (v *virt) Store(addr uint64, width uint8, x uint64) bus.Fault {
	switch {
	case addr == virtCLINT && width == 4:
		v.c.SetIP(1<<3, x&1 != 0)
	case addr&^7 == virtMTIMECMP: // no use is made of the timer
	case addr == virtFinish:
		v.done = true
		v.c.SetDeadline(v.c.Cycle)
	default:
		return bus.Error
	}
	return bus.None
}

// qemuCore is a kind of core, here and there.
type qemuCore struct {
	name   string
	qemu   string // the program
	cpu    string
	cfg    Config
	runner []byte
}

var qemuCores = []qemuCore{
	{
		name: "RV32IMC", qemu: "qemu-system-riscv32", cpu: "rv32,a=off,f=off,d=off", runner: runner32,
		cfg: Config{XLEN: 32, Ext: ExtM | ExtC | ExtU, PMP: 16, Misaligned: true},
	},
	{
		name: "RV64IMAFDC", qemu: "qemu-system-riscv64", cpu: "rv64", runner: runner64,
		cfg: Config{XLEN: 64, Ext: ExtA | ExtC | ExtD | ExtF | ExtM | ExtU, PMP: 16, Misaligned: true},
	},
}

func TestQEMU(t *testing.T) {
	for _, q := range qemuCores {
		ram := q.image(rand.New(rand.NewPCG(*qemuSeed, uint64(q.cfg.XLEN))), *qemuPrograms)
		start := bytes.Clone(ram)
		theirs := q.theirs(t, ram)
		insns := q.ours(t, ram)
		traps, bad := 0, 0
		for at := virtFrames; at+frameSize < len(ram); at += frameSize {
			a, b := frame(ram[at:at+frameSize]), frame(theirs[at:at+frameSize])
			a.settle()
			b.settle()
			traps += int(b.get(frameLogEnd)-virtRAM-uint64(at)-frameLog) / 32
			if bad < 5 && !bytes.Equal(a, b) {
				bad++
				t.Errorf("%s, program %d:\n%s", q.name, (at-virtFrames)/frameSize, describe(frame(start[at:at+frameSize]), a, b))
			}
		}
		t.Logf("%s: seed %d, %d programs, %d instructions with the runner's, %d traps", q.name, *qemuSeed, *qemuPrograms, insns, traps)
	}
}

// image is the start of RAM: the runner, and behind it programs.
func (q *qemuCore) image(rnd *rand.Rand, programs int) []byte {
	ram := make([]byte, virtFrames+(programs+1)*frameSize)
	copy(ram, q.runner)
	g := generator{rnd: rnd, cfg: &q.cfg, d: decoder{rv32: q.cfg.XLEN == 32, ext: q.cfg.Ext}}
	for i := range programs {
		at := virtFrames + i*frameSize
		g.program(frame(ram[at:at+frameSize]), virtRAM+uint64(at))
	}
	return ram
}

// ours runs an image on the core. It returns how many instructions it has taken.
func (q *qemuCore) ours(t *testing.T, image []byte) uint64 {
	cfg, v := q.cfg, &virt{}
	cfg.Bus = v
	v.c = New(cfg)
	v.c.Map([]Region{{Name: "ram", Base: virtRAM, Data: image, Write: true, Exec: true}})
	v.c.Reset(virtRAM)
	const most = 100_000 // cycles of a program
	if stop := v.c.Run(uint64(len(image)/frameSize) * most); !v.done {
		t.Fatalf("%s: stopped before the end: %+v, mepc %#x", q.name, stop, v.c.Mepc)
	}
	return v.c.Insns
}

// theirs runs an image on QEMU, in memory that is a file.
func (q *qemuCore) theirs(t *testing.T, image []byte) []byte {
	t.Helper()
	if len(image) > virtSize-virtSpare {
		t.Fatalf("%d bytes of programs are more than fit", len(image))
	}
	file := filepath.Join(t.TempDir(), "ram")
	if err := os.WriteFile(file, image, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(file, virtSize); err != nil {
		t.Fatal(err)
	}
	path, err := exec.LookPath(q.qemu)
	if err != nil {
		t.Fatalf("%v: `make vendor-deps` installs it", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, path, "-machine", "virt,memory-backend=ram", "-m", fmt.Sprint(virtSize>>20),
		"-object", fmt.Sprintf("memory-backend-file,id=ram,size=%d,share=on,mem-path=%s", virtSize, file),
		"-cpu", q.cpu+",s=off,h=off,sstc=off,zba=off,zbb=off,zbc=off,zbs=off,marchid=0,mimpid=0",
		"-bios", "none", "-display", "none", "-serial", "none", "-monitor", "none", "-singlestep").CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", q.qemu, err, out)
	}
	after, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return after[:len(image)]
}

// describe tells of a program that has ended in two ways.
func describe(start, ours, theirs frame) string {
	var w strings.Builder
	n := 0
	for off := 0; off < frameSize && n < 8; off += 8 {
		if a, b := ours.get(off), theirs.get(off); a != b {
			n++
			fmt.Fprintf(&w, "%s: %#x, QEMU has %#x\n", ours.at(off), a, b)
		}
	}
	fmt.Fprintf(&w, "QEMU's traps (mcause, mtval, mepc, mstatus):\n")
	for off := frameLog; off < frameCode && theirs.get(off+16) != 0; off += 32 {
		fmt.Fprintf(&w, "  %#x %#x %#x %#x\n", theirs.get(off), theirs.get(off+8), theirs.get(off+16), theirs.get(off+24))
	}
	fmt.Fprintf(&w, "starts with mstatus %#x, mie %#x, fcsr %#x, PMP %#x %#x %#x %#x %#x\ncode %x", start.get(frameStatus), start.get(frameMie), start.get(frameFCSR),
		start.get(framePMPCfg), start.get(framePMPAddr), start.get(framePMPAddr+8), start.get(framePMPAddr+16), start.get(framePMPAddr+24), start.code())
	return w.String()
}
