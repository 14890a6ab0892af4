package flash_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"rigor/harness/flash"
)

func image(segments ...flash.Segment) *flash.Image {
	return &flash.Image{Segments: segments, Entry: segments[0].Addr}
}

func ones(addr uint32, n int) flash.Segment {
	return flash.Segment{Addr: memoryBase + addr, Data: bytes.Repeat([]byte{0x11}, n)}
}

// TestPlan says what is erased and written for which segments: sectors once
// each, blocks cut at multiples of 256, words filled with 0xFF, gaps kept.
func TestPlan(t *testing.T) {
	for name, c := range map[string]struct {
		image *flash.Image
		want  []string
	}{
		"a byte":            {image(ones(0, 1)), []string{"erase 8000000+16384", "write 8000000+4"}},
		"odd start and end": {image(ones(3, 6)), []string{"erase 8000000+16384", "write 8000000+12"}},
		"blocks": {image(ones(0xFC, 264)), []string{"erase 8000000+16384",
			"write 80000fc+4", "write 8000100+256", "write 8000200+4"}},
		"gap in a sector": {image(ones(0, 4), ones(0x1000, 4)), []string{"erase 8000000+16384",
			"write 8000000+4", "write 8001000+4"}},
		"gap in a word":      {image(ones(0, 1), ones(3, 2)), []string{"erase 8000000+16384", "write 8000000+8"}},
		"neighbouring words": {image(ones(0, 3), ones(4, 4)), []string{"erase 8000000+16384", "write 8000000+4", "write 8000004+4"}},
		"two sectors": {image(ones(0x3FFE, 4)), []string{"erase 8000000+16384", "erase 8004000+16384",
			"write 8003ffc+4", "write 8004000+4"}},
		"sectors apart": {image(ones(0, 4), ones(0xC000, 4)), []string{"erase 8000000+16384", "erase 800c000+16384",
			"write 8000000+4", "write 800c000+4"}},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMemory()
			if _, err := flash.Program(t.Context(), m, c.image, flash.Options{Clock: m.clock}); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(m.log, c.want) {
				t.Errorf("loader did\n%s\nwant\n%s", strings.Join(m.log, "\n"), strings.Join(c.want, "\n"))
			}
			for _, s := range c.image.Segments {
				if got := m.cells[s.Addr-memoryBase:][:len(s.Data)]; !bytes.Equal(got, s.Data) {
					t.Errorf("memory at %#x is % X, want % X", s.Addr, got, s.Data)
				}
			}
		})
	}
}

func TestProgramReports(t *testing.T) {
	m := newMemory()
	var events []string
	r, err := flash.Program(t.Context(), readable{m}, image(ones(0, 300)), flash.Options{
		Verify: true, Clock: m.clock,
		Progress: func(e flash.Event) { events = append(events, fmt.Sprintf("%v %d/%d", e.Phase, e.Done, e.Total)) },
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"identify 0/0", "erase 0/16384", "erase 16384/16384",
		"write 0/300", "write 256/300", "write 300/300", "verify 0/300", "verify 256/300", "verify 300/300"}
	if !slices.Equal(events, want) {
		t.Errorf("events are %q, want %q", events, want)
	}
	// A sector takes 1 ms, 300 bytes 300 us; the ceiling allows them in 150 us.
	if want := 1300 * time.Microsecond; r.Duration() != want {
		t.Errorf("took %v, want %v", r.Duration(), want)
	}
	if share, ok := r.Share(); !ok || share != 50 {
		t.Errorf("share of the ceiling is %d, %v, want 50", share, ok)
	}
	if want := "300 bytes in 1ms, written at 50 % of what the line allows"; r.String() != want {
		t.Errorf("result is %q, want %q", r, want)
	}
}

// forgetful programs one byte wrongly.
type forgetful struct{ readable }

func (m forgetful) Write(ctx context.Context, addr uint32, p []byte) error {
	p = bytes.Clone(p)
	if addr == memoryBase+0x100 {
		p[5], p[7] = 0x10, 0x01
	}
	return m.readable.Write(ctx, addr, p)
}

func TestProgramErrors(t *testing.T) {
	broken := errors.New("line is dead")
	cancelled := func(m *memory, cancel func()) flash.Loader {
		m.after = map[string]func(){"write 8000000+256": cancel}
		return m
	}
	failing := func(line string) func(*memory, func()) flash.Loader {
		return func(m *memory, _ func()) flash.Loader {
			m.fail = map[string]error{line: broken}
			return readable{m}
		}
	}
	for name, c := range map[string]struct {
		loader func(m *memory, cancel func()) flash.Loader
		verify bool
		phase  flash.Phase
		addr   uint32
		is     func(error) bool
	}{
		"erase":  {failing("erase 8000000+16384"), true, flash.PhaseErase, memoryBase, isError(broken)},
		"write":  {failing("write 8000100+256"), true, flash.PhaseWrite, memoryBase + 0x100, isError(broken)},
		"read":   {failing("read 8000200+88"), true, flash.PhaseVerify, memoryBase + 0x200, isError(broken)},
		"cancel": {cancelled, false, flash.PhaseWrite, memoryBase + 0x100, isError(context.Canceled)},
		"verify": {func(m *memory, _ func()) flash.Loader { return forgetful{readable{m}} }, true,
			flash.PhaseVerify, memoryBase + 0x100, func(err error) bool {
				var e *flash.VerifyError
				return errors.As(err, &e) && *e == flash.VerifyError{Addr: memoryBase + 0x105, Want: 0x11, Got: 0x10, Differ: 2, Of: 256}
			}},
		"no way to verify": {func(m *memory, _ func()) flash.Loader { return m }, true,
			flash.PhaseIdentify, memoryBase, func(err error) bool { return strings.Contains(err.Error(), "nothing can be verified") }},
		"unknown chip": {func(m *memory, _ func()) flash.Loader { m.chip = "stm32 0x431"; return m }, false,
			flash.PhaseIdentify, memoryBase, func(err error) bool { return strings.Contains(err.Error(), "known: esp32c3, k210, stm32f407") }},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			m := newMemory()
			l := c.loader(m, cancel)
			_, err := flash.Program(ctx, l, image(ones(0, 600)), flash.Options{Verify: c.verify, Clock: m.clock})
			var e *flash.Error
			if !errors.As(err, &e) || e.Phase != c.phase || e.Addr != c.addr || !c.is(err) {
				t.Errorf("got %v", err)
			}
			if c.phase == flash.PhaseIdentify && len(m.log) > 0 {
				t.Errorf("loader did %q before the error", m.log)
			}
		})
	}
}

