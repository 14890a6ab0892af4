package armv7m

import (
	"fmt"

	"rigor/harness/sim/bus"
)

// Blocks of the private peripheral bus (DDI 0403E table B3-1, DDI 0439D 2.3).
const (
	itmBase = 0xE0000000
	dwtBase = 0xE0001000
	fpbBase = 0xE0002000
	scsBase = 0xE000E000
	scsSize = 0x1000
)

// ppbLoad reads a register of the private peripheral bus.
func (c *Core) ppbLoad(addr uint32, width uint8) (uint32, bus.Fault) {
	if !c.privileged() {
		return 0, bus.Error
	}
	lane, ok := ppbLane(addr, width)
	if !ok {
		return 0, bus.Unmodelled
	}
	v, known := c.ppbRead(addr &^ 3)
	if !known {
		return 0, bus.Unmodelled
	}
	return v >> (8 * lane) & widthMask(width), bus.None
}

// ppbStore writes a register of the private peripheral bus.
func (c *Core) ppbStore(addr uint32, width uint8, v uint32) bus.Fault {
	if !c.privileged() && !c.userMayStore(addr) {
		return bus.Error
	}
	lane, ok := ppbLane(addr, width)
	if !ok {
		return bus.Unmodelled
	}
	if exc := priorityField(addr); exc != 0 {
		c.setPriorities(exc, width, v)
		return bus.None
	}
	if !c.ppbWrite(addr&^3, v<<(8*lane)) {
		return bus.Unmodelled
	}
	return bus.None
}

// userMayStore knows the one register that unprivileged code may write
// (DDI 0403E B3.2.26).
func (c *Core) userMayStore(addr uint32) bool {
	return addr == scsBase+scbSTIR && c.Sys.CCR&ccrUSERSETMPEND != 0
}

// ppbLane checks an access's shape. Bytes and halfwords of word registers are
// UNPREDICTABLE (B3.1.1); the model has them for the priorities and CFSR, which
// the manual lists as byte accessible, and for ITM stimulus.
func ppbLane(addr uint32, width uint8) (lane uint32, ok bool) {
	if addr&uint32(width-1) != 0 {
		return 0, false
	}
	if width == 4 {
		return 0, true
	}
	return addr & 3, priorityField(addr) != 0 || addr&^3 == scsBase+scbCFSR || addr-itmBase < itmStimulusEnd
}

func widthMask(width uint8) uint32 { return uint32(1<<(8*uint(width)) - 1) }

// priorityField returns the exception whose priority lives at addr, 0 for none.
func priorityField(addr uint32) int {
	switch off := addr - scsBase; {
	case off >= scbSHPR && off < scbSHPR+12:
		return int(off-scbSHPR) + excMemManage
	case off >= nvicIPR && off < nvicEnd:
		return int(off-nvicIPR) + excIRQ0
	}
	return 0
}

// setPriorities writes as many priority fields as the access is wide.
func (c *Core) setPriorities(exc int, width uint8, v uint32) {
	for i := 0; i < int(width); i++ {
		c.setPriority(exc+i, uint8(v>>(8*i)))
	}
	c.refreshExceptions()
}

func (c *Core) ppbRead(addr uint32) (v uint32, known bool) {
	off := addr & 0xFFF
	switch addr &^ 0xFFF {
	case scsBase:
		return c.scsRead(off)
	case dwtBase:
		return c.dwtRead(off)
	case itmBase:
		return c.itmRead(off)
	case fpbBase:
		return c.fpbRead(off)
	}
	return 0, false
}

func (c *Core) ppbWrite(addr, v uint32) (known bool) {
	off := addr & 0xFFF
	switch addr &^ 0xFFF {
	case scsBase:
		return c.scsWrite(off, v)
	case dwtBase:
		return c.dwtWrite(off, v)
	case itmBase:
		return c.itmWrite(off, v)
	case fpbBase:
		return c.fpbWrite(off, v)
	}
	return false
}

func (c *Core) scsRead(off uint32) (v uint32, known bool) {
	switch {
	case off >= sysTickCSR && off <= sysTickCALIB:
		return c.sysTickRead(off)
	case off >= nvicISER && off < nvicEnd:
		return c.nvicLoad(off)
	case off >= mpuTYPE && off <= mpuLast:
		return c.mpuRead(off)
	case off >= fpFPCCR && off <= fpMVFR1:
		return c.fpControlRead(off)
	}
	return c.scbRead(off)
}

