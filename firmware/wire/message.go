package wire

import "errors"

// Hello says what runs on the board. The firmware sends it after every reset
// and in answer to the command [CommandHello].
type Hello struct {
	Version      uint8  // protocol version of the sender, see [Version]
	Program      string // folder name under firmware/
	SourceDigest string // of the sources the image was built from, hexadecimal; see firmware/images
	Chip         string // as in folder names: stm32f407
	CoreHz       uint32 // core clock
	CounterHz    uint32 // clock of the counter that samples are read from
}

// AppendHello appends a Hello frame to dst.
func AppendHello(dst []byte, h Hello) []byte {
	e := begin(dst, TypeHello)
	e.u8(h.Version)
	e.str(h.Program)
	e.str(h.SourceDigest)
	e.str(h.Chip)
	e.u32(h.CoreHz)
	e.u32(h.CounterHz)
	return e.end()
}

// ParseHello decodes the payload of a Hello frame. Another protocol version is
// an error, but Hello.Version is set even then.
func ParseHello(payload []byte) (Hello, error) {
	p := parser{rest: payload}
	h := Hello{Version: p.u8()}
	if !p.bad && h.Version != Version {
		return h, ErrVersion
	}
	h.Program = p.str()
	h.SourceDigest = p.str()
	h.Chip = p.str()
	h.CoreHz = p.u32()
	h.CounterHz = p.u32()
	return h, p.end()
}

// Command asks the firmware for a run. What Param means depends on Name.
type Command struct {
	Name  string // which run, see the Command constants
	Count uint32 // samples wanted
	Param uint32
}

// AppendCommand appends a Command frame to dst.
func AppendCommand(dst []byte, c Command) []byte {
	e := begin(dst, TypeCommand)
	e.str(c.Name)
	e.u32(c.Count)
	e.u32(c.Param)
	return e.end()
}

// ParseCommand decodes the payload of a Command frame.
func ParseCommand(payload []byte) (Command, error) {
	p := parser{rest: payload}
	c := Command{Name: p.str(), Count: p.u32(), Param: p.u32()}
	return c, p.end()
}

// StatusCode is the answer to a command.
type StatusCode uint8

// The status codes.
const (
	StatusOK       StatusCode = iota // accepted; the firmware is ready for the stimulus
	StatusUnknown                    // no such command
	StatusArgument                   // count or parameter out of range
)

// Status answers a command. There is none that ends a run: a run that waits for a
// stimulus in vain is ended by a reset.
type Status struct {
	Code StatusCode
	Text string // what is wrong, empty for StatusOK
}

// AppendStatus appends a Status frame to dst.
func AppendStatus(dst []byte, s Status) []byte {
	e := begin(dst, TypeStatus)
	e.u8(byte(s.Code))
	e.str(s.Text)
	return e.end()
}

// ParseStatus decodes the payload of a Status frame.
func ParseStatus(payload []byte) (Status, error) {
	p := parser{rest: payload}
	s := Status{Code: StatusCode(p.u8()), Text: p.str()}
	return s, p.end()
}

// MaxSamples is the most values one Samples frame carries.
const MaxSamples = 64

// Samples is a part of a run's samples.
type Samples struct {
	Name   string   // of the command that asked for them
	Index  uint32   // of Values[0] in the run
	Values []uint32 // counter ticks
}

// AppendSamples appends a Samples frame to dst. More than [MaxSamples] values
// are the caller's defect.
func AppendSamples(dst []byte, s Samples) []byte {
	if len(s.Values) > MaxSamples {
		panic("BUG: wire: too many samples for one frame")
	}
	e := begin(dst, TypeSamples)
	e.str(s.Name)
	e.u32(s.Index)
	e.u8(byte(len(s.Values)))
	for _, v := range s.Values {
		e.u32(v)
	}
	return e.end()
}

// ParseSamples decodes the payload of a Samples frame.
func ParseSamples(payload []byte) (Samples, error) {
	p := parser{rest: payload}
	s := Samples{Name: p.str(), Index: p.u32()}
	n := int(p.u8())
	if p.bad || n > MaxSamples || len(p.rest) != 4*n {
		return Samples{}, ErrMalformed
	}
	s.Values = make([]uint32, n)
	for i := range s.Values {
		s.Values[i] = p.u32()
	}
	return s, p.end()
}

// Done ends a run's samples.
type Done struct {
	Name     string // of the command that asked for the run
	Count    uint32 // samples sent
	Overhead uint32 // counter ticks an empty interval takes: to be subtracted from each sample
}

// AppendDone appends a Done frame to dst.
func AppendDone(dst []byte, d Done) []byte {
	e := begin(dst, TypeDone)
	e.str(d.Name)
	e.u32(d.Count)
	e.u32(d.Overhead)
	return e.end()
}

// ParseDone decodes the payload of a Done frame.
func ParseDone(payload []byte) (Done, error) {
	p := parser{rest: payload}
	d := Done{Name: p.str(), Count: p.u32(), Overhead: p.u32()}
	return d, p.end()
}

// AppendLog appends a Log frame to dst: text for people, cut to [MaxPayload].
// Its payload is the text.
func AppendLog(dst []byte, text string) []byte {
	e := begin(dst, TypeLog)
	e.text(text[:min(len(text), MaxPayload)])
	return e.end()
}

// What is wrong with a payload whose frame arrived undamaged.
var (
	ErrMalformed = errors.New("wire: malformed payload")
	ErrVersion   = errors.New("wire: other protocol version")
)

// A parser reads a payload. Past its end it yields zeros and remembers.
type parser struct {
	rest []byte
	bad  bool
}

func (p *parser) take(n int) []byte {
	if n > len(p.rest) {
		p.bad, p.rest = true, nil
		return nil
	}
	b := p.rest[:n]
	p.rest = p.rest[n:]
	return b
}

func (p *parser) u8() uint8 {
	if b := p.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (p *parser) u32() uint32 {
	b := p.take(4)
	if b == nil {
		return 0
	}
	return uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24
}

func (p *parser) str() string { return string(p.take(int(p.u8()))) }

// end reports whether the payload was read exactly to its end.
func (p *parser) end() error {
	if p.bad || len(p.rest) > 0 {
		return ErrMalformed
	}
	return nil
}
