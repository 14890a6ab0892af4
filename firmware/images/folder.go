package images

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
)

// FolderVariable is the variable of the environment that names a folder of
// images: it takes the place of all embedded ones, and nothing that it lacks
// comes from these.
const FolderVariable = "RIGOR_FIRMWARE"

// folder is one of images.
type folder struct {
	fs.FS
	name string // for messages
	cure string // what helps where it is not whole
}

var builtIn = folder{embedded, "the harness", "run make firmware, or restore the files with git"}

// at is the folder of images at dir.
func at(dir string) folder {
	return folder{os.DirFS(dir), dir, "take a folder that is whole, as make firmware leaves one and a run's bundle has one"}
}

// current is the folder that images come from.
func current() folder {
	if dir := os.Getenv(FolderVariable); dir != "" {
		return at(dir)
	}
	return builtIn
}

// Check reads all images of a folder, and says of each that is missing, or not what
// its manifest says, what is wrong.
func Check(dir string) error {
	f := at(dir)
	m, err := f.manifest()
	if err != nil {
		return err
	}
	var errs []error
	for _, name := range m.names() {
		_, err := f.open(name)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func (f folder) manifest() (Manifest, error) {
	m, err := ReadManifest(f.FS)
	if err != nil {
		return m, fmt.Errorf("images of %s: %w: %s", f.name, err, f.cure)
	}
	return m, nil
}

func (f folder) open(name string) (Image, error) {
	fail := func(err error) (Image, error) {
		return Image{}, fmt.Errorf("open firmware image %q of %s: %w", name, f.name, err)
	}
	m, err := f.manifest()
	if err != nil {
		return Image{}, err
	}
	i := slices.IndexFunc(m.Images, func(e Entry) bool { return e.Name == name })
	if i < 0 {
		return fail(fmt.Errorf("there is no such image, only %s", cmp.Or(strings.Join(m.names(), ", "), "none")))
	}
	img := Image{Entry: m.Images[i]}
	img.Toolchain = m.Toolchains[img.Chip]
	if img.Data, err = fs.ReadFile(f, img.File); err != nil {
		return fail(fmt.Errorf("%w: %s", err, f.cure))
	}
	if got := SHA256(img.Data); got != img.SHA256 {
		return fail(fmt.Errorf("sha256 of %s is %s, the manifest has %s: %s", img.File, got, img.SHA256, f.cure))
	}
	return img, nil
}

// namesFor are those of the images of a program for a chip, sorted.
func (f folder) namesFor(program, chip string) ([]string, error) {
	m, err := f.manifest()
	if err != nil {
		return nil, err
	}
	stem := program + "-" + chip
	return slices.DeleteFunc(m.names(), func(name string) bool {
		return name != stem && !strings.HasPrefix(name, stem+"-")
	}), nil
}

func union(a, b []string) []string {
	all := slices.Sorted(slices.Values(slices.Concat(a, b)))
	return slices.Compact(all)
}

// opened are the images that this process has opened.
var opened struct {
	sync.Mutex
	images []Image
}

func note(image Image) {
	opened.Lock()
	defer opened.Unlock()
	if !slices.ContainsFunc(opened.images, func(o Image) bool { return o.SHA256 == image.SHA256 && o.Name == image.Name }) {
		opened.images = append(opened.images, image)
	}
}

// Opened gives the images that this process has opened, in the order in which it first
// did: what a repetition of its work needs.
func Opened() []Image {
	opened.Lock()
	defer opened.Unlock()
	return slices.Clone(opened.images)
}

// Add puts images into a manifest.
func (m *Manifest) Add(images ...Image) {
	if m.Toolchains == nil {
		m.Toolchains = map[string]Toolchain{}
	}
	for _, i := range images {
		m.Images = slices.DeleteFunc(m.Images, func(e Entry) bool { return e.Name == i.Name })
		m.Images = append(m.Images, i.Entry)
		m.Toolchains[i.Chip] = i.Toolchain
	}
	slices.SortFunc(m.Images, func(a, b Entry) int { return strings.Compare(a.Name, b.Name) })
}

// Encode is the text of manifest.json.
func (m *Manifest) Encode() ([]byte, error) {
	text, err := json.MarshalIndent(m, "", "  ")
	return append(text, '\n'), err
}
