package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"time"

	wireota "rigor/firmware/wire/ota"
	"rigor/harness"
	"rigor/harness/ota"
	"rigor/harness/report"
	"rigor/harness/rig"
	"rigor/harness/station"
)

type otaPushCmd struct {
	Package string `arg:"" type:"existingfile" help:"Signed package."`
	Rig     string `default:"virtual" placeholder:"NAME" help:"Rig of rigs.yaml (default: ${default})."`
	Board   string `placeholder:"NAME" help:"Board of the rig (default: its only one, or the only one of the package's chip)."`
	Factory string `type:"existingfile" placeholder:"FILE" help:"Flash this first, as rigor flash does, and start it: what rigor ota factory made."`
	JSON    bool   `name:"json" help:"Print the result as JSON."`
}

func (*otaPushCmd) Help() string {
	return "The board must be running a program that takes updates. It is asked how it stands, gets the manifest, then what it lacks of\n" +
		"the payload, makes the new program in its other slot, starts it on trial and is told that it is good. What is lost on\n" +
		"the way is sent again, and a push that was interrupted is resumed by another. If the new program does not start, the\n" +
		"board goes back to the old one by itself.\n\n" +
		"Boards of a virtual rig begin empty and forget when the command ends: give --factory.\n\n" +
		"The exit status is 0 if the board runs the new program, confirmed; 1 if it refused the update, went back or boots nothing; 2 if\n" +
		"the rig or the set-up did not allow to tell."
}

// Run updates one board.
func (c *otaPushCmd) Run(ctx context.Context) error {
	p, err := readPackage(c.Package)
	if err != nil {
		return err
	}
	_, config, err := rigs()
	if err != nil {
		return err
	}
	r, err := config.Rig(c.Rig)
	if err != nil {
		return err
	}
	if r.Kind == rig.Virtual && c.Factory == "" {
		return fmt.Errorf("boards of the virtual rig %s begin empty: give --factory, or another --rig", r.Name)
	}
	board, err := c.pick(r, p)
	if err != nil {
		return err
	}
	station, err := station.Open(r, board)
	if err != nil {
		return err
	}
	defer station.Close()
	display := report.NewDisplay(os.Stderr, report.IsTerminal(os.Stderr))
	if err := c.prepare(ctx, station, display); err != nil {
		return err
	}
	return c.push(ctx, station, p, display)
}

// pick finds the board; a rig with one board of the package's chip needs no name.
func (c *otaPushCmd) pick(r *rig.RigConfig, p *ota.Package) (*rig.BoardConfig, error) {
	m, err := p.Decode()
	if err != nil || c.Board != "" {
		return pick(r, c.Board)
	}
	alike := *r
	alike.Boards = nil
	for _, b := range r.Boards {
		if m.IsFor(b.Chip) {
			alike.Boards = append(alike.Boards, b)
		}
	}
	if len(alike.Boards) == 1 {
		return alike.Boards[0], nil
	}
	return pick(r, "")
}

// prepare flashes a new board, if asked.
func (c *otaPushCmd) prepare(ctx context.Context, s *rig.Station, display *report.Display) error {
	if c.Factory == "" {
		return nil
	}
	image, err := os.ReadFile(c.Factory)
	if err != nil {
		return err
	}
	if _, err := harness.Flash(ctx, s, c.Factory, image, display.Show); err != nil {
		return err
	}
	return s.Reset(ctx, rig.BootApp)
}

// pushed is the result for a script.
type pushed struct {
	Version  string                   `json:"version"` // that runs
	Slot     uint8                    `json:"slot"`
	Requests int                      `json:"requests"`
	Repeats  int                      `json:"repeats"`
	Took     map[string]time.Duration `json:"tookNanoseconds"` // by request, in the rig's time
}

func (c *otaPushCmd) push(ctx context.Context, s *rig.Station, p *ota.Package, display *report.Display) error {
	client := ota.Client{Link: ota.Serial(s.Console(), s.Clock(), nil), Clock: s.Clock(), Token: uint16(rand.Uint32()), Progress: shower(display)}
	began := s.Clock().Now()
	result, err := client.Push(ctx, p)
	if err != nil {
		return pushFailed(err)
	}
	a := result.Answer
	display.Line(fmt.Sprintf("%s: the board runs version %v in slot %d, confirmed, after %v", s.Name(), ota.Version(a.Version), a.Slot,
		s.Clock().Now().Sub(began).Round(time.Millisecond)))
	if !c.JSON {
		return nil
	}
	took := map[string]time.Duration{}
	for _, step := range result.Steps {
		took[step.Op.String()] += step.Duration
	}
	return printJSON(pushed{ota.Version(a.Version).String(), a.Slot, result.Counts.Requests, result.Counts.Repeats, took})
}

// pushFailed is the exit of a push that went wrong: the board's own doing, or one that
// leaves open how the update is.
func pushFailed(err error) error {
	var refused *ota.RefusedError
	var reverted *ota.RevertedError
	var nothing *ota.NoImageError
	if errors.As(err, &refused) || errors.As(err, &reverted) || errors.As(err, &nothing) {
		return &exitError{exitWanting, err}
	}
	return err
}

// shower shows what a client does.
func shower(display *report.Display) func(ota.Event) {
	words := map[wireota.Op]string{
		wireota.Offer: "offer the update", wireota.Install: "make the new program in the other slot",
		wireota.Restart: "start it on trial", wireota.Confirm: "confirm it",
	}
	last := ""
	return func(e ota.Event) {
		text := words[e.Op]
		if e.Op == wireota.Piece {
			text = fmt.Sprintf("send the payload %d%%", 100*e.Done/max(e.Total, 1))
		}
		if text != last && text != "" {
			display.Show(text)
		}
		last = text
	}
}
