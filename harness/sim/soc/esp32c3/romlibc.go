package esp32c3

import (
	"bytes"
	"hash/adler32"
	"hash/crc32"
	"strconv"
	"strings"
)

// The ROM's part of the C library that works on strings and numbers, and its
// checksums (ESP-IDF, esp32c3.rom.libc.ld, esp32c3.rom.newlib.ld, rom/crc.h). Of
// the library's files and locale there is next to nothing (romstdio.go).
//
// A call costs a word in two cycles like memcpy, and a string a character in four [A].

// romString is a string of C as the core reads it, without its end.
func (c *Chip) romString(addr uint32) string { return c.romStringN(addr, romMost) }

func (c *Chip) romStringN(addr, most uint32) string {
	var s []byte
	for uint32(len(s)) < most {
		p := c.romReach(addr + uint32(len(s)))
		if p == nil {
			c.warn("a function of the ROM was given a string at 0x%08x, where no memory is", addr)
			break
		}
		p = p[:min(len(p), int(most)-len(s))]
		if end := bytes.IndexByte(p, 0); end >= 0 {
			c.romTellRead(addr+uint32(len(s)), end+1)
			return string(append(s, p[:end]...))
		}
		c.romTellRead(addr+uint32(len(s)), len(p))
		s = append(s, p...)
	}
	return string(s)
}

// romReach is the memory that follows an address without a gap, or nil.
func (c *Chip) romReach(addr uint32) []byte {
	for _, r := range c.regions() {
		if off := uint64(addr) - r.Base; off < uint64(len(r.Data)) {
			return r.Data[off:]
		}
	}
	return nil
}

// romTellRead tells who watches flash of what the ROM's code reads through the cache, and who
// tracks RAM of that.
func (c *Chip) romTellRead(addr uint32, n int) {
	c.track.Loaded(addr, uint32(n))
	if !c.nor.Cells().Watched() {
		return
	}
	for _, r := range c.regions() {
		if uint64(addr)-r.Base < uint64(len(r.Data)) && r.Read != nil {
			r.Read(uint64(addr), uint64(n))
			return
		}
	}
}

// str is the string that an argument points to, with its cost.
func (c *Chip) str(i int) string {
	s := c.romString(c.arg(i))
	c.romTake(4 * uint64(len(s)))
	return s
}

// strN is at most as much of it.
func (c *Chip) strN(i int, most uint32) string {
	s := c.romStringN(c.arg(i), min(most, romMost))
	c.romTake(4 * uint64(len(s)))
	return s
}

// putString writes a string and its end, and returns the address.
func (c *Chip) putString(at uint32, s string) uint32 {
	c.romPut(at, append([]byte(s), 0))
	return at
}

// pointer is the address of an index into what argument i points to, or NULL.
func (c *Chip) pointer(i, index int) uint32 {
	if index < 0 {
		return 0
	}
	return c.arg(i) + uint32(index)
}

func romOrder(a, b string) uint32 { return uint32(strings.Compare(a, b)) }

// class is a function of ctype.h.
func class(in func(b byte) bool) romFunc {
	return value(8, func(c *Chip) uint32 { return uint32(oneIf(c.arg(0) < 0x80 && in(byte(c.arg(0))))) })
}

func between(b, least, most byte) bool { return b >= least && b <= most }
func isUpper(b byte) bool              { return between(b, 'A', 'Z') }
func isLower(b byte) bool              { return between(b, 'a', 'z') }
func isDigit(b byte) bool              { return between(b, '0', '9') }
func isAlpha(b byte) bool              { return isUpper(b) || isLower(b) }
func isAlnum(b byte) bool              { return isAlpha(b) || isDigit(b) }
func isSpace(b byte) bool              { return b == ' ' || between(b, '\t', '\r') }

