package harness

import (
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"

	"rigor/firmware/images"
	"rigor/harness/record"
)

// Files are those that a run is configured by.
type Files struct {
	Root   string // the project's folder
	Rigs   string // rigs.yaml
	Limits string // limits.yaml
}

// ProjectFiles are those of the project that dir is in.
func ProjectFiles(dir string) (Files, error) {
	root, err := Root(dir)
	return Files{Root: root, Rigs: filepath.Join(root, "rigs.yaml"), Limits: filepath.Join(root, "suites", "limits.yaml")}, err
}

// Carried are those that a bundle carries, in place of the project's own.
func (f Files) Carried(bundle string) Files {
	f.Rigs, f.Limits = filepath.Join(bundle, record.RigsFile), filepath.Join(bundle, record.LimitsFile)
	return f
}

// Carry puts the files into a run's bundle.
func (f Files) Carry(b *record.Bundle) error {
	return b.Update(func(r *record.Run) error {
		for name, from := range map[string]string{record.RigsFile: f.Rigs, record.LimitsFile: f.Limits} {
			text, err := os.ReadFile(from)
			if err != nil {
				return fmt.Errorf("carry %s: %w", name, err)
			}
			if err := b.Carry(r, name, text); err != nil {
				return err
			}
		}
		return nil
	})
}

// carry puts the images that were opened since it was called last into the bundle. All that an
// experiment needs is there before the experiment is: what was recorded can be replayed.
func (r *Runner) carry() error {
	opened := images.Opened()
	fresh := opened[r.carried:]
	if len(fresh) == 0 {
		return nil
	}
	r.carried = len(opened)
	return r.Bundle.Update(func(run *record.Run) error { return carryImages(r.Bundle, run, fresh) })
}

func carryImages(b *record.Bundle, run *record.Run, fresh []images.Image) error {
	var m images.Manifest
	dir := filepath.Join(b.Dir(), record.FirmwareDir)
	if _, err := os.Stat(filepath.Join(dir, images.ManifestFile)); err == nil { // of other boards and suites
		if m, err = images.ReadManifest(os.DirFS(dir)); err != nil {
			return err
		}
	}
	for _, image := range fresh {
		if err := b.Carry(run, path.Join(record.FirmwareDir, image.File), image.Data); err != nil {
			return err
		}
	}
	m.Add(fresh...)
	text, err := m.Encode()
	if err != nil {
		return err
	}
	return b.WriteFile(filepath.Join(record.FirmwareDir, images.ManifestFile), func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
}
