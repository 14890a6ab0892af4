package k210

import (
	"errors"
	"strings"
	"testing"
	"time"

	"rigor/harness/flash"
)

const blocksOfNoise = 20

// noise has escapes among it.
func noise(n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(i * i >> 5)
	}
	return p
}

// begin is the beginning of a write of 20 blocks, the first of which is request 3: 16
// may be under way.
func (s *script) begin(data []byte) {
	s.request(0xD3, 1, 0x1_F000, 0x1000, nil)
	s.reply(0xD3, 0xE0, 1)
	s.request(0xD3, 2, 0x2_0000, 0x4000, nil)
	s.reply(0xD3, 0xE0, 2)
	for i := range 16 {
		s.block(data, i)
	}
}

func (s *script) block(data []byte, i int) {
	s.request(0xD4, uint16(3+i), uint32(0x1_F000+i*1024), 1024, data[i*1024:(i+1)*1024])
}

func TestStreamAhead(t *testing.T) {
	data := noise(blocksOfNoise * 1024)
	s := &script{}
	s.begin(data)
	for i := range blocksOfNoise {
		s.WriteString("~ 5ms\n")
		s.reply(0xD4, 0xE0, uint16(3+i))
		if next := i + 16; next < blocksOfNoise {
			s.block(data, next)
		}
	}
	s.request(0xD9, 23, 0, 0, nil)
	s.WriteString("~ 7ms\n")
	s.reply(0xD9, 0xE0, 23)
	l, p := prepared(t, s)
	st, err := l.Stream(ctx, 0x1_F000, data)
	if err != nil {
		t.Fatal(err)
	}
	began, written := p.Clock.Now(), 0
	for n := 1; n > 0 && err == nil; written += n {
		n, err = st.Next(ctx)
	}
	if took := p.Clock.Now().Sub(began); err != nil || written != len(data) || took != (blocksOfNoise*5+7)*time.Millisecond {
		t.Errorf("%d bytes in %v, %v, want %d in 107 ms: the end has to be waited for", written, took, err, len(data))
	}
	if n, err := st.Next(ctx); n != 0 || err != nil { // and no more
		t.Errorf("%d, %v behind the end", n, err)
	}
}

// What went wrong with a block comes with a later one's acknowledgement, while others
// are under way. Those are waited out, and the flasher flushed, before anything else is
// asked.
func TestStreamErrors(t *testing.T) {
	data := noise(blocksOfNoise * 1024)
	s := &script{}
	s.begin(data)
	s.reply(0xD4, 0xE0, 3)
	s.block(data, 16)
	s.reply(0xD4, 0xE5, 4)
	l, p := prepared(t, s)
	st, err := l.Stream(ctx, 0x1_F000, data)
	if err == nil {
		_, err = st.Next(ctx)
	}
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		_, err = st.Next(ctx)
		if e := (*ReasonError)(nil); !errors.As(err, &e) || *e != (ReasonError{FlashWrite, ExecError}) || !strings.Contains(err.Error(), "block 1 of the write at 0x0001f000") {
			t.Errorf("got %v", err)
		}
	}
	late, before := &script{}, p.Clock.Now()
	for i := range uint16(15) {
		late.reply(0xD4, 0xE5, 5+i)
	}
	late.request(0xD9, 20, 0, 0, nil)
	late.reply(0xD9, 0xE5, 20)
	late.request(0xD8, 21, 0, 1, nil)
	late.reply(0xD8, 0xE0, 21, 7)
	p.Then(late.String())
	if err := l.Read(ctx, 0, make([]byte, 1)); err != nil {
		t.Errorf("the loader is not usable afterwards: %v", err)
	}
	if waited := p.Clock.Now().Sub(before); waited < 15*1024*10*time.Second/115200 {
		t.Errorf("only %v were waited for 15 blocks to be off the line", waited)
	}
}

// A block whose checksum was wrong was not taken: nothing of it may count as written.
func TestProgramOfSpoiltBlock(t *testing.T) {
	s := &script{}
	s.frame('>', append([]byte{0xC2}, make([]byte, 12)...))
	s.rom(0xC2, 0xE0)
	s.upload()
	s.reply(0xD2, 0xE0, 0, w25q128...)
	s.request(0xD3, 1, 0, 4096, nil)
	s.reply(0xD3, 0xE0, 1)
	for i := range 4 {
		s.request(0xD4, uint16(2+i), uint32(1024*i), 1024, noise(4096)[1024*i:1024*(i+1)])
	}
	s.reply(0xD4, 0xE2, 2)
	l, p := connected(t, s)
	m, err := flash.ReadBin(noise(4096), 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = flash.Program(ctx, l, m, flash.Options{Clock: p.Clock})
	if e := (*flash.Error)(nil); !errors.As(err, &e) || e.Phase != flash.PhaseWrite || !strings.Contains(err.Error(), "bad checksum") {
		t.Errorf("got %v", err)
	}
}

// The end's own error is that of the last blocks.
func TestStreamEndError(t *testing.T) {
	s := &script{}
	s.request(0xD4, 1, 5, 3, []byte{1, 2, 3})
	s.reply(0xD4, 0xE0, 1)
	s.request(0xD9, 2, 0, 0, nil)
	s.reply(0xD9, 0xE5, 2)
	s.flushed(3)
	s.request(0xD4, 4, 5, 1, []byte{1})
	s.reply(0xD4, 0xE0, 4)
	s.flushed(5)
	l, _ := prepared(t, s)
	err := l.Write(ctx, 5, []byte{1, 2, 3})
	if e := (*ReasonError)(nil); !errors.As(err, &e) || *e != (ReasonError{FlashFlush, ExecError}) {
		t.Errorf("got %v", err)
	}
	if err := l.Write(ctx, 5, []byte{1}); err != nil {
		t.Errorf("the next write: %v", err)
	}
}

// Numbers go round without the 0 of what was not asked.
func TestNumbersGoRound(t *testing.T) {
	data := noise(2 * 1024)
	s := &script{}
	s.request(0xD4, 0xFFFF, 0, 1024, data[:1024])
	s.request(0xD4, 1, 1024, 1024, data[1024:])
	s.reply(0xD4, 0xE0, 0xFFFF)
	s.reply(0xD4, 0xE0, 1)
	s.flushed(2)
	l, _ := prepared(t, s)
	l.number = 0xFFFE
	if err := l.Write(ctx, 0, data); err != nil {
		t.Error(err)
	}
}
