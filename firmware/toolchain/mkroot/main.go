// Mkroot assembles a TINYGOROOT, the folder of sources and libraries that the
// TinyGo compiler works with, from what the Go module proxy and Debian offer.
// An official release brings the same folder; the Go module lacks three things
// that are git submodules or generated:
//
//   - device packages (registers and vector table): made from firmware/svd by
//     TinyGo's own tools/gen-device-svd;
//   - compiler-rt and picolibc: replaced by Debian's libgcc and picolibc;
//   - package net: replaced by the two names that lneto, which reaches no network
//     through it, wants.
//
// What is wrong in TinyGo's own files is corrected: see correctIdle and correctRAM.
//
// Target names stay those of an official release, so the firmware builds the
// same way with either. A chip is a row of the table chips.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
)

// A chip says what TinyGo needs to build for it.
type chip struct {
	svd    string // file in firmware/svd
	device string // package under src/device
	irq    string // gen-device-svd's -interrupts
	family string // target file that names compiler-rt and picolibc
	target string // target file that gets the libraries below instead
	script string // linker script that would take them from mask ROM, if there is one
	libs   libraries
}

// libraries are one variant of Debian's C runtime, for one ABI.
type libraries struct {
	name    string
	libgcc  string // glob, for GCC's version is in the path
	libc    string
	include string
	unused  []string // libgcc's members that must not be linked
}

var chips = []chip{{
	svd:    "stm32f407.svd",
	device: "stm32",
	irq:    "hardware",
	family: "cortex-m",
	target: "cortex-m4",
	libs: libraries{
		name:    "thumbv7em-soft",
		libgcc:  "/usr/lib/gcc/arm-none-eabi/*/thumb/v7e-m/nofp/libgcc.a",
		libc:    "/usr/lib/picolibc/arm-none-eabi/lib/release/thumb/v7e-m/nofp/libc.a",
		include: "/usr/lib/picolibc/arm-none-eabi/include",
		// GCC's unwinder: it wants the symbol __exidx_start, which TinyGo's
		// linker script leaves out.
		unused: []string{"unwind-arm.o", "libunwind.o", "pr-support.o", "unwind-c.o"},
	},
}, {
	svd:    "esp32c3.svd",
	device: "esp",
	irq:    "software",
	family: "riscv",
	target: "esp32c3",
	script: "esp32c3.ld",
	libs: libraries{
		name: "rv32im",
		// There is no variant with compressed instructions and without atomic
		// ones, which the core lacks.
		libgcc:  "/usr/lib/gcc/riscv64-unknown-elf/*/rv32im/ilp32/libgcc.a",
		libc:    "/usr/lib/picolibc/riscv64-unknown-elf/lib/release/rv32im/ilp32/libc.a",
		include: "/usr/lib/picolibc/riscv64-unknown-elf/include",
	},
}, {
	svd:    "k210.svd",
	device: "kendryte",
	irq:    "software",
	family: "riscv",
	target: "k210",
	libs: libraries{
		name: "rv64imac",
		// The code has floating point, calls pass none in its registers (lp64).
		libgcc:  "/usr/lib/gcc/riscv64-unknown-elf/*/rv64imac/lp64/libgcc.a",
		libc:    "/usr/lib/picolibc/riscv64-unknown-elf/lib/release/rv64imac/lp64/libc.a",
		include: "/usr/lib/picolibc/riscv64-unknown-elf/include",
	},
}}

// A builder holds the paths of one assembly.
type builder struct {
	module string // of TinyGo, in Go's module cache
	svd    string // folder of SVD files
	gen    string // gen-device-svd
	root   string // being made
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("mkroot: ")
	var b builder
	flag.StringVar(&b.module, "tinygo", "", "TinyGo's module `folder`, as go list -m -f '{{.Dir}}' prints it")
	flag.StringVar(&b.svd, "svd", "", "`folder` of the SVD files")
	flag.StringVar(&b.gen, "gen", "gen-device-svd", "the `program` gen-device-svd")
	flag.StringVar(&b.root, "o", "", "`folder` to make; an old one is removed")
	flag.Parse()
	if b.module == "" || b.svd == "" || b.root == "" {
		flag.Usage()
		os.Exit(2)
	}
	if err := b.build(); err != nil {
		log.Fatal(err)
	}
}

