package k210

import "rigor/harness/sim/bus"

type otpState struct{}

// OTPFuses are what was burnt into OTP.
type OTPFuses struct{}

func (c *Chip) otpReset() {}

type otpDevice struct{ *Chip }

func (d otpDevice) Load(off uint32, width uint8) (uint64, bus.Fault)  { return 0, d.unknown("OTP", off) }
func (d otpDevice) Store(off uint32, width uint8, v uint64) bus.Fault { return d.unknown("OTP", off) }
