// Mkimages builds the firmware images and their manifest, or with -check
// builds them somewhere else and compares. It runs in the module's root; make
// firmware and make firmware-check give it the toolchain.
//
// Images don't depend on where they are built: debug information goes, and with it
// all paths. They do depend on the toolchain's versions, which the manifest
// records.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"rigor/firmware/images"
)

// A variant is one image to build.
type variant struct {
	name    string
	program string
	chip    chip
	clockHz uint32
	tags    string
	inC     []string // the sources of a program in C and its linker script
}

type chip struct {
	name   string
	target string   // of tinygo build, with options
	triple string   // in the names of Debian's packages
	files  []string // of this module, that the target names
	c      string   // options for programs in C
}

var (
	stm32f407 = chip{name: "stm32f407", target: "-target=stm32f4disco", triple: "arm-none-eabi"}
	esp32c3   = chip{name: "esp32c3", target: "-target=esp32c3-generic -serial=uart", triple: "riscv64-unknown-elf", c: "-march=rv32imc_zicsr -mabi=ilp32"}
	k210      = chip{
		name: "k210", target: "-target=firmware/board/k210.json", triple: "riscv64-unknown-elf",
		files: []string{"firmware/board/k210.json", "firmware/board/k210.ld"},
		c:     "-march=rv64imac_zicsr_zifencei -mabi=lp64 -mcmodel=medany",
	}
	chips = []chip{stm32f407, esp32c3, k210}
)

var variants = slices.Concat(programs, updated, planted())

var programs = []variant{
	{name: "echo-stm32f407", program: "echo", chip: stm32f407, clockHz: 168e6},
	{name: "latency-stm32f407-16mhz", program: "latency", chip: stm32f407, clockHz: 16e6, tags: "hsi16"},
	{name: "latency-stm32f407-168mhz", program: "latency", chip: stm32f407, clockHz: 168e6},
	{name: "latency-liar-stm32f407-16mhz", program: "latency", chip: stm32f407, clockHz: 16e6, tags: "hsi16 liar"},
	{name: "jitter-stm32f407-16mhz", program: "jitter", chip: stm32f407, clockHz: 16e6, tags: "hsi16"},
	{name: "jitter-stm32f407-168mhz", program: "jitter", chip: stm32f407, clockHz: 168e6},
	{name: "analog-stm32f407", program: "analog", chip: stm32f407, clockHz: 168e6},
	{name: "pwm-stm32f407-16mhz", program: "pwm", chip: stm32f407, clockHz: 16e6, tags: "hsi16"},
	{name: "pwm-stm32f407-168mhz", program: "pwm", chip: stm32f407, clockHz: 168e6},
	{name: "echo-esp32c3", program: "echo", chip: esp32c3, clockHz: 160e6},
	{name: "latency-esp32c3", program: "latency", chip: esp32c3, clockHz: 160e6},
	{name: "latency-liar-esp32c3", program: "latency", chip: esp32c3, clockHz: 160e6, tags: "liar"},
	{name: "jitter-esp32c3", program: "jitter", chip: esp32c3, clockHz: 160e6},
	{name: "jitter-stockidle-esp32c3", program: "jitter", chip: esp32c3, clockHz: 160e6, tags: "stockidle"},
	{name: "analog-esp32c3", program: "analog", chip: esp32c3, clockHz: 160e6},
	{name: "pwm-esp32c3", program: "pwm", chip: esp32c3, clockHz: 160e6},
	{name: "hub-esp32c3", program: "hub", chip: esp32c3, clockHz: 160e6},
	{name: "flasher-esp32c3", program: "flasher", chip: esp32c3, clockHz: 40e6, inC: []string{"flasher.c", "flasher.ld"}},
	{name: "echo-k210", program: "echo", chip: k210, clockHz: 390e6},
	{name: "latency-k210", program: "latency", chip: k210, clockHz: 390e6},
	{name: "latency-liar-k210", program: "latency", chip: k210, clockHz: 390e6, tags: "liar"},
	{name: "jitter-k210", program: "jitter", chip: k210, clockHz: 390e6},
	{name: "audio-k210", program: "audio", chip: k210, clockHz: 390e6},
	{name: "flasher-k210", program: "flasher", chip: k210, clockHz: 390e6, inC: []string{"flasher_k210.c", "flasher_k210.ld"}},
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("mkimages: ")
	tinygo := flag.String("tinygo", "tinygo", "the TinyGo `compiler`; TINYGOROOT must be set for it")
	dir := flag.String("o", "firmware/images", "`folder` of the images")
	check := flag.Bool("check", false, "compare with what is in the folder instead of writing there")
	only := flag.String("only", "", "build only the images whose names match this `expression`, and leave the others as they are")
	flag.Parse()
	which, err := regexp.Compile(*only)
	if err != nil {
		log.Fatal(err)
	}
	b := builder{tinygo: *tinygo, only: which}
	if *check {
		err = b.check(*dir)
	} else {
		err = b.build(*dir)
	}
	if err != nil {
		log.Fatal(err)
	}
}

type builder struct {
	tinygo string
	only   *regexp.Regexp // matches the names of those to build
}

