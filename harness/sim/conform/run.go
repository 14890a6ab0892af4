package conform

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"path/filepath"
	"strings"

	"rigor/harness/sim/softfloat"
)

// suite is a kind of vector file, known by how its name begins.
type suite struct {
	prefix string
	arch   Arch // none: arithmetic, which needs no machine
	run    func(r *Report, vectors io.Reader, m Machine) error
}

// suites has the longer ones of like names first.
var suites = []suite{
	{"thumb2-decode", ARMv7EM, runEncodings},
	{"rv32imc-decode", RV32IMC, runEncodings},
	{"rv64gc-decode", RV64GC, runEncodings},
	{"thumb2", ARMv7EM, runPrograms},
	{"rv32imc", RV32IMC, runPrograms},
	{"rv64gc", RV64GC, runPrograms},
	{"vixl-t32", ARMv7EM, runTraces},
	{"testfloat-arm", "", floatRunner(softfloat.ArmEnv(0))},
	{"testfloat-riscv", "", floatRunner(softfloat.RISCVEnv(softfloat.NearestEven))},
}

func suiteOf(file string) (suite, error) {
	name := filepath.Base(file)
	var prefixes []string
	for _, s := range suites {
		if strings.HasPrefix(name, s.prefix) {
			return s, nil
		}
		prefixes = append(prefixes, s.prefix)
	}
	return suite{}, fmt.Errorf("%s: unknown kind of vectors: the name begins with none of %s", file, strings.Join(prefixes, ", "))
}

// ArchOf returns the architecture that a file's vectors are for; "" for
// arithmetic, which needs no machine.
func ArchOf(file string) (Arch, error) {
	s, err := suiteOf(file)
	return s.arch, err
}

// Run runs the vectors of a file. An error means that they couldn't be run or read to the end; mismatches are
// in the report. TestFloat files need no machine: m may be nil.
func Run(file string, m Machine) (Report, error) {
	s, err := suiteOf(file)
	rep := Report{File: file, suite: s.prefix}
	if err != nil {
		return rep, err
	}
	if m != nil && s.arch != "" && m.Arch() != s.arch {
		return rep, fmt.Errorf("%s: vectors for %s, the machine is %s", file, s.arch, m.Arch())
	}
	if rep.known, err = parseDeviations(deviationsTSV); err != nil {
		return rep, err
	}
	f, err := open(file)
	if err != nil {
		return rep, err
	}
	defer f.Close()
	if err := s.run(&rep, f, m); err != nil {
		return rep, err
	}
	if total := rep.Total(); total.Total() == 0 {
		return rep, fmt.Errorf("%s: no vectors", file)
	}
	return rep, nil
}

// each runs every record of a sequence.
func each[T any](records iter.Seq2[T, error], run func(*T)) error {
	for v, err := range records {
		if err != nil {
			return err
		}
		run(&v)
	}
	return nil
}

var errNoMachine = errors.New("no machine to run the vectors on")

func floatRunner(modes softfloat.Env) func(*Report, io.Reader, Machine) error {
	return func(rep *Report, vectors io.Reader, _ Machine) error {
		return each(FloatCases(rep.File, vectors), func(c *FloatCase) {
			result, flags := c.Compute(modes)
			if result == c.Result && flags == c.Flags {
				rep.pass(c.Op)
				return
			}
			rep.differ(Mismatch{
				Line: c.Line, ID: fmt.Sprint(c.Line), Class: c.Op, Asm: fmt.Sprintf("rounding %d, %X", c.Rounding, c.Operands),
				Diffs: []Diff{
					{"result", fmt.Sprintf("%X", result), fmt.Sprintf("%X", c.Result)},
					{"flags", fmt.Sprintf("%02X", flags), fmt.Sprintf("%02X", c.Flags)},
				},
			})
		})
	}
}

func runEncodings(rep *Report, vectors io.Reader, m Machine) error {
	d, ok := m.(Decoder)
	if !ok {
		return fmt.Errorf("%s: no decoder to run the vectors on", rep.File)
	}
	return each(Encodings(rep.File, vectors), func(e *Encoding) {
		ok, unpredictable := d.Valid(e.Code)
		class := fmt.Sprintf("%d-bit %c", 8*len(e.Code), e.Verdict)
		if unpredictable {
			class += ", unpredictable"
		}
		// What the manual leaves open may be either; the oracle doesn't mark all of it, so a class of its own shows how much that is.
		if unpredictable || e.Verdict == Unpredictable || ok == (e.Verdict == Legal) {
			rep.pass(class)
			return
		}
		rep.differ(Mismatch{
			Line: e.Line, ID: fmt.Sprintf("%x", e.Code), Class: class, Asm: e.Asm,
			Diffs: []Diff{{"decodes", fmt.Sprint(ok), fmt.Sprint(!ok)}},
		})
	})
}
