package record

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"rigor/harness/timebase"
	"rigor/probes"
)

// ErrVCD is text that is no value change dump as [WriteVCD] writes them.
var ErrVCD = errors.New("not a value change dump of rigor's")

// ReadVCD reads a capture back from what [WriteVCD] wrote: one scope, single wires, the levels 0 and 1. The
// capture's rate is that of the file's time unit. At most edges of them are read, and what follows is left out;
// the capture's length then is the time of the last.
func ReadVCD(r io.Reader, edges int) (c probes.Capture, err error) {
	d := &vcdReader{words: bufio.NewScanner(r), lines: map[string]probes.Line{}, edges: edges}
	d.words.Split(bufio.ScanWords)
	d.c.Initial = map[probes.Line]bool{}
	for err == nil && d.words.Scan() {
		err = d.word(d.words.Text())
	}
	switch {
	case errors.Is(err, errEnough):
	case err != nil:
		return c, fmt.Errorf("read VCD: %w", err)
	case d.words.Err() != nil:
		return c, fmt.Errorf("read VCD: %w", d.words.Err())
	case d.c.Rate == 0:
		return c, fmt.Errorf("read VCD: %w: no time unit", ErrVCD)
	}
	return d.c, nil
}

// errEnough ends the reading where the wanted edges are read.
var errEnough = errors.New("enough")

type vcdReader struct {
	words *bufio.Scanner
	lines map[string]probes.Line // by identifier code
	c     probes.Capture
	edges int // at most
	begun bool
}

// word takes a keyword with what belongs to it, a time or a change (IEEE 1364-2005, 18.2.1).
func (d *vcdReader) word(w string) error {
	switch {
	case w == "$dumpvars" || w == "$end": // the block of the first levels, and its end
		return nil
	case w[0] == '$':
		return d.declare(w, d.until())
	case w[0] == '#':
		return d.time(w[1:])
	}
	return d.change(w)
}

// until gives the words up to $end.
func (d *vcdReader) until() (all []string) {
	for d.words.Scan() && d.words.Text() != "$end" {
		all = append(all, d.words.Text())
	}
	return all
}

func (d *vcdReader) declare(keyword string, words []string) error {
	switch keyword {
	case "$timescale":
		for _, t := range timescales {
			if t.name == strings.Join(words, " ") {
				d.c.Rate = t.rate
				return nil
			}
		}
		return fmt.Errorf("%w: time unit %q", ErrVCD, strings.Join(words, " "))
	case "$var":
		if len(words) != 4 || words[0] != "wire" || words[1] != "1" {
			return fmt.Errorf("%w: variable %q", ErrVCD, strings.Join(words, " "))
		}
		d.lines[words[2]] = probes.Line(words[3])
	case "$comment":
		d.lost(strings.Join(words, " "))
	}
	return nil
}

// lost takes from the comment how many edges the instrument missed.
func (d *vcdReader) lost(comment string) {
	at := strings.LastIndex(comment, " capture, ") // after what the caller named it
	if at >= 0 {
		fmt.Sscanf(comment[at:], " capture, %d edges lost", &d.c.Lost)
	}
}

func (d *vcdReader) time(digits string) error {
	at, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || timebase.Ticks(at) < d.c.Length {
		return fmt.Errorf("%w: time %q after %d", ErrVCD, digits, d.c.Length)
	}
	if len(d.c.Edges) >= d.edges {
		return errEnough
	}
	d.begun = d.begun || at > 0
	d.c.Length = timebase.Ticks(at)
	return nil
}

func (d *vcdReader) change(w string) error {
	line, ok := d.lines[w[1:]]
	if !ok || w[0] != '0' && w[0] != '1' {
		return fmt.Errorf("%w: change %q", ErrVCD, w)
	}
	high := w[0] == '1'
	if _, known := d.c.Initial[line]; !known && !d.begun {
		d.c.Initial[line] = high
		return nil
	}
	d.c.Edges = append(d.c.Edges, probes.Edge{At: d.c.Length, Line: line, High: high})
	return nil
}
