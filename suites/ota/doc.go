// Package ota asks whether a board that updates itself can be trusted with it: whether
// differences and whole images arrive over good and bad lines; whether what does not start
// well goes away again; whether what nobody signed, what is for another board, and what is
// older is refused, each with its own reason; and whether a loss of power, or what flash
// does wrong, at any operation of an update leaves a board that runs the old image or the new
// one and takes the update when it is sent again.
//
// On simulated boards the last is tried for all operations and all states that follow
// (package harness/faults); on real ones power is cut at moments that a seed chooses.
//
// The keys that sign here are made from a seed that everybody can read, and protect nothing.
package ota
