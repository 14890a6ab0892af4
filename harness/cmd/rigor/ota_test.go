package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rigor/firmware/images"
)

// workshop is a folder with keys and the files of a chip's programs.
type workshop struct {
	t   *testing.T
	dir string
}

func newWorkshop(t *testing.T, chip string) *workshop {
	t.Helper()
	w := &workshop{t: t, dir: t.TempDir()}
	first, second := chip, chip
	if chip == "stm32f407" {
		first, second = chip+"-slot0", chip+"-slot1"
	}
	for file, image := range map[string]string{"boot.elf": "otaboot-" + chip, "v1.elf": "ota-" + first, "v2.elf": "ota-1.1.0-" + second} {
		i, err := images.Open(image)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(w.path(file), i.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, key := range []string{"release", "spare"} {
		w.ok("keygen " + key)
	}
	return w
}

func (w *workshop) path(name string) string { return filepath.Join(w.dir, name) }

// kinds are the files that commands read and write.
var kinds = []string{".elf", ".pem", ".rota", ".hex", ".bin", ".payload", ".bsdiff"}

// ota runs rigor ota. Words that look like files are those of the folder.
func (w *workshop) ota(line string) outcome {
	w.t.Helper()
	words := strings.Fields(line)
	for i, word := range words {
		if slices.Contains(kinds, filepath.Ext(word)) || i > 0 && words[0] == "keygen" {
			words[i] = w.path(word)
		}
	}
	return rigor(w.t, append([]string{"ota"}, words...)...)
}

// ok runs what must succeed.
func (w *workshop) ok(line string) string {
	w.t.Helper()
	o := w.ota(line)
	o.want(w.t, exitOK)
	return o.stdout
}

// From nothing to an update, as rigor ota --help has it.
func TestOTA(t *testing.T) {
	for chip, board := range map[string]string{"stm32f407": "f407", "esp32c3": "c3", "k210": "k210"} {
		t.Run(chip, func(t *testing.T) {
			w := newWorkshop(t, chip)
			w.ok("pack v1.elf --chip " + chip + " --version 1.0.0 --key release.pem -o v1.rota")
			w.ok("factory boot.elf v1.rota --public release.pub.pem --public spare.pub.pem -o factory.hex")
			w.ok("pack v2.elf --chip " + chip + " --version 1.1.0 --base v1.elf --base-version 1.0.0 --key release.pem -o v2.rota")
			if text := w.ok("inspect v2.rota --public release.pub.pem --base v1.rota"); strings.Count(text, "good") != 4 {
				t.Errorf("inspect: %s", text)
			}
			o := w.ota("push v2.rota --factory factory.hex --json")
			o.want(t, exitOK, "start it on trial", board+": the board runs version 1.1.0 in slot 1, confirmed")
			var result struct {
				Version string
				Slot    int
			}
			if err := json.Unmarshal([]byte(o.stdout), &result); err != nil || result.Version != "1.1.0" || result.Slot != 1 {
				t.Errorf("got %s, %v", o.stdout, err)
			}
		})
	}
}

func TestOTARefused(t *testing.T) {
	w := newWorkshop(t, "k210")
	w.ok("pack v1.elf --chip k210 --version 1.0.0 --key release.pem -o v1.rota")
	w.ok("factory boot.elf v1.rota --public release.pub.pem -o factory.hex")
	w.ok("pack v2.elf --chip k210 --version 1.1.0 --base v1.rota --key spare.pem -o v2.rota")
	w.ota("inspect v2.rota --public release.pub.pem").want(t, exitWanting, "a board would refuse")
	w.ota("push v2.rota --factory factory.hex").want(t, exitWanting, "[bad-signature]")
	w.ok("sign v2.rota --key release.pem")
	w.ok("inspect v2.rota --public release.pub.pem")
	w.ota("push v2.rota").want(t, exitSetup, "give --factory")
}

// A payload that was made alone goes into a package.
func TestOTADiff(t *testing.T) {
	w := newWorkshop(t, "k210")
	w.ok("diff v1.elf v2.elf --chip k210 -o v2.payload")
	w.ok("pack v2.elf --chip k210 --version 1.1.0 --base v1.elf --base-version 1.0.0 --payload v2.payload -o v2.rota")
	o := w.ota("inspect v2.rota --base v1.elf --json")
	o.want(t, exitWanting)
	if strings.Count(o.stdout, `"good"`) != 3 || !strings.Contains(o.stdout, `"signature": "missing"`) {
		t.Errorf("inspect: %s", o.stdout)
	}
}

// What Debian's bsdiff 4.3 found to be alike in 5000 bytes, which are any, is packed again.
func TestOTADiffOfClassicPatch(t *testing.T) {
	w := &workshop{t: t, dir: t.TempDir()}
	for name, content := range map[string]string{
		"v1.bin": strings.Repeat("code", 1250), "v2.bsdiff": original(t, "harness/ota/delta/testdata/same.bsdiff"), "cut.bsdiff": "BSDIFF40",
	} {
		if err := os.WriteFile(w.path(name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if text := w.ok("diff v1.bin v2.bsdiff --chip k210 -o v2.payload"); !strings.Contains(text, "for a program of 5000") {
		t.Errorf("got %s", text)
	}
	w.ok("pack v1.bin --chip k210 --version 1.1.0 --base v1.bin --base-version 1.0.0 --payload v2.payload -o v2.rota")
	w.ota("diff v1.bin cut.bsdiff --chip k210 -o v3.payload").want(t, exitSetup, "read the classic patch")
	if _, err := os.Stat(w.path("v3.payload")); err == nil {
		t.Error("a payload was written all the same")
	}
}

// Keys are not overwritten, and files that are something else are told by name.
func TestOTARefusesFiles(t *testing.T) {
	w := newWorkshop(t, "k210")
	before, err := os.ReadFile(w.path("release.pem"))
	if err != nil {
		t.Fatal(err)
	}
	w.ota("keygen release").want(t, exitSetup, "release.pem", "exists")
	if after, err := os.ReadFile(w.path("release.pem")); err != nil || !bytes.Equal(after, before) {
		t.Errorf("a key was overwritten: %v", err)
	}
	for line, want := range map[string]string{
		"pack v1.elf --chip k210 --version 1.0.0 --key release.pub.pem -o x.rota": "no Ed25519 private key",
		"pack v1.elf --chip k210 --version one -o x.rota":                         "want major.minor.patch",
		"pack v1.elf --chip esp32c3 --version 1.0.0 -o x.rota":                    "image is for EM_RISCV (ELFCLASS64)",
		"pack boot.elf --chip k210 --version 1.0.0 -o x.rota":                     "a boot program expects",
		"pack v2.elf --chip k210 --version 1.1.0 --base v1.elf -o x.rota":         "without --base-version",
		"pack v1.elf --chip k210 --version 1.0.0 --revoke 9 -o x.rota":            "a board has keys 0 to 3",
		"pack v1.elf --chip k210 --version 1.0.0 --revoke -1 -o x.rota":           "expected",
		"inspect v1.elf":                "not a package",
		"sign v1.elf --key release.pem": "not a package",
		"inspect v1.elf --flash k210":   "bytes of flash",
	} {
		w.ota(line).want(t, exitSetup, want)
	}
	if _, err := os.Stat(w.path("x.rota")); err == nil {
		t.Error("a package was written all the same")
	}
}
