package history

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"rigor/harness/record"
)

// Synced says what a look at the bundles found.
type Synced struct {
	Added, Updated, Removed int
	Unreadable              []Problem // all there are now
}

// Problem is a bundle that cannot be read.
type Problem struct {
	Name   string `json:"name"`
	Reason string `json:"reason"`
}

// Sync takes into the index what changed among the bundles below runs since it
// was last asked. A runs folder that does not exist is an empty one.
func (x *Index) Sync(ctx context.Context, runs string) (s Synced, err error) {
	same := false
	err = x.read(ctx, func(tx *sql.Tx) error {
		d, err := look(ctx, tx, runs)
		if same = d.none(); same && err == nil {
			s.Unreadable, err = problems(ctx, tx)
		}
		return err
	})
	if err != nil || same {
		return s, err
	}
	err = x.write(ctx, func(tx *sql.Tx) error {
		s, err = update(ctx, tx, runs)
		return err
	})
	return s, err
}

// Rebuild empties the index and reads all bundles below runs.
func (x *Index) Rebuild(ctx context.Context, runs string) (s Synced, err error) {
	err = x.write(ctx, func(tx *sql.Tx) error {
		for _, table := range []string{"value", "run", "unreadable", "figure", "image"} {
			if _, err := tx.ExecContext(ctx, "DELETE FROM "+table); err != nil {
				return fmt.Errorf("empty the index of runs: %w", err)
			}
		}
		s, err = update(ctx, tx, runs)
		return err
	})
	return s, err
}

// difference is that between the bundles and the index.
type difference struct {
	there map[string]stamp
	known map[string]string
}

func look(ctx context.Context, tx *sql.Tx, runs string) (d difference, err error) {
	if d.there, err = stamps(runs); err != nil {
		return d, err
	}
	d.known, err = knownStamps(ctx, tx)
	return d, err
}

func (d difference) none() bool {
	return len(d.there) == len(d.known) && len(d.changed()) == 0
}

// changed are the bundles whose run.json is not the one that the index knows, if any.
func (d difference) changed() (names []string) {
	for _, name := range slices.Sorted(maps.Keys(d.there)) {
		if was, ok := d.known[name]; !ok || was != d.there[name].text {
			names = append(names, name)
		}
	}
	return names
}

func update(ctx context.Context, tx *sql.Tx, runs string) (s Synced, err error) {
	d, err := look(ctx, tx, runs)
	if err != nil {
		return s, err
	}
	for _, name := range slices.Sorted(maps.Keys(d.known)) {
		if _, ok := d.there[name]; !ok {
			s.Removed++
			if err := forget(ctx, tx, name); err != nil {
				return s, err
			}
		}
	}
	t := newTaker(ctx, tx)
	defer t.close()
	for _, name := range d.changed() {
		if _, ok := d.known[name]; ok {
			s.Updated++
		} else {
			s.Added++
		}
		if err := forget(ctx, tx, name); err != nil {
			return s, err
		}
		if err := t.take(runs, name, d.there[name]); err != nil {
			return s, err
		}
	}
	s.Unreadable, err = problems(ctx, tx)
	return s, err
}

// stamp tells one state of a run.json from another. They are renamed into
// place, so that each state is a file of its own.
type stamp struct {
	text    string
	written time.Time
}

// stamps looks at every bundle below runs, and reads none.
func stamps(runs string) (map[string]stamp, error) {
	entries, err := os.ReadDir(runs)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("find runs: %w", err)
	}
	all := map[string]stamp{}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			continue // half removed, or on its way in
		}
		info, err := os.Stat(filepath.Join(runs, e.Name(), record.RunFile))
		if err != nil || !info.Mode().IsRegular() {
			continue // no bundle, or gone since
		}
		inode := uint64(0)
		if st, ok := info.Sys().(*syscall.Stat_t); ok {
			inode = st.Ino
		}
		text := fmt.Sprintf("%d %d %d", info.Size(), info.ModTime().UnixNano(), inode)
		all[e.Name()] = stamp{text, info.ModTime()}
	}
	return all, nil
}

// knownStamps gives the stamps of what the index holds.
func knownStamps(ctx context.Context, tx *sql.Tx) (map[string]string, error) {
	all := map[string]string{}
	err := query(ctx, tx, func(scan scanner) error {
		var name, text string
		err := scan(&name, &text)
		all[name] = text
		return err
	}, "SELECT name, stamp FROM run UNION ALL SELECT name, stamp FROM unreadable")
	return all, err
}

func forget(ctx context.Context, tx *sql.Tx, name string) error {
	for _, table := range []string{"run", "unreadable"} {
		if _, err := tx.ExecContext(ctx, "DELETE FROM "+table+" WHERE name = ?", name); err != nil {
			return fmt.Errorf("forget run %s: %w", name, err)
		}
	}
	return nil
}

func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}
