package record

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"rigor/probes"
)

// Capture reads the trace of an experiment back, up to so many edges. One without a trace gives an empty capture.
func (r *Run) Capture(e Experiment, edges int) (c probes.Capture, err error) {
	if e.Trace == "" {
		return c, nil
	}
	f, err := r.open(e.Trace)
	if err != nil {
		return c, fmt.Errorf("load trace: %w", err)
	}
	defer f.Close()
	if c, err = ReadVCD(f, edges); err != nil {
		return c, fmt.Errorf("load trace: %w", &FormatError{e.Trace, err})
	}
	return c, nil
}

// ConsoleFile is the path, below the bundle's folder, of what the board said in all attempts and repeats of an
// experiment, or "" where no image is known that could have said something.
func (r *Run) ConsoleFile(e Experiment) string {
	i := slices.IndexFunc(r.Firmware, func(f Firmware) bool { return f.Digest == e.Firmware })
	if i < 0 {
		return ""
	}
	return filepath.Join(consoleDir, slug(strings.Join([]string{e.Board, e.Suite, r.Firmware[i].Target, e.Name}, " "))+".log")
}

// ConsoleTail reads the last n bytes of an experiment's console, and tells how many there are.
func (r *Run) ConsoleTail(e Experiment, n int64) (tail []byte, size int64, err error) {
	file := r.ConsoleFile(e)
	if file == "" {
		return nil, 0, nil
	}
	f, err := r.open(file)
	if os.IsNotExist(err) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, fmt.Errorf("load console: %w", err)
	}
	defer f.Close()
	if size, err = f.Seek(0, io.SeekEnd); err == nil {
		_, err = f.Seek(max(size-n, 0), io.SeekStart)
	}
	if err == nil {
		tail, err = io.ReadAll(io.LimitReader(f, n))
	}
	if err != nil {
		return nil, 0, fmt.Errorf("load console: %w", err)
	}
	return tail, size, nil
}

// open opens a file of the bundle that the run names.
func (r *Run) open(file string) (*os.File, error) {
	if !filepath.IsLocal(file) {
		return nil, &FormatError{file, ErrForeign}
	}
	return os.Open(filepath.Join(r.dir, file))
}
