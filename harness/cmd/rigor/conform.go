package main

import (
	"errors"
	"fmt"
	"os"

	"rigor/harness/sim/armv7m"
	"rigor/harness/sim/conform"
	"rigor/harness/sim/riscv"
)

type simConformCmd struct {
	Files []string `arg:"" type:"existingfile" help:"Vector files, gzipped or not; told apart by the beginning of their names."`
}

func (*simConformCmd) Help() string {
	return "File names begin with thumb2, vixl-t32, rv32imc, rv64gc or testfloat; package harness/sim/conform describes the formats. For each file\n" +
		"a table counts the vectors by instruction class; mismatches are printed with what was wanted. The exit status is\n" +
		"1 if there is any."
}

// Run runs every file, whatever the ones before it gave.
func (c *simConformCmd) Run() error {
	wanting := false
	for _, file := range c.Files {
		machine, err := machineFor(file)
		if err != nil {
			return err
		}
		report, err := conform.Run(file, machine)
		if err != nil {
			return err
		}
		fmt.Println(file)
		if err := report.WriteTable(os.Stdout); err != nil {
			return err
		}
		wanting = wanting || !report.OK()
	}
	if wanting {
		return &exitError{exitWanting, errors.New("vectors did not match")}
	}
	return nil
}

// machineFor makes the core that a file's vectors are for.
func machineFor(file string) (conform.Machine, error) {
	arch, err := conform.ArchOf(file)
	if err != nil {
		return nil, err
	}
	switch arch {
	case conform.ARMv7EM:
		return armv7m.NewMachine(), nil
	case conform.RV32IMC, conform.RV64GC:
		return riscv.NewMachine(arch), nil
	case "":
		return nil, nil // arithmetic alone
	}
	return nil, fmt.Errorf("%s: no simulated core for %s", file, arch)
}