// prepared is a loader that takes its time to prepare, or fails to.
type prepared struct {
	readable
	err error
}

func (p prepared) Prepare(context.Context) error {
	p.log = append(p.log, "prepare")
	p.clock.now = p.clock.now.Add(time.Second)
	return p.err
}

// Preparing comes before the erase, as a step of its own, or not at all.
func TestPrepare(t *testing.T) {
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		alone bool
		err   error
		log   []string
	}{
		"prepares": {false, nil, []string{"prepare", "erase 8000000+16384", "write 8000000+4"}},
		"alone":    {true, broken, []string{"erase 8000000+16384", "write 8000000+4"}},
		"fails":    {false, broken, []string{"prepare"}},
	} {
		m := newMemory()
		r, err := flash.Program(t.Context(), prepared{readable{m}, c.err}, image(ones(0, 4)), flash.Options{Alone: c.alone, Clock: m.clock})
		if !slices.Equal(m.log, c.log) {
			t.Errorf("%s: loader did %q, want %q", name, m.log, c.log)
		}
		var e *flash.Error
		if failed := c.err != nil && !c.alone; failed != (errors.As(err, &e) && e.Phase == flash.PhasePrepare && errors.Is(err, broken)) {
			t.Errorf("%s: %v", name, err)
		}
		took := slices.ContainsFunc(r.Steps, func(s flash.Step) bool { return s.Phase == flash.PhasePrepare && s.Duration == time.Second })
		if took == c.alone {
			t.Errorf("%s: steps %v", name, r.Steps)
		}
	}
}

func isError(want error) func(error) bool {
	return func(err error) bool { return errors.Is(err, want) }
}

func TestWrongBoardIsNotErased(t *testing.T) {
	for name, c := range map[string]struct {
		image *flash.Image
		chip  string
		want  any
	}{
		"wrong chip":    {image(ones(0, 4)), "k210", new(*flash.ChipError)},
		"past the end":  {image(ones(1<<20-2, 4)), "", new(*flash.RangeError)},
		"not in flash":  {image(flash.Segment{Addr: 0x2000_0000, Data: []byte{1}}), "", new(*flash.RangeError)},
		"top of memory": {image(flash.Segment{Addr: 1<<32 - 1, Data: []byte{1}}), "", new(*flash.RangeError)},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMemory()
			_, err := flash.Program(t.Context(), m, c.image, flash.Options{Chip: c.chip, Clock: m.clock})
			if !errors.As(err, c.want) {
				t.Errorf("got %v, want %T", err, c.want)
			}
			if len(m.log) > 0 {
				t.Errorf("loader did %q", m.log)
			}
		})
	}
}

// digester digests its memory by MD5, and is wrong about it if asked.
type digester struct {
	*memory
	algorithm string
	wrong     byte
}

func (d digester) Digest(ctx context.Context, s flash.Span) (string, []byte, error) {
	cells, err := d.do(ctx, "digest", s.Addr, int(s.Size))
	sum := md5.Sum(cells)
	sum[0] ^= d.wrong
	return d.algorithm, sum[:], err
}

func TestVerifyByDigest(t *testing.T) {
	program := func(algorithm string, wrong byte) error {
		m := newMemory()
		_, err := flash.Program(t.Context(), digester{m, algorithm, wrong}, image(ones(0, 600)), flash.Options{Verify: true, Clock: m.clock})
		return err
	}
	if err := program("md5", 0); err != nil {
		t.Errorf("right digest: %v", err)
	}
	if e := (*flash.DigestError)(nil); !errors.As(program("md5", 1), &e) || e.Span != (flash.Span{Addr: memoryBase, Size: 600}) {
		t.Errorf("wrong digest gave %v", e)
	}
	if err := program("crc9", 0); err == nil || !strings.Contains(err.Error(), `"crc9"`) {
		t.Errorf("unknown digest gave %v", err)
	}
}

func ExampleProgram() {
	m := newMemory()
	part, _ := flash.PartOf("stm32f407")
	image, err := flash.Read([]byte(":0400000001020304F2\n:00000001FF\n"), part)
	fmt.Println(err)
	image, _ = flash.ReadBin([]byte{1, 2, 3, 4}, 0x0800_0000)
	result, err := flash.Program(context.Background(), readable{m}, image, flash.Options{Chip: "stm32f407", Verify: true, Clock: m.clock})
	fmt.Println(result, err)
	// Output:
	// segment 0x00000000-0x00000003 lies outside the stm32f407's memory (flash 0x08000000-0x080fffff)
	// 4 bytes in 1ms, written at 50 % of what the line allows <nil>
}
