// Package network is a station's small IPv4: it joins a wireless network, gets
// an address by DHCP, answers ARP and ping, exchanges UDP datagrams, and opens one
// TCP connection at a time (package tcp). The same code runs under TinyGo on the
// board and under Go on the host; only the drivers, in files of their own, touch
// hardware.
//
//	stack := network.New(radio, seed)
//	stack.Handle(port, func(from network.Endpoint, payload []byte) { … }) // UDP
//	stack.Join(ssid, key)
//	for {
//		stack.Poll(now()) // often
//		… // stream, err := stack.Dial(to) when there is an address
//	}
//
// Nothing happens but in calls, none of which blocks; there are no goroutines
// and no interrupts, and once a stack is made nothing is allocated but by lneto,
// which does so for log records that nobody keeps. Time is what Poll is told.
//
// It follows RFC 826 (ARP), RFC 791 (IPv4), RFC 792 (ICMP), RFC 768 (UDP), RFC
// 2131 and 2132 (DHCP), and of RFC 1122 what such a host must do. Left out:
// fragments, routing, multicast, DNS; of ICMP all but echo; of DHCP the wait
// before the first message, the check that nobody else has the address, overloaded
// options, and a lease from before.
package network
