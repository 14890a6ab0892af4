package hub

import (
	"errors"
	"strconv"
	"strings"

	"rigor/firmware/wire"
)

// Reading is what the sensor said, or why it didn't.
type Reading struct {
	Sequence    uint32 // of all readings since the reset
	Fault       Fault
	Temperature int32 // 1/1000 °C
	Pressure    int32 // 1/1000 Pa
	Humidity    int32 // 1/100 % relative humidity
}

// Words is how many samples a reading has.
const Words = 4

// Words are the reading's samples: Fault, Temperature, Pressure, Humidity.
func (r Reading) Words() [Words]uint32 {
	return [Words]uint32{uint32(r.Fault), uint32(r.Temperature), uint32(r.Pressure), uint32(r.Humidity)}
}

// Readings are the readings in a run's samples, numbered from 0.
func Readings(samples []uint32) []Reading {
	var all []Reading
	for i := 0; i+Words <= len(samples); i += Words {
		s := samples[i:]
		all = append(all, Reading{uint32(i / Words), Fault(s[0]), int32(s[1]), int32(s[2]), int32(s[3])})
	}
	return all
}

// The names of a message's numbers, in order.
var names = [...]string{"seq=", " fault=", " temperature=", " pressure=", " humidity="}

// AppendReading appends a message's text to dst, for example
// "seq=7 fault=0 temperature=21480 pressure=98765000 humidity=4512".
func AppendReading(dst []byte, r Reading) []byte {
	for i, v := range [...]int64{int64(r.Sequence), int64(r.Fault), int64(r.Temperature), int64(r.Pressure), int64(r.Humidity)} {
		dst = append(dst, names[i]...)
		dst = strconv.AppendInt(dst, v, 10)
	}
	return dst
}

// ErrMalformed is a message that AppendReading did not write.
var ErrMalformed = errors.New("hub: malformed reading")

// ParseReading decodes a message's text.
func ParseReading(text string) (Reading, error) {
	var v [len(names)]int64
	rest := text
	for i, name := range names {
		after, ok := strings.CutPrefix(rest, name)
		if !ok {
			return Reading{}, ErrMalformed
		}
		number := after
		if end := strings.IndexByte(after, ' '); end >= 0 {
			number = after[:end]
		}
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return Reading{}, ErrMalformed
		}
		v[i], rest = n, after[len(number):]
	}
	r := Reading{uint32(v[0]), Fault(v[1]), int32(v[2]), int32(v[3]), int32(v[4])}
	if string(AppendReading(nil, r)) != text { // more behind it, or a number written otherwise
		return Reading{}, ErrMalformed
	}
	return r, nil
}

// MaxText is the longest network name or key in bytes.
const MaxText = 64

// Text gives the commands that tell a network's name or key, four bytes each:
// Count is the word's number from 1 on, Param its bytes, first byte lowest, and a zero
// ends the text. Each answers with as many samples, all of them Param.
func Text(command, text string) []wire.Command {
	var all []wire.Command
	for i := 0; i <= len(text) && i < MaxText; i += 4 {
		var word uint32
		for j := range min(4, len(text)-i) {
			word |= uint32(text[i+j]) << (8 * j)
		}
		all = append(all, wire.Command{Name: command, Count: uint32(i/4 + 1), Param: word})
	}
	return all
}
