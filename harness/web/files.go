package web

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path"
	"strings"
	"time"

	"rigor/harness/record"
	"rigor/harness/report"
)

// filePolicy shows a bundle's file without any rights: what is in it came from firmware. A
// report has its style in itself, and needs nothing else.
const filePolicy = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"

// types are those of a bundle's files. Anything else is for downloading.
var types = map[string]string{
	".html": "text/html; charset=utf-8", ".svg": "image/svg+xml", ".json": "application/json", ".xml": "text/xml; charset=utf-8",
	".txt": "text/plain; charset=utf-8", ".log": "text/plain; charset=utf-8", ".prom": "text/plain; charset=utf-8",
	".yaml": "text/plain; charset=utf-8", ".jsonl": "text/plain; charset=utf-8", ".vcd": "text/plain; charset=utf-8",
}

// file serves a file of a bundle. The folder of the bundle is opened below that of all, and the file
// below that, so that neither a path nor a symbolic link leads out of it.
func (s *site) file(w http.ResponseWriter, req *http.Request) error {
	name := req.PathValue("path")
	f, err := s.open(req.PathValue("run"), name)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return errNotFound
	}
	bare(w, types[path.Ext(name)])
	http.NewResponseController(w).SetWriteDeadline(time.Now().Add(filePatience)) // a recorder of tests has none
	http.ServeContent(w, req, "", info.ModTime(), f)
	return nil
}

// bare heads what comes from a bundle: it is shown without rights, or downloaded if its type is not known.
func bare(w http.ResponseWriter, kind string) {
	h := w.Header()
	h.Set("Content-Security-Policy", filePolicy)
	h.Set("Cache-Control", "private, no-cache")
	h.Set("Content-Type", kind)
	if kind == "" {
		h.Set("Content-Type", "application/octet-stream")
		h.Set("Content-Disposition", "attachment")
	}
}

// report serves a run's report: that of the bundle, or one made now of a run that is under way or was killed.
func (s *site) report(w http.ResponseWriter, req *http.Request) error {
	req.SetPathValue("path", record.ReportFile)
	err := s.file(w, req)
	if !errors.Is(err, errNotFound) {
		return err
	}
	r, err := s.load(req.PathValue("run"))
	if err != nil {
		return err
	}
	var page bytes.Buffer
	if err := report.HTML(&page, r); err != nil {
		return fmt.Errorf("make the report: %w", err)
	}
	bare(w, types[".html"])
	w.Write(page.Bytes()) // the visitor may have gone
	return nil
}

// open opens a file of a bundle for reading.
func (s *site) open(run, name string) (*os.File, error) {
	bundle, err := s.bundle(run)
	if err != nil {
		return nil, err
	}
	defer bundle.Close()
	if hidden(name) {
		return nil, errNotFound
	}
	f, err := bundle.Open(name)
	return f, missing(err)
}

// bundle opens the folder of a run.
func (s *site) bundle(run string) (*os.Root, error) {
	if hidden(run) || strings.ContainsAny(run, `/\`) {
		return nil, errNotFound
	}
	all, err := os.OpenRoot(s.Runs)
	if err != nil {
		return nil, missing(err)
	}
	defer all.Close()
	r, err := all.OpenRoot(run)
	return r, missing(err)
}

// hidden reports a path that is empty or has a part that begins with a dot: locks, files that are being
// written, and the way up.
func hidden(name string) bool {
	for part := range strings.SplitSeq(name, "/") {
		if part == "" || strings.HasPrefix(part, ".") {
			return true
		}
	}
	return false
}

// missing makes of a path that cannot be opened, for whatever reason, one that is not
// there: the reason is nobody's business.
func missing(err error) error {
	if err != nil {
		return errors.Join(errNotFound, err)
	}
	return nil
}

// entry is a file of a bundle.
type entry struct {
	Path string
	Size int64
}

// folder is the files below one folder of a bundle.
type folder struct {
	Name  string // "" for the bundle's own
	Files []entry
}

// list gives the bundle's files, folder by folder; hidden ones are not shown.
func list(bundle *os.Root) (all []folder, err error) {
	at := map[string]int{}
	err = fs.WalkDir(bundle.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case name == ".":
			return nil
		case hidden(d.Name()) && d.IsDir():
			return fs.SkipDir
		case hidden(d.Name()) || !d.Type().IsRegular():
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return nil // gone meanwhile
		}
		dir := strings.TrimPrefix(path.Dir(name), ".")
		i, ok := at[dir]
		if !ok {
			i = len(all)
			at[dir], all = i, append(all, folder{Name: dir})
		}
		all[i].Files = append(all[i].Files, entry{name, info.Size()})
		return nil
	})
	return all, err
}
