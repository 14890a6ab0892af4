//go:build notcp

package network

// Stream is none: with the tag notcp a program has no TCP, which would bring its library's
// records for logs along, 250 KB in all.
type Stream struct{}

// Abort does nothing.
func (*Stream) Abort() {}

func (*Stack) takeTCP(ipv4, []byte) {}

func (*Stack) sendTCP() {}
