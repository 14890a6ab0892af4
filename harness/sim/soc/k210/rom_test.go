package k210

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/binary"
	"testing"

	"rigor/harness/sim/clock"
)

// image makes what the ROM boots, as kflash.py does.
func image(flags byte, payload []byte) []byte {
	p := binary.LittleEndian.AppendUint32([]byte{flags}, uint32(len(payload)))
	p = append(p, payload...)
	sum := sha256.Sum256(p)
	return append(p, sum[:]...)
}

// encrypted is a payload as kflash.py -k encrypts it.
func encrypted(t *testing.T, key [16]byte, p []byte) []byte {
	b, err := aes.NewCipher(key[:])
	if err != nil {
		t.Fatal(err)
	}
	p = append(bytes.Clone(p), make([]byte, (16-len(p)%16)%16)...)
	cipher.NewCBCEncrypter(b, make([]byte, 16)).CryptBlocks(p, p)
	return p
}

// TestFlashBoot: what boots, what leads to ISP, and what to nothing at all.
func TestFlashBoot(t *testing.T) {
	key := [16]byte{1, 2, 3, 4, 5}
	broken := image(0, marks)
	broken[7] ^= 1
	good := image(0, marks)
	hash := OTPFuses{B: fuseBHash, Hash: [32]byte(good[len(good)-32:])}
	const (
		boots = iota
		isp
		hangs
	)
	for _, test := range []struct {
		name  string
		opt   Options
		image []byte
		strap bool
		want  int
	}{
		{"plain", Options{}, good, false, boots},
		{"on four lines", Options{}, image(imageQuad, marks), false, boots},
		{"encrypted", Options{Key: key}, image(imageAES, encrypted(t, key, marks)), false, boots},
		{"encrypted, decryption fused off", Options{Fuses: OTPFuses{B: fuseBNoAES}}, image(imageAES, marks), false, boots},
		{"wrong hash", Options{}, broken, false, isp},
		{"erased", Options{}, nil, false, isp},
		{"longer than SRAM", Options{}, []byte{0, 1, 0, 0x60, 0}, false, isp},
		{"strap", Options{}, good, true, isp},
		{"strap, ISP fused off", Options{Fuses: OTPFuses{B: fuseBNoISP}}, good, true, boots},
		{"strap, ISP fused off and on", Options{Fuses: OTPFuses{A: fuseAForceISP, B: fuseBNoISP}}, good, true, isp},
		{"erased, ISP fused off", Options{Fuses: OTPFuses{B: fuseBNoISP}}, nil, false, hangs},
		{"the fused hash", Options{Fuses: hash}, good, false, boots},
		{"another than the fused hash", Options{Fuses: hash}, image(0, spin), false, isp},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newROMBoard(t, test.opt)
			if err := r.chip.LoadFlash(0, test.image); err != nil {
				t.Fatal(err)
			}
			r.SetBoot(test.strap)
			r.SetPower(true)
			r.wait(100 * clock.Millisecond)
			if r.chip.Running != (test.want == boots) {
				t.Fatalf("harts run: %v", r.chip.Running)
			}
			if test.want == boots {
				r.checkMarks(0x80001004)
				return
			}
			if got := r.ask(greeting); (got == greeted) != (test.want == isp) {
				t.Errorf("a greeting was answered %q", got)
			}
		})
	}
}

// TestFlashBootTime: an image's bytes at 19.5 Mbit/s, or on four lines, and what commands and
// hashing add.
func TestFlashBootTime(t *testing.T) {
	const size = 200_000
	payload := append(bytes.Clone(spin), make([]byte, size-len(spin))...)
	start := pinResetTime + romStrapTime
	for _, test := range []struct {
		flags byte
		lines clock.Time
	}{{0, 1}, {imageQuad, 4}} {
		r := newROMBoard(t, Options{})
		if err := r.chip.LoadFlash(0, image(test.flags, payload)); err != nil {
			t.Fatal(err)
		}
		r.SetPower(true)
		for !r.chip.Running {
			r.wait(100 * clock.Microsecond)
		}
		data := size * 8 / test.lines * clock.Second / 19_500_000
		hashing := size * clock.Second / 12_500_000
		got := r.Now() - start - data - hashing
		if commands := clock.Time(size / romReadSize); got < 0 || got > commands*(40*clock.Second/19_500_000+2*clock.Microsecond) {
			t.Errorf("on %d lines: %d us beside data and hash", test.lines, got/clock.Microsecond)
		}
	}
}

// TestResetFromWithin boots anew: SYSCTL.SOFT_RESET.
func TestResetFromWithin(t *testing.T) {
	r := newROMBoard(t, Options{})
	reset := code(
		0x50440537, // lui a0, 0x50440
		0x00100593, // li a1, 1
		0x02B52823, // sw a1, 0x30(a0)
		0x0000006F, // j .
	)
	if err := r.chip.LoadFlash(0, image(0, reset)); err != nil {
		t.Fatal(err)
	}
	r.SetPower(true)
	r.wait(80 * clock.Millisecond)
	if r.chip.SYSCTL.STATUS != rsSOFT || r.chip.Running {
		t.Fatalf("RESET_STATUS %#x, harts run: %v", r.chip.SYSCTL.STATUS, r.chip.Running)
	}
	r.SetBoot(true)
	r.wait(100 * clock.Millisecond)
	if got := r.ask(greeting); got != greeted {
		t.Errorf("a greeting was answered %q", got)
	}
}
