package k210

import "rigor/harness/sim/bus"

type fftState struct{}

func (c *Chip) fftReset() {}
func (c *Chip) fftEvent() {}

type fftDevice struct{ *Chip }

func (d fftDevice) Load(off uint32, width uint8) (uint64, bus.Fault)  { return 0, d.unknown("FFT", off) }
func (d fftDevice) Store(off uint32, width uint8, v uint64) bus.Fault { return d.unknown("FFT", off) }
