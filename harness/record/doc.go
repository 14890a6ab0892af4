// Package record keeps what a run found: the bundle, a folder below
// results/runs, which results/README.md describes. It writes run.json (what ran on what, how
// it was judged), the samples, bench.txt in Go's benchmark format, captures as
// VCD and the consoles' text.
//
// Several processes add to one bundle, one after the other. Each change takes
// the bundle's lock, writes files aside and renames them, run.json last. So
// a reader sees the state before or after a change and nothing between, whenever
// the writer was killed; and until [Bundle.Finish], run.json says that the run is not complete.
//
// What a run depends on is carried along (see Carry), so that it can be done
// again; Repeats compares the two. Progress goes to events.jsonl, a line at a time, and
// Alive tells a run that goes on from one that was killed.
//
// The benchmark format is Go proposal 14313, with the unit metadata of
// golang.org/x/perf/benchfmt; VCD is IEEE Std 1364-2005 section 18.
//
// Left out: what is made of a finished bundle (packages report and export).
package record
