// Package slowed shows that the virtual rig catches one instruction: of two images of the program latency
// that differ by one instruction in TinyGo's goroutine switch it names the figures that differ, by how much, and the
// function. Its tests are all that it has.
package slowed
