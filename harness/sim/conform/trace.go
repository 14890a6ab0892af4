package conform

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"
)

// Trace is one instruction (or a conditional one behind IT) run with many inputs.
type Trace struct {
	Line   int
	Class  string
	Asm    []string
	Code   []byte
	Fields []Field
	In     [][]uint32 // a row per run, a column per field
	Out    [][]uint32
}

// Field is a column of a trace: part of the xPSR or a register.
type Field struct {
	Name string
	Mask uint32 // of the xPSR; 0 for a register
	Reg  int    // its number
}

// xpsrFields are the columns that aren't registers.
var xpsrFields = map[string]uint32{"apsr": 0xF0000000, "qbit": 1 << 27, "ge": 0xF << 16}

// Traces reads instruction traces; name stands for r in errors. After an error nothing follows.
func Traces(name string, r io.Reader) iter.Seq2[Trace, error] {
	return records(name, r, parseTrace)
}

func parseTrace(line int, text []byte) (Trace, error) {
	var j struct {
		Cls    string            `json:"cls"`
		Asm    []string          `json:"asm"`
		Code   hexBytes          `json:"code"`
		Fields []string          `json:"fields"`
		Regs   map[string]string `json:"regs"`
		Inp    []string          `json:"inp"`
		Out    []string          `json:"out"`
	}
	if err := decodeStrictly(text, &j); err != nil {
		return Trace{}, err
	}
	if j.Cls == "" || len(j.Code) == 0 || len(j.Inp) == 0 || len(j.Inp) != len(j.Out) {
		return Trace{}, errors.New("cls, code, and as many out as inp expected")
	}
	t := Trace{Line: line, Class: j.Cls, Asm: j.Asm, Code: j.Code}
	var err, errIn, errOut error
	t.Fields, err = fields(j.Fields, j.Regs)
	t.In, errIn = rows(j.Inp, len(j.Fields))
	t.Out, errOut = rows(j.Out, len(j.Fields))
	if err := errors.Join(err, errIn, errOut); err != nil {
		return Trace{}, err
	}
	return t, nil
}

func fields(names []string, registers map[string]string) ([]Field, error) {
	all := make([]Field, len(names))
	for i, name := range names {
		all[i] = Field{Name: name, Mask: xpsrFields[name]}
		if all[i].Mask != 0 {
			continue
		}
		digits, ok := strings.CutPrefix(registers[name], "r")
		n, err := strconv.Atoi(digits)
		if !ok || err != nil || n < 0 || n > 14 {
			return nil, fmt.Errorf("field %s: r0 to r14 expected, got %q", name, registers[name])
		}
		all[i].Reg = n
	}
	return all, nil
}

func rows(texts []string, columns int) ([][]uint32, error) {
	cells := make([]uint32, 0, len(texts)*columns)
	all := make([][]uint32, len(texts))
	for i, text := range texts {
		begin := len(cells)
		for word := range strings.FieldsSeq(text) {
			v, err := strconv.ParseUint(word, 16, 32)
			if err != nil {
				return nil, fmt.Errorf("row %d: %w", i, err)
			}
			cells = append(cells, uint32(v))
		}
		all[i] = cells[begin:len(cells):len(cells)]
		if len(all[i]) != columns {
			return nil, fmt.Errorf("row %d: %d fields expected in %q", i, columns, text)
		}
	}
	return all, nil
}
