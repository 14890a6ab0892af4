package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"rigor/harness"
	"rigor/harness/export"
	"rigor/harness/record"
)

type exportCmd struct {
	Bundle   string `arg:"" optional:"" type:"existingdir" help:"Run bundle (default: the newest of each rig under results/runs)."`
	Listen   string `xor:"to" placeholder:"ADDR" help:"Serve /metrics at this address until interrupted, such as localhost:9100."`
	Textfile string `xor:"to" type:"path" placeholder:"FILE" help:"Write a file for node_exporter's textfile collector."`
}

// Run exports one way or the other; without either it prints.
func (c *exportCmd) Run(ctx context.Context) error {
	switch {
	case c.Listen != "":
		return c.serve(ctx)
	}
	runs, err := c.runs()
	if err != nil {
		return err
	}
	if c.Textfile != "" {
		return export.WriteTextfile(c.Textfile, runs...)
	}
	return export.WriteText(os.Stdout, runs...)
}

func (c *exportCmd) runs() ([]*record.Run, error) {
	if c.Bundle != "" {
		run, err := record.Load(c.Bundle)
		return []*record.Run{run}, err
	}
	root, err := harness.Root(".")
	if err != nil {
		return nil, err
	}
	return record.Latest(filepath.Join(root, "results", "runs"))
}

func (c *exportCmd) serve(ctx context.Context) error {
	if _, err := c.runs(); err != nil {
		return err // now, rather than at the first scrape
	}
	l, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("listen for scrapes: %w", err)
	}
	fmt.Fprintf(os.Stderr, "serving http://%s/metrics\n", l.Addr())
	return export.Serve(ctx, l, export.Handler(c.runs))
}
