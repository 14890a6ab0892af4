// Package flash asks whether a board can be flashed, and whether it can be
// always: how fast at each baud rate, as a share of what the boot loader's protocol
// allows; whether an image that is not for the board is refused before anything
// is erased; how one comes out of a read protection; and whether a board whose power
// fails at any stage of flashing is flashed again.
//
// Each experiment leaves the board with the image that it found there.
package flash
