//go:build tinygo && esp32c3

package board

import (
	"device/esp"
	"errors"
	"machine"
	"runtime/volatile"
	"strings"
	"unsafe"
)

// The pins of I2C0.
const (
	sdaPin = machine.GPIO6
	sclPin = machine.GPIO7
)

// What is wrong with the bus.
var (
	ErrNACK    = errors.New("no acknowledge")
	ErrTimeout = errors.New("the transfer does not end")
	ErrSDALow  = errors.New("SDA is held low")
	ErrSCLLow  = errors.New("SCL is held low")
)

// I2C is the board's bus, with TinyGo's driver behind it.
type I2C struct{}

// StartI2C starts the bus at what TinyGo makes of 400 kHz, or at 400 kHz: TinyGo
// adds a wait for SCL to rise of 25 clocks to a period that is full without, and
// so comes to 121 clocks of 40 MHz (TRM §28.4.3.2: 3 more than the three registers
// say). It needs both lines high: TinyGo waits for its controller to clear the bus,
// for ever where it cannot.
func StartI2C(exact bool) {
	machine.I2C0.Configure(machine.I2CConfig{Frequency: 400_000, SDA: sdaPin, SCL: sclPin})
	if !exact {
		return
	}
	b := machine.I2C0.Bus
	b.SetSCL_LOW_PERIOD(55) // 1.4 us, of which Fast-mode wants 1.3 (UM10204 table 10)
	b.SetSCL_HIGH_PERIOD(21)
	b.SetSCL_HIGH_PERIOD_SCL_WAIT_HIGH_PERIOD(21)
	b.SetCTR_CONF_UPGATE(1)
}

// Tx writes to the device and then reads from it. TinyGo 0.41.1 overlooks that
// nobody acknowledges if something is to be read, and takes the bytes out of an
// empty FIFO: such a transfer is one whose STOP was not carried out.
func (I2C) Tx(addr uint16, w, r []byte) error {
	err := machine.I2C0.Tx(addr, w, r)
	if err == nil && !stopped() || err != nil && strings.Contains(err.Error(), "NACK") {
		return ErrNACK // the controller may still be busy with a STOP
	}
	switch sda, scl := I2CLines(); {
	case !scl:
		return ErrSCLLow
	case !sda:
		return ErrSDALow
	case err != nil:
		return ErrTimeout
	}
	return nil
}

// stopped reports whether the controller has carried out the list of commands up to
// its STOP (TRM §28.5, I2C_COMMANDn_DONE).
func stopped() bool {
	const done, opcode, stop = 1 << 31, 7 << 11, 2 << 11
	cmd := &machine.I2C0.Bus.COMD0
	for range 8 {
		if v := cmd.Get(); v&opcode == stop {
			return v&done != 0
		}
		cmd = (*volatile.Register32)(unsafe.Add(unsafe.Pointer(cmd), 4))
	}
	return false
}

// I2CLines are the levels of the bus, both high when it is idle.
func I2CLines() (sda, scl bool) { return sdaPin.Get(), sclPin.Get() }

// FreeI2C takes the bus from I2C0 and gives clock pulses, nine at most, until SDA
// is high, and then a stop (UM10204 §3.1.16). The bus must be started anew if it is free.
// It returns the number of pulses.
func FreeI2C() (pulses int) {
	for _, p := range [...]machine.Pin{sdaPin, sclPin} {
		openDrain(p)
		p.High()
		p.Configure(machine.PinConfig{Mode: machine.PinOutput})
	}
	for ; pulses < 9 && !sdaPin.Get(); pulses++ {
		sclPin.Low()
		halfPulse()
		sclPin.High()
		halfPulse()
	}
	sclPin.Low()
	halfPulse()
	sdaPin.Low()
	halfPulse()
	sclPin.High()
	halfPulse()
	sdaPin.High()
	halfPulse()
	return pulses
}

// openDrain has an output pull low only.
func openDrain(p machine.Pin) {
	pin := (*volatile.Register32)(unsafe.Add(unsafe.Pointer(&esp.GPIO.PIN0), 4*uintptr(p)))
	pin.SetBits(esp.GPIO_PIN_PAD_DRIVER)
}

// halfPulse waits 5 us: 100 kHz is slow enough for every device.
func halfPulse() {
	for began := Cycles(); Cycles()-began < CoreHz/200_000; {
	}
}
