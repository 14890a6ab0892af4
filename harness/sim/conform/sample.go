//go:build ignore

// Sample chooses the vectors that are checked in under testdata from the full files in the folder that RIGOR_VECTORS names:
// the first programs of each class and first mnemonic, every fifth of the mixed sequences, and every tenth
// line of the decode oracle.
package main

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"
)

const (
	perMnemonic   = 6
	sequenceEvery = 5
	encodingEvery = 10
)

func main() {
	seen := map[string]int{}
	err := sample("thumb2.jsonl.gz", func(line string) bool {
		var p struct {
			Cls string
			Asm []string
		}
		if err := json.Unmarshal([]byte(line), &p); err != nil {
			log.Fatal(err)
		}
		if p.Cls == "sequence" {
			seen[p.Cls]++
			return seen[p.Cls]%sequenceEvery == 0
		}
		mnemonic, _, _ := strings.Cut(p.Asm[0], " ")
		seen[p.Cls+" "+mnemonic]++
		return seen[p.Cls+" "+mnemonic] <= perMnemonic
	})
	if err != nil {
		log.Fatal(err)
	}
	n := 0
	err = sample("thumb2-decode-llvm19.tsv.gz", func(string) bool { n++; return n%encodingEvery == 0 })
	if err != nil {
		log.Fatal(err)
	}
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