func (b *builder) build() error {
	if err := os.RemoveAll(b.root); err != nil {
		return err
	}
	for _, dir := range []string{"src", "targets", "lib"} {
		if err := os.CopyFS(b.path(dir), os.DirFS(filepath.Join(b.module, dir))); err != nil {
			return err
		}
	}
	if err := b.addNet(); err != nil {
		return err
	}
	for _, c := range chips {
		if err := b.add(c); err != nil {
			return fmt.Errorf("add %s: %w", c.svd, err)
		}
	}
	if err := b.correctRAM(); err != nil {
		return err
	}
	return b.correctIdle()
}

const netSource = `// Package net has of Go's what the firmware's libraries name.
package net

import "errors"

var ErrClosed = errors.New("use of closed network connection")

type Interface struct{}
`

func (b *builder) addNet() error {
	if err := os.MkdirAll(b.path("src/net"), 0o755); err != nil {
		return err
	}
	return os.WriteFile(b.path("src/net/net.go"), []byte(netSource), 0o644)
}

func (b *builder) path(p string) string { return filepath.Join(b.root, p) }

func (b *builder) add(c chip) error {
	if err := b.generateDevice(c); err != nil {
		return err
	}
	if err := b.addLibraries(c.libs); err != nil {
		return err
	}
	if c.script != "" {
		if err := b.forgetROM(c.script); err != nil {
			return err
		}
	}
	if err := b.editTarget(c.family, dropLibraries); err != nil {
		return err
	}
	dir := "{root}/lib/rt/" + c.libs.name
	return b.editTarget(c.target, func(t map[string]any) {
		dropLibraries(t)
		extend(t, "ldflags", dir+"/libc.a", dir+"/libgcc.a")
		extend(t, "cflags", "-nostdlibinc", "-isystem", dir+"/include")
	})
}

// With no goroutine to run and none asleep, TinyGo's scheduler calls
// waitForEvents, whose test is the wrong way round on RISC-V in 0.41.1: it doesn't sleep
// while the run queue is empty, and does if an interrupt has filled the queue since the scheduler
// looked, until another interrupt comes. The tag stockidle leaves it so.
const (
	idleFile    = "src/runtime/arch_tinygoriscv.go"
	idleTest    = "runqueue == nil || !runqueue.Empty()"
	idleCorrect = "runqueue == nil || runqueue.Empty() != stockIdle"
	idleConst   = "//go:build %s\n\npackage runtime\n\nconst stockIdle = %v\n"
)