var romLibc = map[string]romFunc{
	"memcmp": value(20, func(c *Chip) uint32 {
		n := min(c.arg(2), romMost)
		c.romTake(2 * uint64(n))
		return uint32(bytes.Compare(c.romBytes(c.arg(0), n), c.romBytes(c.arg(1), n)))
	}),
	"bzero": effect(10, func(c *Chip) {
		n := min(c.arg(1), romMost)
		c.romTake(uint64(n) / 2)
		c.romPut(c.arg(0), make([]byte, n))
	}),
	"memchr":  value(10, func(c *Chip) uint32 { return romIndex(c, bytes.IndexByte) }),
	"memrchr": value(10, func(c *Chip) uint32 { return romIndex(c, bytes.LastIndexByte) }),

	"strlen":      value(10, func(c *Chip) uint32 { return uint32(len(c.str(0))) }),
	"strnlen":     value(10, func(c *Chip) uint32 { return uint32(len(c.strN(0, c.arg(1)))) }),
	"strcmp":      value(10, func(c *Chip) uint32 { return romOrder(c.str(0), c.str(1)) }),
	"strcoll":     value(10, func(c *Chip) uint32 { return romOrder(c.str(0), c.str(1)) }),
	"strncmp":     value(10, func(c *Chip) uint32 { return romOrder(c.strN(0, c.arg(2)), c.strN(1, c.arg(2))) }),
	"strcasecmp":  value(10, func(c *Chip) uint32 { return romOrder(lower(c.str(0)), lower(c.str(1))) }),
	"strncasecmp": value(10, func(c *Chip) uint32 { return romOrder(lower(c.strN(0, c.arg(2))), lower(c.strN(1, c.arg(2)))) }),
	"strcpy":      value(10, func(c *Chip) uint32 { return c.putString(c.arg(0), c.str(1)) }),
	"strncpy":     value(10, romStrncpy),
	"strlcpy":     value(10, func(c *Chip) uint32 { return c.limited(0, "", c.str(1)) }),
	"strcat":      value(10, func(c *Chip) uint32 { return c.putString(c.arg(0), c.str(0)+c.str(1)) }),
	"strncat":     value(10, func(c *Chip) uint32 { return c.putString(c.arg(0), c.str(0)+c.strN(1, c.arg(2))) }),
	"strlcat":     value(10, func(c *Chip) uint32 { return c.limited(0, c.strN(0, c.arg(2)), c.str(1)) }),
	"strchr":      value(10, func(c *Chip) uint32 { return c.pointer(0, strings.IndexByte(c.str(0)+"\x00", byte(c.arg(1)))) }),
	"strrchr":     value(10, func(c *Chip) uint32 { return c.pointer(0, strings.LastIndexByte(c.str(0)+"\x00", byte(c.arg(1)))) }),
	"strstr":      value(10, func(c *Chip) uint32 { return c.pointer(0, strings.Index(c.str(0), c.str(1))) }),
	"strcasestr":  value(10, func(c *Chip) uint32 { return c.pointer(0, strings.Index(lower(c.str(0)), lower(c.str(1)))) }),
	"strspn":      value(10, func(c *Chip) uint32 { return romSpan(c.str(0), c.str(1), true) }),
	"strcspn":     value(10, func(c *Chip) uint32 { return romSpan(c.str(0), c.str(1), false) }),
	"strlwr":      value(10, func(c *Chip) uint32 { return c.putString(c.arg(0), lower(c.str(0))) }),
	"strupr":      value(10, func(c *Chip) uint32 { return c.putString(c.arg(0), mapped(c.str(0), toUpper)) }),

	"isalnum": class(isAlnum),
	"isalpha": class(isAlpha),
	"isascii": class(func(byte) bool { return true }),
	"isblank": class(func(b byte) bool { return b == ' ' || b == '\t' }),
	"iscntrl": class(func(b byte) bool { return b < ' ' || b == 0x7F }),
	"isdigit": class(isDigit),
	"islower": class(isLower),
	"isgraph": class(func(b byte) bool { return between(b, '!', '~') }),
	"isprint": class(func(b byte) bool { return between(b, ' ', '~') }),
	"ispunct": class(func(b byte) bool { return between(b, '!', '~') && !isAlnum(b) }),
	"isspace": class(isSpace),
	"isupper": class(isUpper),
	"toupper": value(8, func(c *Chip) uint32 { return romCase(c.arg(0), toUpper) }),
	"tolower": value(8, func(c *Chip) uint32 { return romCase(c.arg(0), toLower) }),
	"toascii": value(4, func(c *Chip) uint32 { return c.arg(0) & 0x7F }),

	"abs":     value(4, romAbs),
	"labs":    value(4, romAbs),
	"div":     {40, romDiv},
	"ldiv":    {40, romDiv},
	"atoi":    value(40, func(c *Chip) uint32 { return c.romNumber(10, 0, true) }),
	"atol":    value(40, func(c *Chip) uint32 { return c.romNumber(10, 0, true) }),
	"strtol":  value(40, func(c *Chip) uint32 { return c.romNumber(int(c.arg(2)), c.arg(1), true) }),
	"strtoul": value(40, func(c *Chip) uint32 { return c.romNumber(int(c.arg(2)), c.arg(1), false) }),
	"itoa":    value(100, func(c *Chip) uint32 { return romItoa(c, true) }),
	"utoa":    value(100, func(c *Chip) uint32 { return romItoa(c, false) }),
	"setjmp":  value(30, romSetjmp),
	"longjmp": {30, romLongjmp},

	"_isatty_r": {30, romIsatty},
	"strdup":    {20, func(c *Chip) { romStrdup(c, romMost) }},
	"strndup":   {20, func(c *Chip) { romStrdup(c, min(c.arg(1), romMost)) }},
	"qsort":     {30, romQsort},

	"crc32_be":   value(30, func(c *Chip) uint32 { return ^c.romCRC(^c.arg(0), 32, 0x04C11DB7, false) }),
	"crc16_le":   value(30, func(c *Chip) uint32 { return ^c.romCRC(^c.arg(0)&0xFFFF, 16, 0x8408, true) & 0xFFFF }),
	"crc16_be":   value(30, func(c *Chip) uint32 { return ^c.romCRC(^c.arg(0)&0xFFFF, 16, 0x1021, false) & 0xFFFF }),
	"crc8_le":    value(30, func(c *Chip) uint32 { return ^c.romCRC(^c.arg(0)&0xFF, 8, 0xE0, true) & 0xFF }),
	"crc8_be":    value(30, func(c *Chip) uint32 { return ^c.romCRC(^c.arg(0)&0xFF, 8, 0x07, false) & 0xFF }),
	"mz_crc32":   value(30, func(c *Chip) uint32 { return crc32.Update(c.arg(0), crc32.IEEETable, c.checked()) }),
	"mz_adler32": value(30, func(c *Chip) uint32 { return romAdler(c.arg(0), c.checked()) }),
}

