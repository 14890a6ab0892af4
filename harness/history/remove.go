package history

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"rigor/harness/record"
)

// prefix is that of a bundle on its way out. Nobody looks at it any more.
const prefix = ".pruned-"

// Remove removes the bundle of the given name below runs. Others see all of it or none: it
// is renamed first.
func Remove(runs, name string) error {
	root, err := os.OpenRoot(runs)
	if err != nil {
		return fmt.Errorf("remove bundle %s: %w", name, err)
	}
	defer root.Close()
	if _, err := root.Stat(filepath.Join(name, record.RunFile)); err != nil || strings.ContainsRune(name, filepath.Separator) {
		return fmt.Errorf("remove bundle %s: it is none: %w", name, err)
	}
	if err := root.Rename(name, prefix+name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove bundle %s: %w", name, err)
	}
	if err := root.RemoveAll(prefix + name); err != nil {
		return fmt.Errorf("remove bundle %s: %w", name, err)
	}
	return nil
}

// Sweep removes what removals left that were cut short.
func Sweep(runs string) error {
	root, err := os.OpenRoot(runs)
	if err != nil {
		return fmt.Errorf("sweep up removed bundles: %w", err)
	}
	defer root.Close()
	left, err := fs.Glob(root.FS(), prefix+"*")
	for _, name := range left {
		err = errors.Join(err, root.RemoveAll(name))
	}
	if err != nil {
		return fmt.Errorf("sweep up removed bundles: %w", err)
	}
	return nil
}

// Size is how many bytes the files of the bundle take.
func Size(runs, name string) (bytes int64) {
	filepath.WalkDir(filepath.Join(runs, name), func(_ string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil // gone meanwhile
		}
		if info, err := d.Info(); err == nil && info.Mode().IsRegular() {
			bytes += info.Size()
		}
		return nil
	})
	return bytes
}
