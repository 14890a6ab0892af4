package otlp

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/log"

	"rigor/harness/record"
)

// Bounds of what is sent of a console: its end, in lines that are not too long for a
// collector. The bundle has all of it.
const (
	most    = 64 << 10
	longest = 4 << 10
)

// tellConsole makes a log record of each line of an experiment's console. When a line came nobody
// noted; it was observed when the experiment was over, and lines have numbers. Repeats
// share a console, which is told once.
func (t *teller) tellConsole(ctx context.Context, e record.Experiment, over time.Time) error {
	file := t.run.ConsoleFile(e)
	if file == "" || t.told[file] {
		return nil
	}
	t.told[file] = true
	tail, size, err := t.run.ConsoleTail(e, most)
	if err != nil {
		return err
	}
	for n, line := range lines(tail) {
		t.emit(ctx, line, time.Time{}, over, log.SeverityInfo, attribute.String("log.file.path", file), attribute.Int("rigor.line", n+1),
			attribute.Int64("rigor.bytes_left_out", size-int64(len(tail))), attribute.String("rigor.board", e.Board))
	}
	return nil
}

// lines are the lines of what a board said, as text: frames of its protocol have bytes
// that are none, which are escaped as Go does.
func lines(said []byte) (all []string) {
	for line := range strings.Lines(string(said)) {
		line = strings.TrimRight(line, "\r\n")
		for part := range slices.Chunk([]byte(line), longest) {
			quoted := strconv.Quote(string(part))
			all = append(all, strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`))
		}
	}
	return all
}
