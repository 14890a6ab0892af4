// Package fidelity says how much of a part a simulated chip models, block by block: the
// README's tables are made of it.
package fidelity

// Status says how far a block is modelled.
type Status string

const (
	Modelled Status = "modelled"
	Partly   Status = "partly"
	Faults   Status = "faults" // any access stops the simulation and names the register
)

// Row is a line of a chip's table.
type Row struct {
	Block  string
	Status Status
	Notes  string // what is modelled and what is not, or "as" and another block
}

// Table is a chip's.
type Table []Row

// Add adds a line.
func (t *Table) Add(block string, s Status, notes string) {
	*t = append(*t, Row{block, s, notes})
}

// Lacks adds what a block does not implement, a line each.
func (t *Table) Lacks(block string, what []string) {
	for _, w := range what {
		t.Add(block, Partly, "lacks "+w)
	}
}