// build makes the images and the manifest in dir. Of those that it doesn't build the
// manifest keeps what it had.
func (b builder) build(dir string) error {
	m := images.Manifest{Toolchains: map[string]images.Toolchain{}}
	old, err := b.kept(dir)
	if err != nil {
		return err
	}
	for _, c := range chips {
		t, err := b.toolchain(c)
		if err != nil {
			return err
		}
		m.Toolchains[c.name] = t
	}
	for _, v := range variants {
		if !b.only.MatchString(v.name) {
			i := slices.IndexFunc(old.Images, func(e images.Entry) bool { return e.Name == v.name })
			if i >= 0 {
				m.Images = append(m.Images, old.Images[i])
			}
			continue
		}
		e, err := b.image(v, dir)
		if err != nil {
			return fmt.Errorf("build %s: %w", v.name, err)
		}
		m.Images = append(m.Images, e)
	}
	text, err := json.MarshalIndent(m, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "manifest.json"), append(text, '\n'), 0o644)
}

// kept is the manifest of the images that are not built, none if all are.
func (b builder) kept(dir string) (images.Manifest, error) {
	if b.only.String() == "" {
		return images.Manifest{}, nil
	}
	return images.ReadManifest(os.DirFS(dir))
}

// image builds one image.
func (b builder) image(v variant, dir string) (images.Entry, error) {
	e := images.Entry{
		Name:    v.name,
		File:    v.name + ".elf",
		Program: v.program,
		Chip:    v.chip.name,
		ClockHz: v.clockHz,
		Options: fmt.Sprintf("%s -tags=%s", v.chip.target, strings.ReplaceAll(v.tags, " ", ",")),
	}
	sources, compile := b.sources, b.compile
	if len(v.inC) > 0 {
		e.Options, sources, compile = v.chip.c+cOptions, variant.cSources, compileC
	}
	var err error
	if e.Sources, err = sources(v); err != nil {
		return e, err
	}
	if e.SourceDigest, err = images.SourceDigest(os.DirFS("."), e.Options, e.Sources); err != nil {
		return e, err
	}
	out := filepath.Join(dir, e.File)
	if err := compile(v, e, out); err != nil {
		return e, err
	}
	data, err := os.ReadFile(out)
	e.Size, e.SHA256 = len(data), images.SHA256(data)
	return e, err
}

// compile makes the ELF file. The linker would align its sections to 64 KiB in
// the file, which only a system that maps files into memory needs.
func (b builder) compile(_ variant, e images.Entry, out string) error {
	args := append([]string{"build"}, strings.Fields(e.Options)...)
	args = append(args, "-o", out,
		"-ldflags", "-X rigor/firmware/board.sourceDigest="+e.SourceDigest+` -extldflags "-z max-page-size=32"`,
		"./firmware/"+e.Program)
	if _, err := output(b.tinygo, args...); err != nil {
		return err
	}
	_, err := output("llvm-objcopy-19", "--strip-debug", "--discard-locals", "--remove-section=.rel.*", "--remove-section=.comment", out)
	return err
}

// sources asks the go command which files of this module go into a program.
func (b builder) sources(v variant) ([]string, error) {
	args := append([]string{"list"}, strings.Fields(v.chip.target)...)
	list, err := output(b.tinygo, append(args, "-tags="+v.tags, "-deps", "-json", "./firmware/"+v.program)...)
	if err != nil {
		return nil, err
	}
	root, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	files := append([]string{"firmware/svd/" + v.chip.name + ".svd"}, v.chip.files...)
	for d := json.NewDecoder(bytes.NewReader(list)); ; {
		var p struct {
			Dir                                       string
			Module                                    struct{ Main bool }
			GoFiles, CgoFiles, CFiles, HFiles, SFiles []string
		}
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return files, nil
		} else if err != nil {
			return nil, fmt.Errorf("output of tinygo list: %w", err)
		}
		if !p.Module.Main {
			continue
		}
		dir, err := filepath.Rel(root, p.Dir)
		if err != nil {
			return nil, err
		}
		for _, names := range [][]string{p.GoFiles, p.CgoFiles, p.CFiles, p.HFiles, p.SFiles} {
			for _, name := range names {
				files = append(files, filepath.ToSlash(filepath.Join(dir, name)))
			}
		}
	}
}

var versionLine = regexp.MustCompile(`^tinygo version (\S+) .*using go version (\S+) and LLVM version (\S+)\)`)

func (b builder) toolchain(c chip) (images.Toolchain, error) {
	version, err := output(b.tinygo, "version")
	if err != nil {
		return images.Toolchain{}, err
	}
	m := versionLine.FindSubmatch(version)
	if m == nil {
		return images.Toolchain{}, fmt.Errorf("cannot read the version in %q", version)
	}
	gcc, err := output("dpkg-query", "-W", "-f", "${Version}", "gcc-"+c.triple)
	if err != nil {
		return images.Toolchain{}, err
	}
	picolibc, err := output("dpkg-query", "-W", "-f", "${Version}", "picolibc-"+c.triple)
	if err != nil {
		return images.Toolchain{}, err
	}
	return images.Toolchain{
		TinyGo: string(m[1]), Go: string(m[2]), LLVM: string(m[3]),
		GCC: string(gcc), Picolibc: string(picolibc),
	}, nil
}

// output runs a command and returns what it prints.
func output(name string, args ...string) ([]byte, error) {
	c := exec.Command(name, args...)
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, stderr.Bytes())
	}
	return out, nil
}
