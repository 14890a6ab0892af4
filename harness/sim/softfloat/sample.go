//go:build ignore

// Sample chooses the TestFloat lines that are checked in under testdata from the full files in the folder that
// RIGOR_VECTORS names: of each operation, rounding, set of flags and combination of kinds of operands
// the first perKind lines.
package main

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"log"
	"math/bits"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

const perKind = 5

func main() {
	for _, file := range []string{"testfloat-arm-f32.txt.gz", "testfloat-riscv-f32-f64.txt.gz"} {
		if err := sample(filepath.Join(os.Getenv("RIGOR_VECTORS"), file), filepath.Join("testdata", file)); err != nil {
			log.Fatal(err)
		}
	}
}

func sample(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	z, err := gzip.NewReader(in)
	if err != nil {
		return err
	}
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	defer out.Close()
	w, err := gzip.NewWriterLevel(out, gzip.BestCompression)
	if err != nil {
		return err
	}
	seen := map[string]int{}
	s := bufio.NewScanner(z)
	for s.Scan() {
		k := kind(strings.Fields(s.Text()))
		if seen[k]++; seen[k] <= perKind {
			fmt.Fprintln(w, s.Text())
		}
	}
	if err := s.Err(); err != nil {
		return err
	}
	return w.Close()
}

// kind names what a line has in common with others: operation, rounding, flags, and the operands' kinds.
func kind(words []string) string {
	flags := words[len(words)-1]
	k := words[0] + words[1] + flags
	for _, w := range words[2 : len(words)-2] {
		k += " " + operandKind(words[0], w)
	}
	return k
}

// operandKind tells zeros, denormals, infinities and the two sorts of NaN apart, with their signs, and integers by their length.
func operandKind(op, word string) string {
	v, err := strconv.ParseUint(word, 16, 64)
	if err != nil {
		log.Fatal(err)
	}
	expBits := map[int]int{4: 5, 8: 8, 16: 11}[len(word)]
	if !strings.HasPrefix(op, "f") {
		return fmt.Sprintf("integer of %d bits", bits.Len64(v))
	}
	fracBits := 4*len(word) - 1 - expBits
	exp, frac := v>>fracBits&(1<<expBits-1), v&(1<<fracBits-1)
	if exp == 0 || exp == 1<<expBits-1 {
		return fmt.Sprintf("%d %d %t %d", v>>(4*len(word)-1), exp, frac == 0, frac>>(fracBits-1))
	}
	return "normal"
}