func (c *Core) scsWrite(off, v uint32) (known bool) {
	switch {
	case off >= sysTickCSR && off <= sysTickCALIB:
		return c.sysTickWrite(off, v)
	case off >= nvicISER && off < nvicIPR:
		return c.nvicStore(off, v)
	case off >= mpuTYPE && off <= mpuLast:
		return c.mpuWrite(off, v)
	case off >= fpFPCCR && off <= fpMVFR1:
		return c.fpControlWrite(off, v)
	}
	return c.scbWrite(off, v)
}

// scsNames names the system control space's registers by offset.
var scsNames = map[uint32]string{
	scbICTR: "SCnSCB.ICTR", scbACTLR: "SCnSCB.ACTLR",
	sysTickCSR: "SysTick.CSR", sysTickRVR: "SysTick.RVR", sysTickCVR: "SysTick.CVR", sysTickCALIB: "SysTick.CALIB",
	scbCPUID: "SCB.CPUID", scbICSR: "SCB.ICSR", scbVTOR: "SCB.VTOR", scbAIRCR: "SCB.AIRCR", scbSCR: "SCB.SCR",
	scbCCR: "SCB.CCR", scbSHPR: "SCB.SHPR1", scbSHPR + 4: "SCB.SHPR2", scbSHPR + 8: "SCB.SHPR3",
	scbSHCSR: "SCB.SHCSR", scbCFSR: "SCB.CFSR", scbHFSR: "SCB.HFSR", scbDFSR: "SCB.DFSR", scbMMFAR: "SCB.MMFAR",
	scbBFAR: "SCB.BFAR", scbAFSR: "SCB.AFSR", scbCPACR: "SCB.CPACR", scbSTIR: "NVIC.STIR",
	mpuTYPE: "MPU.TYPE", mpuCTRL: "MPU.CTRL", mpuRNR: "MPU.RNR", mpuRBAR: "MPU.RBAR", mpuRASR: "MPU.RASR",
	mpuRBAR + 8: "MPU.RBAR_A1", mpuRASR + 8: "MPU.RASR_A1", mpuRBAR + 16: "MPU.RBAR_A2", mpuRASR + 16: "MPU.RASR_A2",
	mpuRBAR + 24: "MPU.RBAR_A3", mpuLast: "MPU.RASR_A3",
	fpFPCCR: "FPU.FPCCR", fpFPCAR: "FPU.FPCAR", fpFPDSCR: "FPU.FPDSCR", fpMVFR0: "FPU.MVFR0", fpMVFR1: "FPU.MVFR1",
	dbgDHCSR: "CoreDebug.DHCSR", dbgDCRSR: "CoreDebug.DCRSR", dbgDCRDR: "CoreDebug.DCRDR", dbgDEMCR: "CoreDebug.DEMCR",
}

var idNames = [...]string{
	"PFR0", "PFR1", "DFR0", "AFR0", "MMFR0", "MMFR1", "MMFR2", "MMFR3", "ISAR0", "ISAR1", "ISAR2", "ISAR3", "ISAR4",
}

// PPBName names the register of the private peripheral bus at addr, modelled
// or not, for messages and traces: "SCB.ICSR", "NVIC.ISER1".
func PPBName(addr uint32) string {
	off := addr & 0xFFC
	name := ""
	switch addr &^ 0xFFF {
	case scsBase:
		name = scsName(off)
	case dwtBase:
		name = dwtName(off)
	case itmBase:
		name = itmName(off)
	case fpbBase:
		name = fpbName(off)
	}
	if name == "" {
		return fmt.Sprintf("PPB 0x%08X", addr)
	}
	return name
}

func scsName(off uint32) string {
	if name, ok := scsNames[off]; ok {
		return name
	}
	if off >= scbID && off < scbID+4*uint32(len(idNames)) {
		return "SCB.ID_" + idNames[(off-scbID)/4]
	}
	if off >= nvicIPR && off < nvicEnd {
		return fmt.Sprintf("NVIC.IPR%d", (off-nvicIPR)/4)
	}
	banks := map[uint32]string{nvicISER: "ISER", nvicICER: "ICER", nvicISPR: "ISPR", nvicICPR: "ICPR", nvicIABR: "IABR"}
	if bank, ok := banks[off&^0x7F]; ok && off&0x7F < 0x20 {
		return fmt.Sprintf("NVIC.%s%d", bank, off&0x7F/4)
	}
	return ""
}
