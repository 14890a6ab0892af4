//go:build ignore

// Sample chooses the vectors that are checked in under testdata from the full files in the folder that RIGOR_VECTORS names:
// the first programs of each class and first mnemonic, some of the mixed sequences, and every tenth
// line of the decode oracles.
package main

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"
)

const (
	perMnemonic   = 6
	encodingEvery = 10
)

// sequenceEvery keeps a core's sample below a megabyte.
var sequenceEvery = map[string]int{"thumb2": 5, "rv32imc": 10, "rv64gc": 20}

func main() {
	for core, every := range sequenceEvery {
		if err := errors.Join(samplePrograms(core, every), sampleEncodings(core)); err != nil {
			log.Fatal(err)
		}
	}
}

func samplePrograms(core string, every int) error {
	seen := map[string]int{}
	return sample(core+".jsonl.gz", func(line string) bool {
		var p struct {
			Cls string
			Asm []string
		}
		if err := json.Unmarshal([]byte(line), &p); err != nil {
			log.Fatal(err)
		}
		if p.Cls == "sequence" {
			seen[p.Cls]++
			return seen[p.Cls]%every == 0
		}
		asm := p.Asm[0]
		if strings.HasPrefix(asm, ".") && len(p.Asm) > 1 { // of an assembler directive
			asm = p.Asm[1]
		}
		mnemonic, _, _ := strings.Cut(asm, " ")
		seen[p.Cls+" "+mnemonic]++
		return seen[p.Cls+" "+mnemonic] <= perMnemonic
	})
}

func sampleEncodings(core string) error {
	n := 0
	return sample(core+"-decode-llvm19.tsv.gz", func(string) bool { n++; return n%encodingEvery == 0 })
}

// sample copies the lines of a file that are to be kept.
func sample(file string, keep func(line string) bool) error {
	in, err := os.Open(filepath.Join(os.Getenv("RIGOR_VECTORS"), file))
	if err != nil {
		return err
	}
	defer in.Close()
	z, err := gzip.NewReader(in)
	if err != nil {
		return err
	}
	out, err := os.Create(filepath.Join("testdata", file))
	if err != nil {
		return err
	}
	defer out.Close()
	w, err := gzip.NewWriterLevel(out, gzip.BestCompression)
	if err != nil {
		return err
	}
	s := bufio.NewScanner(z)
	for s.Scan() {
		if keep(s.Text()) {
			fmt.Fprintln(w, s.Text())
		}
	}
	if err := s.Err(); err != nil {
		return err
	}
	return w.Close()
}
