package rfc2217

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"time"

	"rigor/harness/port"
)

// Backend is the line that a server gives out: a port without its reading half,
// which is the caller's, who hands what comes to Server.Write. Each call is
// acknowledged when it returns.
type Backend interface {
	io.Writer
	SetMode(m port.Mode) error
	SetLines(l port.Lines) error
	DiscardInput() error
}

// OutputDiscarder is a Backend that can drop what was written and is not on the
// line yet. A Backend may be a port.Breaker as well.
type OutputDiscarder interface{ DiscardOutput() error }

// Server serves one client.
type Server struct {
	conn    net.Conn
	backend Backend
	decoder decoder
	options options
	mode    port.Mode
	lines   port.Lines
	brk     bool
	mask    byte   // of the modem state that the client wants to be told
	control []byte // changes of lines to be made at once
	data    []byte // to be written to the line
	reply   []byte

	sending   sync.Mutex // of what follows, and of the connection's writing half
	suspended bool       // the client takes no data for now
	held      []byte     // what it will get then
}

// maxHeld bounds the data that are kept for a client that suspended them.
const maxHeld = 1 << 20

// NewServer serves the client at conn; m is what the line is set to.
func NewServer(conn net.Conn, b Backend, m port.Mode) *Server {
	return &Server{conn: conn, backend: b, mode: m, mask: 0xFF} // RFC 2217 §3, SET-MODEMSTATE-MASK: the initial one
}

// Refuse tells a client why it is not served, and closes the connection.
func Refuse(conn net.Conn, why string) error {
	defer conn.Close()
	if err := conn.SetWriteDeadline(time.Now().Add(stuckAfter)); err != nil {
		return err
	}
	_, err := conn.Write([]byte(why + "\r\n"))
	return err
}

// Write gives the client what the line received. It is safe beside Serve. A
// client that takes nothing is an error; one that suspended the data gets them
// when it resumes.
func (s *Server) Write(p []byte) (int, error) {
	s.sending.Lock()
	defer s.sending.Unlock()
	switch {
	case len(p) == 0:
		return 0, nil
	case s.suspended && len(s.held)+len(p) > maxHeld:
		return 0, fmt.Errorf("the client suspended the data and left %d bytes waiting", len(s.held))
	case s.suspended:
		s.held = append(s.held, p...)
		return len(p), nil
	}
	return len(p), s.transmit(escape(p))
}

// suspend holds data back, or lets them go on with what was held back.
func (s *Server) suspend(on bool) error {
	s.sending.Lock()
	defer s.sending.Unlock()
	held := s.held
	s.suspended = on
	if on || len(held) == 0 {
		return nil
	}
	s.held = nil
	return s.transmit(escape(held))
}

func (s *Server) send(p []byte) error {
	s.sending.Lock()
	defer s.sending.Unlock()
	return s.transmit(p)
}

// transmit is for who holds the mutex.
func (s *Server) transmit(p []byte) error {
	if err := s.conn.SetWriteDeadline(time.Now().Add(stuckAfter)); err != nil {
		return err
	}
	_, err := s.conn.Write(p)
	return err
}

// Serve obeys the client until it goes, which is no error, and then ends a break
// and releases both lines, as a modem hangs up.
func (s *Server) Serve() (err error) {
	defer func() {
		s.setBreak(false)
		err = errors.Join(err, s.backend.SetLines(port.Lines{}))
	}()
	buf := make([]byte, 4096)
	for {
		n, err := s.conn.Read(buf)
		if err := s.take(buf[:n]); err != nil {
			return fmt.Errorf("serve %v: %w", s.conn.RemoteAddr(), err)
		}
		switch {
		case err == nil:
		case errors.Is(err, io.EOF), errors.Is(err, net.ErrClosed):
			return nil
		default:
			return fmt.Errorf("serve %v: %w", s.conn.RemoteAddr(), err)
		}
	}
}

// take obeys one segment, in order.
func (s *Server) take(p []byte) error {
	s.reply = nil
	for _, b := range p {
		if err := s.event(s.decoder.feed(b)); err != nil {
			return err
		}
	}
	s.moveLines()
	if err := s.flush(); err != nil {
		return err
	}
	if len(s.reply) == 0 {
		return nil
	}
	return s.send(s.reply)
}

func (s *Server) event(e event) error {
	switch e.kind {
	case data:
		s.moveLines()
		s.data = append(s.data, e.b)
	case negotiate:
		before := s.comPort()
		s.reply = s.options.take(s.reply, e.b, e.opt)
		if !before && s.comPort() {
			s.tellModem() // pyserial has no state to give before it is told one
		}
	case setting:
		if err := s.flush(); err != nil {
			return err
		}
		if e.b == cmdControl && len(e.value) == 1 && slices.Contains([]byte{dtrOn, dtrOff, rtsOn, rtsOff}, e.value[0]) {
			s.control = append(s.control, e.value[0])
			return nil
		}
		s.moveLines()
		if e.b == cmdSuspend || e.b == cmdResume { // neither is answered
			return s.suspend(e.b == cmdSuspend)
		}
		s.setting(e.b, e.value)
	}
	return nil
}

