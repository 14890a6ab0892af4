package esp32c3

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"rigor/harness/sim/bus"
)

// text puts strings to memory one after the other, 64 bytes apart.
func (c *caller) text(s ...string) {
	for i, v := range s {
		c.put(callerData+64*uint32(i), append([]byte(v), 0))
	}
}

// Results that ISO C gives, and of checksums the check values of "123456789" in the
// catalogue of parametrised CRC algorithms: CRC-32/BZIP2, CRC-16/IBM-SDLC (X-25 of the
// reversed polynomial), CRC-16/GENIBUS, and CRC-8 of either order by definition.
func TestLibc(t *testing.T) {
	const a, b, end = callerData, callerData + 64, callerData + 128
	tests := []struct {
		name string
		text []string
		args []uint32
		want uint32
	}{
		{"strlen", []string{"four"}, []uint32{a}, 4},
		{"strnlen", []string{"four"}, []uint32{a, 2}, 2},
		{"strcmp", []string{"abc", "abd"}, []uint32{a, b}, 0xFFFFFFFF},
		{"strncmp", []string{"abc", "abd"}, []uint32{a, b, 2}, 0},
		{"strcasecmp", []string{"aBc", "Abc"}, []uint32{a, b}, 0},
		{"memcmp", []string{"abd", "abc"}, []uint32{a, b, 3}, 1},
		{"strchr", []string{"hello"}, []uint32{a, 'l'}, a + 2},
		{"strchr", []string{"hello"}, []uint32{a, 0}, a + 5},
		{"strrchr", []string{"hello"}, []uint32{a, 'l'}, a + 3},
		{"strstr", []string{"hello", "lo"}, []uint32{a, b}, a + 3},
		{"strstr", []string{"hello", "x"}, []uint32{a, b}, 0},
		{"strspn", []string{"aabc", "ab"}, []uint32{a, b}, 3},
		{"strcspn", []string{"xyab", "ab"}, []uint32{a, b}, 2},
		{"memchr", []string{"hello"}, []uint32{a, 'l', 5}, a + 2},
		{"memchr", []string{"hello"}, []uint32{a, 'l', 2}, 0},
		{"isdigit", nil, []uint32{'7'}, 1},
		{"isspace", nil, []uint32{'x'}, 0},
		{"toupper", nil, []uint32{'q'}, 'Q'},
		{"abs", nil, []uint32{0xFFFFFFFB}, 5},
		{"atoi", []string{" -42x"}, []uint32{a}, 0xFFFFFFD6},
		{"strtol", []string{"0x1Fz"}, []uint32{a, end, 0}, 31},
		{"strtol", []string{"99999999999"}, []uint32{a, 0, 10}, 0x7FFFFFFF},
		{"strtol", []string{"-99999999999"}, []uint32{a, 0, 10}, 0x80000000},
		{"strtoul", []string{"777"}, []uint32{a, 0, 8}, 0o777},
		{"strtoul", []string{"99999999999"}, []uint32{a, 0, 10}, 0xFFFFFFFF},
		{"crc32_be", []string{"123456789"}, []uint32{0, a, 9}, 0xFC891918},
		{"crc16_le", []string{"123456789"}, []uint32{0, a, 9}, 0x906E},
		{"crc16_be", []string{"123456789"}, []uint32{0, a, 9}, 0xD64E},
		{"mz_crc32", []string{"123456789"}, []uint32{0, a, 9}, 0xCBF43926},
		{"mz_adler32", []string{"123456789"}, []uint32{1, a, 9}, 0x091E01DE},
	}
	for _, test := range tests {
		c := newCaller(t)
		c.text(test.text...)
		if got := uint32(c.call(test.name, test.args...)); got != test.want {
			t.Errorf("%s of %q, %x: 0x%x, want 0x%x", test.name, test.text, test.args, got, test.want)
		}
		if test.name == "strtol" && test.args[1] != 0 && binary.LittleEndian.Uint32(c.get(end, 4)) != a+4 {
			t.Error("strtol: a number's end is not where it is")
		}
	}
}