// romIndex finds a byte in memory.
func romIndex(c *Chip, find func([]byte, byte) int) uint32 {
	n := min(c.arg(2), romMost)
	c.romTake(4 * uint64(n))
	return c.pointer(0, find(c.romBytes(c.arg(0), n), byte(c.arg(1))))
}

func romStrncpy(c *Chip) uint32 {
	n := min(c.arg(2), romMost)
	p := make([]byte, n)
	copy(p, c.strN(1, n))
	c.romPut(c.arg(0), p)
	return c.arg(0)
}

// limited puts a string behind another within the size of argument 2, and returns
// how long it would be.
func (c *Chip) limited(to int, have, more string) uint32 {
	size, whole := int(min(c.arg(2), romMost)), have+more
	if len(have) < size {
		c.putString(c.arg(to), whole[:min(len(whole), size-1)])
	}
	return uint32(len(whole))
}

// romSpan is how many characters from the start on are in a set, or are not.
func romSpan(s, set string, in bool) uint32 {
	for i := range len(s) {
		if (strings.IndexByte(set, s[i]) >= 0) != in {
			return uint32(i)
		}
	}
	return uint32(len(s))
}

func toUpper(b byte) byte {
	if isLower(b) {
		b -= 'a' - 'A'
	}
	return b
}

func toLower(b byte) byte {
	if isUpper(b) {
		b += 'a' - 'A'
	}
	return b
}

func lower(s string) string { return mapped(s, toLower) }

func mapped(s string, f func(byte) byte) string {
	p := []byte(s)
	for i, b := range p {
		p[i] = f(b)
	}
	return string(p)
}

func romCase(v uint32, f func(byte) byte) uint32 {
	if v < 0x80 {
		return uint32(f(byte(v)))
	}
	return v
}

func romAbs(c *Chip) uint32 {
	if v := int32(c.arg(0)); v < 0 {
		return uint32(-v)
	}
	return c.arg(0)
}

// romDiv returns quotient and remainder in two registers, what the core's div and rem give.
func romDiv(c *Chip) {
	a, b := int32(c.arg(0)), int32(c.arg(1))
	q, r := int32(-1), a
	if b != 0 {
		q, r = a/b, a%b
	}
	c.core.X[11] = signed(uint32(r))
	c.romReturn(uint32(q))
}

