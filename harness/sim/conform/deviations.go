package conform

import (
	_ "embed"
	"fmt"
	"strings"
)

//go:embed deviations.tsv
var deviationsTSV string

// vector names a vector across the files it is in: the published one and samples of it.
type vector struct{ suite, id string }

// parseDeviations reads the vectors known to be wrong and why: suite, id and reason, separated by tabs. # begins a comment line.
func parseDeviations(text string) (map[vector]string, error) {
	known := map[vector]string{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		w := strings.Split(line, "\t")
		if len(w) != 3 || w[2] == "" {
			return nil, fmt.Errorf("deviations.tsv: suite, id and reason expected in %q", line)
		}
		known[vector{w[0], w[1]}] = w[2]
	}
	return known, nil
}