func TestLibcWritesStrings(t *testing.T) {
	const a, b = callerData, callerData + 64
	tests := []struct {
		name string
		text []string
		args []uint32
		want string
	}{
		{"strcpy", []string{"", "new"}, []uint32{a, b}, "new\x00"},
		{"strncpy", []string{"xxxxx", "ab"}, []uint32{a, b, 4}, "ab\x00\x00x"},
		{"strncpy", []string{"xxxxx", "abcd"}, []uint32{a, b, 2}, "abxxx"},
		{"strlcpy", []string{"xxxxx", "abcd"}, []uint32{a, b, 3}, "ab\x00xx"},
		{"strcat", []string{"ab", "cd"}, []uint32{a, b}, "abcd\x00"},
		{"strncat", []string{"ab", "cdef"}, []uint32{a, b, 1}, "abc\x00"},
		{"strlcat", []string{"ab", "cdef"}, []uint32{a, b, 5}, "abcd\x00"},
		{"strupr", []string{"aBc"}, []uint32{a}, "ABC\x00"},
		{"itoa", nil, []uint32{0xFFFFFFF6, a, 10}, "-10\x00"},
		{"utoa", nil, []uint32{255, a, 16}, "ff\x00"},
		{"bzero", []string{"xxx"}, []uint32{a, 2}, "\x00\x00x"},
	}
	for _, test := range tests {
		c := newCaller(t)
		c.text(test.text...)
		c.call(test.name, test.args...)
		if got := c.get(a, len(test.want)); string(got) != test.want {
			t.Errorf("%s of %q: %q, want %q", test.name, test.text, got, test.want)
		}
	}
}

// What a context holds between calls is enough to go on.
func TestSHA(t *testing.T) {
	data := bytes.Repeat([]byte("rigor "), 30)
	sum1, sum256 := sha1.Sum(data), sha256.Sum256(data)
	for kind, want := range map[uint32][]byte{0: sum1[:], 2: sum256[:]} {
		c := newCaller(t)
		const ctx, in, out = callerData, callerData + 512, callerData + 1024
		c.put(in, data)
		c.call("ets_sha_init", ctx, kind)
		c.call("ets_sha_starts", ctx, 0)
		c.call("ets_sha_update", ctx, in, 100, 1)
		c.call("ets_sha_update", ctx, in+100, uint32(len(data)-100), 1)
		c.call("ets_sha_finish", ctx, out)
		if got := c.get(out, len(want)); !bytes.Equal(got, want) {
			t.Errorf("hash %d: %x, want %x", kind, got, want)
		}
	}
}

// The program's function compares: `lw a0,0(a0); lw a1,0(a1); sub a0,a0,a1; ret`.
func TestQsort(t *testing.T) {
	c := newCaller(t)
	const compare = callerCode + 0x100
	c.put(compare, words(0x00052503, 0x0005A583, 0x40B50533, 0x00008067))
	v := []uint32{5, 3, 9, 1, 1, 7, 0, 2}
	c.put(callerData, words(v...))
	c.call("qsort", callerData, uint32(len(v)), 4, compare)
	slices.Sort(v)
	if got := c.get(callerData, 4*len(v)); !bytes.Equal(got, words(v...)) {
		t.Errorf("sorted to % x", got)
	}
	if uint32(c.core.X[2]) != callerStack {
		t.Errorf("sp 0x%x", c.core.X[2])
	}
}

func TestDiv(t *testing.T) {
	c := newCaller(t)
	if got := c.call("div", 0xFFFFFFF9, 2); uint32(got) != 0xFFFFFFFD || uint32(got>>32) != 0xFFFFFFFF { // C11 7.22.6.2: towards zero
		t.Errorf("-7 by 2: 0x%x", got)
	}
}

func TestLongjmp(t *testing.T) {
	c := newCaller(t)
	c.core.X[8] = 0x1234
	if got := c.call("setjmp", callerData); got != 0 {
		t.Errorf("setjmp: %d", got)
	}
	c.core.X[8] = 0
	if got := uint32(c.call("longjmp", callerData, 7)); got != 7 || c.core.X[8] != 0x1234 {
		t.Errorf("longjmp: %d, s0 0x%x", got, c.core.X[8])
	}
}

