package main

import (
	"crypto/rand"
	"fmt"
	"strings"

	"rigor/harness/ota"
)

type otaCmd struct {
	Keygen  otaKeygenCmd  `cmd:"" help:"Make a pair of keys."`
	Pack    otaPackCmd    `cmd:"" help:"Make a package of a program, or of its difference to what a board runs."`
	Sign    otaSignCmd    `cmd:"" help:"Sign a package."`
	Inspect otaInspectCmd `cmd:"" help:"Show what is in a package, and whether it holds true."`
	Diff    otaDiffCmd    `cmd:"" help:"Make the payload of a difference alone, also of a patch that bsdiff made."`
	Image   otaImageCmd   `cmd:"" help:"Write what of a program lies in a slot."`
	Push    otaPushCmd    `cmd:"" help:"Send a package to a board and have it run what is in it."`
	Factory otaFactoryCmd `cmd:"" help:"Make the Intel hex file that a new board is flashed with."`
}

func (*otaCmd) Help() string {
	return "A board that takes updates has a boot program, up to four public keys and two slots for programs. From nothing to an\n" +
		"update:\n\n" +
		"  rigor ota keygen release                       # release.pem (keep it secret) and release.pub.pem\n" +
		"  rigor ota pack v1.elf --chip k210 --version 1.0.0 --key release.pem -o v1.rota\n" +
		"  rigor ota factory boot.elf v1.rota --public release.pub.pem -o factory.hex\n" +
		"  rigor flash factory.hex --rig bench            # once, by the chip's own boot loader\n" +
		"  rigor ota pack v2.elf --chip k210 --version 1.1.0 --base v1.elf --base-version 1.0.0 --key release.pem -o v2.rota\n" +
		"  rigor ota inspect v2.rota --public release.pub.pem\n" +
		"  rigor ota push v2.rota --rig bench             # from then on, over the console\n" +
		"  rigor ota push v2.rota --factory factory.hex   # all of it on a simulated board\n\n" +
		"Programs to try it with are firmware/images/otaboot-k210.elf, ota-k210.elf and ota-1.1.0-k210.elf.\n\n" +
		"Programs of an stm32f407 run where they lie, so that each slot has its own: what is linked for slot 0 cannot be sent to\n" +
		"a board that runs slot 0. Programs of an esp32c3 or k210 go to either."
}

type otaKeygenCmd struct {
	Name string `arg:"" help:"Name of the files, without .pem and .pub.pem."`
}

func (*otaKeygenCmd) Help() string {
	return "NAME.pem is the private key, an Ed25519 key in PEM (PKCS #8) that only its owner may read; whoever has it can put programs\n" +
		"on every board that trusts it. NAME.pub.pem is the public key, which goes on boards. `openssl pkey -in NAME.pem -text`\n" +
		"reads them, and keys made by `openssl genpkey -algorithm ed25519` serve as well. Files that exist are not touched.\n\n" +
		"The exit status is 0 if both were written, 2 if not."
}

// Run makes the files.
func (c *otaKeygenCmd) Run() error {
	key, err := ota.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	name := strings.TrimSuffix(c.Name, ".pem")
	private, public := name+".pem", name+".pub.pem"
	if err := ota.WriteKeys(private, public, key); err != nil {
		return err
	}
	fmt.Printf("private key  %s: keep it secret, and keep a copy\n", private)
	fmt.Printf("public key   %s\n", public)
	return nil
}
