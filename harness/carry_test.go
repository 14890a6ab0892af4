package harness

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"rigor/firmware/images"
	"rigor/harness/record"
)

// What an experiment needs is in the bundle when the experiment is, and is a folder of images
// that another run takes.
func TestRunnerCarriesImages(t *testing.T) {
	r := runner(t, honest(t))
	image := program(t)
	if _, err := r.Run(t.Context(), question(t)); err != nil {
		t.Fatal(err)
	}
	run, err := record.Load(r.Bundle.Dir())
	if err != nil {
		t.Fatal(err)
	}
	if got := run.Carried["firmware/"+image.File]; got != image.SHA256 {
		t.Errorf("carries %q, want %s", got, image.SHA256)
	}
	folder := filepath.Join(r.Bundle.Dir(), record.FirmwareDir)
	if err := images.Check(folder); err != nil {
		t.Error(err)
	}
	t.Setenv(images.FolderVariable, folder)
	if again, err := images.Open(image.Name); err != nil || again.Toolchain != image.Toolchain {
		t.Errorf("%+v, %v", again.Toolchain, err)
	}
}

// Boards run at once: none takes another's images out of the manifest.
func TestBoardsCarryAtOnce(t *testing.T) {
	bundle := runner(t, honest(t)).Bundle
	names := []string{"echo-stm32f407", "echo-esp32c3", "echo-k210"}
	var boards sync.WaitGroup
	for _, name := range names {
		image, err := images.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		boards.Go(func() {
			err := bundle.Update(func(run *record.Run) error { return carryImages(bundle, run, []images.Image{image}) })
			if err != nil {
				t.Error(err)
			}
		})
	}
	boards.Wait()
	m, err := images.ReadManifest(os.DirFS(filepath.Join(bundle.Dir(), record.FirmwareDir)))
	if err != nil || len(m.Images) != len(names) || len(m.Toolchains) != len(names) {
		t.Errorf("%d images of %d chips, %v", len(m.Images), len(m.Toolchains), err)
	}
}

func TestFilesAreCarried(t *testing.T) {
	root := t.TempDir()
	for file, text := range map[string]string{"go.mod": "module rigor\n", "rigs.yaml": "rigs:\n", "suites/limits.yaml": "limits:\n"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(root, file)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, file), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	files, err := ProjectFiles(filepath.Join(root, "suites"))
	if err != nil {
		t.Fatal(err)
	}
	bundle := runner(t, honest(t)).Bundle
	if err := files.Carry(bundle); err != nil {
		t.Fatal(err)
	}
	carried := files.Carried(bundle.Dir())
	for _, pair := range [][2]string{{files.Rigs, carried.Rigs}, {files.Limits, carried.Limits}} {
		want, err := os.ReadFile(pair[0])
		if err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(pair[1]); err != nil || string(got) != string(want) {
			t.Errorf("%s: %q, %v", pair[1], got, err)
		}
	}
	if carried.Root != root {
		t.Errorf("the project is %s, want %s", carried.Root, root)
	}
	files.Rigs = filepath.Join(root, "none")
	if err := files.Carry(runner(t, honest(t)).Bundle); err == nil {
		t.Error("carried a file that is not there")
	}
}

// A checkout says its commit, and whether anything in it is not of that.
func TestSources(t *testing.T) {
	dir := t.TempDir()
	if got := Sources(dir); got != "unknown" {
		t.Errorf("no clone: %q", got)
	}
	git := func(args ...string) string {
		out, err := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=t", "-c", "user.email=t@t"}, args...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	git("init", "-q")
	git("commit", "-q", "--allow-empty", "-m", "first")
	commit := git("rev-parse", "HEAD")[:12]
	if got := Sources(dir); got != commit {
		t.Errorf("clean: %q, want %q", got, commit)
	}
	if err := os.WriteFile(filepath.Join(dir, "new"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if got := Sources(dir); got != commit+"+changes" {
		t.Errorf("with a new file: %q", got)
	}
}
