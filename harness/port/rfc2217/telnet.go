package rfc2217

import "bytes"

// Commands of Telnet, RFC 854.
const (
	se   = 240
	sb   = 250
	will = 251
	wont = 252
	do   = 253
	dont = 254
	iac  = 255
)

// eventKind tells what the decoder found.
type eventKind uint8

const (
	nothing   eventKind = iota
	data                // one byte of the line
	negotiate           // a verb and its option
	setting             // a command of the COM port option and its value
)

// event is a unit of the stream.
type event struct {
	kind  eventKind
	b     byte // the byte of data, the verb, or the command
	opt   byte // the option of a verb
	value []byte
}

// maxSetting bounds a subnegotiation; the longest of use is a signature.
const maxSetting = 256

// decoder takes a Telnet stream apart, byte by byte. Other options'
// subnegotiations, commands without an option (NOP, AYT…) and what is longer
// than maxSetting are dropped.
type decoder struct {
	state decoderState
	verb  byte
	sub   []byte // the option and what follows it
}

type decoderState uint8

const (
	inData decoderState = iota
	afterIAC
	afterVerb
	inSub
	inSubAfterIAC
)

func (d *decoder) feed(b byte) event {
	switch d.state {
	case afterIAC:
		return d.command(b)
	case afterVerb:
		d.state = inData
		return event{kind: negotiate, b: d.verb, opt: b}
	case inSub:
		if b == iac {
			d.state = inSubAfterIAC
			return event{}
		}
		d.keep(b)
		return event{}
	case inSubAfterIAC:
		return d.endOfSub(b)
	}
	if b == iac {
		d.state = afterIAC
		return event{}
	}
	return event{kind: data, b: b}
}

// command is the byte after an IAC.
func (d *decoder) command(b byte) event {
	d.state = inData
	switch b {
	case iac:
		return event{kind: data, b: iac}
	case will, wont, do, dont:
		d.state, d.verb = afterVerb, b
	case sb:
		d.state, d.sub = inSub, nil
	}
	return event{}
}

// endOfSub is the byte after an IAC in a subnegotiation. Anything but SE and a
// doubled IAC means that the end was lost, and is a command (RFC 855).
func (d *decoder) endOfSub(b byte) event {
	switch b {
	case iac:
		d.state = inSub
		d.keep(iac)
		return event{}
	case se:
		d.state = inData
		return d.setting()
	}
	return d.command(b)
}

func (d *decoder) keep(b byte) {
	if len(d.sub) <= maxSetting {
		d.sub = append(d.sub, b)
	}
}

func (d *decoder) setting() event {
	if len(d.sub) < 2 || len(d.sub) > maxSetting || d.sub[0] != optComPort {
		return event{}
	}
	return event{kind: setting, b: d.sub[1], value: d.sub[2:]}
}

// escape doubles each IAC, as data and values need.
func escape(p []byte) []byte { return bytes.ReplaceAll(p, []byte{iac}, []byte{iac, iac}) }

// appendSetting appends a command of the COM port option.
func appendSetting(p []byte, command byte, value ...byte) []byte {
	p = append(p, iac, sb, optComPort, command)
	return append(append(p, escape(value)...), iac, se)
}

// options is the state of both ends' options. An answer is sent on a change
// only, so that two ends never argue for ever (RFC 854; RFC 1143 says more).
type options struct {
	ours, theirs [256]struct{ on, asked bool }
}

func supported(opt byte) bool { return opt == optBinary || opt == optGoAhead || opt == optComPort }

// ask appends the wish to have an option on at our end, at theirs, or both.
func (o *options) ask(p []byte, opt byte, ours, theirs bool) []byte {
	if ours {
		o.ours[opt].asked = true
		p = append(p, iac, will, opt)
	}
	if theirs {
		o.theirs[opt].asked = true
		p = append(p, iac, do, opt)
	}
	return p
}

// take appends our answer to a verb of the other end.
func (o *options) take(p []byte, verb, opt byte) []byte {
	end, yes, no := &o.ours[opt], byte(will), byte(wont)
	if verb == will || verb == wont {
		end, yes, no = &o.theirs[opt], do, dont
	}
	want := (verb == do || verb == will) && supported(opt)
	refused := (verb == do || verb == will) && !want
	changed, asked := end.on != want, end.asked
	end.on, end.asked = want, false
	switch {
	case refused:
		return append(p, iac, no, opt)
	case !changed || asked:
		return p
	case want:
		return append(p, iac, yes, opt)
	}
	return append(p, iac, no, opt)
}
