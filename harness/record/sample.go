package record

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"rigor/harness/measure"
)

// sampleFile is the content of a file below samples/.
type sampleFile struct {
	Name     string       `json:"name"` // suite/experiment/board/quantity/source
	Unit     measure.Unit `json:"unit"`
	ClockHz  uint64       `json:"clock_hz,omitempty"`
	Overhead int64        `json:"overhead,omitempty"`
	Values   []int64      `json:"values"`
}

// canonical writes the sample as the one line that its digest is taken of:
// name, unit, clock in hertz, overhead and the values, parted by tabs, the
// values by commas, all numbers decimal.
func (f *sampleFile) canonical(w io.Writer) {
	fmt.Fprintf(w, "%s\t%s\t%d\t%d\t", f.Name, f.Unit, f.ClockHz, f.Overhead)
	var buf []byte
	for i, v := range f.Values {
		if i > 0 {
			buf = append(buf, ',')
		}
		buf = strconv.AppendInt(buf, v, 10)
	}
	w.Write(append(buf, '\n'))
}

func (f *sampleFile) digest() string {
	h := sha256.New()
	f.canonical(h)
	return hex.EncodeToString(h.Sum(nil))
}

func sampleName(e Experiment, m Measurement) string {
	return strings.Join([]string{slug(e.Suite), slug(e.Name), slug(e.Board), m.Quantity, string(m.Source)}, "/")
}

// addSample writes the values of an experiment's measurement into a file of
// its own.
func (b *Bundle) addSample(r *Run, e Experiment, i int) error {
	m := &e.Measurements[i]
	f := sampleFile{sampleName(e, *m), m.Unit, uint64(m.ClockHz), m.Overhead, m.values}
	m.File, m.Digest = r.freeFile(f.Name, e.Measurements[:i]), f.digest()
	return b.WriteFile(m.File, func(w io.Writer) error { return json.NewEncoder(w).Encode(f) })
}

// freeFile gives a sample's file name, numbered if the experiment is a repeat.
func (r *Run) freeFile(name string, siblings []Measurement) string {
	taken := map[string]bool{}
	for _, m := range siblings {
		taken[m.File] = true
	}
	for _, e := range r.Experiments {
		for _, m := range e.Measurements {
			taken[m.File] = true
		}
	}
	base := filepath.Join(samplesDir, strings.ReplaceAll(name, "/", "."))
	file := base + ".json"
	for n := 2; taken[file]; n++ {
		file = fmt.Sprintf("%s.%d.json", base, n)
	}
	return file
}

// insert keeps experiments in the order of their names, so that suites may run
// in any order; repeats stay in the order of time.
func (r *Run) insert(e Experiment) {
	r.Experiments = append(r.Experiments, e)
	slices.SortStableFunc(r.Experiments, func(a, b Experiment) int {
		return cmp.Or(cmp.Compare(a.Suite, b.Suite), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Board, b.Board))
	})
}

// digest is the digest of all samples: SHA-256 over the lines "DIGEST NAME\n"
// of all samples in the order of their bytes.
func (r *Run) digest() string {
	var lines []string
	for _, e := range r.Experiments {
		for _, m := range e.Measurements {
			lines = append(lines, m.Digest+" "+sampleName(e, m)+"\n")
		}
	}
	slices.Sort(lines)
	sum := sha256.Sum256([]byte(strings.Join(lines, "")))
	return hex.EncodeToString(sum[:])
}
