package conform

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
)

// Program is a few instructions, what they start with and what they end with.
type Program struct {
	Line    int
	ID      int
	Class   string
	Asm     []string
	Arch    Arch
	Code    Span
	Start   State // at the first byte of Code
	End     State
	Float   bool   // F and FCSR are given; else they start as 0 and end as they may
	Mem     []Span // all that the program reads or writes outside its code
	Changed []Span // what of Mem is different at the end
}

// Span is a run of bytes in memory.
type Span struct {
	Addr  uint64
	Bytes []byte
}

func (s Span) end() uint64 { return s.Addr + uint64(len(s.Bytes)) }

// Programs reads program vectors; name stands for r in errors. After an error nothing follows.
func Programs(name string, r io.Reader) iter.Seq2[Program, error] {
	return records(name, r, parseProgram)
}

// ReadPrograms reads all program vectors of a file.
func ReadPrograms(file string) (all []Program, err error) {
	r, err := open(file)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	for p, err := range Programs(file, r) {
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

// programJSON is a line of the file: a state to start in is spread over it.
type programJSON struct {
	ID   *int      `json:"id"`
	Cls  string    `json:"cls"`
	Asm  []string  `json:"asm"`
	Addr string    `json:"addr"`
	Code hexBytes  `json:"code"`
	Out  stateJSON `json:"out"`
	stateJSON
}

// stateJSON is r, xpsr, s and fpscr on Arm, x, f and fcsr on RISC-V.
type stateJSON struct {
	R     []string   `json:"r"`
	X     []string   `json:"x"`
	PC    string     `json:"pc"`
	XPSR  string     `json:"xpsr"`
	S     []string   `json:"s"`
	FPSCR string     `json:"fpscr"`
	F     []string   `json:"f"`
	FCSR  string     `json:"fcsr"`
	Mem   []spanJSON `json:"mem"`
}

type spanJSON [2]string // address, bytes

func parseProgram(line int, text []byte) (Program, error) {
	var j programJSON
	if err := decodeStrictly(text, &j); err != nil {
		return Program{}, err
	}
	if j.ID == nil || j.Cls == "" || len(j.Code) == 0 {
		return Program{}, errors.New("id, cls and code expected")
	}
	p := Program{Line: line, ID: *j.ID, Class: j.Cls, Asm: j.Asm, Arch: j.arch(), Float: j.FPSCR+j.FCSR != ""}
	if end := j.Out.arch(); p.Arch != end || p.Float != (j.Out.FPSCR+j.Out.FCSR != "") {
		return Program{}, fmt.Errorf("id %d: starts with the registers of %s, floating point %t, and ends with others", p.ID, p.Arch, p.Float)
	}
	j.PC = j.Addr
	var problems [5]error
	p.Start, problems[0] = j.state(p.Arch, p.Float)
	p.End, problems[1] = j.Out.state(p.Arch, p.Float)
	p.Mem, problems[2] = spans(j.Mem)
	p.Changed, problems[3] = spans(j.Out.Mem)
	p.Code = Span{p.Start.PC, j.Code}
	problems[4] = p.checkMemory()
	if err := errors.Join(problems[:]...); err != nil {
		return Program{}, fmt.Errorf("id %d: %w", p.ID, err)
	}
	return p, nil
}

// checkMemory checks that everything is in one RAM, and that no memory changes that wasn't given.
func (p *Program) checkMemory() error {
	base := p.Arch.ramBase()
	for _, s := range append([]Span{p.Code}, p.Mem...) {
		if s.Addr < base || s.end() > base+ramSize || s.end() < s.Addr {
			return fmt.Errorf("%d bytes at %#x: not in the RAM at %#x", len(s.Bytes), s.Addr, base)
		}
	}
	for _, s := range p.Changed {
		if !containedInAny(s, p.Mem) {
			return fmt.Errorf("%d bytes at %#x change and aren't given at the start", len(s.Bytes), s.Addr)
		}
	}
	return nil
}

func containedInAny(s Span, all []Span) bool {
	return slices.ContainsFunc(all, func(t Span) bool { return t.Addr <= s.Addr && s.end() <= t.end() })
}

// arch tells the architecture by the registers' names and widths.
func (j *stateJSON) arch() Arch {
	switch {
	case len(j.R) > 0:
		return ARMv7EM
	case len(j.X) > 0 && len(j.X[0]) == RV64GC.digits():
		return RV64GC
	}
	return RV32IMC
}

func (j *stateJSON) state(a Arch, float bool) (s State, err error) {
	r := hexReader{}
	r.registers("r or x", s.X[:a.registers()], append(j.R, j.X...), a.digits())
	s.PC = r.number("pc", j.PC, a.digits())
	if a == ARMv7EM {
		s.Status = r.number("xpsr", j.XPSR, 8)
	}
	if float && a == ARMv7EM {
		r.registers("s", s.F[:], j.S, 8)
		s.FCSR = r.number("fpscr", j.FPSCR, 8)
	} else if float {
		r.registers("f", s.F[:], j.F, 16)
		s.FCSR = r.number("fcsr", j.FCSR, len(j.FCSR))
	}
	return s, r.err
}

func spans(js []spanJSON) ([]Span, error) {
	r := hexReader{}
	all := make([]Span, len(js))
	for i, j := range js {
		all[i] = Span{r.number("mem", j[0], len(j[0])), r.bytes("mem", j[1])}
	}
	return all, r.err
}

// hexReader reads hexadecimal fields and keeps the first error.
type hexReader struct{ err error }

func (r *hexReader) number(field, text string, digits int) uint64 {
	v, err := strconv.ParseUint(text, 16, 64)
	if err == nil && len(text) != digits {
		err = fmt.Errorf("%q: %d digits expected", text, digits)
	}
	r.note(field, err)
	return v
}

func (r *hexReader) registers(field string, dst []uint64, texts []string, digits int) {
	if len(texts) != len(dst) {
		r.note(field, fmt.Errorf("%d registers expected, got %d", len(dst), len(texts)))
		return
	}
	for i, t := range texts {
		dst[i] = r.number(field, t, digits)
	}
}

func (r *hexReader) bytes(field, text string) []byte {
	b, err := hex.DecodeString(text)
	r.note(field, err)
	return b
}

func (r *hexReader) note(field string, err error) {
	if r.err == nil && err != nil {
		r.err = fmt.Errorf("%s: %w", field, err)
	}
}

// hexBytes is a string of hexadecimal digits in JSON.
type hexBytes []byte

// UnmarshalText implements encoding.TextUnmarshaler.
func (h *hexBytes) UnmarshalText(text []byte) (err error) {
	*h, err = hex.DecodeString(string(text))
	return err
}

// decodeStrictly refuses keys it doesn't know: what they say can't be checked.
func decodeStrictly(text []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if d.More() {
		return errors.New("more than one object on the line")
	}
	return nil
}
