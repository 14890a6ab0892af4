package conform

import (
	_ "embed"
	"strings"
	"sync"
)

//go:embed deviations.tsv
var deviationsTSV string

// vector names a vector across the files it is in: the published one and samples of it.
type vector struct{ suite, id string }

// deviations maps vectors known to be wrong to the reason. Lines of deviations.tsv are suite, id and reason; # begins a comment.
var deviations = sync.OnceValue(func() map[vector]string {
	known := map[vector]string{}
	for line := range strings.Lines(deviationsTSV) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		w := strings.Split(line, "\t")
		if len(w) != 3 || w[2] == "" {
			panic("BUG: conform: deviations.tsv: suite, id and reason expected in " + line)
		}
		known[vector{w[0], w[1]}] = w[2]
	}
	return known
})
