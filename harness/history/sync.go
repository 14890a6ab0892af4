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
	err = x.write(ctx, func(tx *sql.Tx) error {
		s = Synced{}
		return s.sync(ctx, tx, runs)
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
		s = Synced{}
		return s.sync(ctx, tx, runs)
	})
	return s, err
}

func (s *Synced) sync(ctx context.Context, tx *sql.Tx, runs string) error {
	there, err := stamps(runs)
	if err != nil {
		return err
	}
	known, err := knownStamps(ctx, tx)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(known)) {
		if _, ok := there[name]; !ok {
			s.Removed++
		}
		if there[name].text != known[name] {
			if err := forget(ctx, tx, name); err != nil {
				return err
			}
		}
	}
	t := newTaker(ctx, tx)
	defer t.close()
	for _, name := range slices.Sorted(maps.Keys(there)) {
		was, ok := known[name]
		if ok && was == there[name].text {
			continue
		}
		if err := t.take(runs, name, there[name]); err != nil {
			return err
		}
		if ok {
			s.Updated++
		} else {
			s.Added++
		}
	}
	s.Unreadable, err = problems(ctx, tx)
	return err
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
