package k210

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"fmt"
	"testing"

	"rigor/harness/sim/clock"
)

const testAES = 0x50450000

// aesMessage is what the accelerator is to do.
type aesMessage struct {
	mode         uint32
	decrypt      bool
	key, iv, aad []byte
	text         []byte
}

// reversed gives registers from at on the words of p, its last one first.
func (c *Chip) reversed(at uint32, p []byte) {
	for i := uint32(0); len(p) > 0; i += 4 {
		c.poke(at+i, binary.LittleEndian.Uint32(p[len(p)-4:]))
		p = p[:len(p)-4]
	}
}

// crypt does as k210-sdk-stuff's aes.rs and the SDK's aes.c: setting, additional data, text by
// flags, then with GCM the tag, of which it says whether the right one was taken.
func (c *Chip) crypt(t *testing.T, m aesMessage, want []byte) (out, tag []byte, ok bool) {
	t.Helper()
	c.aesReset()
	c.poke(testAES+aeENDIAN, 1)
	c.reversed(testAES+aeKEY, m.key[max(0, len(m.key)-16):])
	if len(m.key) > 16 {
		c.reversed(testAES+aeKEY_EXT, m.key[:len(m.key)-16])
	}
	c.reversed(testAES+aeIV, m.iv)
	c.poke(testAES+aeMODE, m.mode|uint32(len(m.key)/8-2)<<3)
	c.poke(testAES+aeENCRYPT, oneIf(m.decrypt))
	c.poke(testAES+aeAAD_NUM, uint32(len(m.aad)-1))
	c.poke(testAES+aePC_NUM, uint32(len(m.text)-1))
	c.poke(testAES+aeEN, 1)
	wait := func(reg uint32) {
		for range 1000 {
			if c.peek(testAES+reg) != 0 {
				return
			}
			c.pass(t, 100*clock.Nanosecond)
		}
		t.Fatalf("register %02x stays 0", reg)
	}
	words := func(p []byte) (w []uint32) {
		p = append(bytes.Clone(p), make([]byte, (4-len(p)%4)%4)...)
		for ; len(p) > 0; p = p[4:] {
			w = append(w, binary.LittleEndian.Uint32(p))
		}
		return w
	}
	for _, w := range words(m.aad) {
		wait(aeIN_FLAG)
		c.poke(testAES+aeAAD, w)
	}
	for part := range chunks(words(m.text), 20) {
		for _, w := range part {
			wait(aeIN_FLAG)
			c.poke(testAES+aeTEXT, w)
		}
		for range part {
			wait(aeOUT_FLAG)
			out = binary.LittleEndian.AppendUint32(out, c.peek(testAES+aeOUT))
		}
	}
	if m.mode == aesGCM {
		wait(aeTAG_FLAG)
		for i := range uint32(4) {
			c.poke(testAES+aeTAG_IN+4*(3-i), binary.BigEndian.Uint32(want[4*i:]))
			tag = binary.BigEndian.AppendUint32(tag, c.peek(testAES+aeTAG_OUT+4*(3-i)))
		}
		wait(aeTAG_CHK)
		ok = c.peek(testAES+aeTAG_CHK) == tagRight
		c.poke(testAES+aeTAG_CLR, 0)
	}
	wait(aeFINISH)
	return out[:len(m.text)], tag, ok
}

// chunks are n words each but the last.
func chunks(w []uint32, n int) func(func([]uint32) bool) {
	return func(yield func([]uint32) bool) {
		for len(w) > 0 {
			k := min(n, len(w))
			if !yield(w[:k]) {
				return
			}
			w = w[k:]
		}
	}
}

// TestAES compares with Go's, all modes, keys, ways.
func TestAES(t *testing.T) {
	c := stopped(t)
	pattern := func(n int) (p []byte) {
		for i := range n {
			p = append(p, byte(i*7+3))
		}
		return p
	}
	for _, bits := range []int{128, 192, 256} {
		key := pattern(bits / 8)
		b, err := aes.NewCipher(key)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range []int{16, 80, 96, 320} {
			text, iv := pattern(n), pattern(16)
			ecb, cbc := make([]byte, n), make([]byte, n)
			for i := 0; i < n; i += 16 {
				b.Encrypt(ecb[i:], text[i:])
			}
			cipher.NewCBCEncrypter(b, iv).CryptBlocks(cbc, text)
			for _, test := range []struct {
				m    aesMessage
				want []byte
			}{
				{aesMessage{mode: aesECB, key: key, text: text}, ecb},
				{aesMessage{mode: aesECB, key: key, text: ecb, decrypt: true}, text},
				{aesMessage{mode: aesCBC, key: key, iv: iv, text: text}, cbc},
				{aesMessage{mode: aesCBC, key: key, iv: iv, text: cbc, decrypt: true}, text},
			} {
				if got, _, _ := c.crypt(t, test.m, nil); !bytes.Equal(got, test.want) {
					t.Errorf("mode %d, %d bits, %d bytes, decrypt %v: %x, want %x", test.m.mode, bits, n, test.m.decrypt, got, test.want)
				}
			}
		}
	}
	if w := c.Warnings(); len(w) > 0 {
		t.Error("warnings:", w)
	}
}

