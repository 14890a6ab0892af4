package flash

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"rigor/harness/timebase"
)

// Blocks is a Loader that wants writes of a certain size and alignment; both
// are powers of two, and align divides size. Without it, blocks are of 256
// bytes, aligned to 4.
type Blocks interface {
	Block() (size, align uint32)
}

// Sectored is a Loader that knows what the part erases at once.
type Sectored interface {
	// Sectors gives the sectors that hold any of the span, by address.
	Sectors(s Span) ([]Span, error)
}

// Ceiling is a Loader that knows how many bytes a second its line and its part
// allow to be written at most.
type Ceiling interface {
	Ceiling() uint64
}

// Streamer is a Loader whose writes of whole sectors erase them first and take
// their data as one piece. Program needs no Erase and no Write of it. Segments then
// begin where the loader's Block is aligned.
type Streamer interface {
	// Stream erases what data at addr needs and gives its writer.
	Stream(ctx context.Context, addr uint32, data []byte) (Stream, error)
}

// Stream is a write under way.
type Stream interface {
	// Next writes some more, and tells how many bytes; 0: all is written.
	Next(ctx context.Context) (n int, err error)
}

// Wired is a Loader that has fewer bytes on its line than it writes, for it
// compresses them.
type Wired interface {
	// Wire is how many bytes of data were sent until now, and how many of them
	// the line could carry in a second.
	Wire() (sent, perSecond uint64)
}

// Preparer is a Loader that can put a program of its own into the part's RAM, which
// then writes in its place, and faster.
type Preparer interface {
	Prepare(ctx context.Context) error
}

// Phase is a step of programming.
type Phase uint8

const (
	PhaseIdentify Phase = iota
	PhasePrepare
	PhaseErase
	PhaseWrite
	PhaseVerify
)

func (p Phase) String() string {
	return [...]string{"identify", "prepare", "erase", "write", "verify"}[p]
}

// Event is progress: Done of Total bytes of the phase. A phase begins with Done
// = 0 and, if it succeeds, ends with Done = Total.
type Event struct {
	Phase       Phase
	Done, Total int
}

// Options of Program. Clock is needed; the rest may be left zero.
type Options struct {
	Chip     string // which the board must be; empty: any the image fits
	Verify   bool   // read or digest what was written
	Alone    bool   // the boot loader writes by itself, though it be a Preparer
	Progress func(Event)
	Clock    timebase.Clock
}

// Step is what one phase did.
type Step struct {
	Phase    Phase
	Bytes    int
	Duration time.Duration // by the rig's clock
}

// Result is a successful Program.
type Result struct {
	Chip    ChipID
	Bytes   int // of the image, without padding
	Steps   []Step
	Ceiling uint64 // bytes a second; 0: the loader does not say
	// Wire is how many bytes of data were on the line, and Ceiling is of them; 0:
	// as many as were written.
	Wire uint64
}

// Duration is the time of all phases.
func (r Result) Duration() time.Duration {
	var d time.Duration
	for _, s := range r.Steps {
		d += s.Duration
	}
	return d
}

// Share is the rate of the write phase in per cent of the ceiling; ok is false
// where there is no ceiling or no time passed.
func (r Result) Share() (percent uint64, ok bool) {
	for _, s := range r.Steps {
		if s.Phase == PhaseWrite && r.Ceiling > 0 && s.Duration > 0 {
			carried := uint64(s.Bytes)
			if r.Wire > 0 {
				carried = r.Wire
			}
			return 100 * (carried * uint64(time.Second) / r.Ceiling) / uint64(s.Duration), true
		}
	}
	return 0, false
}

func (r Result) String() string {
	s := fmt.Sprintf("%d bytes in %v", r.Bytes, r.Duration().Round(time.Millisecond))
	if p, ok := r.Share(); ok {
		s += fmt.Sprintf(", written at %d %% of what the line allows", p)
	}
	return s
}

