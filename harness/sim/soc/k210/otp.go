package k210

import (
	"fmt"

	"rigor/harness/sim/bus"
)

// One-time programmable memory: 16 KB of bytes behind a controller of its own, and words
// of fuses. Canaan describes none of it. What is known was found in the ROM by W. J. van
// der Laan (k210-sdk-stuff, doc/otp_layout.md): where the fuses are read that decide how the
// part boots. All other registers stop the simulation by name; the key can be read by
// nobody but the ROM.
type otpState struct{}

// OTPFuses are what was burnt into OTP. The zero value is a part as it is sold.
type OTPFuses struct {
	A, B uint64   // words of fuses: fuseA..., fuseB...
	Hash [32]byte // of the only image that fuseBHash lets boot
}

// Fuses that the ROM looks at.
const (
	fuseAForceISP = 1 << 1 // ISP whatever fuseBNoISP says
	fuseBNoISP    = 1 << 7 // no ISP
	fuseBNoAES    = 1 << 8 // images are never decrypted
	fuseBHash     = 1 << 9 // only the image that Hash is of boots
)

// ispAllowed says whether the fuses let the ROM enter ISP.
func (f *OTPFuses) ispAllowed() bool { return f.B&fuseBNoISP == 0 || f.A&fuseAForceISP != 0 }

// Words of fuses.
const (
	otpFUSES_A   = 0x68
	otpFUSES_BLO = 0xB8
	otpFUSES_BHI = 0xBC
)

func (c *Chip) otpReset() { c.OTP = otpState{} }

type otpDevice struct{ *Chip }

func (d otpDevice) loadWord(off uint32) (uint32, bus.Fault) {
	switch off {
	case otpFUSES_A:
		return uint32(d.opt.Fuses.A), bus.None
	case otpFUSES_BLO:
		return uint32(d.opt.Fuses.B), bus.None
	case otpFUSES_BHI:
		return uint32(d.opt.Fuses.B >> 32), bus.None
	}
	return 0, d.lack(fmt.Sprintf("OTP's register 0x%02x", off))
}

func (d otpDevice) storeWord(off, _ uint32) bus.Fault {
	return d.lack(fmt.Sprintf("a store to OTP's register 0x%02x", off))
}
