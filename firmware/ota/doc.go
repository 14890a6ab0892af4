// Package ota is an update system for a board with two slots for images: what the boot program
// decides, and what the application does with an update that the host sends. It runs on the
// boards under TinyGo, where it doesn't allocate, and on the host.
//
// # An update
//
// The host offers a signed [Manifest]. If it is admitted, the payload comes in pieces that
// may be lost, repeated and out of order, and is kept in the staging area. Install checks
// its digest, makes the image in the slot that doesn't run (package patch), checks the
// digest of what it reads back, writes the manifest beside it, and then sets one word of the
// [Journal]: the switch, the only write that changes what is booted. The boot program tries the new
// image three times at most, marking each before it hands over and with the watchdog on; if
// it isn't confirmed by then, the old one is booted again. Every boot verifies signature and
// digest of what it hands over to, and takes the other slot if they are not right.
//
// # Interruptions
//
// Power may fail at any moment, and leave flash half programmed, half erased, or reading now
// so and now otherwise. These rules make every such state harmless:
//
//   - Nothing is trusted because it reads blank. What an update writes to, it erased itself, and
//     a mark that was written after the erase says so.
//   - A write that may have been cut is made again with the same bytes, whether it reads right or not,
//     before anything is built on it.
//   - Install, when asked again, begins from the erase. It reads nothing that an earlier one left.
//   - A journal entry names the slot that runs. The other is the only one that is touched
//     under it.
//
// Falling back to the other slot may run the image before, whose counter is below the floor: the
// floor is for what is installed, since a board that runs something old is better than one that
// runs nothing. What a revoked key signed doesn't run at all.
//
// Left out: encryption, updates of the boot program itself and of the keys in it, and more
// than one update at a time. An image whose slot was damaged while the other is being rewritten
// can't be helped.
package ota
