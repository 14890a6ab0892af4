// Package latency asks what concurrency costs on a microcontroller: a switch
// between goroutines, a hand-over through a channel, the start of a goroutine,
// and the way from an interrupt to its handler and on to a goroutine.
//
// The firmware takes its samples with the core's cycle counter and marks both
// ends of each interval on pins, so that a probe measures the same; the suite
// fails where the two differ by more than their resolutions. Limits and the
// claims that the numbers are held against are in suites/limits.yaml with their
// sources.
package latency
