package profile

import (
	"bytes"
	"cmp"
	"debug/elf"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
)

// symbol is a function, or another place in code that has a name.
type symbol struct {
	name      string
	addr, end uint64
	rank      int // of those at one address the least one is taken
}

// symbols are in order of address.
type symbols []symbol

// romEntry is how much of a function in ROM bears its name, in bytes: only its entry is known, and
// other absolute symbols are sizes and ends, at which nothing is executed.
const romEntry = 4

// readSymbols gives the functions of an ELF file, and the absolute symbols, which name what is in ROM.
func readSymbols(image []byte) (symbols, error) {
	f, err := elf.NewFile(bytes.NewReader(image))
	if err != nil {
		return nil, fmt.Errorf("read the image's symbols: %w", err)
	}
	table, err := f.Symbols()
	if err != nil && !errors.Is(err, elf.ErrNoSymbols) {
		return nil, fmt.Errorf("read the image's symbols: %w", err)
	}
	var all symbols
	for _, s := range table {
		if k, ok := code(f, s); ok {
			all = append(all, k)
		}
	}
	slices.SortFunc(all, func(a, b symbol) int {
		return cmp.Or(cmp.Compare(a.addr, b.addr), cmp.Compare(a.rank, b.rank), cmp.Compare(a.name, b.name))
	})
	all = slices.CompactFunc(all, func(a, b symbol) bool { return a.addr == b.addr })
	all.close(f)
	return all, nil
}

// code says whether a symbol is a place in code. Mapping symbols ($t, $d, $x) and labels
// of the assembler are not. Functions of Arm have bit 0 set (AAELF32 5.5.3).
func code(f *elf.File, s elf.Symbol) (k symbol, ok bool) {
	k = symbol{name: s.Name, addr: s.Value, end: s.Value + s.Size}
	kind := elf.ST_TYPE(s.Info)
	if s.Name == "" || strings.HasPrefix(s.Name, "$") || strings.HasPrefix(s.Name, ".L") {
		return k, false
	}
	if kind != elf.STT_FUNC {
		k.rank = 1
	}
	if f.Machine == elf.EM_ARM {
		k.addr, k.end = k.addr&^1, k.end&^1
	}
	switch {
	case s.Section == elf.SHN_ABS:
		k.end = k.addr + romEntry
		return k, kind == elf.STT_NOTYPE || kind == elf.STT_FUNC
	case int(s.Section) >= len(f.Sections) || s.Section == elf.SHN_UNDEF:
		return k, false
	}
	executable := f.Sections[s.Section].Flags&elf.SHF_EXECINSTR != 0
	return k, executable && (kind == elf.STT_FUNC || kind == elf.STT_NOTYPE)
}

// close gives those of unknown size an end: the next one, or the end of the section. One that is in no section
// stays empty.
func (all symbols) close(f *elf.File) {
	for i := range all {
		s := &all[i]
		if s.end > s.addr {
			continue
		}
		for _, section := range f.Sections {
			if section.Flags&elf.SHF_ALLOC != 0 && s.addr-section.Addr < section.Size {
				s.end = section.Addr + section.Size
			}
		}
		if i+1 < len(all) {
			s.end = min(s.end, all[i+1].addr)
		}
	}
}

// find gives the symbol that an address is in.
func (all symbols) find(addr uint64) symbol {
	i := sort.Search(len(all), func(i int) bool { return all[i].addr > addr })
	if i > 0 && addr < all[i-1].end {
		return all[i-1]
	}
	return symbol{name: Unknown, addr: ^uint64(0)}
}

// Place gives where in an ELF file a function begins.
func Place(image []byte, function string) (offset uint64, err error) {
	all, err := readSymbols(image)
	if err != nil {
		return 0, err
	}
	f, err := elf.NewFile(bytes.NewReader(image))
	if err != nil {
		return 0, fmt.Errorf("read the image's sections: %w", err)
	}
	i := slices.IndexFunc(all, func(s symbol) bool { return s.name == function })
	if i < 0 {
		return 0, fmt.Errorf("the image has no function %s", function)
	}
	for _, s := range f.Sections {
		if s.Type == elf.SHT_PROGBITS && s.Flags&elf.SHF_ALLOC != 0 && all[i].addr-s.Addr < s.Size {
			return s.Offset + all[i].addr - s.Addr, nil
		}
	}
	return 0, fmt.Errorf("function %s is in no section of the image", function)
}
