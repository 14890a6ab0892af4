package esp32c3

import (
	"bytes"
	"compress/flate"
	"compress/zlib"
	"io"
	"testing"
)

// inflateAll inflates by pieces of input and output of the given sizes, into a
// window that wraps.
func inflateAll(in []byte, piece, window int) (out []byte, st inflateStatus) {
	z := newInflater(true)
	buf := make([]byte, window)
	next := 0
	for at := 0; ; {
		end := min(at+piece, len(in))
		used, made, st := z.run(in[at:end], buf, next, true)
		at += used
		out = append(out, buf[next:next+made]...)
		next = (next + made) % window
		if st <= 0 || st == inflateMoreInput && end == len(in) || len(out) > 1<<20 {
			return out, st
		}
	}
}

// Streams of compress/flate at all of its levels, cut as a wire cuts them.
func TestInflate(t *testing.T) {
	data := append(testData(70_000), bytes.Repeat([]byte("abc"), 30_000)...)
	for _, level := range []int{flate.HuffmanOnly, flate.NoCompression, flate.BestSpeed, flate.BestCompression} {
		var b bytes.Buffer
		w, err := zlib.NewWriterLevel(&b, level)
		if err != nil {
			t.Fatal(err)
		}
		w.Write(data)
		w.Close()
		for _, piece := range []int{1, 7, 1024, len(b.Bytes())} {
			if got, st := inflateAll(b.Bytes(), piece, windowSize); st != inflateEnd || !bytes.Equal(got, data) {
				t.Errorf("level %d by %d: status %d, %d bytes", level, piece, st, len(got))
			}
		}
	}
}

// What compress/zlib says of any stream is what the inflater says; where both
// fail, it may have made less or more by then.
func FuzzInflate(f *testing.F) {
	f.Add(deflated([]byte("hello hello hello")), 5)
	f.Add(deflated(testData(3000)), 100)
	f.Add([]byte{0x78, 0x9C, 0x63, 0, 0, 0, 1, 0, 1}, 1)
	f.Fuzz(func(t *testing.T, in []byte, piece int) {
		if piece < 1 || piece > 1<<16 {
			return
		}
		got, st := inflateAll(in, piece, windowSize)
		r, err := zlib.NewReader(bytes.NewReader(in))
		var want []byte
		if err == nil {
			want, err = io.ReadAll(io.LimitReader(r, 1<<20))
		}
		if (err == nil) != (st == inflateEnd) && len(want) < 1<<20 {
			t.Fatalf("status %d, zlib says %v", st, err)
		}
		if err == nil && len(want) < 1<<20 && !bytes.Equal(got, want) {
			t.Fatalf("%d bytes differ from zlib's %d", len(got), len(want))
		}
	})
}
