package k210

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"testing"

	"rigor/harness/sim/clock"
)

const testSHA = 0x502C0000

// hash uses the accelerator as the SDK's sha256.c does.
func (c *Chip) hash(t *testing.T, p []byte) (sum [32]byte) {
	t.Helper()
	c.poke(testSHA+shNUM, uint32(len(p)+72)/64)
	c.poke(testSHA+shFUNC0, shBIG|shEN)
	n := uint64(len(p))
	p = append(bytes.Clone(p), 0x80)
	p = append(p, make([]byte, (120-len(p)%64)%64)...)
	p = binary.BigEndian.AppendUint64(p, n*8)
	for ; len(p) > 0; p = p[4:] {
		for c.peek(testSHA+shFUNC1)&shFULL != 0 {
			c.pass(t, 100*clock.Nanosecond)
		}
		c.poke(testSHA+shDATA_IN, binary.LittleEndian.Uint32(p))
	}
	for c.peek(testSHA+shFUNC0)&shEN == 0 {
		c.pass(t, 100*clock.Nanosecond)
	}
	for i := range uint32(8) {
		binary.LittleEndian.PutUint32(sum[4*i:], c.peek(testSHA+4*(7-i)))
	}
	return sum
}

// TestSHA256 compares with Go's, over lengths around a block's.
func TestSHA256(t *testing.T) {
	c := stopped(t)
	for _, n := range []int{0, 1, 55, 56, 63, 64, 65, 1000} {
		p := bytes.Repeat([]byte{0x5A, 1, 0xC0}, n)[:n]
		if got, want := c.hash(t, p), sha256.Sum256(p); got != want {
			t.Errorf("%d bytes: %x, want %x", n, got, want)
		}
	}
}

// TestSHA256Time: 19.0 MB/s, as k210-sdk-stuff measured it, within 5 %.
func TestSHA256Time(t *testing.T) {
	c := stopped(t)
	const size = 64 << 10
	start := c.Now()
	c.hash(t, make([]byte, size))
	if rate := size * clock.Second / (c.Now() - start) / 1000; rate < 18_050 || rate > 19_950 {
		t.Errorf("%d kB/s", rate)
	}
}

// TestSHA256ByDMA hashes blocks that the DMAC brings.
func TestSHA256ByDMA(t *testing.T) {
	c := stopped(t)
	d := dmaBench{c, t}
	d.st(dmac+dmCFG, dmDMAC_EN|dmINT_EN)
	p := bytes.Repeat([]byte{1, 2, 3}, 100)
	m := append(bytes.Clone(p), 0x80)
	m = append(m, make([]byte, (120-len(m)%64)%64)...)
	m = binary.BigEndian.AppendUint64(m, uint64(len(p))*8)
	copy(d.memory(0x40010000, len(m)), m)
	c.SYSCTL.DMA_SEL[0] = dmaSHA
	c.poke(testSHA+shNUM, uint32(len(m)/64))
	c.poke(testSHA+shFUNC1, shDMA_EN)
	c.poke(testSHA+shFUNC0, shBIG|shEN)
	d.set(0, transfer{src: 0x40010000, dst: testSHA + shDATA_IN, dstFixed: true, srcWidth: 2, dstWidth: 2, srcMsize: 3, dstMsize: 3, ttfc: memToPrf, items: len(m) / 4})
	d.enable(0)
	d.untilIdle(0)
	c.pass(t, 10*clock.Microsecond)
	want := sha256.Sum256(p)
	if got := c.peek(testSHA + shRESULT7); got != binary.LittleEndian.Uint32(want[:]) || c.peek(testSHA+shFUNC0)&shEN == 0 {
		t.Errorf("the result begins with %08x, want that of %x", got, want[:4])
	}
}
