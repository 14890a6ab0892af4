package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"rigor/harness"
	"rigor/harness/record"
	"rigor/harness/report"
	"rigor/harness/wholefile"
)

type reportCmd struct {
	Bundle string `arg:"" optional:"" default:"latest" help:"Run bundle: its folder, its name below results/runs, or latest (default: ${default})."`
	Format string `default:"text" enum:"text,html,junit,markdown,line" placeholder:"FORMAT" help:"What to write: text (the table of rigor run), html, junit, markdown or line (default: ${default})."`
	Output string `short:"o" type:"path" placeholder:"FILE" help:"File to write, aside and then renamed (default: standard output)."`
}

func (*reportCmd) Help() string {
	return "Makes a report of a recorded run anew, whole or not:\n\n" +
		"  text      the table, the claims and what to look at, as rigor run prints them\n" +
		"  html      a page for people that needs no other file: what is wrong and whose it is, then all numbers, pictures and logs\n" +
		"  junit     for CI; the type of a failure or error is its class: dut, firmware, rig, harness\n" +
		"  markdown  a summary for a CI job's page: rigor report --format markdown >> \"$GITHUB_STEP_SUMMARY\"\n" +
		"  line      the verdict in one line, for a chat\n\n" +
		"The exit status is 0 if the report was written, whatever it says, and 2 if not."
}

// Run is the command.
func (c *reportCmd) Run() error {
	run, err := c.load()
	if err != nil {
		return err
	}
	if c.Output == "" {
		return c.write(os.Stdout, run)
	}
	var text bytes.Buffer
	if err := c.write(&text, run); err != nil {
		return err
	}
	return wholefile.WriteBytes(c.Output, text.Bytes())
}

// load finds the run; a bundle's folder may be anywhere.
func (c *reportCmd) load() (*record.Run, error) {
	dir, err := filepath.Abs(c.Bundle) // a run's name is its folder's
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(dir, record.RunFile)); err == nil {
		return record.Load(dir)
	}
	root, err := harness.Root(".")
	if err != nil {
		return nil, err
	}
	return findRun(root, c.Bundle)
}

func (c *reportCmd) write(w io.Writer, run *record.Run) error {
	switch c.Format {
	case "html":
		return report.HTML(w, run)
	case "junit":
		return report.JUnit(w, run)
	case "markdown":
		return report.Markdown(w, run)
	case "line":
		_, err := fmt.Fprintln(w, report.Line(run))
		return err
	}
	return report.Terminal(w, run, c.Output == "" && report.Colours(os.Stdout))
}
