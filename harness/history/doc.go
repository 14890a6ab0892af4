// Package history is an index of the runs whose bundles lie below results/runs:
// which there were and how they ended, each figure's values over time, what
// became of boards and experiments. It is one SQLite database, and holds nothing that the
// bundles don't: [Index.Sync] takes in what changed, [Index.Rebuild] reads all
// of them anew. It is the only importer of modernc.org/sqlite.
//
// Any number of processes may use an index at once. Each operation holds a lock on a file
// beside the database, shared to read and alone to write, and its own
// connection; between operations nobody has the database open. So a
// database that is damaged, or that another version of rigor made, can be put aside and made anew
// whenever it is met.
//
// A folder without a run.json is no bundle and is passed over. A bundle that cannot be
// read, such as one that a newer rigor wrote, is listed with the reason and not read
// again until its run.json changes.
//
// Left out: the samples' values, which stay in the bundles.
package history
