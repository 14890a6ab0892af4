// Package analog asks what the converter makes of a voltage: how straight its
// characteristic is, how much noise it adds, at which moment after its trigger it
// samples, and how soon it follows a step.
//
// A source at the analog input plays a waveform. That it begins is marked on the
// stimulus line, right before; each trigger is marked by the timer's pin. A probe
// sees both, so each conversion has its time in the waveform. The times of a source
// that cannot start at once are known no better than it starts.
package analog
