package ota

import (
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"

	"rigor/firmware/images"
	device "rigor/firmware/ota"
	"rigor/harness/ota"
)

// The releases of the program.
const (
	first   = "1.0.0"
	oneLine = "1.0.1" // a constant is another
	release = "1.1.0"
)

// kit is what a board of a chip is updated with.
type kit struct {
	chip    string
	layout  *device.Layout
	keys    []ed25519.PrivateKey
	factory images.Image // boot program, keys and the first release
	base    *ota.Program // the first release
	next    string       // the image that stands for every release in slot 1; none: their own
	firstID uint32       // of the first release's manifest
}

// newKit makes that with a boot program and a first release that may be others than the sound
// ones.
func newKit(chip, boot, base string) (*kit, error) {
	k := &kit{chip: chip, layout: device.LayoutOf(chip)}
	for n := range 3 {
		k.keys = append(k.keys, testKey(n))
	}
	if k.layout == nil {
		return nil, fmt.Errorf("the %s takes no updates", chip)
	}
	bootImage, err := images.Open(boot)
	if err != nil {
		return nil, err
	}
	if k.factory, err = images.Open(base); err != nil {
		return nil, err
	}
	if k.base, err = ota.ReadProgram(k.factory.Data, chip, version(first)); err != nil {
		return nil, err
	}
	whole, err := k.pack(k.base, ota.Options{})
	if err != nil {
		return nil, err
	}
	k.firstID = whole.ID()
	k.factory.Data, err = ota.Factory(bootImage.Data, k.public(), whole)
	k.factory.SHA256 = images.SHA256(k.factory.Data)
	return k, err
}

// soundKit is that of the images that boards should have.
func soundKit(chip string) (*kit, error) {
	return newKit(chip, "otaboot-"+chip, imageName(first, chip, 0))
}

// imageName is that of a release for a slot.
func imageName(release, chip string, slot int) string {
	name := "ota-" + chip
	if release != first {
		name = "ota-" + release + "-" + chip
	}
	if device.LayoutOf(chip).Origin != 0 {
		name += fmt.Sprintf("-slot%d", slot)
	}
	return name
}

// testKey makes a key that is no secret.
func testKey(n int) ed25519.PrivateKey {
	seed := sha256.Sum256(fmt.Appendf(nil, "rigor's suite ota, key %d", n))
	return ed25519.NewKeyFromSeed(seed[:])
}

// public are the keys that the board trusts: the last of the kit's is not among them.
func (k *kit) public() (all []ed25519.PublicKey) {
	for _, key := range k.keys[:len(k.keys)-1] {
		all = append(all, key.Public().(ed25519.PublicKey))
	}
	return all
}

func version(text string) ota.Version {
	v, err := ota.ParseVersion(text)
	if err != nil {
		panic("BUG: ota: " + err.Error())
	}
	return v
}

// program is a release for a slot.
func (k *kit) program(release string, slot int) (*ota.Program, error) {
	name := imageName(release, k.chip, slot)
	if k.next != "" && slot == 1 {
		name = k.next
	}
	image, err := images.Open(name)
	if err != nil {
		return nil, err
	}
	return ota.ReadProgram(image.Data, k.chip, version(release))
}

// pack makes a signed package.
func (k *kit) pack(p *ota.Program, o ota.Options) (*ota.Package, error) {
	packed, err := ota.Pack(p, o)
	if err != nil {
		return nil, err
	}
	packed.Sign(k.keys[o.Key])
	return packed, nil
}

// update is the package of a release for a board that runs the first one: a difference, or
// all of it.
func (k *kit) update(release string, whole bool) (*ota.Package, error) {
	p, err := k.program(release, 1)
	if err != nil {
		return nil, err
	}
	o := ota.Options{Base: k.base}
	if whole {
		o.Base = nil
	}
	return k.pack(p, o)
}
