// Package spectrum asks how a program does that listens to a microphone: which
// frequencies and levels its transforms find in sounds that are known, how exact and how
// fast these are by the chip's accelerator and in Go, which rate of samples it keeps up
// with, and how long a sound takes from the microphone to the UART.
//
// The samples themselves are asked for and judged by gonum's transform, in a Hann window;
// the firmware's transforms have none (rectangular), so that what leaks is theirs.
// Frequencies of tones follow the rate that the program has really set. Where the source
// of sounds is a loudspeaker, levels are in doubt.
package spectrum
