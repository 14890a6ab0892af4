package hub

import (
	"context"

	. "github.com/onsi/ginkgo/v2"

	"rigor/suites/internal/bench"
)

var _ = bench.EachBoard("hub", func(b *bench.Bench) {
	for _, image := range b.Images("hub") {
		for _, x := range Experiments(image) {
			It(x.Name, func(ctx context.Context) { b.Run(ctx, x) })
		}
	}
})
