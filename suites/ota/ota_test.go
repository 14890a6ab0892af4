package ota

import (
	"context"

	. "github.com/onsi/ginkgo/v2"

	"rigor/suites/internal/bench"
)

var _ = bench.EachBoard("ota", func(b *bench.Bench) {
	if len(b.Images("ota")) == 0 {
		return
	}
	for _, x := range Experiments(b.Board.Chip, bench.Thorough()) {
		It(x.Name, func(ctx context.Context) { b.Run(ctx, x) })
	}
})
