package probes

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"rigor/harness/timebase"
)

// WAV files as Multimedia Programming Interface and Data Specifications 1.0 (IBM and
// Microsoft, 1991, chapter 3) describes them, of which this reads and writes linear
// PCM of 16 and 24 bits with one or two channels. WAVE_FORMAT_EXTENSIBLE is read where
// its subformat is PCM too. Compressed formats, 8 and 32 bits and wave lists are left out.

const (
	formatPCM        = 1
	formatExtensible = 0xFFFE
)

// waveFormat is what the chunk "fmt " says.
type waveFormat struct {
	channels, bits int
	rate           timebase.Rate
}

// ReadWAV reads a recording; of two channels it takes the mean.
func ReadWAV(file []byte) (Clip, error) {
	c, err := readWAV(file)
	if err != nil {
		return Clip{}, fmt.Errorf("read a WAV file: %w", err)
	}
	return c, nil
}

func readWAV(file []byte) (Clip, error) {
	if len(file) < 12 || string(file[:4]) != "RIFF" || string(file[8:12]) != "WAVE" {
		return Clip{}, errors.New("it does not begin as RIFF of the form WAVE")
	}
	var f *waveFormat
	for rest := file[12:]; len(rest) >= 8; {
		id, size := string(rest[:4]), uint64(binary.LittleEndian.Uint32(rest[4:]))
		rest = rest[8:]
		if size > uint64(len(rest)) {
			return Clip{}, fmt.Errorf("chunk %q of %d bytes is cut off after %d", id, size, len(rest))
		}
		switch chunk := rest[:size]; {
		case id == "fmt ":
			format, err := parseFormat(chunk)
			if err != nil {
				return Clip{}, err
			}
			f = &format
		case id == "data" && f == nil:
			return Clip{}, errors.New("its data come before their format")
		case id == "data":
			return f.clip(chunk)
		}
		rest = rest[min(size+size%2, uint64(len(rest))):] // chunks begin at even places
	}
	return Clip{}, errors.New("it has no data")
}

func parseFormat(chunk []byte) (waveFormat, error) {
	if len(chunk) < 16 {
		return waveFormat{}, fmt.Errorf("a format of %d bytes: want 16", len(chunk))
	}
	u16 := func(at int) int { return int(binary.LittleEndian.Uint16(chunk[at:])) }
	f := waveFormat{channels: u16(2), rate: timebase.Rate(binary.LittleEndian.Uint32(chunk[4:])), bits: u16(14)}
	tag := u16(0)
	if tag == formatExtensible && len(chunk) >= 26 {
		tag = u16(24) // the subformat's first word
	}
	if tag != formatPCM || f.bits != 16 && f.bits != 24 || f.channels < 1 || f.channels > 2 {
		return f, fmt.Errorf("format %#x with %d channels of %d bits: want PCM, 1 or 2 channels, 16 or 24 bits", tag, f.channels, f.bits)
	}
	if align := u16(12); align != f.frame() {
		return f, fmt.Errorf("frames of %d bytes for %d channels of %d bits", align, f.channels, f.bits)
	}
	return f, nil
}

// frame is the length of a sample of all channels in bytes.
func (f waveFormat) frame() int { return f.channels * f.bits / 8 }

// clip makes a recording of the data; a last frame that is not complete is left out.
func (f waveFormat) clip(data []byte) (Clip, error) {
	c := Clip{Rate: f.rate, Linear: true}
	for ; len(data) >= f.frame(); data = data[f.frame():] {
		sum := int64(0)
		for ch := range f.channels {
			sum += f.value(data[ch*f.bits/8:])
		}
		c.Values = append(c.Values, int32(sum/int64(f.channels)))
	}
	return c, c.Check()
}

// value is a channel's, of which full scale is 2^31.
func (f waveFormat) value(b []byte) int64 {
	if f.bits == 16 {
		return int64(int16(binary.LittleEndian.Uint16(b))) << 16
	}
	return int64(int32(uint32(b[0])<<8 | uint32(b[1])<<16 | uint32(b[2])<<24))
}

// WriteWAV writes n samples of a sound at a rate, as one channel of 16 bits. What is
// beyond full scale is cut off.
func WriteWAV(w io.Writer, s Sound, rate uint32, n uint32) error {
	const header, frame = 44, 2
	le := binary.LittleEndian
	b := append(le.AppendUint32([]byte("RIFF"), header-8+n*frame), "WAVEfmt "...)
	b = le.AppendUint16(le.AppendUint16(le.AppendUint32(b, 16), formatPCM), 1)
	b = le.AppendUint32(le.AppendUint32(b, rate), rate*frame)
	b = le.AppendUint16(le.AppendUint16(b, frame), 8*frame)
	b = le.AppendUint32(append(b, "data"...), n*frame)
	for i := range uint64(n) {
		v := scale(s.At(firstAt(i, 1e12, uint64(rate))), 1<<15, uint64(FullScale))
		b = le.AppendUint16(b, uint16(min(max(v, -1<<15), 1<<15-1)))
	}
	if _, err := w.Write(b); err != nil {
		return fmt.Errorf("write a WAV file: %w", err)
	}
	return nil
}
