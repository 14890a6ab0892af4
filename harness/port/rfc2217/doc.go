// Package rfc2217 carries a serial line over TCP: a client that is a port.Port,
// and the server for it. It follows RFC 854 and 855 (Telnet and its options),
// RFC 856 (binary transmission), RFC 858 (suppress go ahead) and RFC 2217
// (Telnet COM Port Control Option, October 1997).
//
// The client asks for binary transmission both ways and for the COM port
// option, and will not do without them. Each setting is acknowledged by the
// server before the call returns; what the server tells unasked (line and modem
// state) is taken and dropped. Each end holds its data back while the other one
// has suspended it (FLOWCONTROL-SUSPEND).
//
// The server answers every command, with what is and not with what was wished
// where the two differ: its line has no flow control, 8 data bits and 1 stop bit.
// Break and the purge of what was written need a Backend that can do them. A
// client is told the modem state once, of which no input is wired, and never a
// line state: what was wrong with a frame is not kept.
//
// Left out: flow control on the line, other than 8 data bits and 1 stop bit,
// marks and spaces as parity. The protocol has no means to wait until bytes are on the line: servers
// differ in whether a change of mode waits for what was written before; this
// package's server does.
package rfc2217

import "time"

// Options of Telnet.
const (
	optBinary  = 0  // RFC 856
	optGoAhead = 3  // RFC 858: suppress go ahead
	optComPort = 44 // RFC 2217
)

// Commands of RFC 2217 §3; the server's answers are greater by 100.
const (
	cmdSignature  = 0
	cmdBaudRate   = 1
	cmdDataSize   = 2
	cmdParity     = 3
	cmdStopSize   = 4
	cmdControl    = 5
	cmdLineState  = 6
	cmdModemState = 7
	cmdSuspend    = 8
	cmdResume     = 9
	cmdLineMask   = 10
	cmdModemMask  = 11
	cmdPurge      = 12

	fromServer = 100
)

// Values of SET-CONTROL. Flow control is set for what the server sends to the
// line, and apart from that for what it receives there.
const (
	askFlow  = 0
	noFlow   = 1
	xonFlow  = 2
	rtsFlow  = 3
	askBreak = 4
	breakOn  = 5
	breakOff = 6
	askDTR   = 7
	dtrOn    = 8
	dtrOff   = 9
	askRTS   = 10
	rtsOn    = 11
	rtsOff   = 12
	askIn    = 13
	noIn     = 14
	xonIn    = 15
	rtsIn    = 16
	dcdFlow  = 17
	dtrIn    = 18
	dsrFlow  = 19
)

// Values of PURGE-DATA: what the server has received from the line and not sent
// on, what it has received from the client, or both.
const (
	purgeInput  = 1
	purgeOutput = 2
	purgeBoth   = 3
)

// Values of the other settings.
const (
	eightBits = 8
	oneStop   = 1
)

// parities are RFC 2217's values by port.Parity: none, even, odd.
var parities = [...]byte{1, 3, 2}

// answerWait bounds how long the server may take for an acknowledgement: it may
// wait for bytes to leave at a slow rate.
const answerWait = 10 * time.Second

// stuckAfter bounds how long the other end may take no byte.
const stuckAfter = 5 * time.Second
