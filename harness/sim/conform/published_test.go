package conform

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
)

//go:generate go run sample.go

// README of the vectors: 38, 9 and 14 classes of programs. The oracles have 16- and 32-bit encodings with three verdicts each, RISC-V's with two.
func TestSamplesHaveEveryClass(t *testing.T) {
	classes := map[string]int{}
	countClass := func(name string, r io.Reader) error {
		return each(Programs(name, r), func(p *Program) { classes[p.Class]++ })
	}
	countKind := func(name string, r io.Reader) error {
		return each(Encodings(name, r), func(e *Encoding) { classes[fmt.Sprint(len(e.Code), e.Verdict)]++ })
	}
	for _, c := range []struct {
		file  string
		count func(string, io.Reader) error
		want  int
	}{
		{"thumb2.jsonl.gz", countClass, 38},
		{"thumb2-decode-llvm19.tsv.gz", countKind, 6},
		{"rv32imc.jsonl.gz", countClass, 9},
		{"rv32imc-decode-llvm19.tsv.gz", countKind, 4},
		{"rv64gc.jsonl.gz", countClass, 14},
		{"rv64gc-decode-llvm19.tsv.gz", countKind, 4},
	} {
		clear(classes)
		f, err := open(filepath.Join("testdata", c.file))
		if err != nil {
			t.Fatal(err)
		}
		if err := c.count(c.file, f); err != nil || len(classes) != c.want {
			t.Errorf("%s: error %v, %d classes, want %d: %v", c.file, err, len(classes), c.want, classes)
		}
		f.Close()
	}
	if folder := os.Getenv("RIGOR_VECTORS"); folder != "" {
		acceptPublished(t, folder)
	}
}

// acceptPublished reads the full files. The counts are those of the vector folder's README; of the decode oracles, which it rounds, counted by wc -l.
func acceptPublished(t *testing.T, folder string) {
	t.Helper()
	for _, c := range []struct {
		file  string
		count func(string, io.Reader) (int, error)
		want  int
	}{
		{"thumb2.jsonl.gz", countPrograms, 20_994},
		{"rv32imc.jsonl.gz", countPrograms, 6_636},
		{"rv64gc.jsonl.gz", countPrograms, 7_316},
		{"vixl-t32.jsonl.gz", countTraces, 16_368},
		{"testfloat-arm-f32.txt.gz", countFloats, 44_188},
		{"testfloat-riscv-f32-f64.txt.gz", countFloats, 127_600},
		{"thumb2-decode-llvm19.tsv.gz", countEncodings, 242_903},
		{"rv32imc-decode-llvm19.tsv.gz", countEncodings, 106_839},
		{"rv64gc-decode-llvm19.tsv.gz", countEncodings, 106_886},
	} {
		f, err := open(filepath.Join(folder, c.file))
		if err != nil {
			t.Error(err)
			continue
		}
		if got, err := c.count(c.file, f); err != nil || got != c.want {
			t.Errorf("%s: %d records, error %v; want %d", c.file, got, err, c.want)
		}
		f.Close()
	}
}

func countPrograms(name string, r io.Reader) (n int, err error) {
	err = each(Programs(name, r), func(*Program) { n++ })
	return n, err
}

func countTraces(name string, r io.Reader) (n int, err error) {
	err = each(Traces(name, r), func(*Trace) { n++ })
	return n, err
}

func countEncodings(name string, r io.Reader) (n int, err error) {
	err = each(Encodings(name, r), func(*Encoding) { n++ })
	return n, err
}

func countFloats(name string, r io.Reader) (n int, err error) {
	err = each(FloatCases(name, r), func(*FloatCase) { n++ })
	return n, err
}
