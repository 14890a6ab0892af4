package conform

import (
	"fmt"
	"io"
	"strings"
)

// executor runs programs and traces on a machine and keeps track of what its RAM must hold.
type executor struct {
	m         Machine
	arch      Arch
	report    *Report
	want, got [ramSize]byte
}

func newExecutor(rep *Report, m Machine) (*executor, error) {
	if m == nil {
		return nil, fmt.Errorf("%s: %w", rep.File, errNoMachine)
	}
	x := &executor{m: m, arch: m.Arch(), report: rep}
	x.m.WriteMem(x.arch.ramBase(), x.want[:])
	return x, nil
}

// maxInstructions bounds a program: programs have short loops only.
const maxInstructions = 10_000

func runPrograms(rep *Report, vectors io.Reader, m Machine) error {
	x, err := newExecutor(rep, m)
	if err != nil {
		return err
	}
	for p, err := range Programs(rep.File, vectors) {
		if err != nil {
			return err
		}
		if p.Arch != x.arch {
			return fmt.Errorf("%s:%d: a program for %s, the machine is %s", rep.File, p.Line, p.Arch, x.arch)
		}
		x.program(&p)
	}
	return nil
}

func (x *executor) program(p *Program) {
	x.place(p.Code)
	for _, s := range p.Mem {
		x.place(s)
	}
	diffs := x.run(&p.Start, p.End.PC)
	if diffs == nil {
		end := x.m.State()
		diffs = p.compare(&end)
	}
	for _, s := range p.Changed {
		copy(x.expected(s), s.Bytes)
	}
	diffs = append(diffs, x.compareRAM()...)
	x.clear(p.Code)
	for _, s := range p.Mem {
		x.clear(s)
	}
	if len(diffs) == 0 {
		x.report.pass(p.Class)
		return
	}
	x.report.differ(Mismatch{
		Line: p.Line, ID: fmt.Sprint(p.ID), Class: p.Class, Asm: strings.Join(p.Asm, "; "), Start: p.named(), Diffs: diffs,
	})
}

// run executes from start to the instruction at end.
func (x *executor) run(start *State, end uint64) []Diff {
	x.m.Reset()
	x.m.SetState(start)
	if err := x.m.RunUntil(end, maxInstructions); err != nil {
		return []Diff{{"execution", err.Error(), fmt.Sprintf("to get to %#x", end)}}
	}
	return nil
}

// place writes to RAM, as the start of a program.
func (x *executor) place(s Span) {
	copy(x.expected(s), s.Bytes)
	x.m.WriteMem(s.Addr, s.Bytes)
}

// clear undoes place, so that every program starts with RAM of zeros but for its own.
func (x *executor) clear(s Span) {
	zeros := x.expected(s)
	clear(zeros)
	x.m.WriteMem(s.Addr, zeros)
}

// expected is the part of RAM, as it should be, where s is.
func (x *executor) expected(s Span) []byte {
	return x.want[s.Addr-x.arch.ramBase():][:len(s.Bytes)]
}

// compareRAM compares all of RAM, and restores it where it differs.
func (x *executor) compareRAM() (diffs []Diff) {
	base := x.arch.ramBase()
	x.m.ReadMem(base, x.got[:])
	if x.got == x.want {
		return nil
	}
	for i := 0; i < ramSize; i++ {
		if x.got[i] == x.want[i] {
			continue
		}
		n := i + 1
		for n < ramSize && n < i+16 && x.got[n] != x.want[n] {
			n++
		}
		diffs = append(diffs, Diff{fmt.Sprintf("[%x]", base+uint64(i)), fmt.Sprintf("%x", x.got[i:n]), fmt.Sprintf("%x", x.want[i:n])})
		i = n - 1
	}
	x.m.WriteMem(base, x.want[:])
	return diffs
}