// TestAESGCM compares with Go's, lengths that are no blocks, with a right and a wrong tag.
func TestAESGCM(t *testing.T) {
	c := stopped(t)
	key, iv := bytes.Repeat([]byte{0xA5, 1}, 8), bytes.Repeat([]byte{9, 0x80, 3}, 4)
	b, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	gcm, err := cipher.NewGCM(b)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{1, 16, 30, 100} {
		for _, aad := range []int{0, 5, 16, 33} {
			name := fmt.Sprintf("%d bytes and %d", n, aad)
			text, more := bytes.Repeat([]byte{0x11, 0xEE}, n)[:n], bytes.Repeat([]byte{7, 8, 9}, aad)[:aad]
			sealed := gcm.Seal(nil, iv, text, more)
			m := aesMessage{mode: aesGCM, key: key, iv: iv, aad: more, text: text}
			if got, tag, ok := c.crypt(t, m, sealed[n:]); !bytes.Equal(append(got, tag...), sealed) || !ok {
				t.Errorf("%s: %x %x (tag is right: %v), want %x", name, got, tag, ok, sealed)
			}
			m.text, m.decrypt = sealed[:n], true
			wrong := bytes.Clone(sealed[n:])
			wrong[3] ^= 1
			if got, tag, ok := c.crypt(t, m, wrong); !bytes.Equal(got, text) || !bytes.Equal(tag, sealed[n:]) || ok {
				t.Errorf("%s, decrypted: %x %x (tag is right: %v), want %x", name, got, tag, ok, text)
			}
		}
	}
}

// TestAESTime: 6247 kB/s, as k210-sdk-stuff measured it, within 5 %.
func TestAESTime(t *testing.T) {
	c := stopped(t)
	start := c.Now()
	for range 16 {
		c.crypt(t, aesMessage{mode: aesECB, key: make([]byte, 16), text: make([]byte, 80)}, nil)
	}
	blocks := c.Now() - start
	if rate := 16 * 80 * clock.Second / blocks / 1000; rate < 5_900 || rate > 6_560 {
		t.Errorf("%d kB/s", rate)
	}
}

// TestAESByDMA: the SDK's aes_ecb128_hard_encrypt_dma, where the DMAC takes what comes out.
func TestAESByDMA(t *testing.T) {
	c := stopped(t)
	d := dmaBench{c, t}
	d.st(dmac+dmCFG, dmDMAC_EN|dmINT_EN)
	text := bytes.Repeat([]byte{1, 2, 3, 4, 5, 6, 7, 8}, 40)
	c.poke(testAES+aeENDIAN, 1)
	c.poke(testAES+aePC_NUM, uint32(len(text)-1))
	c.poke(testAES+aeEN, 1)
	c.SYSCTL.DMA_SEL[0] = dmaAES
	c.poke(testAES+aeDMA_SEL, 1)
	d.set(0, transfer{src: testAES + aeOUT, dst: 0x40010000, srcFixed: true, srcWidth: 2, dstWidth: 2, srcMsize: 1, dstMsize: 1, ttfc: prfToMem, items: len(text) / 4})
	d.enable(0)
	for i := 0; i < len(text); i += 4 {
		for c.peek(testAES+aeIN_FLAG) == 0 {
			c.pass(t, 100*clock.Nanosecond)
		}
		c.poke(testAES+aeTEXT, binary.LittleEndian.Uint32(text[i:]))
	}
	d.untilIdle(0)
	b, err := aes.NewCipher(make([]byte, 16))
	if err != nil {
		t.Fatal(err)
	}
	want := make([]byte, len(text))
	for i := 0; i < len(text); i += 16 {
		b.Encrypt(want[i:], text[i:])
	}
	if got := d.memory(0x40010000, len(text)); !bytes.Equal(got, want) {
		t.Errorf("%x, want %x", got, want)
	}
}

// TestAESRestByDMA: what comes out of a text that is no multiple of a block (GCM) is taken too, in
// transactions of four words and single ones, as by the SDK's aes_gcm128_hard_encrypt_dma.
func TestAESRestByDMA(t *testing.T) {
	b, err := aes.NewCipher(make([]byte, 16))
	if err != nil {
		t.Fatal(err)
	}
	gcm, err := cipher.NewGCM(b)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{1, 12, 17, 30} {
		c := stopped(t)
		d := dmaBench{c, t}
		d.st(dmac+dmCFG, dmDMAC_EN|dmINT_EN)
		text := bytes.Repeat([]byte{0x5A}, (n+3)&^3)
		c.poke(testAES+aeENDIAN, 1)
		c.poke(testAES+aeMODE, aesGCM)
		c.poke(testAES+aeAAD_NUM, ^uint32(0))
		c.poke(testAES+aePC_NUM, uint32(n-1))
		c.poke(testAES+aeEN, 1)
		c.SYSCTL.DMA_SEL[0] = dmaAES
		c.poke(testAES+aeDMA_SEL, 1)
		d.set(0, transfer{src: testAES + aeOUT, dst: 0x40010000, srcFixed: true, srcWidth: 2, dstWidth: 2, srcMsize: 1, dstMsize: 1, ttfc: prfToMem, items: len(text) / 4})
		d.enable(0)
		for i := 0; i < len(text); i += 4 {
			c.poke(testAES+aeTEXT, binary.LittleEndian.Uint32(text[i:]))
		}
		d.untilIdle(0)
		want := gcm.Seal(nil, make([]byte, 12), text[:n], nil)[:n]
		if got := d.memory(0x40010000, n); !bytes.Equal(got, want) {
			t.Errorf("%d bytes: %x, want %x", n, got, want)
		}
	}
}
