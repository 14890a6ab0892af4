//go:build tinygo

package main

import (
	"time"

	"tinygo.org/x/drivers/bme280"

	"rigor/firmware/board"
	"rigor/firmware/runs"
	"rigor/firmware/wire/hub"
)

// watchedBus remembers what went wrong, which most of the driver's methods don't tell.
type watchedBus struct {
	board.I2C
	fault hub.Fault
}

func (b *watchedBus) Tx(addr uint16, w, r []byte) error {
	err := b.I2C.Tx(addr, w, r)
	if b.fault == hub.OK {
		b.fault = faultOf(err)
	}
	return err
}

func faultOf(err error) hub.Fault {
	switch err {
	case nil:
		return hub.OK
	case board.ErrNACK:
		return hub.NACK
	case board.ErrSDALow:
		return hub.SDALow
	case board.ErrSCLLow:
		return hub.SCLLow
	}
	return hub.Timeout
}

var (
	bus      watchedBus
	sensor   = bme280.New(&bus)
	exact    bool   // the bus at 400 kHz, not at what TinyGo makes of that
	running  bool   // the bus has been started and had no fault since
	ready    bool   // the sensor has been configured and the same
	sequence uint32 // of the next reading
	began    [hub.MaxReadings]uint32
)

// Continuous measurements, each the only one to decide about a reading.
var setting = bme280.Config{
	Mode:        bme280.ModeNormal,
	Period:      bme280.Period0_5ms,
	Temperature: bme280.Sampling1X,
	Pressure:    bme280.Sampling1X,
	Humidity:    bme280.Sampling1X,
	IIR:         bme280.Coeff0,
}

// settle is more than the first measurement takes, 9.3 ms (BST-BME280-DS002 §9.1).
const settle = 12 * time.Millisecond

// startBus frees the bus and starts it, if it is free then.
func startBus() (before hub.Lines, pulses int, after hub.Lines, f hub.Fault) {
	running, ready = false, false
	before = lines()
	pulses = board.FreeI2C()
	after = lines()
	switch {
	case after&hub.SCL == 0:
		return before, pulses, after, hub.SCLLow
	case after&hub.SDA == 0:
		return before, pulses, after, hub.SDALow
	}
	board.StartI2C(exact)
	running = true
	return before, pulses, after, hub.OK
}

func lines() hub.Lines {
	var l hub.Lines
	sda, scl := board.I2CLines()
	if sda {
		l |= hub.SDA
	}
	if scl {
		l |= hub.SCL
	}
	return l
}

// attempt does something with the bus, which is started if need be, and says
// what went wrong. After a fault the bus will be started anew: TinyGo leaves its
// controller as the fault did, with unsent bytes in the FIFO.
func attempt(do func() hub.Fault) hub.Fault {
	if !running {
		if _, _, _, f := startBus(); f != hub.OK {
			return f
		}
	}
	bus.fault = hub.OK
	f := do()
	if bus.fault != hub.OK {
		f = bus.fault
	}
	running = f == hub.OK
	ready = ready && running
	return f
}

// prepare configures the sensor, whose calibration the driver reads then.
func prepare() hub.Fault {
	if ready {
		return hub.OK
	}
	if !sensor.Connected() {
		return hub.WrongID
	}
	sensor.ConfigureWithSettings(setting)
	time.Sleep(settle)
	ready = true
	return hub.OK
}

// read takes a reading. One that fails says why, and the next begins with the bus.
func read() hub.Reading {
	r := hub.Reading{Sequence: sequence}
	sequence++
	f := attempt(func() hub.Fault {
		if f := prepare(); f != hub.OK || bus.fault != hub.OK {
			return f
		}
		r.Temperature, _ = sensor.ReadTemperature()
		r.Pressure, _ = sensor.ReadPressure()
		r.Humidity, _ = sensor.ReadHumidity()
		if !plausible(r) {
			return hub.Invalid
		}
		return hub.OK
	})
	if f != hub.OK {
		return hub.Reading{Sequence: r.Sequence, Fault: f}
	}
	return r
}

// plausible checks against the sensor's range (BST-BME280-DS002 §1), at whose ends a
// reading may be beyond by the resolution: 0.01 °C, and 3.62 Pa, which are the driver's
// 1 and 2.62 of 16 bits (§3.4.2; BST-BMP280-DS001 table 4, of the same element).
func plausible(r hub.Reading) bool {
	return r.Temperature >= -40_010 && r.Temperature <= 85_010 &&
		r.Pressure >= 30_000_000-3_620 && r.Pressure <= 110_000_000+3_620 &&
		r.Humidity >= 0 && r.Humidity <= 100_00
}

func takeReadings(count int, millis uint32) []uint32 {
	runs.Ready()
	forgetChanges()
	due := change + interval/2 // the LED and the bus meet no oftener in one run than in another
	for i := 0; i < count; i += hub.Words {
		sleepUntil(due)
		board.Clear()
		mask := board.Hold()
		stamp(board.Cycles) // so that what comes between mark and time is in the flash cache
		at := stamp(board.Start)
		board.Release(mask)
		began[i/hub.Words] = ticks(at)
		r := read()
		board.End()
		readings.publish(r)
		words := r.Words()
		copy(samples[i:count], words[:])
		due += time.Duration(millis) * time.Millisecond
	}
	board.Clear()
	sleepUntil(now() + 2*pollEvery) // the last one is on its way before the answer holds all up
	return samples[:count]
}

// stamp marks and gives the time.
//
//go:noinline
func stamp(mark func() uint32) time.Duration {
	mark()
	return now()
}

func identify(count int, _ uint32) []uint32 {
	runs.Accept()
	var id [1]byte
	f := attempt(func() hub.Fault {
		bus.Tx(bme280.Address, []byte{bme280.WHO_AM_I}, id[:])
		return hub.OK
	})
	return answer(count, uint32(f), uint32(id[0]))
}

// scan reads a byte from each address that is free for devices (UM10204 §3.1.12).
func scan(count int, _ uint32) []uint32 {
	runs.Accept()
	var found [4]uint32
	attempt(func() hub.Fault {
		var b [1]byte
		for a := uint16(0x08); a < 0x78 && (bus.fault == hub.OK || bus.fault == hub.NACK); a++ {
			bus.fault = hub.OK
			if bus.Tx(a, nil, b[:]) == nil {
				found[a/32] |= 1 << (a % 32)
			}
		}
		return hub.OK
	})
	return answer(count, found[:]...)
}

func setSpeed(_ int, param uint32) []uint32 {
	runs.Accept()
	exact, running = param == 1, false
	return answer(1, param)
}

func free(count int, _ uint32) []uint32 {
	runs.Accept()
	before, pulses, after, f := startBus()
	return answer(count, uint32(before), uint32(pulses), uint32(after), uint32(f))
}