// romNumber reads a number at the start of a string as strtol and strtoul do, and
// stores where it ends if end is given.
func (c *Chip) romNumber(base int, end uint32, negative bool) uint32 {
	s := c.str(0)
	i := int(romSpan(s, " \t\n\v\f\r", true))
	minus := i < len(s) && s[i] == '-'
	if i < len(s) && (s[i] == '-' || s[i] == '+') {
		i++
	}
	hex := len(s) > i+1 && s[i] == '0' && toLower(s[i+1]) == 'x'
	switch {
	case hex && (base == 0 || base == 16):
		base, i = 16, i+2
	case base == 0 && i < len(s) && s[i] == '0':
		base = 8
	case base == 0:
		base = 10
	}
	first := i
	var v uint64
	for ; i < len(s) && digit(s[i]) < base; i++ {
		v = min(v*uint64(base)+uint64(digit(s[i])), 1<<32)
	}
	if end != 0 {
		at := c.arg(0)
		if i > first {
			at += uint32(i)
		}
		c.romPut32(end, at)
	}
	return limitNumber(v, minus, negative)
}

// digit is a digit's value, or one that no base has.
func digit(b byte) int {
	switch {
	case isDigit(b):
		return int(b - '0')
	case isAlpha(b):
		return int(toLower(b)-'a') + 10
	}
	return 99
}

// limitNumber is what strtol and strtoul return of a magnitude, up to 2³² for all that
// have no place.
func limitNumber(v uint64, minus, signed bool) uint32 {
	switch {
	case signed && minus && v > 1<<31:
		return 1 << 31
	case signed && !minus && v >= 1<<31:
		return 1<<31 - 1
	case v >= 1<<32:
		return 1<<32 - 1
	case minus:
		return -uint32(v)
	}
	return uint32(v)
}

// romItoa writes a number in a base; only a decimal one has a sign.
func romItoa(c *Chip, signed bool) uint32 {
	base := int(c.arg(2))
	switch {
	case base < 2 || base > 36:
		c.putString(c.arg(1), "")
		return 0
	case signed && base == 10:
		return c.putString(c.arg(1), strconv.Itoa(int(int32(c.arg(0)))))
	}
	return c.putString(c.arg(1), strconv.FormatUint(uint64(c.arg(0)), base))
}

// romJump are the registers that setjmp keeps, in newlib's order.
var romJump = [...]int{1, 8, 9, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 2}

func romSetjmp(c *Chip) uint32 {
	for i, x := range romJump {
		c.romPut32(c.arg(0)+4*uint32(i), uint32(c.core.X[x]))
	}
	return 0
}

func romLongjmp(c *Chip) {
	for i, x := range romJump {
		c.core.X[x] = signed(c.romGet32(c.arg(0) + 4*uint32(i)))
	}
	c.romReturn(max(c.arg(1), 1))
}

// checked is what arguments 1 and 2 say to take a checksum of.
func (c *Chip) checked() []byte {
	n := min(c.arg(2), 16<<20)
	c.romTake(uint64(n) * 8)
	return c.romBytes(c.arg(1), n)
}

// romCRC is a remainder, of a polynomial that is given reversed if the low bit of a
// byte goes first.
func (c *Chip) romCRC(crc uint32, width int, poly uint32, low bool) uint32 {
	top := uint32(1) << (width - 1)
	for _, b := range c.checked() {
		if low {
			crc ^= uint32(b)
		} else {
			crc ^= uint32(b) << (width - 8)
		}
		for range 8 {
			switch {
			case low && crc&1 != 0:
				crc = crc>>1 ^ poly
			case low:
				crc >>= 1
			case crc&top != 0:
				crc = crc<<1 ^ poly
			default:
				crc <<= 1
			}
		}
	}
	return crc
}

// romAdler goes on with an Adler-32 sum.
func romAdler(sum uint32, p []byte) uint32 {
	if sum == 1 {
		return adler32.Checksum(p)
	}
	a, b := sum&0xFFFF, sum>>16
	for _, v := range p {
		a = (a + uint32(v)) % 65521
		b = (b + a) % 65521
	}
	return b<<16 | a
}
