package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"text/tabwriter"

	"rigor/harness/hardware"
	"rigor/harness/rig"
	"rigor/harness/timebase"
)

type rigsCmd struct {
	List  rigsListCmd  `cmd:"" default:"withargs" help:"List the rigs of rigs.yaml and what is on each (the default)."`
	Check rigsCheckCmd `cmd:"" help:"Look for all that the boards of a rig need, and say what is missing."`
}

type rigsListCmd struct {
	JSON bool `name:"json" help:"Print JSON."`
}

// Run lists the rigs.
func (c *rigsListCmd) Run() error {
	_, config, err := rigs()
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(config.Rigs)
	}
	return table("RIG\tKIND\tBOARD\tCHIP\tCONSOLE\tLOADER\tLINES", func(w io.Writer) {
		for _, name := range slices.Sorted(maps.Keys(config.Rigs)) {
			r := config.Rigs[name]
			for _, b := range r.Boards {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%v\n", name, r.Kind, b.Name, b.Chip, where(b.Console), where(b.Loader), slices.Sorted(maps.Keys(b.Lines)))
			}
		}
	})
}

func where(u rig.UARTConfig) string {
	if u.Port == nil {
		return u.TX + "/" + u.RX
	}
	return fmt.Sprintf("%s/%s at %v", u.TX, u.RX, u.Port)
}

func printJSON(v any) error { return writeJSON(os.Stdout, v) }

// writeJSON writes v for scripts and for people; texts stay as they are.
func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

func table(head string, rows func(io.Writer)) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, head)
	rows(w)
	return w.Flush()
}

type rigsCheckCmd struct {
	Rig  string `arg:"" placeholder:"NAME" help:"Rig of rigs.yaml."`
	JSON bool   `name:"json" help:"Print JSON."`
}

func (*rigsCheckCmd) Help() string {
	return "Each board's ports are opened, its modem lines are moved, and its boot loader is asked for the chip; the board is left\n" +
		"running its program. No port is opened that is not in rigs.yaml.\n\n" +
		"The exit status is 0 if all is there, 1 if something is missing, 2 if rigs.yaml cannot be read."
}

// Run checks the rig.
func (c *rigsCheckCmd) Run(ctx context.Context) error {
	_, config, err := rigs()
	if err != nil {
		return err
	}
	r, err := config.Rig(c.Rig)
	if err != nil {
		return err
	}
	findings := check(ctx, r)
	if err := c.print(findings); err != nil {
		return err
	}
	missing := slices.DeleteFunc(findings, func(f hardware.Finding) bool { return f.OK })
	if len(missing) > 0 {
		return &exitError{exitWanting, fmt.Errorf("rig %s lacks %d of what it needs", r.Name, len(missing))}
	}
	return nil
}

func check(ctx context.Context, r *rig.RigConfig) (all []hardware.Finding) {
	for _, b := range r.Boards {
		if r.Kind == rig.Virtual {
			all = append(all, hardware.Finding{Board: b.Name, What: "chip", OK: true, Found: "simulated " + b.Chip})
			continue
		}
		all = append(all, hardware.Check(ctx, r.Name, b, timebase.Host{})...)
	}
	return all
}

func (c *rigsCheckCmd) print(findings []hardware.Finding) error {
	if c.JSON {
		return printJSON(findings)
	}
	return table("BOARD\tWHAT\t\tFOUND", func(w io.Writer) {
		for _, f := range findings {
			state := "ok"
			if !f.OK {
				state = "MISSING"
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", f.Board, f.What, state, f.Found)
			if f.Fix != "" {
				fmt.Fprintf(w, "\t\tfix:\t%s\n", f.Fix)
			}
		}
	})
}
