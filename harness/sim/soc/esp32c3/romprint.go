package esp32c3

import (
	"strconv"
	"strings"
)

// ets_printf and the two channels on which it prints, each a function of the
// program's or of the ROM's (ESP-IDF, rom/ets_sys.h). When a program starts they
// are UART0 and USB, as for what the ROM itself prints.
//
// It keeps what it has to know in a frame on the stack, for what it calls may print,
// too: where it returns to, how far it has come, the format and arguments that
// came in registers. The text is made anew for each character.

const (
	frameRet    = 0
	frameAt     = 4  // twice the index of a character, one more for the second channel
	frameFormat = 16 // what a0 to a7 held; behind it the caller's arguments
	frameSize   = 48
)

var romPrintModels = map[string]romFunc{
	"ets_printf":              {40, romPrintf},
	"ets_install_putc1":       effect(5, func(c *Chip) { c.ROM.Putc[0] = c.arg(0) }),
	"ets_install_putc2":       effect(5, func(c *Chip) { c.ROM.Putc[1] = c.arg(0) }),
	"ets_install_uart_printf": effect(5, func(c *Chip) { c.ROM.Putc[0] = romBase + romPutUART }),
}

func romPrintf(c *Chip) {
	s := &c.core.State
	frame := uint32(s.X[2]) - frameSize
	c.romPut32(frame+frameRet, uint32(s.X[1]))
	c.romPut32(frame+frameAt, 0)
	for i := range uint32(8) {
		c.romPut32(frame+frameFormat+4*i, c.arg(int(i)))
	}
	s.X[2] = signed(frame)
	s.PC = romBase + romPrintStep
}

// romPrintOn has a channel print the next character, or returns how many there were.
func romPrintOn(c *Chip) {
	s := &c.core.State
	frame := uint32(s.X[2])
	text := c.romText(frame)
	at := c.romGet32(frame + frameAt)
	for ; int(at/2) < len(text); at++ {
		if f := c.ROM.Putc[at&1]; f != 0 {
			c.romPut32(frame+frameAt, at+1)
			s.X[10] = uint64(text[at/2])
			s.X[1] = romBase + romPrintStep
			s.PC = uint64(f)
			return
		}
	}
	s.X[2] = signed(frame + frameSize)
	s.X[1] = uint64(c.romGet32(frame + frameRet))
	c.romReturn(uint32(len(text)))
}

// romText is what ets_printf prints, given its frame.
func (c *Chip) romText(frame uint32) []byte {
	at := frame + frameFormat
	return c.romFormat(c.romString(c.romGet32(at)), func() uint32 {
		at += 4
		return c.romGet32(at)
	})
}

// romFormat does what the ROM's printf can: integers, characters, strings and
// pointers, with flags, width and precision.
func (c *Chip) romFormat(format string, arg func() uint32) (text []byte) {
	for i := 0; i < len(format) && len(text) < romTextMost; {
		if format[i] != '%' {
			text = append(text, format[i])
			i++
			continue
		}
		var v verb
		i = v.parse(format, i+1, arg)
		text = append(text, v.pad(c.romVerb(&v, arg))...)
	}
	return text
}

const romTextMost = 4096 // bounds what a program gone wild prints

// verb is a conversion of a format.
type verb struct {
	Left, Plus, Zero bool
	Width, Precision int // Precision -1: none
	Longs            int
	Kind             byte // 0 at the format's end
}

// parse reads a conversion from behind its % on and returns where it ends.
func (v *verb) parse(format string, i int, arg func() uint32) int {
	v.Precision = -1
	number := &v.Width
	for ; i < len(format); i++ {
		switch b := format[i]; {
		case b == '-':
			v.Left = true
		case b == '+':
			v.Plus = true
		case b == '0' && *number <= 0 && number == &v.Width:
			v.Zero = true
		case b >= '0' && b <= '9':
			*number = min(max(*number, 0)*10+int(b-'0'), romTextMost)
		case b == '*':
			*number = min(int(int32(arg())), romTextMost)
		case b == '.':
			number, v.Precision = &v.Precision, 0
		case b == 'l' || b == 'z' || b == 't' || b == 'j':
			v.Longs++
		case strings.IndexByte("h #", b) >= 0:
		default:
			v.Kind = b
			return i + 1
		}
	}
	return i
}

// romVerb is what a conversion makes of its argument.
func (c *Chip) romVerb(v *verb, arg func() uint32) string {
	integer := func() uint64 {
		n := uint64(arg())
		if v.Longs > 1 {
			n |= uint64(arg()) << 32
		}
		return n
	}
	switch v.Kind {
	case 'd', 'i':
		n := int64(integer())
		if v.Longs < 2 {
			n = int64(int32(n))
		}
		if v.Plus && n >= 0 {
			return "+" + strconv.FormatInt(n, 10)
		}
		return strconv.FormatInt(n, 10)
	case 'u':
		return strconv.FormatUint(integer(), 10)
	case 'o':
		return strconv.FormatUint(integer(), 8)
	case 'x':
		return strconv.FormatUint(integer(), 16)
	case 'X':
		return strings.ToUpper(strconv.FormatUint(integer(), 16))
	case 'p':
		return "0x" + strconv.FormatUint(uint64(arg()), 16)
	case 'c':
		return string([]byte{byte(arg())})
	case 's':
		s := c.romString(arg())
		if v.Precision >= 0 {
			s = s[:min(len(s), v.Precision)]
		}
		return s
	case '%':
		return "%"
	case 0:
		return ""
	}
	return "%" + string([]byte{v.Kind})
}

// pad fills up to the width.
func (v *verb) pad(s string) string {
	switch n := v.Width - len(s); {
	case n <= 0:
		return s
	case v.Left:
		return s + strings.Repeat(" ", n)
	case !v.Zero || v.Kind == 's' || v.Kind == 'c':
		return strings.Repeat(" ", n) + s
	case s[0] == '-' || s[0] == '+':
		return s[:1] + strings.Repeat("0", n) + s[1:]
	default:
		return strings.Repeat("0", n) + s
	}
}

// romWriteConsole is the ROM's channel to the console: a line ends with two characters.
func romWriteConsole(c *Chip) {
	b := byte(c.arg(0))
	switch {
	case b == '\r':
	case b == '\n' && !c.ROM.Returned[0]:
		c.ROM.Returned[0] = c.romSend('\r')
		c.romPoll()
		return
	case !c.romSend(b):
		c.romPoll()
		return
	}
	if b == '\n' && c.ROM.Console == romUSB {
		c.poke(usbBase+usbEP1_CONF, usbWR_DONE)
	}
	c.ROM.Returned[0] = false
	c.romReturn(0)
}

// romWriteUSB is the ROM's channel to USB. Without a host it must not wait for ever:
// after some patience it drops what has no place.
func romWriteUSB(c *Chip) {
	r, b := &c.ROM, c.arg(0)&0xFF
	switch now := c.Time(); {
	case c.romUSBRoom() && b == '\n' && !r.Returned[1]:
		c.poke(usbBase+usbEP1, '\r')
		r.USBWait, r.Returned[1] = 0, true
		c.romPoll()
		return
	case c.romUSBRoom():
		c.poke(usbBase+usbEP1, b)
		if b == '\n' {
			c.poke(usbBase+usbEP1_CONF, usbWR_DONE)
		}
		r.USBWait, r.Returned[1] = 0, false
	case r.USBWait == 0:
		r.USBWait = max(now, 1)
		c.romPoll()
		return
	case now-r.USBWait < romUSBPatience:
		c.romPoll()
		return
	}
	c.romReturn(0)
}