func (b *builder) correctIdle() error {
	text, err := os.ReadFile(b.path(idleFile))
	if err != nil {
		return err
	}
	if !bytes.Contains(text, []byte(idleTest)) {
		return fmt.Errorf("%s: no %q: is the correction still needed?", idleFile, idleTest)
	}
	text = bytes.Replace(text, []byte(idleTest), []byte(idleCorrect), 1)
	if err := os.WriteFile(b.path(idleFile), text, 0o644); err != nil {
		return err
	}
	for tag, stock := range map[string]bool{"stockidle": true, "!stockidle": false} {
		file := b.path(fmt.Sprintf("src/runtime/stockidle_%v.go", stock))
		if err := os.WriteFile(file, fmt.Appendf(nil, idleConst, tag, stock), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// The ESP32-C3's RAM is on two buses, and TinyGo's linker script has code follow data: where their sizes
// end together, which leaves out what lies between two sections so that the second is aligned. Then the
// code lies over the last of the data.
const (
	ramFile    = "targets/esp32c3.ld"
	ramSizes   = "        . += SIZEOF(.stack);\n        . += SIZEOF(.bss);\n        . += SIZEOF(.data);\n"
	ramCorrect = "        . += _edata - ORIGIN(DRAM);\n"
)

func (b *builder) correctRAM() error {
	text, err := os.ReadFile(b.path(ramFile))
	if err != nil {
		return err
	}
	if !bytes.Contains(text, []byte(ramSizes)) {
		return fmt.Errorf("%s: no sum of sizes: is the correction still needed?", ramFile)
	}
	text = bytes.Replace(text, []byte(ramSizes), []byte(ramCorrect), 1)
	return os.WriteFile(b.path(ramFile), text, 0o644)
}

func dropLibraries(target map[string]any) {
	delete(target, "rtlib")
	delete(target, "libc")
}

// Lines of a linker script that give an address in mask ROM or in its data: of a routine
// that the C runtime has too, and of anything.
var (
	romRuntime = regexp.MustCompile(`(?m)^(__|mem|str)\w+\s*=\s*0x400.*\n`)
	romSymbol  = regexp.MustCompile(`(?m)^(\w+\s*=\s*0x\w+);`)
)

// forgetROM has a linker script leave libgcc and libc to the linked libraries,
// so that what a program computes and how long that takes doesn't hang on the
// mask ROM's version. Of the other symbols only those that a program uses stay in its
// symbol table.
func (b *builder) forgetROM(script string) error {
	file := b.path("targets/" + script)
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	text = romRuntime.ReplaceAll(text, nil)
	return os.WriteFile(file, romSymbol.ReplaceAll(text, []byte("PROVIDE($1);")), 0o644)
}

// generateDevice runs gen-device-svd, which reads whole folders, on one file.
func (b *builder) generateDevice(c chip) error {
	tmp, err := os.MkdirTemp("", "svd")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	text, err := os.ReadFile(filepath.Join(b.svd, c.svd))
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(tmp, c.svd), text, 0o644); err != nil {
		return err
	}
	return run(b.gen, "-source=firmware/svd", "-interrupts="+c.irq, tmp, b.path("src/device/"+c.device))
}

// addLibraries copies a C runtime without its debug information: TinyGo's
// stack size analysis can't read the frame tables GCC 12 writes.
func (b *builder) addLibraries(l libraries) error {
	dir := b.path("lib/rt/" + l.name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	libgcc, err := newest(l.libgcc)
	if err != nil {
		return err
	}
	for from, to := range map[string]string{libgcc: "libgcc.a", l.libc: "libc.a"} {
		if err := run("llvm-objcopy-19", "--strip-debug", from, filepath.Join(dir, to)); err != nil {
			return err
		}
	}
	if len(l.unused) > 0 {
		args := append([]string{"d", filepath.Join(dir, "libgcc.a")}, l.unused...)
		if err := run("llvm-ar-19", args...); err != nil {
			return err
		}
	}
	return os.Symlink(l.include, filepath.Join(dir, "include"))
}

func newest(glob string) (string, error) {
	found, err := filepath.Glob(glob)
	if err != nil {
		return "", err
	}
	if len(found) == 0 {
		return "", fmt.Errorf("no %s: run make firmware-deps", glob)
	}
	return slices.Max(found), nil
}

// editTarget rewrites a target file of TinyGo's.
func (b *builder) editTarget(name string, edit func(map[string]any)) error {
	file := b.path("targets/" + name + ".json")
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var target map[string]any
	if err := json.Unmarshal(text, &target); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	edit(target)
	text, err = json.MarshalIndent(target, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o644)
}

// extend adds values to one of a target's lists.
func extend(target map[string]any, key string, values ...any) {
	list, _ := target[key].([]any)
	target[key] = append(list, values...)
}

func run(name string, args ...string) error {
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s %q: %w\n%s", name, args, err, out)
	}
	return nil
}