// printed has ets_printf print to the program's function that stores characters one after the other:
// `lui t0,0x3fc91; lw t1,0(t0); sb a0,0(t1); addi t1,t1,1; sw t1,0(t0); ret`.
func (c *caller) printed(format string, args ...uint32) string {
	const put, at, text = callerCode + 0x100, 0x3FC91000, 0x3FC92000
	c.put(put, words(0x3FC912B7, 0x0002A303, 0x00A30023, 0x00130313, 0x0062A023, 0x00008067))
	c.put(at, words(text))
	c.put(callerData, append([]byte(format), 0))
	c.call("ets_install_putc1", put)
	c.call("ets_install_putc2", 0)
	if len(args) > 7 {
		c.put(callerStack, words(args[7:]...))
		args = args[:7]
	}
	n := uint32(c.call("ets_printf", append([]uint32{callerData}, args...)...))
	if end := binary.LittleEndian.Uint32(c.get(at, 4)); end-text != n {
		c.t.Errorf("%q: said to print %d characters of %d", format, n, end-text)
	}
	return string(c.get(text, int(n)))
}

func TestPrintf(t *testing.T) {
	const a = callerData + 0x100
	tests := []struct {
		format string
		args   []uint32
		want   string
	}{
		{"plain %% text\n", nil, "plain % text\n"},
		{"%d %i %u", []uint32{0xFFFFFFFF, 7, 0xFFFFFFFF}, "-1 7 4294967295"},
		{"%08x|%-6x|%6X", []uint32{0xBEEF, 0xA, 0xA}, "0000beef|a     |     A"},
		{"%+d %05d", []uint32{3, 0xFFFFFFFE}, "+3 -0002"},
		{"%s|%5s|%-5s|%.2s", []uint32{a, a, a, a}, "abc|  abc|abc  |ab"},
		{"%*d", []uint32{4, 1}, "   1"},
		{"%c%c", []uint32{'o', 'k'}, "ok"},
		{"%llx", []uint32{0x55667788, 0x11223344}, "1122334455667788"},
		{"%d%d%d%d%d%d%d%d%d", []uint32{1, 2, 3, 4, 5, 6, 7, 8, 9}, "123456789"},
	}
	for _, test := range tests {
		c := newCaller(t)
		c.put(a, []byte("abc\x00"))
		if got := c.printed(test.format, test.args...); got != test.want {
			t.Errorf("%q of %x: %q, want %q", test.format, test.args, got, test.want)
		}
	}
}

// Without a host on USB printing goes on, if late; UART0 gets lines that end with
// two characters.
func TestPrintfOnUART(t *testing.T) {
	var sent strings.Builder
	c := newCaller(t)
	c.opt.Sent = func(uart int, b byte) { sent.WriteByte(b) }
	c.put(callerData, []byte("a\nb\n\x00"))
	c.call("ets_printf", callerData)
	c.call("uart_tx_wait_idle", 0)
	if got := sent.String(); got != "a\r\nb\r\n" {
		t.Errorf("%q", got)
	}
}

func TestPadsByROM(t *testing.T) {
	c := newCaller(t)
	c.call("rom_gpio_pad_pullup", 3)
	if got := c.peek(ioMuxBase + 4 + 12); got&(padPullUp|padPullDown) != padPullUp {
		t.Errorf("IO_MUX.GPIO3: 0x%x", got)
	}
	c.call("rom_gpio_matrix_out", 4, 6, 1, 0)
	if got := c.peek(gpioBase + 0x554 + 16); got != 6|1<<8 {
		t.Errorf("FUNC4_OUT_SEL_CFG: 0x%x", got)
	}
	c.call("rom_gpio_matrix_in", 0x1E, 6, 0)
	if got := c.peek(gpioBase + 0x154 + 24); got != 0x1E|1<<6 {
		t.Errorf("FUNC6_IN_SEL_CFG: 0x%x", got)
	}
}

