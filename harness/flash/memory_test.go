package flash_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"rigor/harness/flash"
	"rigor/harness/flash/flashtest"
)

// rigClock is a clock that moves only when told.
type rigClock struct{ now time.Time }

func (c *rigClock) Now() time.Time { return c.now }

func (c *rigClock) Sleep(ctx context.Context, d time.Duration) error {
	c.now = c.now.Add(d)
	return ctx.Err()
}

const (
	memoryBase = 0x0800_0000
	memorySize = 64 << 10
	memSector  = 16 << 10
)

// memory is a loader and its part in one: NOR flash in sectors, in which a write
// only clears bits. Each byte written costs a microsecond, each sector a
// millisecond.
type memory struct {
	clock   *rigClock
	cells   []byte
	log     []string
	chip    string
	program uint32            // what Run started
	fail    map[string]error  // by line of the log
	after   map[string]func() // likewise
}

func newMemory() *memory {
	m := &memory{clock: &rigClock{time.Unix(0, 0)}, cells: make([]byte, memorySize), chip: "stm32f407"}
	return m
}

func (m *memory) do(ctx context.Context, op string, addr uint32, n int) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	line := fmt.Sprintf("%s %x+%d", op, addr, n)
	m.log = append(m.log, line)
	if f := m.after[line]; f != nil {
		defer f()
	}
	if err := m.fail[line]; err != nil {
		return nil, err
	}
	if addr < memoryBase || uint64(addr)+uint64(n) > memoryBase+memorySize {
		return nil, fmt.Errorf("%s: nothing is there", line)
	}
	return m.cells[addr-memoryBase:][:n], nil
}

func (m *memory) Identify(context.Context) (flash.ChipID, error) {
	return flash.ChipID{Chip: m.chip, ID: 0x413, Version: "1"}, nil
}

func (m *memory) Erase(ctx context.Context, s flash.Span) error {
	sectors, _ := m.Sectors(s)
	size := uint32(len(sectors)) * memSector
	cells, err := m.do(ctx, "erase", s.Addr/memSector*memSector, int(size))
	for i := range cells {
		cells[i] = 0xFF
	}
	m.clock.now = m.clock.now.Add(time.Duration(len(sectors)) * time.Millisecond)
	return err
}

func (m *memory) Write(ctx context.Context, addr uint32, p []byte) error {
	cells, err := m.do(ctx, "write", addr, len(p))
	for i := range cells {
		cells[i] &= p[i]
	}
	m.clock.now = m.clock.now.Add(time.Duration(len(p)) * time.Microsecond)
	return err
}

func (m *memory) Run(_ context.Context, entry uint32) error {
	m.program = entry
	return nil
}

func (m *memory) Sectors(s flash.Span) ([]flash.Span, error) {
	var out []flash.Span
	for a := s.Addr / memSector * memSector; a < s.Addr+s.Size; a += memSector {
		out = append(out, flash.Span{Addr: a, Size: memSector})
	}
	return out, nil
}

func (m *memory) Ceiling() uint64 { return 2_000_000 }

// readable is a memory that can be read back.
type readable struct{ *memory }

func (m readable) Read(ctx context.Context, addr uint32, p []byte) error {
	cells, err := m.do(ctx, "read", addr, len(p))
	copy(p, cells)
	return err
}

func TestConformance(t *testing.T) {
	flashtest.Run(t, func(t *testing.T) (flash.Loader, flashtest.Info) {
		m := newMemory()
		program, err := flash.ReadBin([]byte("program"), memoryBase)
		if err != nil {
			t.Fatal(err)
		}
		return readable{m}, flashtest.Info{
			Chip:     "stm32f407",
			Clock:    m.clock,
			Scratch:  flash.Span{Addr: memoryBase + memSector, Size: 2 * memSector},
			Border:   memoryBase + 2*memSector,
			NoMemory: 0x6000_0000,
			Program:  program,
			Started:  func(context.Context) (bool, error) { return m.program == memoryBase, nil },
		}
	})
}