// Program puts an image into a board: it identifies the part, has the loader prepare,
// erases what the image needs, writes it in the loader's blocks, and reads it back if asked. A
// part that is not the one wanted is refused before anything is erased. The
// context is looked at between blocks and sectors. Every error is an *Error.
func Program(ctx context.Context, l Loader, m *Image, o Options) (Result, error) {
	p := &programmer{Loader: l, Options: o, result: Result{Bytes: m.Size()}}
	if c, ok := l.(Ceiling); ok {
		p.result.Ceiling = c.Ceiling()
	}
	size, align := uint32(256), uint32(4)
	if b, ok := l.(Blocks); ok {
		size, align = b.Block()
	}
	p.block, p.segments = size, pad(m.Segments, align)
	if err := p.identify(ctx, m); err != nil {
		return p.result, err
	}
	if err := p.prepare(ctx, m); err != nil {
		return p.result, err
	}
	if err := p.fill(ctx); err != nil {
		return p.result, err
	}
	if !o.Verify {
		return p.result, nil
	}
	return p.result, p.verify(ctx)
}

// programmer is one call of Program.
type programmer struct {
	Loader
	Options
	segments []Segment // padded to what the loader writes
	block    uint32
	result   Result
}

// pad widens segments to whole units with 0xFF, the value of erased flash, and
// joins those that then meet. Wider gaps stay as they are.
func pad(segments []Segment, align uint32) []Segment {
	var out []Segment
	for _, s := range segments {
		front := int(s.Addr % align)
		back := int(-(s.Addr + uint32(len(s.Data))) % align)
		if n := len(out); n > 0 && uint64(s.Addr)-uint64(front) < out[n-1].end() {
			last := &out[n-1] // it ends inside this segment's first unit
			last.Data = last.Data[:uint64(s.Addr)-uint64(last.Addr)]
			last.Data = append(append(last.Data, s.Data...), blank(back)...)
			continue
		}
		data := append(append(blank(front), s.Data...), blank(back)...)
		out = append(out, Segment{s.Addr - uint32(front), data})
	}
	return out
}

func blank(n int) []byte { return bytes.Repeat([]byte{0xFF}, n) }

func (p *programmer) total() int {
	n := 0
	for _, s := range p.segments {
		n += len(s.Data)
	}
	return n
}

// step times a phase and tells of its progress. The first error ends it.
func (p *programmer) step(phase Phase, total int, run func(done func(n int)) error) error {
	e := Event{Phase: phase, Total: total}
	p.tell(e)
	began := p.Clock.Now()
	err := run(func(n int) {
		e.Done += n
		p.tell(e)
	})
	p.note(Step{Phase: phase, Bytes: e.Done, Duration: p.Clock.Now().Sub(began)})
	return err
}

// note adds to what a phase did: of a streaming loader each segment has an erase
// and a write.
func (p *programmer) note(s Step) {
	i := slices.IndexFunc(p.result.Steps, func(t Step) bool { return t.Phase == s.Phase })
	if i < 0 {
		p.result.Steps = append(p.result.Steps, s)
		return
	}
	p.result.Steps[i].Bytes += s.Bytes
	p.result.Steps[i].Duration += s.Duration
}

func (p *programmer) tell(e Event) {
	if p.Progress != nil {
		p.Progress(e)
	}
}

func (p *programmer) identify(ctx context.Context, m *Image) error {
	return p.step(PhaseIdentify, 0, func(func(int)) error {
		if len(m.Segments) == 0 {
			return &Error{Phase: PhaseIdentify, Err: errors.New("image holds no data")}
		}
		err := p.checkChip(ctx, m)
		if err == nil && p.Verify {
			err = p.checkVerifiable()
		}
		if err != nil {
			return &Error{Phase: PhaseIdentify, Addr: m.Segments[0].Addr, Err: err}
		}
		return nil
	})
}

func (p *programmer) checkChip(ctx context.Context, m *Image) error {
	id, err := p.Identify(ctx)
	if err != nil {
		return err
	}
	p.result.Chip = id
	if p.Chip != "" && id.Chip != p.Chip {
		return &ChipError{Want: p.Chip, Got: id}
	}
	part, err := PartOf(id.Chip)
	if err != nil {
		return err
	}
	return part.Check(m)
}

func (p *programmer) checkVerifiable() error {
	_, reads := p.Loader.(Reader)
	_, digests := p.Loader.(Digester)
	if !reads && !digests {
		return errors.New("the loader can neither read nor digest memory, so nothing can be verified")
	}
	return nil
}

