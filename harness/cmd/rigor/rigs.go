package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"text/tabwriter"
)

type rigsCmd struct {
	JSON bool `name:"json" help:"Print JSON."`
}

// Run lists the rigs.
func (c *rigsCmd) Run() error {
	_, config, err := rigs()
	if err != nil {
		return err
	}
	if c.JSON {
		e := json.NewEncoder(os.Stdout)
		e.SetIndent("", "  ")
		return e.Encode(config.Rigs)
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "RIG\tKIND\tBOARD\tCHIP\tCONSOLE\tLOADER\tLINES")
	for _, name := range slices.Sorted(maps.Keys(config.Rigs)) {
		r := config.Rigs[name]
		for _, b := range r.Boards {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s/%s\t%s/%s\t%v\n", name, r.Kind, b.Name, b.Chip,
				b.Console.TX, b.Console.RX, b.Loader.TX, b.Loader.RX, b.Watched())
		}
	}
	return w.Flush()
}
