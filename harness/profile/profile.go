// Package profile says where cycles went, by function, and where they went otherwise: it
// makes a Profile of the exact counts that a virtual board gives (rig.Profiler) and of the symbol table
// of the image that ran, and compares two.
//
// A function's cycles are its own, without those of what it calls, and with what its instructions waited for.
// Inlined functions are part of the one that they are in. Functions of one
// name, as compilers make them, are counted as one.
package profile

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"

	"rigor/harness/rig"
)

// Schema is the version of a profile's file.
const Schema = 1

// Names of what is no function.
const (
	Exceptions = "(entering and leaving exceptions)"
	Sleep      = "(asleep)"
	Unknown    = "(code without a symbol)"
)

// Profile is where the cycles of a board's cores went while an experiment ran.
type Profile struct {
	Schema     int    `json:"schema"`
	Board      string `json:"board"`
	Suite      string `json:"suite"`
	Experiment string `json:"experiment"`
	Firmware   string `json:"firmware"` // SHA-256 of the image, hexadecimal
	// Intervals is how many intervals between marks were counted, and nothing else; 0 if all of the
	// experiment was.
	Intervals int        `json:"intervals"`
	Functions []Function `json:"functions"` // the most cycles first
}

// Function is what one core spent in a function.
type Function struct {
	Name         string `json:"name"`
	Core         int    `json:"core"`
	Cycles       uint64 `json:"cycles"`
	Instructions uint64 `json:"instructions"` // executed
	Calls        uint64 `json:"calls"`        // how often its first instruction was executed
}

// Of names what p has counted by the symbols of an image, an ELF file.
func Of(image []byte, p rig.Profile) (Profile, error) {
	symbols, err := readSymbols(image)
	if err != nil {
		return Profile{}, err
	}
	out := Profile{Schema: Schema, Intervals: p.Intervals, Functions: []Function{}}
	for n, core := range p.Cores {
		out.Functions = append(out.Functions, functions(n, core, symbols)...)
	}
	slices.SortFunc(out.Functions, func(a, b Function) int {
		return cmp.Or(cmp.Compare(b.Cycles, a.Cycles), cmp.Compare(a.Core, b.Core), cmp.Compare(a.Name, b.Name))
	})
	return out, nil
}

// functions are those that a core has been in.
func functions(n int, core rig.CoreProfile, symbols symbols) []Function {
	all := map[string]*Function{}
	at := func(name string) *Function {
		if all[name] == nil {
			all[name] = &Function{Name: name, Core: n}
		}
		return all[name]
	}
	for addr, k := range core.At {
		s := symbols.find(addr)
		f := at(s.name)
		f.Cycles += k.Cycles
		f.Instructions += k.Instructions
		if addr == s.addr {
			f.Calls += k.Instructions
		}
	}
	if core.Exceptions > 0 {
		at(Exceptions).Cycles = core.Exceptions
	}
	if core.Slept > 0 {
		at(Sleep).Cycles = core.Slept
	}
	var list []Function
	for _, f := range slices.Sorted(maps.Keys(all)) {
		list = append(list, *all[f])
	}
	return list
}

// Cycles is the sum of all, without those asleep.
func (p *Profile) Cycles() (sum uint64) {
	for _, f := range p.Functions {
		if f.Name != Sleep {
			sum += f.Cycles
		}
	}
	return sum
}

// Write writes p as its file has it, a function a line.
func (p *Profile) Write(w io.Writer) error {
	head := *p
	head.Functions = []Function{}
	text, err := encode(head)
	if err != nil {
		return err
	}
	text = bytes.TrimSuffix(text, []byte("]}\n"))
	for i, f := range p.Functions {
		line, err := encode(f)
		if err != nil {
			return err
		}
		if i > 0 {
			text = append(text, ',')
		}
		text = append(append(text, '\n'), bytes.TrimSuffix(line, []byte("\n"))...)
	}
	_, err = w.Write(append(text, "\n]}\n"...))
	return err
}

func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return b.Bytes(), err
}

// Load reads the file of a profile.
func Load(path string) (*Profile, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read profile: %w", err)
	}
	p := &Profile{}
	if err := json.Unmarshal(text, p); err != nil {
		return nil, fmt.Errorf("read profile %s: %w", path, err)
	}
	if p.Schema != Schema {
		return nil, fmt.Errorf("read profile %s: it has schema %d, this rigor reads %d", path, p.Schema, Schema)
	}
	return p, nil
}
