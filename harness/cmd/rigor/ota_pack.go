package main

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	wireota "rigor/firmware/wire/ota"
	"rigor/harness/ota"
	"rigor/harness/wholefile"
)

// otaProgram is a program on the command line, and its base.
type otaProgram struct {
	Chip        string `required:"" enum:"stm32f407,esp32c3,k210" placeholder:"NAME" help:"stm32f407, esp32c3 or k210."`
	Base        string `type:"existingfile" placeholder:"FILE" help:"Program that the board runs, as ELF, as bytes of its slot or as a package that is no difference."`
	BaseVersion string `placeholder:"X.Y.Z" help:"Version of the base, unless that is a package."`
}

// read reads a program of any of the forms.
func (c *otaProgram) read(file, version string) (*ota.Program, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	if p, err := ota.ReadPackage(text); err == nil {
		return c.unpack(file, p)
	}
	v, err := ota.ParseVersion(version)
	if err != nil {
		return nil, err
	}
	p, err := ota.ReadProgram(text, c.Chip, v)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return p, nil
}

func (c *otaProgram) unpack(file string, p *ota.Package) (*ota.Program, error) {
	program, err := ota.Unpack(p, nil)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if program.Chip() != c.Chip {
		return nil, fmt.Errorf("%s is for the %s, not the %s", file, program.Chip(), c.Chip)
	}
	return program, nil
}

// base is the base; nil: there is none.
func (c *otaProgram) base() (*ota.Program, error) {
	if c.Base == "" {
		return nil, nil
	}
	p, err := c.read(c.Base, c.BaseVersion)
	if err != nil && c.BaseVersion == "" {
		return nil, fmt.Errorf("read the base without --base-version: %w", err)
	}
	return p, err
}

type otaPackCmd struct {
	otaProgram
	Image   string  `arg:"" type:"existingfile" help:"Program: ELF, or the bytes of its slot."`
	Version string  `required:"" placeholder:"X.Y.Z" help:"Its version; boards take newer ones only."`
	Counter uint32  `placeholder:"N" help:"Rollback counter: a board that has confirmed N takes nothing lower, whatever its version (default: 0)."`
	Payload string  `type:"existingfile" placeholder:"FILE" help:"Payload made by rigor ota diff for the same base (default: made here)."`
	Key     string  `type:"existingfile" placeholder:"FILE" help:"Private key to sign with (default: unsigned, for rigor ota sign)."`
	Index   uint8   `placeholder:"N" help:"Place of the key among the board's, from 0 (default: 0)."`
	Revoke  []uint8 `placeholder:"N" help:"Place of a key that boards trust no more once they have confirmed this; may be repeated."`
	Out     string  `short:"o" required:"" type:"path" placeholder:"FILE" help:"Package to write, by custom *.rota."`
}

func (*otaPackCmd) Help() string {
	return "A package is a manifest, which says what for, from what and to what, and a payload. With --base that is a difference,\n" +
		"often a few per cent of the program, which only a board takes that runs exactly the base; without, it is the program,\n" +
		"compressed, for a board that runs any.\n\n" +
		"Which slot a program of an stm32f407 is linked to is seen from its addresses; base and program have different ones.\n\n" +
		"The exit status is 0 if the package was written, 2 if not."
}

// Run makes the package.
func (c *otaPackCmd) Run() error {
	base, err := c.base()
	if err != nil {
		return err
	}
	program, err := c.read(c.Image, c.Version)
	if err != nil {
		return err
	}
	o := ota.Options{Counter: c.Counter, Key: c.Index, Base: base}
	for _, k := range c.Revoke {
		if k >= ota.MaxKeys {
			return fmt.Errorf("--revoke %d: a board has keys 0 to %d", k, ota.MaxKeys-1)
		}
		o.Revoke |= 1 << k
	}
	if c.Payload != "" {
		if o.Payload, err = os.ReadFile(c.Payload); err != nil {
			return err
		}
	}
	p, err := ota.Pack(program, o)
	if err != nil {
		return err
	}
	if c.Key != "" {
		key, err := ota.ReadPrivateKey(c.Key)
		if err != nil {
			return err
		}
		p.Sign(key)
	}
	return writePackage(c.Out, p, base)
}

// writePackage writes a package and says what it is.
func writePackage(name string, p *ota.Package, base *ota.Program) error {
	r, err := ota.Inspect(p, nil, base)
	if err != nil {
		return err
	}
	if r.Image == ota.Bad {
		return fmt.Errorf("the payload does not give the program: %s", r.Problem)
	}
	if err := wholefile.WriteBytes(name, p.Bytes()); err != nil {
		return err
	}
	fmt.Printf("%s: update %s, %s for the %s, version %s, payload %s of the program\n",
		name, r.ID, r.Kind, r.Chip, r.Version, perCent(len(p.Payload), int(r.ImageSize)))
	if r.Signature == ota.Missing {
		fmt.Println("It is not signed: boards refuse it until `rigor ota sign` has.")
	}
	return nil
}