// prepare is a step of its own: its time is no time of writing, and not hidden.
func (p *programmer) prepare(ctx context.Context, m *Image) error {
	l, ok := p.Loader.(Preparer)
	if !ok || p.Alone {
		return nil
	}
	return p.step(PhasePrepare, 0, func(func(int)) error {
		if err := l.Prepare(ctx); err != nil {
			return &Error{Phase: PhasePrepare, Addr: m.Segments[0].Addr, Err: err}
		}
		return nil
	})
}

// fill erases and writes by the means the loader has.
func (p *programmer) fill(ctx context.Context) error {
	if s, ok := p.Loader.(Streamer); ok {
		return p.stream(ctx, s)
	}
	if err := p.erase(ctx); err != nil {
		return err
	}
	return p.write(ctx)
}

// stream writes segment by segment, and counts what is on the line for it.
func (p *programmer) stream(ctx context.Context, l Streamer) error {
	for _, s := range p.segments {
		before := p.wire()
		if err := p.streamSegment(ctx, l, s); err != nil {
			return err
		}
		p.result.Wire += p.wire() - before
	}
	return nil
}

func (p *programmer) wire() uint64 {
	w, ok := p.Loader.(Wired)
	if !ok {
		return 0
	}
	var sent uint64
	sent, p.result.Ceiling = w.Wire()
	return sent
}

func (p *programmer) streamSegment(ctx context.Context, l Streamer, s Segment) error {
	var w Stream
	err := p.step(PhaseErase, len(s.Data), func(done func(int)) (err error) {
		if w, err = l.Stream(ctx, s.Addr, s.Data); err != nil {
			return &Error{Phase: PhaseErase, Addr: s.Addr, Err: err}
		}
		done(len(s.Data))
		return nil
	})
	if err != nil {
		return err
	}
	return p.step(PhaseWrite, len(s.Data), func(done func(int)) error {
		for {
			n, err := w.Next(ctx)
			switch {
			case err != nil:
				return &Error{Phase: PhaseWrite, Addr: s.Addr, Err: err}
			case n == 0:
				return nil
			}
			done(n)
		}
	})
}

func (p *programmer) erase(ctx context.Context) error {
	spans, err := p.eraseSpans()
	if err != nil {
		return &Error{Phase: PhaseErase, Addr: p.segments[0].Addr, Err: err}
	}
	total := 0
	for _, s := range spans {
		total += int(s.Size)
	}
	return p.step(PhaseErase, total, func(done func(int)) error {
		for _, s := range spans {
			if err := firstError(ctx.Err, func() error { return p.Erase(ctx, s) }); err != nil {
				return &Error{Phase: PhaseErase, Addr: s.Addr, Err: err}
			}
			done(int(s.Size))
		}
		return nil
	})
}

// eraseSpans lists each sector once, although segments may share one.
func (p *programmer) eraseSpans() ([]Span, error) {
	sectored, ok := p.Loader.(Sectored)
	var spans []Span
	for _, s := range p.segments {
		if !ok {
			spans = append(spans, s.span())
			continue
		}
		sectors, err := sectored.Sectors(s.span())
		if err != nil {
			return nil, err
		}
		if n := len(spans); n > 0 && len(sectors) > 0 && spans[n-1] == sectors[0] {
			sectors = sectors[1:]
		}
		spans = append(spans, sectors...)
	}
	return spans, nil
}

func (p *programmer) write(ctx context.Context) error {
	return p.eachBlock(ctx, PhaseWrite, func(b Segment) error { return p.Write(ctx, b.Addr, b.Data) })
}

// eachBlock goes through the padded segments in blocks that do not cross a
// multiple of the block size.
func (p *programmer) eachBlock(ctx context.Context, phase Phase, do func(Segment) error) error {
	return p.step(phase, p.total(), func(done func(int)) error {
		for _, s := range p.segments {
			for len(s.Data) > 0 {
				n := min(int(p.block-s.Addr%p.block), len(s.Data))
				b := Segment{s.Addr, s.Data[:n]}
				if err := firstError(ctx.Err, func() error { return do(b) }); err != nil {
					return &Error{Phase: phase, Addr: s.Addr, Err: err}
				}
				done(n)
				s = Segment{s.Addr + uint32(n), s.Data[n:]}
			}
		}
		return nil
	})
}

func firstError(steps ...func() error) error {
	for _, f := range steps {
		if err := f(); err != nil {
			return err
		}
	}
	return nil
}