// comPort reports whether the client has agreed to the option, which some do
// from one end alone.
func (s *Server) comPort() bool {
	return s.options.ours[optComPort].on || s.options.theirs[optComPort].on
}

// tellModem tells the state of the modem's inputs, as far as the client cares:
// none is wired, and none has changed.
func (s *Server) tellModem() {
	if s.mask != 0 {
		s.answer(cmdModemState, 0)
	}
}

// flush writes the data so far to the line.
func (s *Server) flush() error {
	if len(s.data) == 0 {
		return nil
	}
	_, err := s.backend.Write(s.data)
	s.data = nil
	return err
}

// moveLines makes the changes of lines that came in a row, as one, and
// acknowledges each. A line that did not move is told as it was.
func (s *Server) moveLines() {
	if len(s.control) == 0 {
		return
	}
	want := s.lines
	for _, v := range s.control {
		switch v {
		case dtrOn, dtrOff:
			want.DTR = v == dtrOn
		default:
			want.RTS = v == rtsOn
		}
	}
	if s.backend.SetLines(want) == nil {
		s.lines = want
	}
	for _, v := range s.control {
		answer := s.dtr()
		if v == rtsOn || v == rtsOff {
			answer = s.rts()
		}
		s.answer(cmdControl, answer)
	}
	s.control = nil
}

func (s *Server) dtr() byte {
	if s.lines.DTR {
		return dtrOn
	}
	return dtrOff
}

func (s *Server) rts() byte {
	if s.lines.RTS {
		return rtsOn
	}
	return rtsOff
}

func (s *Server) answer(command byte, value ...byte) {
	s.reply = appendSetting(s.reply, command+fromServer, value...)
}

// setting obeys a command. What cannot be set is answered with what is.
func (s *Server) setting(command byte, value []byte) {
	first := byte(0) // in most commands the wish to be told
	if len(value) > 0 {
		first = value[0]
	}
	switch command {
	case cmdSignature:
		s.answer(command, []byte("rigor")...)
	case cmdBaudRate:
		if len(value) == 4 {
			s.change(port.Mode{Baud: int(binary.BigEndian.Uint32(value)), Parity: s.mode.Parity})
		}
		s.answer(command, binary.BigEndian.AppendUint32(nil, uint32(s.mode.Baud))...)
	case cmdParity:
		if i := slices.Index(parities[:], first); i >= 0 {
			s.change(port.Mode{Baud: s.mode.Baud, Parity: port.Parity(i)})
		}
		s.answer(command, parities[s.mode.Parity])
	case cmdDataSize:
		s.answer(command, eightBits)
	case cmdStopSize:
		s.answer(command, oneStop)
	case cmdControl:
		if first == breakOn || first == breakOff {
			s.setBreak(first == breakOn)
		}
		s.answer(command, s.stateOf(first))
	case cmdPurge:
		s.purge(first)
		s.answer(command, first)
	case cmdLineState, cmdModemState, cmdLineMask:
		s.answer(command, 0) // no line state is told; pyserial asks for the modem's by its command
	case cmdModemMask:
		s.mask = first
		s.answer(command, first)
		s.tellModem()
	}
}

// setBreak begins or ends a break, where the line can have one.
func (s *Server) setBreak(on bool) {
	if b, ok := s.backend.(port.Breaker); ok && on != s.brk && b.SetBreak(on) == nil {
		s.brk = on
	}
}

// purge drops data. The answer has no way to say that the line cannot.
func (s *Server) purge(which byte) {
	if which == purgeInput || which == purgeBoth {
		s.backend.DiscardInput()
		s.sending.Lock()
		s.held = nil
		s.sending.Unlock()
	}
	if o, ok := s.backend.(OutputDiscarder); ok && (which == purgeOutput || which == purgeBoth) {
		o.DiscardOutput()
	}
}

func (s *Server) change(m port.Mode) {
	if m.Baud > 0 && s.backend.SetMode(m) == nil {
		s.mode = m
	}
}

// stateOf answers a SET-CONTROL that asks, or wants what there is not.
func (s *Server) stateOf(value byte) byte {
	switch value {
	case askBreak, breakOn, breakOff:
		if s.brk {
			return breakOn
		}
		return breakOff
	case askDTR:
		return s.dtr()
	case askRTS:
		return s.rts()
	case askIn, noIn, xonIn, rtsIn, dtrIn:
		return noIn
	}
	return noFlow // askFlow, noFlow, xonFlow, rtsFlow, dcdFlow, dsrFlow
}
