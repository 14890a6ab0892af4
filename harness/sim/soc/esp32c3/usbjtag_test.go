package esp32c3

import (
	"bytes"
	"testing"

	"rigor/harness/sim/clock"
)

const usb0 = 0x60043000

// give writes bytes as a program does: while there is room, then WR_DONE.
func give(t *testing.T, c *Chip, p []byte) {
	t.Helper()
	for _, b := range p {
		for n := 0; ld(t, c, usb0+0x04)&2 == 0; n++ {
			if n > 1000 {
				t.Fatal("the host does not take the packet")
			}
			run(t, c, clock.Microsecond)
		}
		st(t, c, usb0, uint32(b))
	}
	st(t, c, usb0+0x04, 1)
}

// A packet of n bytes takes 13+n bytes' times of 2/3 us (USB 2.0, table 5-9).
func TestUSBToHost(t *testing.T) {
	c := started(t, Options{}, endless())
	fast(t, c)
	st(t, c, usb0+0x14, 0xFFFFFFFF)
	begin := c.Now()
	give(t, c, []byte("hello"))
	run(t, c, begin+18*2*clock.Microsecond/3-c.Now()-50_000)
	if got := c.USBRead(100); len(got) != 0 || ld(t, c, usb0+0x04)&2 != 0 {
		t.Errorf("%q is there too early", got)
	}
	run(t, c, 200*clock.Nanosecond)
	if got := c.USBRead(3); string(got) != "hel" {
		t.Errorf("received %q", got)
	}
	if got := c.USBRead(100); string(got) != "lo" {
		t.Errorf("received %q", got)
	}
	if ld(t, c, usb0+0x04)&2 == 0 || ld(t, c, usb0+0x08)&usbIN_EMPTY == 0 {
		t.Error("the endpoint is not free again")
	}
}

// A packet of 64 bytes goes by itself, but the driver waits with it for the rest of its
// read of 128.
func TestUSBFullPackets(t *testing.T) {
	data := bytes.Repeat([]byte("0123456789abcdef"), 4)
	c := started(t, Options{}, endless())
	fast(t, c)
	give(t, c, data)
	run(t, c, clock.Millisecond)
	if got := c.USBRead(100); len(got) != 0 {
		t.Errorf("%d bytes of an unfinished transfer", len(got))
	}
	st(t, c, usb0+0x04, 1) // an empty packet
	run(t, c, clock.Millisecond)
	if got := c.USBRead(100); !bytes.Equal(got, data) {
		t.Errorf("received %q", got)
	}
	give(t, c, data)
	give(t, c, data)
	run(t, c, clock.Millisecond)
	if got := c.USBRead(200); len(got) != 128 {
		t.Errorf("received %d bytes, want 128", len(got))
	}
}

// A host that takes nothing stops the chip once its buffer is full, and a byte
// stored then is lost.
func TestUSBHostIsSlow(t *testing.T) {
	c := started(t, Options{}, endless())
	fast(t, c)
	for range 64 {
		give(t, c, bytes.Repeat([]byte("x"), 63))
	}
	run(t, c, 10*clock.Millisecond)
	give(t, c, []byte("x"))
	give(t, c, []byte("y"))
	run(t, c, 10*clock.Millisecond)
	if ld(t, c, usb0+0x04)&2 != 0 {
		t.Fatal("the host has taken more than it has room for")
	}
	st(t, c, usb0, 'z')
	if len(c.Warnings()) != 1 {
		t.Errorf("warnings %q", c.Warnings())
	}
	if got := c.USBRead(5000); len(got) != 64*63+1 {
		t.Errorf("received %d bytes", len(got))
	}
	run(t, c, clock.Millisecond)
	if got := c.USBRead(5000); string(got) != "y" {
		t.Errorf("received %q", got)
	}
}

