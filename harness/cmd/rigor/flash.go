package main

import (
	"context"
	"fmt"
	"os"

	"rigor/harness"
	"rigor/harness/report"
	"rigor/harness/rig"
	"rigor/harness/station"
)

type flashCmd struct {
	Rig   string `default:"virtual" placeholder:"NAME" help:"Rig of rigs.yaml (default: ${default})."`
	Board string `placeholder:"NAME" help:"Board of the rig (default: its only one)."`
	Image string `arg:"" type:"existingfile" help:"ELF, Intel hex or raw binary; told apart by content."`
}

func (*flashCmd) Help() string {
	return "The board is reset into its boot loader, which identifies the chip; what the image needs is erased, written and\n" +
		"read back. An image that does not fit the chip, or a chip that is not the one rigs.yaml names, is refused before\n" +
		"anything is erased. On a virtual rig this tries the image: its boards forget when the command ends.\n\n" +
		"The exit status is 0 if the flash holds the image, 2 if not."
}

// Run flashes one board.
func (c *flashCmd) Run(ctx context.Context) error {
	_, config, err := rigs()
	if err != nil {
		return err
	}
	r, err := config.Rig(c.Rig)
	if err != nil {
		return err
	}
	board, err := pick(r, c.Board)
	if err != nil {
		return err
	}
	image, err := os.ReadFile(c.Image)
	if err != nil {
		return err
	}
	station, err := station.Open(r, board)
	if err != nil {
		return err
	}
	defer station.Close()
	display := report.NewDisplay(os.Stderr, report.IsTerminal(os.Stderr))
	_, err = harness.Flash(ctx, station, c.Image, image, display.Show)
	return err
}

// pick finds a board by name; a rig of one board needs none.
func pick(r *rig.RigConfig, name string) (*rig.BoardConfig, error) {
	var have []string
	for _, b := range r.Boards {
		if b.Name == name || name == "" && len(r.Boards) == 1 {
			return b, nil
		}
		have = append(have, b.Name)
	}
	if name == "" {
		return nil, fmt.Errorf("rig %s has several boards; choose with --board one of %v", r.Name, have)
	}
	return nil, fmt.Errorf("rig %s has no board %q; choose with --board one of %v", r.Name, name, have)
}
