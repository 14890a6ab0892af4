package history

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"syscall"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

//go:embed schema.sql
var schema string

// version is that of schema.sql and of what is put into it; a database of
// another one is made anew.
const version = 6

// application marks a database as an index of runs: "Rigr".
const application = 0x52696772

// File is the index's usual name, below results.
const File = "history.db"

// Index is an index of runs. Its methods may be called by several goroutines. One that had to
// be made anew is empty until the next Sync.
type Index struct {
	path   string
	db     *sql.DB // keeps no connection
	notice func(string)
}

// Open opens the index at path, or makes an empty one there. A file that holds
// no index of this version makes room, and notice, which may be nil, is told; what is no index at
// all is kept as path with ".old".
func Open(path string, notice func(string)) (*Index, error) {
	if notice == nil {
		notice = func(string) {}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("open the index of runs: %w", err)
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open the index of runs: %w", err)
	}
	file := url.URL{Scheme: "file", Path: abs, RawQuery: "_pragma=foreign_keys(1)&_pragma=busy_timeout(10000)&_pragma=synchronous(normal)"}
	db, err := sql.Open("sqlite", file.String())
	if err != nil {
		return nil, fmt.Errorf("open the index of runs: %w", err)
	}
	db.SetMaxIdleConns(-1)
	x := &Index{abs, db, notice}
	if err := x.read(context.Background(), func(*sql.Tx) error { return nil }); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return x, nil
}

// Close ends the use of the index.
func (x *Index) Close() error { return x.db.Close() }

// read runs f on the index beside others that read.
func (x *Index) read(ctx context.Context, f func(*sql.Tx) error) error {
	err := x.locked(syscall.LOCK_SH, func() error { return x.transact(ctx, f) })
	if unusable(err) {
		return x.write(ctx, f)
	}
	return err
}

// write runs f alone on the index. It makes the index first where there is none, or
// where what is there is of no use.
func (x *Index) write(ctx context.Context, f func(*sql.Tx) error) error {
	return x.locked(syscall.LOCK_EX, func() error {
		err := x.transact(ctx, f)
		if !unusable(err) {
			return err
		}
		if err := x.create(ctx, err); err != nil {
			return err
		}
		return x.transact(ctx, f)
	})
}

// locked runs f under a lock on the file beside the database. The lock is the
// kernel's, so that a process that dies gives it back.
func (x *Index) locked(how int, f func() error) error {
	l, err := os.OpenFile(x.path+".lock", os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return fmt.Errorf("lock the index of runs: %w", err)
	}
	defer l.Close() // releases the lock
	for {
		err := syscall.Flock(int(l.Fd()), how)
		if err == nil {
			return f()
		}
		if !errors.Is(err, syscall.EINTR) {
			return fmt.Errorf("lock the index of runs: %w", err)
		}
	}
}

// transact runs f in a transaction on an index of this version.
func (x *Index) transact(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := x.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("open the index of runs: %w", err)
	}
	defer tx.Rollback() // of no effect once committed
	if err := check(tx); err != nil {
		return err
	}
	if err := f(tx); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("keep the index of runs: %w", err)
	}
	return nil
}

// errNew is an index that has yet to be made.
var errNew = errors.New("the index of runs is new")

// strangeError is a database that is none of this version's.
type strangeError struct{ application, version int }

func (e *strangeError) Error() string {
	if e.application != application {
		return "it is another program's database"
	}
	return fmt.Sprintf("it is of version %d, and this rigor makes version %d", e.version, version)
}

func check(tx *sql.Tx) error {
	var e strangeError
	var tables int
	if err := tx.QueryRow("PRAGMA application_id").Scan(&e.application); err != nil {
		return fmt.Errorf("open the index of runs: %w", err)
	}
	if err := tx.QueryRow("PRAGMA user_version").Scan(&e.version); err != nil {
		return fmt.Errorf("open the index of runs: %w", err)
	}
	if err := tx.QueryRow("SELECT count(*) FROM sqlite_master").Scan(&tables); err != nil {
		return fmt.Errorf("open the index of runs: %w", err)
	}
	switch {
	case tables == 0:
		return errNew
	case e != strangeError{application, version}:
		return &e
	}
	return nil
}

// unusable reports an error after which the database must be made anew.
func unusable(err error) bool {
	var strange *strangeError
	var fault *sqlite.Error
	switch {
	case errors.Is(err, errNew), errors.As(err, &strange):
		return true
	case errors.As(err, &fault):
		code := fault.Code() & 0xFF // less the extended code
		return code == lib.SQLITE_CORRUPT || code == lib.SQLITE_NOTADB
	}
	return false
}

// create makes an empty index in place of what there is, which it puts aside.
func (x *Index) create(ctx context.Context, why error) error {
	if !errors.Is(why, errNew) {
		x.notice(fmt.Sprintf("the index of runs, %s, is made anew: %v", x.path, why))
		if err := x.putAside(why); err != nil {
			return fmt.Errorf("make the index of runs: %w", err)
		}
	}
	c, err := x.db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("make the index of runs: %w", err)
	}
	defer c.Close()
	text := fmt.Sprintf("BEGIN;\n%s\nPRAGMA application_id = %d;\nPRAGMA user_version = %d;\nCOMMIT;", schema, application, version)
	if _, err := c.ExecContext(ctx, text); err != nil {
		return fmt.Errorf("make the index of runs: %w", err)
	}
	return nil
}

// putAside makes room: what may be somebody's is renamed, an index of another version
// removed. A journal that stayed would damage the next database.
func (x *Index) putAside(why error) error {
	for _, suffix := range []string{"-journal", "-wal", "-shm"} {
		if err := os.Remove(x.path + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	if e := (*strangeError)(nil); errors.As(why, &e) && e.application == application {
		return os.Remove(x.path)
	}
	return os.Rename(x.path, x.path+".old")
}

// scanner reads a row's columns.
type scanner func(...any) error

// query calls scan for every row of a query's answer.
func query(ctx context.Context, tx *sql.Tx, scan func(scanner) error, text string, values ...any) error {
	rows, err := tx.QueryContext(ctx, text, values...)
	if err != nil {
		return fmt.Errorf("ask the index of runs: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows.Scan); err != nil {
			return fmt.Errorf("read the index of runs: %w", err)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read the index of runs: %w", err)
	}
	return nil
}
