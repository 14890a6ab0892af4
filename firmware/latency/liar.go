//go:build tinygo && liar

package main

// report adds three percent. This build exists to prove that the suite
// catches a firmware whose times differ from what its pins show.
func report(cycles uint32) uint32 { return cycles + cycles/32 }
