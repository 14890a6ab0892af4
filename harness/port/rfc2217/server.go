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

// Server serves one client.
type Server struct {
	conn    net.Conn
	backend Backend
	decoder decoder
	options options
	mode    port.Mode
	lines   port.Lines
	control []byte // changes of lines to be made at once
	data    []byte // to be written to the line
	reply   []byte
	sending sync.Mutex
}

// NewServer serves the client at conn; m is what the line is set to.
func NewServer(conn net.Conn, b Backend, m port.Mode) *Server {
	return &Server{conn: conn, backend: b, mode: m}
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
// client that takes nothing is an error.
func (s *Server) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	return len(p), s.send(escape(p))
}

func (s *Server) send(p []byte) error {
	s.sending.Lock()
	defer s.sending.Unlock()
	if err := s.conn.SetWriteDeadline(time.Now().Add(stuckAfter)); err != nil {
		return err
	}
	_, err := s.conn.Write(p)
	return err
}

// Serve obeys the client until it goes, which is no error, and then releases
// both lines, as a modem hangs up.
func (s *Server) Serve() (err error) {
	defer func() { err = errors.Join(err, s.backend.SetLines(port.Lines{})) }()
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
		s.reply = s.options.take(s.reply, e.b, e.opt)
	case setting:
		if err := s.flush(); err != nil {
			return err
		}
		if e.b == cmdControl && len(e.value) == 1 && slices.Contains([]byte{dtrOn, dtrOff, rtsOn, rtsOff}, e.value[0]) {
			s.control = append(s.control, e.value[0])
			return nil
		}
		s.moveLines()
		s.setting(e.b, e.value)
	}
	return nil
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
		s.answer(command, s.stateOf(first))
	case cmdPurge:
		if first == purgeInput || first == purgeBoth {
			s.backend.DiscardInput()
		}
		s.answer(command, first)
	case cmdLineState, cmdModemState, cmdLineMask, cmdModemMask:
		s.answer(command, 0) // no state is told
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
	case askBreak, askBreak + 1, breakOff:
		return breakOff
	case askDTR:
		return s.dtr()
	case askRTS:
		return s.rts()
	case askInFlow, noInFlow, noInFlow + 1, noInFlow + 2:
		return noInFlow
	}
	return noFlow
}
