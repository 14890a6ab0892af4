package esp32

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"rigor/harness/flash"
	"rigor/harness/flash/flashtest/transcript"
)

// script is a transcript that is put together here, by the protocol's description
// and with nothing of the package's own.
type script struct{ strings.Builder }

func (s *script) line(kind byte, op byte, sum byte, value uint32, data []byte) {
	p := []byte{0, op, byte(len(data)), byte(len(data) >> 8), sum, 0, 0, 0}
	if kind == '<' {
		p[0] = 1
		binary.LittleEndian.PutUint32(p[4:], value)
	}
	text := strings.NewReplacer("\xDB", "\xDB\xDD", "\xC0", "\xDB\xDC").Replace(string(append(p, data...)))
	fmt.Fprintf(s, "%c C0 %X C0\n", kind, text)
}

func le(v ...uint32) (p []byte) {
	for _, w := range v {
		p = binary.LittleEndian.AppendUint32(p, w)
	}
	return p
}

func (s *script) request(op byte, v ...uint32) { s.line('>', op, 0, 0, le(v...)) }

func (s *script) block(op byte, seq int, data []byte) {
	sum := byte(0xEF)
	for _, b := range data {
		sum ^= b
	}
	s.line('>', op, sum, 0, append(le(uint32(len(data)), uint32(seq), 0, 0), data...))
}

func (s *script) reply(op byte, value uint32, code byte) {
	s.line('<', op, 0, value, []byte{min(code, 1), code, 0, 0})
}

func (s *script) silence() { s.WriteString("~ silence\n") }

const greets = 'R' | 'I'<<8 | 'G'<<16 | '1'<<24

// ramImage has two packets for RAM.
func ramImage() *flash.Image {
	data := make([]byte, 0x1900)
	for i := range data {
		data[i] = byte(i)
	}
	return &flash.Image{Segments: []flash.Segment{{Addr: 0x4038_0000, Data: data}}, Entry: 0x4038_0004}
}

func (s *script) upload() {
	data := ramImage().Segments[0].Data
	s.request(0x05, 0x1900, 2, 0x1800, 0x4038_0000)
	s.reply(0x05, 0, 0)
	s.block(0x07, 0, data[:0x1800])
	s.reply(0x07, 0, 0)
	s.block(0x07, 1, data[0x1800:])
	s.reply(0x07, 0, 0)
	s.request(0x06, 0, 0x4038_0004)
}

// prepared plays a script to a loader whose flasher runs.
func prepared(t *testing.T, rest *script) (*Loader, *transcript.Player) {
	t.Helper()
	s := &script{}
	s.upload()
	s.reply(0x06, 0, 0)
	s.reply(0x06, greets, 0)
	l := connected(t, s.String()+rest.String())
	l.Flasher = ramImage()
	if err := l.Prepare(ctx); err != nil {
		t.Fatal(err)
	}
	return l, l.port.(*transcript.Player)
}

func TestPrepare(t *testing.T) {
	l, _ := prepared(t, &script{})
	if err := l.Prepare(ctx); err != nil { // which is done already
		t.Error(err)
	}
	s := &script{} // the ROM's reply is lost
	s.upload()
	s.reply(0x06, greets, 0)
	l = connected(t, s.String())
	l.Flasher = ramImage()
	if err := l.Prepare(ctx); err != nil {
		t.Error(err)
	}
	if err := connected(t, "").Prepare(ctx); err != nil { // without one
		t.Error(err)
	}
}

func TestPrepareErrors(t *testing.T) {
	refused, silent, other := &script{}, &script{}, &script{}
	refused.request(0x05, 0x1900, 2, 0x1800, 0x4038_0000)
	refused.reply(0x05, 0, 0x0F)
	silent.upload()
	silent.reply(0x06, 0, 0)
	silent.silence()
	other.upload()
	other.reply(0x06, 0, 0)
	other.reply(0x06, 7, 0)
	for name, c := range map[string]struct {
		script *script
		want   any
		says   string
	}{
		"refused":       {refused, new(*StatusError), "invalid RAM binary address"},
		"silent":        {silent, new(*StartError), "rom_loader: true"},
		"other program": {other, new(*StartError), "0x31474952"},
	} {
		t.Run(name, func(t *testing.T) {
			l := connected(t, c.script.String())
			l.Flasher = ramImage()
			if err := l.Prepare(ctx); !errors.As(err, c.want) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %T that says %q", err, c.want, c.says)
			}
		})
	}
}

// noise does not deflate.
func noise(n int) []byte {
	r := rand.New(rand.NewPCG(3, 4))
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(r.Uint32())
	}
	return p
}

const blocksOfNoise = 20

