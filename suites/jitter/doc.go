// Package jitter asks how steadily a goroutine runs that a timer releases at
// 1 kHz and at 10 kHz: with nothing beside, beside one that allocates while the
// collector runs, beside traffic on the UART, and beside one that computes.
//
// The timer raises a pin at each release, so that a probe sees how late the
// goroutine was; the firmware notes when its interrupt handler had come to the
// release, when the goroutine ran, and what else the processor did in between.
// The worst release is reported with that cause. TinyGo's scheduler doesn't
// pre-empt: whoever computes, collects or waits for the line holds the goroutine up.
package jitter
