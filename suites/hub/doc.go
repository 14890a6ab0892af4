// Package hub asks how a program does that reads a sensor, blinks a LED and keeps a
// wireless network's station at once: whether its I2C bus keeps to the clock that
// it was told and to UM10204, what it makes of the sensor's air, how it comes
// through faults of the bus and of the network, which of its readings arrive, and
// by how much the one disturbs the other.
//
// Air and faults are the rig's: a bus target and an access point that do as they are
// told. Where there are none, on a bench with the sensor itself, those questions are
// skipped, and the rest are asked all the same.
package hub
