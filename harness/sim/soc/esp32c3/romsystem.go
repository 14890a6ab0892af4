package esp32c3

// The ROM's smaller functions that second-stage boot loaders and start-up code call:
// what eFuses say, the cache's settings, interrupts, what the flash controllers' are (ESP-IDF,
// rom/efuse.h, rom/cache.h, rom/ets_sys.h, esp_rom_spiflash.h).

const (
	efuseBase  = 0x60008800
	extmemBase = 0x600C4000

	efuseREPEAT0 = 0x30
	efuseREPEAT1 = 0x34
	efuseREPEAT2 = 0x38
	efuseREPEAT3 = 0x3C

	romNoPad = 0x3F // ets_efuse_get_wp_pad: none was burnt
)

// romFuse is a field of eFuse as a function's result.
func romFuse(off uint32, bit, width int) romFunc {
	return value(10, func(c *Chip) uint32 { return *c.EFUSE.reg(off) >> bit & (1<<width - 1) })
}

// nothing is a function without an effect here.
func nothing(cycles uint64) romFunc { return effect(cycles, func(*Chip) {}) }

var romSystem = map[string]romFunc{
	"ets_efuse_get_wp_pad":                            constant(romNoPad),
	"ets_efuse_read":                                  constant(0),
	"ets_efuse_set_timing":                            constant(0),
	"ets_efuse_get_mac":                               value(40, romMAC),
	"ets_efuse_secure_boot_enabled":                   romFuse(efuseREPEAT2, 20, 1),
	"ets_efuse_secure_boot_aggressive_revoke_enabled": romFuse(efuseREPEAT2, 21, 1),
	"ets_efuse_cache_encryption_enabled":              value(10, romEncrypted),
	"ets_efuse_download_modes_disabled":               romFuse(efuseREPEAT3, 0, 1),
	"ets_efuse_legacy_spi_boot_mode_disabled":         romFuse(efuseREPEAT3, 1, 1),
	"ets_efuse_usb_print_is_disabled":                 romFuse(efuseREPEAT3, 2, 1),
	"ets_efuse_usb_download_mode_disabled":            romFuse(efuseREPEAT3, 4, 1),
	"ets_efuse_security_download_modes_enabled":       romFuse(efuseREPEAT3, 5, 1),
	"ets_efuse_get_uart_print_control":                romFuse(efuseREPEAT3, 6, 2),
	"ets_efuse_get_read_register_address":             value(10, romFuseAddress),

	"Cache_Mask_All":              effect(10, func(c *Chip) { c.poke(extmemBase+extCTRL1, 3) }),
	"Cache_UnMask_Dram0":          effect(10, func(c *Chip) { c.poke(extmemBase+extCTRL1, c.peek(extmemBase+extCTRL1)&^2) }),
	"Cache_Freeze_ICache_Enable":  effect(20, func(c *Chip) { c.poke(extmemBase+extFREEZE, c.arg(0)&1<<1|1) }),
	"Cache_Freeze_ICache_Disable": effect(20, func(c *Chip) { c.poke(extmemBase+extFREEZE, 0) }),
	"Cache_Set_IDROM_MMU_Size":    effect(20, func(c *Chip) { c.ROM.IROMSize, c.ROM.DROMSize = c.arg(0), c.arg(1) }),
	"Cache_Get_IROM_MMU_End":      value(10, func(c *Chip) uint32 { return c.ROM.IROMSize }),
	"Cache_Get_DROM_MMU_End":      value(10, func(c *Chip) uint32 { return c.ROM.IROMSize + c.ROM.DROMSize }),
	"Cache_Address_Through_IBus":  value(10, func(c *Chip) uint32 { return oneIf(c.arg(0)-iromBase < cacheSpan) }),
	"Cache_Address_Through_DBus":  value(10, func(c *Chip) uint32 { return oneIf(c.arg(0)-dromBase < cacheSpan) }),
	"Cache_Owner_Init":            nothing(20),
	"Cache_Occupy_ICache_MEMORY":  nothing(20),
	"Cache_Set_Default_Mode":      nothing(50),
	"ROM_Boot_Cache_Init":         effect(600, romCacheInit),

	"Cache_Enable_Default_ICache_Mode": effect(600, romCacheInit),
	"Cache_Suspend_ICache_Autoload":    constant(0),
	"Cache_Resume_ICache_Autoload":     nothing(10),
	"Cache_Enable_ICache_Autoload":     nothing(10),
	"Cache_Disable_ICache_Autoload":    nothing(10),
	"Cache_Config_ICache_Autoload":     nothing(40),
	"Cache_Start_ICache_Preload":       constant(0),
	"Cache_ICache_Preload_Done":        constant(1),
	"Cache_End_ICache_Preload":         nothing(10),

	"ets_get_printf_channel":        value(10, func(c *Chip) uint32 { return uint32(c.ROM.Console) }),
	"ets_get_xtal_div":              constant(1),
	"ets_is_print_boot":             constant(1),
	"ets_intr_lock":                 effect(10, func(c *Chip) { c.core.State.Mstatus &^= 1 << 3 }),
	"ets_intr_unlock":               effect(10, func(c *Chip) { c.core.State.Mstatus |= 1 << 3 }),
	"ets_install_lock":              nothing(5),
	"uartAttach":                    nothing(20),
	"ets_apb_backup_init_lock_func": nothing(5),
	"esprv_intc_int_set_type": effect(10, func(c *Chip) {
		c.romBit(intcBase+0x108, c.arg(0), c.arg(1) != 0)
	}),

	"esp_rom_newlib_init_common_mutexes": nothing(10),

	"esp_rom_spiflash_select_qio_pins": nothing(40),
	"SelectSpiFunction":                nothing(40),
	"SetSpiDrvs":                       nothing(40),
	"esp_rom_spiflash_config_clk":      value(60, romFlashClock),
	"esp_rom_spiflash_config_readmode": value(60, romReadMode),
}