// begin is the beginning of a write of noise: of 20 blocks, 15 may be under way.
func (s *script) begin(data []byte) {
	s.request(0x02, uint32(len(data)), blocksOfNoise, 0x400, 0x1000, 0)
	s.reply(0x02, 0, 0)
	for i := range 15 {
		s.block(0x03, i, data[i*0x400:(i+1)*0x400])
	}
}

func TestStreamAhead(t *testing.T) {
	data := noise(blocksOfNoise * 0x400)
	s := &script{}
	s.begin(data)
	for i := range blocksOfNoise {
		s.WriteString("~ 5ms\n")
		s.reply(0x03, 0, 0)
		if next := i + 15; next < blocksOfNoise {
			s.block(0x03, next, data[next*0x400:(next+1)*0x400])
		}
	}
	s.request(0x04, 1)
	s.WriteString("~ 7ms\n")
	s.reply(0x04, 0, 0)
	l, p := prepared(t, s)
	st, err := l.Stream(ctx, 0x1000, data)
	if err != nil {
		t.Fatal(err)
	}
	began, written := p.Clock.Now(), 0
	for {
		n, err := st.Next(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			break
		}
		written += n
	}
	if took := p.Clock.Now().Sub(began); written != len(data) || took != (blocksOfNoise*5+7)*time.Millisecond {
		t.Errorf("%d bytes in %v, want %d in 107 ms: the end has to be waited for", written, took, len(data))
	}
	if n, err := st.Next(ctx); n != 0 || err != nil { // and no more
		t.Errorf("%d, %v behind the end", n, err)
	}
}

// What went wrong with a block comes with a later one's acknowledgement, while others
// are under way. Those are waited out before anything else is asked.
func TestStreamErrors(t *testing.T) {
	data := noise(blocksOfNoise * 0x400)
	s := &script{}
	s.begin(data)
	s.reply(0x03, 0, 0)
	s.block(0x03, 15, data[15*0x400:16*0x400])
	s.reply(0x03, 0, 0x08)
	l, p := prepared(t, s)
	st, err := l.Stream(ctx, 0x1000, data)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := st.Next(ctx); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		_, err = st.Next(ctx)
		if e := (*StatusError)(nil); !errors.As(err, &e) || *e != (StatusError{FlashData, 0x08}) || !strings.Contains(err.Error(), "block 1 ") {
			t.Errorf("got %v", err)
		}
	}
	late, before := &script{}, p.Clock.Now()
	for range 14 {
		late.reply(0x03, 0, 0x08)
	}
	late.WriteString(syncRequest)
	late.reply(0x08, greets, 0)
	late.silence()
	late.WriteString(syncRequest)
	late.reply(0x08, greets, 0)
	p.Then(late.String())
	if _, err := l.Identify(ctx); err != nil {
		t.Errorf("the loader is not usable afterwards: %v", err)
	}
	if waited := p.Clock.Now().Sub(before); waited < 14*0x400*10*time.Second/115200 {
		t.Errorf("only %v were waited for 14 blocks to be off the line", waited)
	}
}

// The end's own error is that of the last blocks.
func TestStreamEndError(t *testing.T) {
	data, err := os.ReadFile("testdata/noise.bin")
	if err != nil {
		t.Fatal(err)
	}
	data = data[:0x400]
	s := &script{}
	s.request(0x02, 0x400, 1, 0x400, 0, 0)
	s.reply(0x02, 0, 0)
	s.block(0x03, 0, data)
	s.reply(0x03, 0, 0)
	s.request(0x04, 1)
	s.reply(0x04, 0, 0x08)
	l, _ := prepared(t, s)
	st, err := l.Stream(ctx, 0, data)
	if err == nil {
		_, err = st.Next(ctx)
	}
	if err != nil {
		t.Fatal(err)
	}
	_, err = st.Next(ctx)
	if e := (*StatusError)(nil); !errors.As(err, &e) || *e != (StatusError{FlashEnd, 0x08}) {
		t.Errorf("got %v", err)
	}
}

// The flasher reads a sector at a time.
func TestReadByFlasher(t *testing.T) {
	want := noise(5000)
	s := &script{}
	s.request(0x0E, 0x2000, 4096)
	s.line('<', 0x0E, 0, 0, append(append([]byte{}, want[:4096]...), 0, 0, 0, 0))
	s.request(0x0E, 0x3000, 904)
	s.line('<', 0x0E, 0, 0, append(append([]byte{}, want[4096:]...), 0, 0, 0, 0))
	l, _ := prepared(t, s)
	got := make([]byte, len(want))
	if err := l.Read(ctx, 0x2000, got); err != nil || string(got) != string(want) {
		t.Errorf("reads otherwise: %v", err)
	}
}
