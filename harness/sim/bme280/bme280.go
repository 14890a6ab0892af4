// Package bme280 is Bosch's BME280 as its registers show it, after the data
// sheet BST-BME280-DS002 revision 1.6: a sensor of temperature, pressure and
// humidity, to be put behind an I2C target of a simulated board.
//
// What it is told about the air comes back through the data sheet's compensation
// formulas within the resolution that the program chose: calibration words and
// raw values are the model's own, and consistent.
//
// Conversions take the typical times of §9.1, and see the air as it is when they
// end. Not modelled: SPI, noise and the errors of real sensors, the response
// times of the air around them, and the moments in which calibration is copied
// before a conversion (only that after a reset shows in im_update). Addresses that
// the data sheet calls reserved read as 0 and take no value.
package bme280

import "rigor/harness/sim/clock"

// Registers (§5.3, table 18).
const (
	regCalib0   = 0x88 // calib00 to calib25
	regID       = 0xD0
	regReset    = 0xE0
	regCalib26  = 0xE1 // calib26 to calib41
	regCtrlHum  = 0xF2
	regStatus   = 0xF3
	regCtrlMeas = 0xF4
	regConfig   = 0xF5
	regData     = 0xF7 // press, temp and hum, 8 bytes

	chipID    = 0x60
	resetWord = 0xB6

	statusMeasuring = 1 << 3
	statusImUpdate  = 1 << 0

	modeMask   = 3 // of ctrl_meas
	modeSleep  = 0
	modeNormal = 3
)

// RegisterID is where the chip says what it is.
const RegisterID = regID

// startup is the longest time from supply to the first communication, and that
// from a reset to the end of the copying of calibration (§1, table 1).
const startup = 2 * clock.Millisecond

// Environment is the air at the sensor, in thousandths: °C, Pa and %RH. The
// sensor is made for -40 to 85 °C, 300 to 1100 hPa and 0 to 100 %RH; beyond, its
// values end where its converter does.
type Environment struct {
	MilliCelsius int64
	MilliPascals int64
	MilliRH      int64
}

// Sensor is one BME280. It implements board.I2CDevice.
type Sensor struct {
	address uint8
	cal     calibration
	state
}

// state is what a sensor remembers, as plain data.
type state struct {
	Air     Environment
	Powered bool
	Ready   clock.Time // when it answers after power-on
	Copied  clock.Time // when calibration has been copied
	Regs    registers
	Meas    measurement

	Pointer byte // the register that is next
	Value   bool // the next byte written is the value for it
	Shadow  [8]byte
}

// registers are those that a program sets.
type registers struct {
	CtrlHum, CtrlMeas, Config byte
	OsrsH                     byte // ctrl_hum as of the last write of ctrl_meas
	// Later is a ctrl_meas that waits for a conversion's end.
	Later   byte
	Waiting bool
}

// New makes a sensor of an address (0x76 or 0x77 on the part), in air of 25 °C,
// 1013.25 hPa and 50 %RH. The serial number decides its calibration.
func New(address uint8, serial uint64) *Sensor {
	s := &Sensor{address: address, cal: newCalibration(serial)}
	s.Air = Environment{MilliCelsius: 25_000, MilliPascals: 101_325_000, MilliRH: 50_000}
	s.reset(0)
	return s
}

// SetEnvironment changes the air from a time on.
func (s *Sensor) SetEnvironment(e Environment, at clock.Time) {
	s.sync(at)
	s.Air = e
}

// Environment is the air.
func (s *Sensor) Environment() Environment { return s.Air }

// reset is what power-on and the reset register do (§5.4.2).
func (s *Sensor) reset(at clock.Time) {
	s.Regs = registers{}
	s.Meas = measurement{Phase: sleeping, Out: skipped}
	s.Copied = at + startup
}

// Address implements board.I2CDevice.
func (s *Sensor) Address() uint8 { return s.address }

// Power implements board.I2CDevice.
func (s *Sensor) Power(on bool, at clock.Time) {
	s.Powered, s.Ready = on, at+startup
	s.Pointer, s.Value = 0, false
	s.reset(at)
}

// Start implements board.I2CDevice. The data registers of a burst are all of one
// conversion, that which was complete when it began (§4).
func (s *Sensor) Start(read bool, at clock.Time) (ack bool) {
	if !s.Powered || at < s.Ready {
		return false
	}
	s.sync(at)
	s.Value = false
	if read {
		s.Shadow = s.Meas.Out.bytes()
	}
	return true
}

// Stop implements board.I2CDevice.
func (s *Sensor) Stop(at clock.Time) { s.sync(at) }

// Read implements board.I2CDevice; addresses count up (§6.2.2).
func (s *Sensor) Read(at clock.Time) (register int, v byte) {
	s.sync(at)
	r := s.Pointer
	s.Pointer++
	return int(r), s.load(r, at)
}

func (s *Sensor) load(r byte, at clock.Time) byte {
	switch {
	case r >= regCalib0 && r < regCalib0+26:
		return s.cal.bytes()[r-regCalib0]
	case r >= regCalib26 && r < regCalib26+16:
		return s.cal.bytes()[26+r-regCalib26]
	case r >= regData && r < regData+8:
		return s.Shadow[r-regData]
	}
	switch r {
	case regID:
		return chipID
	case regCtrlHum:
		return s.Regs.CtrlHum
	case regStatus:
		return s.status(at)
	case regCtrlMeas:
		return s.Regs.CtrlMeas
	case regConfig:
		return s.Regs.Config
	}
	return 0
}

func (s *Sensor) status(at clock.Time) (v byte) {
	if s.Meas.Phase == measuring {
		v |= statusMeasuring
	}
	if at < s.Copied {
		v |= statusImUpdate
	}
	return v
}

// Write implements board.I2CDevice: registers and values in turn (§6.2.1).
func (s *Sensor) Write(v byte, at clock.Time) (ack bool) {
	s.sync(at)
	if !s.Value {
		s.Pointer, s.Value = v, true
		return true
	}
	s.Value = false
	s.store(s.Pointer, v, at)
	return true
}

func (s *Sensor) store(r, v byte, at clock.Time) {
	switch r {
	case regReset:
		if v == resetWord {
			s.reset(at)
		}
	case regCtrlHum:
		s.Regs.CtrlHum = v & 7
	case regCtrlMeas:
		s.storeCtrlMeas(v, at)
	case regConfig:
		if s.Regs.CtrlMeas&modeMask != modeNormal { // §5.4.6: else it may be ignored
			s.Regs.Config = v & 0xFD
		}
	}
}

// storeCtrlMeas also puts ctrl_hum into effect (§5.4.3). During a conversion it
// waits for the end, and others that follow are lost (§3.3.1).
func (s *Sensor) storeCtrlMeas(v byte, at clock.Time) {
	if s.Meas.Phase == measuring {
		if !s.Regs.Waiting {
			s.Regs.Later, s.Regs.Waiting = v, true
		}
		return
	}
	s.Regs.CtrlMeas, s.Regs.OsrsH = v, s.Regs.CtrlHum
	s.Meas.Phase = sleeping
	if v&modeMask != modeSleep {
		s.convert(at)
	}
}

// Snapshot implements board.I2CDevice.
func (s *Sensor) Snapshot() any { return s.state }

// Restore implements board.I2CDevice.
func (s *Sensor) Restore(snapshot any) { s.state = snapshot.(state) }
