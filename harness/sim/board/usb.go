package board

// USBSerial is a chip with a USB serial port of its own (ESP32-C3's USB
// Serial/JTAG), on a host that has it open. What the host's driver holds in its
// buffers is part of the chip's state, so that a snapshot has all of it.
type USBSerial interface {
	// USBWrite hands bytes to the host's driver, to be sent to the chip as it
	// takes them, and returns how many of them found room.
	USBWrite(data []byte) int
	// USBRead takes up to max of the bytes that have come from the chip. The chip
	// has to wait when nobody takes them for long.
	USBRead(max int) []byte
	// USBLines sets the modem lines. They are a request to the chip, not pins.
	USBLines(dtr, rts bool)
}
