package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"time"

	"rigor/harness"
	"rigor/harness/export"
	"rigor/harness/export/otlp"
	"rigor/harness/history"
	"rigor/harness/record"
	"rigor/harness/web"
)

type exportCmd struct {
	Bundle   string `arg:"" optional:"" type:"existingdir" help:"Run bundle (default: the newest of each rig under results/runs)."`
	Listen   string `xor:"to" placeholder:"ADDR" help:"Serve /metrics at this address until interrupted, such as localhost:9100."`
	OTLP     string `xor:"to" name:"otlp" placeholder:"URL" help:"Send the run's trace and logs to a collector, such as http://localhost:4318."`
	Textfile string `xor:"to" type:"path" placeholder:"FILE" help:"Write a file for node_exporter's textfile collector."`
}

func (*exportCmd) Help() string {
	return "Without --listen or --textfile the metrics are printed in Prometheus's text format. --listen reads the bundles anew\n" +
		"at each scrape, so that it may stay on while runs come and go; native histograms go only to scrapers that ask for\n" +
		"protobuf. With the newest runs goes how reliable boards and experiments were in the last 30 days; a bundle given is\n" +
		"exported alone. `rigor dashboards` starts a Prometheus to look at it.\n\n" +
		"--otlp sends a trace to a run, with a span for each suite on a board, experiment, attempt and phase, and the consoles'\n" +
		"lines as logs, by OTLP/HTTP. It may be sent any time and again: the ids stay the same. A collector's credentials go\n" +
		"into the variable OTEL_EXPORTER_OTLP_HEADERS, as in authorization=Bearer%20TOKEN.\n\n" +
		"A run that is not complete is exported as far as it got, and standard error says so.\n\n" +
		"The exit status is 0 if the metrics were exported, whatever they say, and 2 if not."
}

// Run exports one way or the other; without either it prints.
func (c *exportCmd) Run(ctx context.Context) error {
	s, err := c.state(ctx)
	if err != nil {
		return err
	}
	for _, r := range s.Runs {
		if r.Status != record.Complete {
			fmt.Fprintf(os.Stderr, "note: the run of %s on rig %s is not complete (%s); what it holds is exported\n",
				r.Started.Format(time.DateTime), r.Rig.Name, incomplete[r.Status])
		}
	}
	switch {
	case c.Listen != "":
		return c.serve(ctx)
	case c.OTLP != "":
		return sendTraces(ctx, c.OTLP, s.Runs...)
	case c.Textfile != "":
		return s.WriteTextfile(c.Textfile)
	}
	return s.WriteText(os.Stdout)
}

// incomplete says in words how a run ended short of its end.
var incomplete = map[record.Status]string{
	record.Running:     "running: still going, or killed",
	record.Interrupted: "interrupted by the user",
	record.Failed:      "ended by a failure of the rig or the harness",
}

func (c *exportCmd) state(ctx context.Context) (export.State, error) {
	if c.Bundle != "" {
		run, err := record.Load(c.Bundle)
		return export.State{Runs: []*record.Run{run}}, err
	}
	root, err := harness.Root(".")
	if err != nil {
		return export.State{}, err
	}
	return newest(ctx, filepath.Join(root, "results"))
}

// newest is the newest run of each rig, and what the history knows of boards and
// experiments.
func newest(ctx context.Context, results string) (s export.State, err error) {
	runs := filepath.Join(results, "runs")
	s.Runs, err = record.Latest(runs)
	if errors.Is(err, fs.ErrNotExist) {
		return s, fmt.Errorf("nothing to export yet; `rigor run` makes a run: %w", err)
	}
	if err != nil {
		return s, err
	}
	x, err := history.Open(filepath.Join(results, history.File), nil)
	if err != nil {
		return s, err
	}
	defer x.Close()
	if _, err := x.Sync(ctx, runs); err != nil {
		return s, err
	}
	return s, s.AddHealth(ctx, x, time.Now())
}

func (c *exportCmd) serve(ctx context.Context) error {
	l, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("listen for scrapes: %w", err)
	}
	fmt.Fprintf(os.Stderr, "serving http://%s/metrics\n", l.Addr())
	return web.Serve(ctx, l, export.Handler(func() (export.State, error) { return c.state(ctx) }), nil)
}

// sendTraces sends runs to a collector and says what it took.
func sendTraces(ctx context.Context, url string, runs ...*record.Run) error {
	for _, r := range runs {
		sent, err := otlp.Send(ctx, url, r)
		if err != nil {
			return err
		}
		fmt.Fprintf(os.Stderr, "sent run %s, trace %x: %d spans, %d log records\n", r.Name(), export.TraceID(r), sent.Spans, sent.Logs)
	}
	return nil
}