type otaSignCmd struct {
	Package string `arg:"" type:"existingfile" help:"Package of rigor ota pack."`
	Key     string `required:"" type:"existingfile" placeholder:"FILE" help:"Private key, in PEM."`
	Out     string `short:"o" type:"path" placeholder:"FILE" help:"Package to write (default: in place)."`
}

func (*otaSignCmd) Help() string {
	return "What is signed is \"ota-v2:\" and the manifest up to its signature, which has the payload's digest, the base's and the\n" +
		"result's in it. A signature that is there is replaced; it must be by the key whose place the manifest names\n" +
		"(--index of rigor ota pack).\n\n" +
		"The exit status is 0 if the package was written, 2 if not."
}

// Run signs.
func (c *otaSignCmd) Run() error {
	p, err := readPackage(c.Package)
	if err != nil {
		return err
	}
	key, err := ota.ReadPrivateKey(c.Key)
	if err != nil {
		return err
	}
	if _, err := p.Decode(); err != nil {
		return fmt.Errorf("%s: %w", c.Package, err)
	}
	p.Sign(key)
	if c.Out == "" {
		c.Out = c.Package
	}
	return wholefile.WriteBytes(c.Out, p.Bytes())
}

func readPackage(file string) (*ota.Package, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	p, err := ota.ReadPackage(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return p, nil
}

type otaDiffCmd struct {
	Chip string `required:"" enum:"stm32f407,esp32c3,k210" placeholder:"NAME" help:"stm32f407, esp32c3 or k210."`
	Old  string `arg:"" type:"existingfile" help:"Program that the board runs: ELF, bytes of its slot, or a package that is no difference."`
	New  string `arg:"" type:"existingfile" help:"Program that it shall run, in the same forms, or a patch that bsdiff made of the two slots' bytes."`
	Out  string `short:"o" required:"" type:"path" placeholder:"FILE" help:"Payload to write, for rigor ota pack --payload."`
}

func (*otaDiffCmd) Help() string {
	return "rigor ota pack --base does this too; alone, it tells how well a difference does, and takes patches of other tools of the\n" +
		"bsdiff family. Those work on the bytes of a slot, not on ELF:\n\n" +
		"  rigor ota image v1.elf --chip k210 -o v1.bin\n" +
		"  rigor ota image v2.elf --chip k210 -o v2.bin\n" +
		"  bsdiff v1.bin v2.bin v2.bsdiff\n" +
		"  rigor ota diff v1.bin v2.bsdiff --chip k210 -o v2.payload\n\n" +
		"The exit status is 0 if the payload was written, 2 if not."
}

// anyVersion is for what does not depend on versions.
const anyVersion = "0.0.1"

// Run makes a payload.
func (c *otaDiffCmd) Run() error {
	old, err := (&otaProgram{Chip: c.Chip}).read(c.Old, anyVersion)
	if err != nil {
		return err
	}
	payload, program, err := c.payload(old)
	if err != nil {
		return fmt.Errorf("%s: %w", c.New, err)
	}
	if err := wholefile.WriteBytes(c.Out, payload); err != nil {
		return err
	}
	fmt.Printf("%s: %d bytes for a program of %d, %s\n", c.Out, len(payload), len(program.Image), perCent(len(payload), len(program.Image)))
	return nil
}

func (c *otaDiffCmd) payload(old *ota.Program) ([]byte, *ota.Program, error) {
	text, err := os.ReadFile(c.New)
	if err != nil {
		return nil, nil, err
	}
	if bytes.HasPrefix(text, []byte("BSDIFF40")) {
		return ota.Repack(old, text)
	}
	program, err := (&otaProgram{Chip: c.Chip}).read(c.New, anyVersion)
	if err != nil {
		return nil, nil, err
	}
	payload, err := ota.Diff(old, program)
	return payload, program, err
}

func perCent(part, whole int) string {
	permille := 1000 * part / max(whole, 1)
	return fmt.Sprintf("%d.%d %%", permille/10, permille%10)
}

type otaImageCmd struct {
	Chip    string `required:"" enum:"stm32f407,esp32c3,k210" placeholder:"NAME" help:"stm32f407, esp32c3 or k210."`
	Program string `arg:"" type:"existingfile" help:"Program: ELF, or a package that is no difference."`
	Out     string `short:"o" required:"" type:"path" placeholder:"FILE" help:"File to write."`
}

func (*otaImageCmd) Help() string {
	return "What lies in a slot is what digests are of, and what tools of the bsdiff family work on. The exit status is 0 if it was\n" +
		"written, 2 if not."
}

// Run writes the bytes.
func (c *otaImageCmd) Run() error {
	p, err := (&otaProgram{Chip: c.Chip}).read(c.Program, anyVersion)
	if err != nil {
		return err
	}
	return wholefile.WriteBytes(c.Out, p.Image)
}

type otaFactoryCmd struct {
	Boot    string   `arg:"" type:"existingfile" help:"Boot program: ELF, Intel hex or raw binary."`
	Package string   `arg:"" type:"existingfile" help:"First program: a signed package without a base."`
	Public  []string `required:"" type:"existingfile" placeholder:"FILE" help:"Public key that the board trusts, in the order of their places; may be repeated, up to 4 times."`
	Out     string   `short:"o" required:"" type:"path" placeholder:"FILE" help:"Intel hex to write, for rigor flash."`
}

func (*otaFactoryCmd) Help() string {
	return "The file holds the boot program, the keys, the first program with its manifest, and what has the journal of an earlier\n" +
		"life erased. Keys are at the places 0 to 3 in the order given. Give at least two and lock the second's private key\n" +
		"away: an update signed with it can revoke the first, should that be stolen.\n\n" +
		"The exit status is 0 if the file was written, 2 if not."
}

// Run makes the hex file.
func (c *otaFactoryCmd) Run() error {
	boot, err := os.ReadFile(c.Boot)
	if err != nil {
		return err
	}
	p, err := readPackage(c.Package)
	if err != nil {
		return err
	}
	keys, err := publicKeys(c.Public)
	if err != nil {
		return err
	}
	text, err := ota.Factory(boot, keys, p)
	if err != nil {
		return err
	}
	return wholefile.WriteBytes(c.Out, text)
}

func publicKeys(files []string) (keys []ed25519.PublicKey, err error) {
	for _, file := range files {
		key, err := ota.ReadPublicKey(file)
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, nil
}

type otaInspectCmd struct {
	File   string   `arg:"" type:"existingfile" help:"Package, or a copy of a chip's flash."`
	Public []string `type:"existingfile" placeholder:"FILE" help:"Public key to check the signature by: the only one, or several in the order of their places."`
	Base   string   `type:"existingfile" placeholder:"FILE" help:"Base of a difference, to try it: ELF, bytes of its slot, or a package that is no difference."`
	Flash  string   `enum:",stm32f407,esp32c3,k210" default:"" placeholder:"CHIP" help:"The file is a copy of this chip's flash, from its start: stm32f407, esp32c3 or k210."`
	JSON   bool     `name:"json" help:"Print JSON."`
}

func (*otaInspectCmd) Help() string {
	return "Prints what a package's manifest says, and whether payload, base, result and signature are what it says. What cannot be\n" +
		"checked without --public or --base is marked so.\n\n" +
		"With --flash it prints what a board's flash holds: keys, the journal's entry in force, what lies in the slots, and what\n" +
		"the boot program would do.\n\n" +
		"The exit status is 0 if nothing is wrong, 1 if a board would refuse the package or boot nothing, 2 if the file is no such\n" +
		"file."
}

// Run prints.
func (c *otaInspectCmd) Run() error {
	if c.Flash != "" {
		return c.flash()
	}
	p, err := readPackage(c.File)
	if err != nil {
		return err
	}
	keys, err := publicKeys(c.Public)
	if err != nil {
		return err
	}
	base, err := c.base(p)
	if err != nil {
		return err
	}
	r, err := ota.Inspect(p, keys, base)
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	return c.print(r, r.OK(), "a board would refuse this package")
}

func (c *otaInspectCmd) flash() error {
	text, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	d, err := ota.InspectFlash(text, c.Flash)
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	return c.print(d, d.Boot.Why != wireota.None, "a board with this flash would boot nothing")
}

// print prints in either form.
func (c *otaInspectCmd) print(v interface{ WriteText(io.Writer) error }, ok bool, wanting string) error {
	var err error
	if c.JSON {
		err = printJSON(v)
	} else {
		err = v.WriteText(os.Stdout)
	}
	if err == nil && !ok {
		return &exitError{exitWanting, errors.New(wanting)}
	}
	return err
}

// base reads the base for the chip that the package is for.
func (c *otaInspectCmd) base(p *ota.Package) (*ota.Program, error) {
	if c.Base == "" {
		return nil, nil
	}
	m, err := p.Decode()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.File, err)
	}
	k := otaProgram{Chip: strings.TrimRight(string(m.Chip[:]), "\x00")}
	return k.read(c.Base, anyVersion)
}
