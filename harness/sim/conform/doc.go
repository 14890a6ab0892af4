// Package conform runs conformance vectors against a simulated core: programs with the registers and memory they start
// and end with, traces of single instructions, arithmetic cases, and a decode oracle. The vectors were recorded from
// independent implementations, so that a core isn't checked against its own author's reading of the manual.
//
// Run reads one file, runs it and reports, class by class. It knows a file by how its name begins:
//
//	thumb2…   rv32imc…   rv64gc…                          programs, JSON lines (Program)
//	vixl-t32…                                             traces, JSON lines (Trace)
//	testfloat-arm…   testfloat-riscv…                     Berkeley TestFloat's text (FloatCase), run on package softfloat
//	thumb2-decode…   rv32imc-decode…   rv64gc-decode…     decode oracle, tab-separated (Encoding)
//
// Any of them may be gzipped. Readers stream, and name file and line in their errors.
//
// A core takes part through a Machine, an adapter of some fifty lines that belongs to the core's package.
//
// testdata holds samples of the published files, chosen by sample.go, for the tests of cores; RIGOR_VECTORS names the
// folder of the full ones where there is one.
//
// Where an emulator that recorded vectors is known to be wrong, deviations.tsv says which vectors and why. Such a vector is run
// like the others and counted in a column of its own when it differs; if it doesn't, it counts as passed.
package conform
