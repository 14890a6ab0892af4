package ota

// Port is the UDP port of a board that takes requests over a network: each datagram to it
// is one frame, and so is each that comes from it. The boot program's reports and greetings
// are told on the console only.
const Port = 8032
