package images

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// folderOf writes those of the built-in images whose names fit into a folder, as a bundle
// has them, and has it take their place.
func folderOf(t *testing.T, fit func(name string) bool) string {
	t.Helper()
	dir := t.TempDir()
	var m Manifest
	for _, name := range names(t) {
		if !fit(name) {
			continue
		}
		image, err := builtIn.open(name)
		if err != nil {
			t.Fatal(err)
		}
		m.Add(image)
		if err := os.WriteFile(filepath.Join(dir, image.File), image.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, ManifestFile), text, 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv(FolderVariable, dir)
	return dir
}

func ofLatency(name string) bool { return strings.HasPrefix(name, "latency-") }

// What a folder gives back is what went into it: bytes, entry and toolchain.
func TestFolder(t *testing.T) {
	want, err := builtIn.open("latency-esp32c3")
	if err != nil {
		t.Fatal(err)
	}
	dir := folderOf(t, ofLatency)
	if err := Check(dir); err != nil {
		t.Error(err)
	}
	got, err := Open("latency-esp32c3")
	if err != nil {
		t.Fatal(err)
	}
	if string(got.Data) != string(want.Data) || got.SHA256 != want.SHA256 || got.Toolchain != want.Toolchain || !slices.Equal(got.Sources, want.Sources) {
		t.Errorf("got %+v, want %+v", got.Entry, want.Entry)
	}
	if all := names(t); len(all) == 0 || !slices.IsSorted(all) || slices.ContainsFunc(all, func(n string) bool { return !ofLatency(n) }) {
		t.Errorf("names %v", all)
	}
}

// Nothing comes from the built-in images where the folder lacks it, and no suite asks less
// because of that.
func TestFolderLacks(t *testing.T) {
	dir := folderOf(t, func(name string) bool { return ofLatency(name) && name != "latency-stm32f407-168mhz" })
	if _, err := Open("echo-esp32c3"); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("an image that is built in: %v", err)
	}
	for _, program := range []string{"latency", "echo"} {
		_, err := For(program, "stm32f407")
		if err == nil || !strings.Contains(err.Error(), program+`-stm32f407`) || !strings.Contains(err.Error(), dir) {
			t.Errorf("%s: %v", program, err)
		}
	}
	if all, err := For("latency", "esp32c3"); err != nil || len(all) != 1 {
		t.Errorf("%d images, %v", len(all), err)
	}
	if all, err := For("nothing", "esp32c3"); err != nil || all != nil {
		t.Errorf("a program that nobody has: %v, %v", all, err)
	}
}

func TestCheckSaysAllThatIsWrong(t *testing.T) {
	dir := folderOf(t, ofLatency)
	if err := os.Remove(filepath.Join(dir, "latency-k210.elf")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "latency-esp32c3.elf"), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	err := Check(dir)
	for _, want := range []string{"latency-k210.elf: no such file", "sha256 of latency-esp32c3.elf is 2d711642"} { // printf x | sha256sum
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v\nlacks %q", err, want)
		}
	}
	if err := Check(t.TempDir()); err == nil || !strings.Contains(err.Error(), "manifest.json") {
		t.Errorf("an empty folder: %v", err)
	}
}

// Opened names each image once, whoever opened it.
func TestOpened(t *testing.T) {
	for range 2 {
		if _, err := Open("echo-k210"); err != nil {
			t.Fatal(err)
		}
	}
	n := 0
	for _, image := range Opened() {
		if image.Name == "echo-k210" {
			n++
		}
	}
	if n != 1 {
		t.Errorf("opened %d times, want once", n)
	}
}

func TestManifestAdd(t *testing.T) {
	a, b := Image{Entry: Entry{Name: "a", Chip: "k210"}, Toolchain: Toolchain{Go: "1"}}, Image{Entry: Entry{Name: "b", Chip: "esp32c3"}}
	again := a
	again.SHA256 = "1"
	var m Manifest
	m.Add(b)
	m.Add(a, again)
	if got := m.names(); !slices.Equal(got, []string{"a", "b"}) || m.Images[0].SHA256 != "1" || m.Toolchains["k210"].Go != "1" {
		t.Errorf("%+v", m)
	}
}
