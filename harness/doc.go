// Package harness asks questions of firmware on microcontroller boards and
// keeps the answers. The data flows one way:
//
//	rigs.yaml ─> rig ─> flash ─> stimulate + capture ─> measure ─> judge ─> record ─> export
//
// Runner.Run in run.go is that line as code; each word is a package below this folder,
// or under probes. A [Runner] takes one [Experiment] at a time through it on one
// board: the image goes into the chip through the chip's own boot loader, the
// probes watch while the stimulus acts, what was seen becomes samples, samples
// get verdicts, and both go into the run's bundle whatever the verdict is.
//
// Boards and probes are contracts (rig.Board, port.Port, flash.Loader,
// probes.Capturer) with a real and a virtual side. The virtual side is simulated
// silicon in sim, which knows nothing of the harness; virtual is the thin seam
// between the two. The suites under suites/ are Ginkgo specs that hand experiments to
// a Runner; cmd/rigor runs them and reports.
//
// # Glossary
//
//   - rig: what is on one bench, by its name in rigs.yaml; hardware or virtual
//   - board: one board of a rig, by its name there; chip: the part on it
//     (stm32f407)
//   - station: a board with the probes wired to it
//   - image: a built firmware program; firmware: what runs on the board
//   - loader: the chip's own boot loader, or our client of it; flasher: a program
//     that the client puts into the chip's RAM to write in the loader's place
//   - console: the serial line between harness and firmware
//   - line: a wire between a pin and a probe; mark: a line that the firmware
//     raises at the begin or end of what is measured
//   - stimulus: what is done to a board to make it answer
//   - capture: the edges that a probe saw; tick: one period of its clock
//   - experiment: one question to one board
//   - quantity: what is measured, by its name in package measure; sample: its
//     values, from one source (firmware, probe or harness)
//   - limit: what a sample is held against; verdict: pass, fail or unset;
//     unset is never a pass
//   - figure: what a run found for a key: suite, experiment, board, quantity,
//     source and core clock; repeats are several samples of one
//   - baseline: the figures of a rig that somebody accepted; change: what became
//     of a figure since: better, worse, same, different or cannot tell
//   - quarantine: experiments whose failure is known and does not fail a run
//     for a while
//   - profile: the cycles, instructions and calls of each function while an
//     experiment ran, of the marked intervals alone where there are marks
//   - claim: a figure somebody published; finding: confirmed, refuted or cannot tell
//   - run: all experiments of one call; bundle: its folder under results/runs
//   - class of a failure: dut, firmware, rig or harness; only rig failures are
//     tried again
package harness