// The bus to analog parts by the ROM: read, read a field, write, write a field.
func TestAnalogPartsByROM(t *testing.T) {
	c := newCaller(t)
	const part, reg = 0x6A, 1
	c.callAt(romBase+romREGI2C+8, part, 0, reg, 0xA5)
	c.callAt(romBase+romREGI2C+12, part, 0, reg, 6, 4, 5)
	if got := uint32(c.callAt(romBase+romREGI2C, part, 0, reg)); got != 0xD5 {
		t.Errorf("register: 0x%02x, want 0xd5", got)
	}
	if got := uint32(c.callAt(romBase+romREGI2C+4, part, 0, reg, 7, 4)); got != 0xD {
		t.Errorf("field: 0x%x, want 0xd", got)
	}
}

// _isatty_r asks the program's _fstat_r, which says that it is a terminal:
// `lui t0,2; sw t0,4(a2); li a0,0; ret`.
func TestIsatty(t *testing.T) {
	c := newCaller(t)
	const fstat, table = callerCode + 0x100, callerData
	c.put(fstat, words(0x000022B7, 0x00562223, 0x00000513, 0x00008067))
	c.put(table+14*4, words(fstat))
	c.put(romSyscalls, words(table))
	if got := c.call("_isatty_r", 0, 1); uint32(got) != 1 || uint32(c.core.X[2]) != callerStack {
		t.Errorf("%d, sp 0x%x", got, c.core.X[2])
	}
}

// memcpy reaches peripherals' registers: ESP-IDF reads the flash controller's buffer so.
func TestMemcpyFromRegisters(t *testing.T) {
	c := newCaller(t)
	c.poke(0x60002058, 0x44332211)
	c.poke(0x6000205C, 0x88776655)
	c.call("memcpy", callerData, 0x60002059, 6)
	if got := c.get(callerData, 6); !bytes.Equal(got, []byte{0x22, 0x33, 0x44, 0x55, 0x66, 0x77}) {
		t.Errorf("% x", got)
	}
	c.put(callerData, words(0x01020304))
	c.call("memcpy", 0x60002058, callerData, 4)
	if got := c.peek(0x60002058); got != 0x01020304 {
		t.Errorf("W0 0x%08x", got)
	}
}

// How the ROM uses RAM can be asked, and its variables are 0 when a program starts.
func TestROMLayout(t *testing.T) {
	c := newCaller(t)
	layout := c.romGet32(0x3FF1FFFC)
	if stack := c.romGet32(layout + 12); stack != romStack {
		t.Errorf("stack 0x%08x", stack)
	}
	if _, f := (cpuBus{c.Chip}).Load(0x3FF10000, 4); f != bus.Unmodelled {
		t.Errorf("other data of the ROM: %v", f)
	}
}

// strdup asks the program's __getreent, which returns 5, then its _malloc_r, which sees that
// and what is wanted: `lui a0,0x3fc92; ret` after `sw a0,-8(t0); sw a1,-4(t0)` with t0 = 3fc92000.
func TestStrdup(t *testing.T) {
	c := newCaller(t)
	const reent, malloc, table, heap = callerCode + 0x100, callerCode + 0x120, callerData + 0x100, 0x3FC92000
	c.put(reent, words(0x00500513, 0x00008067))
	c.put(malloc, words(0x3FC922B7, 0xFEA2AC23, 0xFEB2AE23, 0x3FC92537, 0x00008067))
	c.put(table, words(reent, malloc))
	c.put(romSyscalls, words(table))
	c.text("copied")
	if got := uint32(c.call("strdup", callerData)); got != heap || string(c.get(heap, 7)) != "copied\x00" {
		t.Errorf("at 0x%x: %q", got, c.get(heap, 7))
	}
	if got := c.get(heap-8, 8); !bytes.Equal(got, words(5, 7)) {
		t.Errorf("_malloc_r got % x", got)
	}
	c.call("strndup", callerData, 3)
	if got := c.get(heap, 4); string(got) != "cop\x00" || uint32(c.core.X[2]) != callerStack {
		t.Errorf("strndup: %q, sp 0x%x", got, c.core.X[2])
	}
}
