package esp32c3

import "rigor/harness/sim/riscv"

// coreConfig is the core of the part: TRM ESP-RISC-V CPU.
func (c *Chip) coreConfig() riscv.Config {
	return riscv.Config{
		XLEN:       32,
		Ext:        riscv.ExtM | riscv.ExtC | riscv.ExtU,
		PMP:        16,
		Misaligned: true,
		Vendor:     0x612,      // mvendorid
		Arch:       0x80000001, // marchid
		Imp:        1,          // mimpid
		Bus:        cpuBus{c},
		CSR:        csrs{c},
		ROM:        c.romCall,
		Vectored31: true,
		Caches:     c.coreCaches(),
	}
}

// csrs are the registers that the part adds to the core's: those of debug triggers
// and of dedicated GPIO (TRM ESP-RISC-V CPU).
type csrs struct{ *Chip }

func (r csrs) ReadCSR(n uint16) (v uint64, ok bool) {
	if v, ok = r.Triggers.read(n); ok {
		return v, true
	}
	return r.gpioReadCSR(n)
}

func (r csrs) WriteCSR(n uint16, v uint64) (ok bool) {
	return r.Triggers.write(n, uint32(v)) || r.gpioWriteCSR(n, v)
}

// splitmix is Vigna's SplitMix64.
func splitmix(state *uint64) uint64 {
	*state += 0x9E3779B97F4A7C15
	z := *state
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}
