package main

import (
	"path/filepath"
	"strings"

	"rigor/firmware/images"
)

// cOptions are for programs in C that run in RAM and bring nothing but code. They call
// the chip's ROM, whose gp is not theirs.
const cOptions = " -std=c11 -O2 -Wall -Wextra -Werror -ffreestanding -nostdlib" +
	" -fno-jump-tables -fno-tree-switch-conversion -msmall-data-limit=0" +
	" -Wl,--nmagic,--no-relax,--build-id=none,--no-warn-rwx-segments"

// cSources are a C program's sources and its linker script.
func (v variant) cSources() (files []string, err error) {
	for _, name := range v.inC {
		files = append(files, "firmware/"+v.program+"/"+name)
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
