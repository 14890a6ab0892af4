package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"rigor/firmware/images"
)

// cOptions are for programs in C that run in RAM and bring nothing but code. They call
// the chip's ROM, whose gp is not theirs.
const cOptions = "-march=rv32imc_zicsr -mabi=ilp32 -std=c11 -O2 -Wall -Wextra -Werror -ffreestanding -nostdlib" +
	" -fno-jump-tables -fno-tree-switch-conversion -msmall-data-limit=0" +
	" -Wl,--nmagic,--no-relax,--build-id=none,--no-warn-rwx-segments"

// cSources are a C program's sources and its linker script.
func (v variant) cSources() ([]string, error) {
	var files []string
	for _, pattern := range []string{"*.c", "*.ld"} {
		found, err := filepath.Glob(filepath.Join("firmware", v.program, pattern))
		if err != nil {
			return nil, err
		}
		files = append(files, found...)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("firmware/%s has no sources", v.program)
	}
	return files, nil
}

// compileC makes the ELF file of a C program.
func compileC(v variant, e images.Entry, out string) error {
	args := append(strings.Fields(e.Options), "-DSOURCE_DIGEST=\""+e.SourceDigest+"\"", "-o", out)
	for _, file := range e.Sources {
		if filepath.Ext(file) == ".ld" {
			args = append(args, "-T")
		}
		args = append(args, file)
	}
	_, err := output(v.chip.triple+"-gcc", args...)
	return err
}
