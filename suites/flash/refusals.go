package flash

import (
	"context"
	"errors"
	"fmt"

	"rigor/harness"
	"rigor/harness/flash"
	"rigor/harness/measure"
)

// wrongImage has the board flashed with what is not for it: each is refused, and
// the image that is there stays.
func wrongImage(ctx context.Context, b *board) ([]measure.Sample, error) {
	m, err := b.parsed()
	if err != nil {
		return nil, err
	}
	for _, w := range chips[b.Config.Chip].wrongFiles(b.image.Data, m) {
		if _, err := harness.Flash(ctx, b.Station, w.name, w.data, silent); err == nil {
			return nil, fmt.Errorf("%s was flashed", w.name)
		}
	}
	return b.keptWhole(ctx)
}

// wrongChip has the board flashed as if it were another.
func wrongChip(ctx context.Context, b *board) ([]measure.Sample, error) {
	l, err := b.Loader(ctx)
	if err != nil {
		return nil, err
	}
	m, err := b.parsed()
	if err != nil {
		return nil, err
	}
	_, err = flash.Program(ctx, l, m, flash.Options{Chip: another(b.Config.Chip), Clock: b.Clock()})
	if err := refusedBy[*flash.ChipError]("another chip", err); err != nil {
		return nil, err
	}
	return b.keptWhole(ctx)
}

// refusedBy is an error unless err holds one of type T.
func refusedBy[T any](what string, err error) error {
	var want T
	if err == nil {
		return fmt.Errorf("%s was flashed", what)
	}
	if !errors.As(err, &want) {
		return fmt.Errorf("%s was refused for another reason: %w", what, err)
	}
	return nil
}

// keptWhole is an error unless all of the image is still there.
func (b *board) keptWhole(ctx context.Context) ([]measure.Sample, error) {
	kept, err := b.kept(ctx)
	if err != nil {
		return nil, err
	}
	m, err := b.parsed()
	if err == nil && kept != m.Size() {
		err = fmt.Errorf("of the image's %d bytes %d are left", m.Size(), kept)
	}
	return []measure.Sample{sample(measure.FlashKept, measure.Bytes, int64(kept))}, err
}

// kept counts the bytes of the image that read back as they were written.
func (b *board) kept(ctx context.Context) (int, error) {
	l, err := b.Loader(ctx)
	if err != nil {
		return 0, err
	}
	r, ok := l.(flash.Reader)
	if !ok {
		return 0, errors.New("the loader cannot read memory")
	}
	m, err := b.parsed()
	if err != nil {
		return 0, err
	}
	kept := 0
	for _, s := range m.Segments {
		got := make([]byte, len(s.Data))
		if err := r.Read(ctx, s.Addr, got); err != nil {
			return 0, err
		}
		kept += same(got, s.Data)
	}
	return kept, nil
}

func same(a, b []byte) int {
	n := 0
	for i := range a {
		if a[i] == b[i] {
			n++
		}
	}
	return n
}

// blank counts the bytes of the image that an erased flash holds as well.
func (b *board) blank() int {
	m, err := b.parsed()
	if err != nil {
		return 0
	}
	n := 0
	for _, s := range m.Segments {
		for _, v := range s.Data {
			if v == 0xFF {
				n++
			}
		}
	}
	return n
}
