package spectrum

import (
	"context"

	. "github.com/onsi/ginkgo/v2"

	"rigor/suites/internal/bench"
)

var _ = bench.EachBoard("spectrum", func(b *bench.Bench) {
	for _, image := range b.Images("audio") {
		for _, x := range Experiments(image) {
			It(x.Name, func(ctx context.Context) { b.Run(ctx, x) })
		}
	}
})
