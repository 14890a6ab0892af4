package conform

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"iter"
	"os"
)

// longestLine bounds a record; the longest published vector has some 200 kB.
const longestLine = 4 << 20

// open opens a vector file, unpacking gzip whatever the file is called.
func open(file string) (io.ReadCloser, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	r, err := unpacked(f)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return struct {
		io.Reader
		io.Closer
	}{r, f}, nil
}

func unpacked(r io.Reader) (io.Reader, error) {
	b := bufio.NewReader(r)
	if magic, _ := b.Peek(2); !bytes.Equal(magic, []byte{0x1F, 0x8B}) {
		return b, nil
	}
	return gzip.NewReader(b)
}

// records parses a text line by line, passing over empty lines. Errors carry name:line and end the sequence.
func records[T any](name string, r io.Reader, parse func(line int, text []byte) (T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		s := bufio.NewScanner(r)
		s.Buffer(make([]byte, 64<<10), longestLine)
		line := 0
		for s.Scan() {
			line++
			if len(bytes.TrimSpace(s.Bytes())) == 0 {
				continue
			}
			v, err := parse(line, s.Bytes())
			if err != nil {
				err = fmt.Errorf("%s:%d: %w", name, line, err)
			}
			if !yield(v, err) || err != nil {
				return
			}
		}
		if err := s.Err(); err != nil {
			var none T
			yield(none, fmt.Errorf("%s:%d: %w", name, line+1, err))
		}
	}
}