// compare compares a program's end with that of its vector.
func (p *Program) compare(got *State) (diffs []Diff) {
	check := func(what string, digits int, got, want uint64) {
		if got != want {
			diffs = append(diffs, Diff{what, fmt.Sprintf("%0*x", digits, got), fmt.Sprintf("%0*x", digits, want)})
		}
	}
	digits := p.Arch.digits()
	for i := range p.Arch.registers() {
		check(p.Arch.registerName(i), digits, got.X[i], p.End.X[i])
	}
	check("pc", digits, got.PC, p.End.PC)
	check("xpsr", 8, got.Status, p.End.Status)
	if !p.Float {
		return diffs
	}
	register, status := p.Arch.floatNames()
	for i := range got.F {
		check(fmt.Sprint(register, i), digits, got.F[i], p.End.F[i])
	}
	check(status, 8, got.FCSR, p.End.FCSR)
	return diffs
}

// named lists what the registers that the assembly text names start with, and the status registers.
func (p *Program) named() string {
	text := strings.FieldsFunc(strings.Join(p.Asm, " "), func(r rune) bool {
		return !(r >= '0' && r <= '9' || r >= 'a' && r <= 'z')
	})
	var b strings.Builder
	list := func(name string, v uint64) {
		for _, word := range text {
			if word == name {
				fmt.Fprintf(&b, "%s=%x ", name, v)
				return
			}
		}
	}
	for i := range p.Arch.registers() {
		list(p.Arch.registerName(i), p.Start.X[i])
	}
	register, status := p.Arch.floatNames()
	for i := range p.Start.F {
		list(fmt.Sprint(register, i), p.Start.F[i])
	}
	if p.Arch == ARMv7EM {
		fmt.Fprintf(&b, "xpsr=%08x ", p.Start.Status)
	}
	if p.Float {
		fmt.Fprintf(&b, "%s=%08x ", status, p.Start.FCSR)
	}
	return strings.TrimSpace(b.String())
}

// traceCode is where the code of traces is put.
const traceCode = 0x20000800

const xpsrT = 1 << 24

func runTraces(rep *Report, vectors io.Reader, m Machine) error {
	x, err := newExecutor(rep, m)
	if err != nil {
		return err
	}
	return each(Traces(rep.File, vectors), x.trace)
}

func (x *executor) trace(t *Trace) {
	code := Span{traceCode, t.Code}
	x.place(code)
	for i := range t.In {
		start := t.start(i)
		diffs := x.run(&start, code.end())
		if diffs == nil {
			diffs = t.compare(i, &start, x.m.State())
		}
		if i == len(t.In)-1 { // none of these instructions stores: once is enough
			diffs = append(diffs, x.compareRAM()...)
		}
		if len(diffs) == 0 {
			x.report.pass(t.Class)
			continue
		}
		x.report.differ(Mismatch{
			Line: t.Line, ID: fmt.Sprintf("%d.%d", t.Line, i), Class: t.Class, Asm: strings.Join(t.Asm, "; "),
			Start: t.describe(i), Diffs: diffs,
		})
	}
	x.clear(code)
}

// start returns what row i starts with: fields in their order, a later one winning.
func (t *Trace) start(i int) State {
	s := State{PC: traceCode, Status: xpsrT}
	for k, f := range t.Fields {
		if v := uint64(t.In[i][k]); f.Mask != 0 {
			s.Status |= v & uint64(f.Mask)
		} else {
			s.X[f.Reg] = v
		}
	}
	return s
}

// compare compares the fields of row i, and the other registers with what they were.
func (t *Trace) compare(i int, start *State, got State) (diffs []Diff) {
	want := start.X
	for k, f := range t.Fields {
		v := uint64(t.Out[i][k])
		if f.Mask == 0 {
			want[f.Reg] = v
		} else if mask := uint64(f.Mask); got.Status&mask != v&mask {
			diffs = append(diffs, Diff{f.Name, fmt.Sprintf("%x", got.Status&mask), fmt.Sprintf("%x", v&mask)})
		}
	}
	for n := range armNames {
		if got.X[n] != want[n] {
			diffs = append(diffs, Diff{armNames[n], fmt.Sprintf("%08x", got.X[n]), fmt.Sprintf("%08x", want[n])})
		}
	}
	return diffs
}

func (t *Trace) describe(i int) string {
	words := make([]string, len(t.Fields))
	for k, f := range t.Fields {
		words[k] = fmt.Sprintf("%s=%x", f.Name, t.In[i][k])
	}
	return strings.Join(words, " ")
}
