package faults

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"rigor/harness/sim/board"
)

// resetKinds are those that a reset can be by.
var resetKinds = []board.ResetKind{
	board.ResetPower, board.ResetPin, board.ResetWatchdog, board.ResetSoftware, board.ResetBrownOut,
}

func parseFault(text string) (f Fault, err error) {
	kind, rest, ok := strings.Cut(text, "@")
	k := slices.Index(kinds[:], kind)
	if !ok || k < 0 {
		return f, fmt.Errorf("begins with none of %s and @", strings.Join(kinds[:], ", "))
	}
	f.Kind = Kind(k)
	op, rest, more := strings.Cut(rest, ":")
	if f.Op, err = number(op); err != nil {
		return f, fmt.Errorf("operation: %w", err)
	}
	switch {
	case f.Kind == Cut:
		err = f.parseCut(rest)
	case f.Kind == Flip:
		err = f.parseFlip(rest)
	case f.Kind == Reset:
		f.By = board.ResetKind(rest)
		if !slices.Contains(resetKinds, f.By) {
			err = fmt.Errorf("no reset is called %q", rest)
		}
	case more:
		err = fmt.Errorf("%q follows", rest)
	}
	return f, err
}

// number reads a decimal number as it is written here: without sign or leading zeros.
func number(s string) (int, error) {
	n, err := strconv.ParseUint(s, 10, 31)
	if err != nil || s != strconv.FormatUint(n, 10) {
		return 0, fmt.Errorf("%q is no number", s)
	}
	return int(n), nil
}

// parseCut reads program:bytes2/1.
func (f *Fault) parseCut(s string) error {
	s, next, again := strings.Cut(s, "/")
	if again {
		n, err := number(next)
		if err != nil || n == 0 || n > 255 {
			return fmt.Errorf("%q is no way to read marginal cells", next)
		}
		f.Next = Reading(n)
	}
	if s == End.String() {
		f.How = End
		return nil
	}
	what, how, _ := strings.Cut(s, ":")
	f.Erase = what == "erase"
	if !f.Erase && what != "program" {
		return fmt.Errorf("%q is no operation", what)
	}
	return f.parseHow(how)
}

func (f *Fault) parseHow(s string) (err error) {
	for h := range numHows {
		n, ok := strings.CutPrefix(s, h.String())
		switch {
		case !ok || h == End || h == Bytes && f.Erase || (h == Half || h == Zeroed) && !f.Erase:
		case h.numbered():
			f.How = h
			f.N, err = number(n)
			return err
		case n == "":
			f.How = h
			return nil
		}
	}
	return fmt.Errorf("%q is no way to cut this", s)
}

// parseFlip reads 0x20004.3.
func (f *Fault) parseFlip(s string) error {
	at, bit, ok := strings.Cut(s, ".")
	n, err := number(bit)
	if !ok || err != nil || n > 7 {
		return errors.New("no bit")
	}
	off, err := strconv.ParseUint(strings.TrimPrefix(at, "0x"), 16, 32)
	if err != nil || at != fmt.Sprintf("%#x", off) {
		return fmt.Errorf("%q is no offset", at)
	}
	f.Off, f.Bit = uint32(off), uint8(n)
	return nil
}