// Packets from the host hold at most 64 bytes, and the next one waits until all of
// one is read.
func TestUSBFromHost(t *testing.T) {
	c := started(t, Options{}, endless())
	fast(t, c)
	st(t, c, usb0+0x10, usbRECV_PKT)
	data := bytes.Repeat([]byte("0123456789"), 7)
	if n := c.USBWrite(data); n != 70 {
		t.Errorf("the host takes %d of 70 bytes", n)
	}
	run(t, c, clock.Millisecond)
	if ld(t, c, usb0+0x0C) != usbRECV_PKT || c.Matrix.Levels>>sourceUSB&1 == 0 {
		t.Error("no interrupt")
	}
	st(t, c, usb0+0x14, usbRECV_PKT)
	var got []byte
	for ld(t, c, usb0+0x04)&4 != 0 {
		got = append(got, byte(ld(t, c, usb0)))
	}
	if !bytes.Equal(got, data[:64]) || c.Matrix.Levels>>sourceUSB&1 != 0 {
		t.Errorf("first packet %q", got)
	}
	run(t, c, clock.Millisecond)
	for ld(t, c, usb0+0x04)&4 != 0 {
		got = append(got, byte(ld(t, c, usb0)))
	}
	if !bytes.Equal(got, data) || ld(t, c, usb0+0x08)&usbRECV_PKT == 0 {
		t.Errorf("both packets %q", got)
	}
	if n := c.USBWrite(make([]byte, 5000)); n != 4096 {
		t.Errorf("the host's buffer takes %d bytes", n)
	}
}

// SOF comes with every frame of a millisecond.
func TestUSBFrames(t *testing.T) {
	c := started(t, Options{}, endless())
	st(t, c, usb0+0x14, usbSOF)
	if ld(t, c, usb0+0x08)&usbSOF != 0 {
		t.Error("SOF behind its clearing")
	}
	n := ld(t, c, usb0+0x24)
	st(t, c, usb0+0x10, usbSOF)
	run(t, c, clock.Millisecond)
	if ld(t, c, usb0+0x0C) != usbSOF || c.Matrix.Levels>>sourceUSB&1 == 0 || ld(t, c, usb0+0x24) != n+1 {
		t.Errorf("after a frame: raw %#x, frame %d behind %d", ld(t, c, usb0+0x08), ld(t, c, usb0+0x24), n)
	}
	st(t, c, usb0+0x18, 0) // off the bus
	st(t, c, usb0+0x14, usbSOF)
	run(t, c, 5*clock.Millisecond)
	if ld(t, c, usb0+0x08)&usbSOF != 0 {
		t.Error("SOF without a bus")
	}
}

// TRM table 30.3-2, in the steps that esptool makes for USB Serial/JTAG.
func TestUSBLines(t *testing.T) {
	const downloads, boots = 0x4, 0xC
	tests := []struct {
		name  string
		steps [][2]bool // DTR, RTS
		reset bool
		strap uint32
	}{
		{"into the boot loader", [][2]bool{{false, false}, {true, false}, {true, true}, {false, true}, {false, true}}, true, downloads},
		{"hard reset", [][2]bool{{false, false}, {false, true}, {false, false}}, true, boots},
		{"the flag alone", [][2]bool{{true, false}}, false, boots},
		{"both lines", [][2]bool{{true, true}}, false, boots},
	}
	for _, tt := range tests {
		c := started(t, Options{}, endless())
		c.GPIO.STRAP, c.GPIO.Pins.Straps = boots, boots
		for _, l := range tt.steps {
			c.USBLines(l[0], l[1])
		}
		if got := !c.Running; got != tt.reset {
			t.Errorf("%s: reset %t", tt.name, got)
		}
		if tt.reset && c.Cause != resetUSB {
			t.Errorf("%s: cause %#x", tt.name, c.Cause)
		}
		if c.GPIO.STRAP != tt.strap {
			t.Errorf("%s: straps %#x, want %#x", tt.name, c.GPIO.STRAP, tt.strap)
		}
	}
}
