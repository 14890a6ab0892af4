package esp32c3

import "rigor/harness/sim/bus"

type usbState struct{}

func (c *Chip) usbReset()                    {}
func (c *Chip) usbEvent(slot int, at uint64) {}
func (c *Chip) usbClockChanged()             {}

type usbDevice struct{ *Chip }

func (d usbDevice) Load(off uint32, _ uint8) (uint64, bus.Fault) {
	return 0, d.unknown("USB_DEVICE", off)
}
func (d usbDevice) Store(off uint32, _ uint8, v uint64) bus.Fault {
	return d.unknown("USB_DEVICE", off)
}
