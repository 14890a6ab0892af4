// Package images holds the built firmware, so that a rig without a cross
// compiler runs at once. The images are ELF files without debug information but
// with a symbol table, which traces use. make firmware builds them, with
// the command firmware/mkimages; make firmware-check proves that they are what
// the sources give.
//
// Only *.elf and the manifest beside this file are embedded. [FolderVariable] has
// another folder of the same kind take their place, such as what a run's
// bundle carries.
package images

import (
	"cmp"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"
)

//go:embed manifest.json *.elf
var embedded embed.FS

// ManifestFile describes the images of a folder, beside them.
const ManifestFile = "manifest.json"

// Manifest describes all images of one build.
type Manifest struct {
	Toolchains map[string]Toolchain `json:"toolchains"` // by chip
	Images     []Entry              `json:"images"`
}

// Toolchain is the versions of everything that decides about an image's bytes.
type Toolchain struct {
	TinyGo   string `json:"tinygo"`
	Go       string `json:"go"` // its standard library
	LLVM     string `json:"llvm"`
	GCC      string `json:"gcc"` // its libgcc, and for programs in C itself
	Picolibc string `json:"picolibc"`
}

// String names all versions on one line, for records.
func (t Toolchain) String() string {
	return fmt.Sprintf("tinygo %s, %s, llvm %s, libgcc %s, picolibc %s", t.TinyGo, t.Go, t.LLVM, t.GCC, t.Picolibc)
}

// Entry describes one image.
type Entry struct {
	Name         string   `json:"name"`
	File         string   `json:"file"`
	SHA256       string   `json:"sha256"`       // of the file, hexadecimal
	Size         int      `json:"size"`         // of the file in bytes
	Program      string   `json:"program"`      // folder under firmware/
	Chip         string   `json:"chip"`         // as in folder names
	ClockHz      uint32   `json:"clockHz"`      // core clock
	Options      string   `json:"options"`      // of tinygo build, or of GCC
	SourceDigest string   `json:"sourceDigest"` // see SourceDigest; the program's Hello carries it too
	Sources      []string `json:"sources"`      // what the digest covers, by path in the module
}

// Image is one image with its bytes, which are those that the manifest's
// SHA256 was made of.
type Image struct {
	Entry
	Toolchain Toolchain
	Data      []byte // an ELF file
}

// Open returns the image of that name, for example latency-stm32f407-16mhz.
func Open(name string) (Image, error) {
	image, err := current().open(name)
	if err == nil {
		note(image)
	}
	return image, err
}

// For returns the images of a program for a chip, the slowest first. Variants
// that have a name of their own, as the liar of latency does, are not among them.
// A folder in place of the embedded images must have all of those that they have:
// a suite that asks less because an image is missing would pass in silence.
func For(program, chip string) ([]Image, error) {
	names, err := current().namesFor(program, chip)
	if err != nil {
		return nil, err
	}
	want, err := builtIn.namesFor(program, chip)
	if err != nil {
		return nil, err
	}
	var all []Image
	for _, name := range union(names, want) {
		image, err := Open(name)
		if err != nil {
			return nil, err
		}
		all = append(all, image)
	}
	slices.SortStableFunc(all, func(a, b Image) int { return cmp.Compare(a.ClockHz, b.ClockHz) })
	return all, nil
}

// Names returns the names of all images, sorted.
func Names() ([]string, error) {
	m, err := current().manifest()
	if err != nil {
		return nil, err
	}
	return m.names(), nil
}

func (m Manifest) names() []string {
	var names []string
	for _, e := range m.Images {
		names = append(names, e.Name)
	}
	slices.Sort(names)
	return names
}

// ReadManifest reads manifest.json from a folder of images.
func ReadManifest(dir fs.FS) (Manifest, error) {
	var m Manifest
	text, err := fs.ReadFile(dir, ManifestFile)
	if err != nil {
		return m, fmt.Errorf("read firmware manifest: %w", err)
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return m, fmt.Errorf("read firmware manifest: %w", err)
	}
	return m, nil
}

// SHA256 is how the manifest writes a SHA-256 sum.
func SHA256(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// SourceDigest identifies what a program is built from: the SHA-256 over the
// build options and, in order of path, the path and SHA-256 of each source file. Sources are the
// files of the module's own packages that go into the program (Go and C, after build
// tags) and the chip's SVD file. The toolchain is not in it; see [Toolchain].
func SourceDigest(module fs.FS, options string, sources []string) (string, error) {
	h := sha256.New()
	fmt.Fprintln(h, options)
	for _, path := range slices.Sorted(slices.Values(sources)) {
		text, err := fs.ReadFile(module, path)
		if err != nil {
			return "", fmt.Errorf("digest of firmware sources: %w", err)
		}
		fmt.Fprintln(h, path, SHA256(text))
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
