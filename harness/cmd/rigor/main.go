// Rigor tests and measures firmware on microcontroller boards, real or
// simulated. `rigor --help` lists what it can do; the exit status is 0 when all
// went well, 1 when something was found wanting (a verdict failed, a vector
// did not match), and 2 when the rig or the set-up did not allow to tell.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// Exit codes of every command but sim run, which documents its own.
const (
	exitOK      = 0
	exitWanting = 1
	exitSetup   = 2
)

type cli struct {
	Run        runCmd        `cmd:"" help:"Run suites on a rig; record, judge and export what they measure."`
	Replay     replayCmd     `cmd:"" help:"Run a recorded run again and compare each value."`
	Rigs       rigsCmd       `cmd:"" help:"List the rigs of rigs.yaml and what is on each."`
	Flash      flashCmd      `cmd:"" help:"Flash an image into a board through its boot loader, and read it back."`
	OTA        otaCmd        `cmd:"" name:"ota" help:"Make, sign, inspect and send updates of a board's program."`
	Sim        simCmd        `cmd:"" help:"Work with a simulated chip alone."`
	Serve      serveCmd      `cmd:"" help:"Show rigs, runs and trends in a browser, and the progress of a run."`
	Compare    compareCmd    `cmd:"" help:"Compare two runs, or a run with the baseline: what changed, and whose it is."`
	Bisect     bisectCmd     `cmd:"" help:"Find the commit with which a figure changed on a virtual rig."`
	AB         abCmd         `cmd:"" name:"ab" help:"Compare two sets of images by runs in turns; measure a rig's noise."`
	Baseline   baselineCmd   `cmd:"" help:"Show and change what runs are compared with."`
	Report     reportCmd     `cmd:"" help:"Make a report of a recorded run: for people, for CI, for a chat."`
	History    historyCmd    `cmd:"" help:"Show earlier runs, and how a figure went from run to run."`
	Prune      pruneCmd      `cmd:"" help:"Remove the run bundles that no rule of results/retention.yaml keeps."`
	Nightly    nightlyCmd    `cmd:"" help:"What a rig does each night: run, judge, record, publish, prune."`
	Export     exportCmd     `cmd:"" help:"Export a recorded run to Prometheus."`
	Dashboards dashboardsCmd `cmd:"" help:"Look at recorded runs in a Prometheus of its own; dashboards for Grafana."`
	Version    versionCmd    `cmd:"" help:"Print versions."`
}

// exitError ends the command with a status; its text, if any, is printed.
type exitError struct {
	status int
	err    error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	signal.Ignore(syscall.SIGXFSZ) // a file that may not grow is a write that fails
	context.AfterFunc(ctx, stop)   // a second Ctrl-C ends the process at once
	var c cli
	k := kong.Parse(&c,
		kong.Name("rigor"),
		kong.Description("Hardware-in-the-loop tests and benchmarks of Go on microcontrollers.\n\n"+
			"Without hardware the rig `virtual` is simulated: `rigor run` works anywhere.\n\n"+
			"Exit status: 0 all went well; 1 something was found wanting: a verdict failed, a vector did not match; 2 the rig or "+
			"the set-up did not allow to tell. Those of sim run are in its own help."),
		kong.ShortUsageOnError(),
		kong.Exit(func(code int) { os.Exit(min(code, exitSetup)) }),
		kong.BindTo(ctx, (*context.Context)(nil)),
	)
	os.Exit(status(k.Run()))
}

// status prints an error and chooses the exit status.
func status(err error) int {
	if err == nil {
		return exitOK
	}
	if text := err.Error(); text != "" {
		fmt.Fprintln(os.Stderr, "rigor:", text)
	}
	var e *exitError
	if errors.As(err, &e) {
		return e.status
	}
	return exitSetup
}
