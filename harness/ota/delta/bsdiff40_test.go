package delta

import (
	"bytes"
	"encoding/binary"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"rigor/firmware/ota/patch"
)

var update = flag.Bool("update", false, "make the patches in testdata with bsdiff, which must be there")

// classics are made of the same base by Debian's bsdiff 4.3.
var classics = []struct {
	name  string
	image func(base []byte) []byte
}{
	{"changed", func(base []byte) []byte {
		image := bytes.Join([][]byte{base[:1000], program(2, 100), base[1000:3000], base[500:700], base[3010:]}, nil)
		for i := 1500; i < 2500; i += 20 {
			image[i] += 8
		}
		return image
	}},
	{"same", func(base []byte) []byte { return base }},
	{"other", func([]byte) []byte { return program(3, 300) }},
	{"exchanged", func(base []byte) []byte { return append(bytes.Clone(base[2500:]), base[:2500]...) }},
}

func classicFile(t *testing.T, name string) []byte {
	t.Helper()
	file, err := os.ReadFile(filepath.Join("testdata", name+".bsdiff"))
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func TestApplyBSDIFF40(t *testing.T) {
	base := program(1, 5000)
	for _, c := range classics {
		t.Run(c.name, func(t *testing.T) {
			want := c.image(base)
			if *update {
				makeClassic(t, c.name, base, want)
			}
			image, stretches, err := ApplyBSDIFF40(classicFile(t, c.name), base)
			if err != nil || !bytes.Equal(image, want) {
				t.Fatalf("%d bytes, %v; want the image of %d", len(image), err, len(want))
			}
			payload, err := patch.Encode(base, image, stretches)
			if err != nil {
				t.Fatal(err)
			}
			if got := applied(t, payload, base, len(want)); !bytes.Equal(got, want) {
				t.Errorf("packed anew it makes another image, of %d bytes", len(got))
			}
		})
	}
}

// makeClassic has bsdiff make a patch.
func makeClassic(t *testing.T, name string, base, image []byte) {
	t.Helper()
	dir := t.TempDir()
	from, to := filepath.Join(dir, "base"), filepath.Join(dir, "image")
	if err := errors.Join(os.WriteFile(from, base, 0o644), os.WriteFile(to, image, 0o644), os.MkdirAll("testdata", 0o755)); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("bsdiff", from, to, filepath.Join("testdata", name+".bsdiff")).CombinedOutput(); err != nil {
		t.Fatalf("bsdiff: %v\n%s", err, out)
	}
}

func TestBSDIFF40Refused(t *testing.T) {
	base := program(1, 5000)
	file := classicFile(t, "changed")
	with := func(off int, v uint64) []byte {
		f := bytes.Clone(file)
		binary.LittleEndian.PutUint64(f[off:], v)
		return f
	}
	const negative = 1 << 63
	size := binary.LittleEndian.Uint64(file[24:])
	for _, c := range []struct {
		name string
		file []byte
		base []byte
		want error
	}{
		{"nothing", nil, base, ErrNotBSDIFF40},
		{"a head that is short", file[:31], base, ErrNotBSDIFF40},
		{"another magic", append([]byte("BSDIFF41"), file[8:]...), base, ErrNotBSDIFF40},
		{"control of negative length", with(8, negative|1), base, patch.Malformed},
		{"control past the end", with(8, uint64(len(file))), base, patch.Malformed},
		{"control of most length", with(8, negative-1), base, patch.Malformed},
		{"differences of negative length", with(16, negative|1), base, patch.Malformed},
		{"lengths whose sum is too large", with(16, negative-1), base, patch.Malformed},
		{"image of negative size", with(24, negative|1), base, patch.OutsideTarget},
		{"image that is too large", with(24, MaxImage+1), base, patch.OutsideTarget},
		{"image of a byte less", with(24, size-1), base, patch.OutsideTarget},
		{"image of a byte more", with(24, size+1), base, patch.ShortOutput},
		{"a base that is too short", file, base[:3000], patch.OutsideBase},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, _, err := ApplyBSDIFF40(c.file, c.base); !errors.Is(err, c.want) {
				t.Errorf("error %v, want %v", err, c.want)
			}
		})
	}
}

// Control triples that no bsdiff makes, with streams that are long enough.
func TestTriplesRefused(t *testing.T) {
	const most, least = 1<<63 - 1, 1 << 63
	for _, c := range []struct {
		name    string
		triples []uint64
		want    error
	}{
		{"negative differences", []uint64{least | 1, 0, 0}, patch.Malformed},
		{"negative extra bytes", []uint64{0, least | 1, 0}, patch.Malformed},
		{"most differences", []uint64{most, 0, 0}, patch.OutsideTarget},
		{"most of both", []uint64{most, most, 0}, patch.OutsideTarget},
		{"a sum past the end", []uint64{1, 1000, 0}, patch.OutsideTarget},
		{"a step before the base", []uint64{1, 0, least | 2, 1, 0, 0}, patch.OutsideBase},
		{"a step after the base", []uint64{1, 0, 100, 1, 0, 0}, patch.OutsideBase},
		{"the largest step", []uint64{1, 0, most}, patch.OutsideBase},
		{"the smallest step", []uint64{1, 0, least | most}, patch.OutsideBase},
		{"over the base's end", []uint64{101, 0, 0}, patch.OutsideBase},
		{"too few", []uint64{100, 0, 0}, patch.ShortOutput},
		{"half of one", []uint64{100}, patch.ShortOutput},
	} {
		t.Run(c.name, func(t *testing.T) {
			var control []byte
			for _, v := range c.triples {
				control = binary.LittleEndian.AppendUint64(control, v)
			}
			some := func() *bytes.Reader { return bytes.NewReader(make([]byte, 2000)) }
			patched := classic{control: bytes.NewReader(control), diff: some(), extra: some(), size: 1000}
			if _, _, err := patched.apply(make([]byte, 100)); !errors.Is(err, c.want) {
				t.Errorf("error %v, want %v", err, c.want)
			}
		})
	}
}

// Whatever the file, no more than an image of its size comes out, and how it is
// alike with the base can be encoded.
func FuzzApplyBSDIFF40(f *testing.F) {
	base := program(1, 5000)
	for _, c := range classics {
		file, err := os.ReadFile(filepath.Join("testdata", c.name+".bsdiff"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(file)
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		image, stretches, err := ApplyBSDIFF40(file, base)
		if err != nil || len(image) > 1<<20 {
			return
		}
		if _, err := patch.Encode(base, image, stretches); err != nil {
			t.Error(err)
		}
	})
}