// romBit changes a bit of a register.
func (c *Chip) romBit(reg, bit uint32, on bool) {
	v := c.peek(reg) &^ (1 << (bit & 31))
	c.poke(reg, v|oneIf(on)<<(bit&31))
}

// romMAC stores the base MAC address, highest byte first.
func romMAC(c *Chip) uint32 {
	c.romPut(c.arg(0), c.opt.MAC[:])
	return 0
}

// romEncrypted tells whether an odd number of SPI_BOOT_CRYPT_CNT's three bits is set.
func romEncrypted(c *Chip) uint32 {
	n := *c.EFUSE.reg(efuseREPEAT1) >> 18 & 7
	return (n ^ n>>1 ^ n>>2) & 1
}

// romFuseAddress is where a block's words can be read: block 0, six words of block 1, then blocks
// of eight.
func romFuseAddress(c *Chip) uint32 {
	switch n := c.arg(0); {
	case n == 0:
		return efuseBase + efuseFirst
	case n == 1:
		return efuseBase + efuseMAC0
	case n <= 10:
		return efuseBase + efuseMAC0 + 24 + (n-2)*32
	}
	return 0
}

// romCacheInit maps nothing, empties the cache and turns it on.
func romCacheInit(c *Chip) {
	c.mmuInit()
	c.cacheInvalidateAll()
	c.EXTMEM.Regs[extCTRL1/4] = 0
	c.cacheEnable(true)
}

// romFlashClock divides a flash controller's clock: SPI0's or SPI1's.
func romFlashClock(c *Chip) uint32 {
	base := uint32(baseSPI0)
	if c.arg(1) == 1 {
		base = baseSPI1
	}
	c.poke(base+spiCLOCK, spiDivider(c.arg(0)&0xFF))
	return 0
}

// romReadMode takes a mode in the numbers of images' headers.
func romReadMode(c *Chip) uint32 {
	c.spiReadMode(byte(min(c.arg(0), modeSlow)))
	return 0
}
