package record

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
)

// ErrNotCarried is a bundle without what a replay needs: one of a run by an older rigor, or
// one that was killed before its first experiment.
var ErrNotCarried = errors.New("the bundle does not carry what a replay needs")

// Carry puts a file that a replay needs into the bundle, below it at the given path, from
// within an Update. One that is there must be the same.
func (b *Bundle) Carry(r *Run, name string, data []byte) error {
	sum := sha256.Sum256(data)
	digest := hex.EncodeToString(sum[:])
	if have, ok := r.Carried[name]; ok {
		if have != digest {
			return fmt.Errorf("carry %s: the bundle has another of that name: SHA-256 %s, not %s", name, have, digest)
		}
		return nil
	}
	if err := b.WriteFile(filepath.FromSlash(name), func(w io.Writer) error { _, err := w.Write(data); return err }); err != nil {
		return fmt.Errorf("carry %s: %w", name, err)
	}
	if r.Carried == nil {
		r.Carried = map[string]string{}
	}
	r.Carried[name] = digest
	return nil
}

// CheckCarried reads what the bundle carries, and says of each file that is missing or
// was changed.
func (r *Run) CheckCarried() error {
	var errs []error
	for _, need := range []string{RigsFile, LimitsFile} {
		if _, ok := r.Carried[need]; !ok {
			return fmt.Errorf("%s: %w: no %s", r.dir, ErrNotCarried, need)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.Carried)) {
		errs = append(errs, r.checkCarried(name))
	}
	return errors.Join(errs...)
}

func (r *Run) checkCarried(name string) error {
	if !filepath.IsLocal(name) {
		return &FormatError{name, ErrForeign}
	}
	data, err := os.ReadFile(filepath.Join(r.dir, filepath.FromSlash(path.Clean(name))))
	if err != nil {
		return fmt.Errorf("carried by the bundle: %w", err)
	}
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != r.Carried[name] {
		return &FormatError{filepath.Join(r.dir, name), errors.New("not the file that was recorded: its SHA-256 is another")}
	}
	return nil
}

// Dir is the folder that the run was loaded from.
func (r *Run) Dir() string { return r.dir }
