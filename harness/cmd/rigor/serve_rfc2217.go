package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	"rigor/harness/port"
	"rigor/harness/port/rfc2217"
	"rigor/harness/sim/board"
)

// outlet is one RFC 2217 port, with one client at a time.
type outlet struct {
	server   *server
	bridges  []string // the UARTs that it reaches
	listener net.Listener

	mu     sync.Mutex
	client *rfc2217.Server
	conn   net.Conn
	gone   chan struct{} // closed when the client has gone
}

var (
	_ rfc2217.Backend         = (*outlet)(nil)
	_ rfc2217.OutputDiscarder = (*outlet)(nil)
	_ port.Breaker            = (*outlet)(nil)
)

// listen opens the ports of RFC 2217.
func (c *simServeCmd) listen(s *server) (string, error) {
	if c.RFC2217 == "" {
		return "", nil
	}
	if c.RFC2217Loader == "" {
		var all []string
		for _, u := range s.bridges {
			all = append(all, u.name)
		}
		return s.addOutlet(c.RFC2217, all...)
	}
	if len(s.bridges) == 1 {
		return "", errors.New("--rfc2217-loader: program and boot loader have one UART; leave it out")
	}
	console, err := s.addOutlet(c.RFC2217, consoleBridge)
	if err != nil {
		return "", err
	}
	loader, err := s.addOutlet(c.RFC2217Loader, loaderBridge)
	return fmt.Sprintf("%s (console) and %s (loader)", console, loader), err
}

func (s *server) addOutlet(addr string, bridges ...string) (string, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return "", fmt.Errorf("serve by RFC 2217: %w", err)
	}
	o := &outlet{server: s, bridges: bridges, listener: l}
	s.outlets = append(s.outlets, o)
	go o.accept()
	return "rfc2217 " + l.Addr().String(), nil
}

func (o *outlet) accept() {
	for {
		conn, err := o.listener.Accept()
		if err != nil {
			return // the listener is closed
		}
		go o.welcome(conn)
	}
}

// farewell is how long a newcomer waits for a client that may just be going.
const farewell = 500 * time.Millisecond

// welcome serves a client, or refuses it because there is one.
func (o *outlet) welcome(conn net.Conn) {
	for deadline := time.After(farewell); ; {
		gone, other := o.admit(conn)
		if gone == nil {
			break
		}
		select {
		case <-gone:
			continue
		case <-deadline:
			rfc2217.Refuse(conn, fmt.Sprintf("in use by %v; one client at a time", other))
			return
		}
	}
	if err := o.serve(); err != nil && !errors.Is(err, os.ErrClosed) {
		fmt.Fprintln(os.Stderr, "rfc2217:", err)
	}
	conn.Close()
	o.mu.Lock()
	defer o.mu.Unlock()
	close(o.gone)
	o.client, o.conn = nil, nil
}

// serve begins with the usual mode, whatever the last client left.
func (o *outlet) serve() error {
	if err := o.SetMode(port.Mode{Baud: int(board.DefaultMode.Baud)}); err != nil {
		return err
	}
	return o.client.Serve()
}

// admit makes conn the client, or gives the end of the one there is.
func (o *outlet) admit(conn net.Conn) (gone chan struct{}, other net.Addr) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.client != nil {
		return o.gone, o.conn.RemoteAddr()
	}
	o.client, o.conn, o.gone = rfc2217.NewServer(conn, o, port.Mode{Baud: int(board.DefaultMode.Baud)}), conn, make(chan struct{})
	return nil, nil
}

// give passes on what a UART sent. A client that does not take it has to go.
func (o *outlet) give(bridge string, p []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.client == nil || !slices.Contains(o.bridges, bridge) {
		return
	}
	if _, err := o.client.Write(p); err != nil {
		o.conn.Close()
	}
}

func (o *outlet) close() {
	o.listener.Close()
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.conn != nil {
		o.conn.Close()
	}
}

// each does something to every UART of the outlet.
func (o *outlet) each(f func(*board.Bridge) error) error {
	for _, name := range o.bridges {
		if err := f(o.server.board.Bridge(name)); err != nil {
			return err
		}
	}
	return nil
}

// idle reports whether all that was written is on the line.
func (o *outlet) idle() bool {
	return o.each(func(b *board.Bridge) error {
		if n := b.Unsent(); n > 0 {
			return fmt.Errorf("%d bytes are left", n)
		}
		return nil
	}) == nil
}

func (o *outlet) Write(p []byte) (int, error) {
	return len(p), o.server.call(always, func() error {
		return o.each(func(b *board.Bridge) error { b.Write(p); return nil })
	})
}

// SetMode waits until what was written is on the line.
func (o *outlet) SetMode(m port.Mode) error {
	mode := board.Mode{Baud: uint64(m.Baud), Parity: board.Parity(m.Parity)}
	return o.server.call(o.idle, func() error {
		return o.each(func(b *board.Bridge) error { return b.SetMode(mode) })
	})
}

func (o *outlet) SetLines(l port.Lines) error {
	return o.server.call(always, func() error {
		return o.each(func(b *board.Bridge) error { b.SetLines(l.DTR, l.RTS); return nil })
	})
}

// SetBreak begins when what was written is on the line.
func (o *outlet) SetBreak(on bool) error {
	return o.server.call(o.idle, func() error {
		return o.each(func(b *board.Bridge) error { b.SetBreak(on); return nil })
	})
}

func (o *outlet) DiscardOutput() error {
	return o.server.call(always, func() error {
		return o.each(func(b *board.Bridge) error { b.DiscardOutput(); return nil })
	})
}

func (o *outlet) DiscardInput() error {
	return o.server.call(always, func() error {
		return o.each(func(b *board.Bridge) error { b.DiscardInput(); return nil })
	})
}
