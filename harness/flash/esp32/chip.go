package esp32

import (
	"encoding/binary"
	"fmt"
	"math/bits"

	"rigor/harness/flash"
)

// Numbers of chips as GET_SECURITY_INFO tells them; they are those of image
// headers, too.
const (
	esp32   = 0
	esp32s2 = 2
	esp32c3 = 5
	esp8266 = 0xFFFF // has no number
	unknown = 0xFFFF_FFFF
)

var chipNames = map[uint32]string{
	esp32: "ESP32", esp32s2: "ESP32-S2", 9: "ESP32-S3", 12: "ESP32-C2", 13: "ESP32-C6",
	16: "ESP32-H2", 18: "ESP32-P4", 20: "ESP32-C61", 23: "ESP32-C5", esp8266: "ESP8266",
}

// magicRegister is an address in ROM whose word tells the chips apart that have
// no GET_SECURITY_INFO.
const magicRegister = 0x4000_1000

// chipOfMagic covers these, and the ESP32-C3's revisions.
func chipOfMagic(magic uint32) uint32 {
	switch magic {
	case 0xFFF0_C101:
		return esp8266
	case 0x00F0_1D83:
		return esp32
	case 0x0000_07C6:
		return esp32s2
	case 0x6921_506F, 0x1B31_506F, 0x4881_606F, 0x4361_606F:
		return esp32c3
	}
	return unknown
}

const securityInfoSize = 20

// Bits of the security information's flags.
const secureDownload = 1 << 2

// securityInfo is what GET_SECURITY_INFO tells, as far as it matters here.
type securityInfo struct {
	flags    uint32
	cryptCnt byte
	chip     uint32
	api      uint32
	magic    uint32 // where the loader has no such command
}

func parseSecurityInfo(p []byte) securityInfo {
	return securityInfo{
		flags:    binary.LittleEndian.Uint32(p),
		cryptCnt: p[4],
		chip:     binary.LittleEndian.Uint32(p[12:]),
		api:      binary.LittleEndian.Uint32(p[16:]),
	}
}

func (s securityInfo) id() flash.ChipID {
	id := flash.ChipID{ID: s.chip, Version: fmt.Sprintf("ROM, API %d", s.api)}
	name, known := chipNames[s.chip]
	switch {
	case s.chip == esp32c3:
		id.Chip = "esp32c3"
	case known:
		id.Chip = name
	case s.chip == unknown:
		id.Chip, id.ID = fmt.Sprintf("chip of magic %#08x", s.magic), s.magic
	default:
		id.Chip = fmt.Sprintf("Espressif chip %d", s.chip)
	}
	return id
}

// writable refuses parts whose flash this package cannot fill: an odd number of
// SPI_BOOT_CRYPT_CNT's bits says that flash is encrypted (TRM chapter eFuse Controller).
func (s securityInfo) writable() error {
	switch {
	case s.flags&secureDownload != 0:
		return &SecureError{"is in secure download mode, which allows nothing to be read back"}
	case bits.OnesCount8(s.cryptCnt)%2 == 1:
		return &SecureError{"encrypts its flash, and would not run what is written in plain"}
	}
	return nil
}
