package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"log"
	"net/http"
	"sync"
	"time"

	"rigor/harness/history"
	"rigor/harness/rig"
)

// Options are what a site is made of.
type Options struct {
	Runs      string                      // the folder of bundles
	Baselines string                      // the folder of what was accepted
	History   *history.Index              // of these
	Rigs      func() (*rig.Config, error) // what is configured
	Token     string                      // demanded of visitors unless ""
	Hosts     []string                    // names that the server is known by, beside localhost and any address
	Metrics   http.Handler                // of /metrics, for Prometheus
	Now       func() time.Time            // the host's clock
	Log       *log.Logger                 // what visitors aren't told
}

// site is the application.
type site struct {
	Options
	streams chan struct{} // a place for each stream of events

	mu      sync.Mutex
	synced  time.Time // when the index was last brought up to date
	changed int       // how often that changed it
	known   struct {  // the last answer of turns
		turns   []turn
		changed int
		at      time.Time
	}
}

// New makes the application.
func New(o Options) http.Handler {
	s := &site{Options: o, streams: make(chan struct{}, streams)}
	mux := http.NewServeMux()
	for pattern, serve := range map[string]func(http.ResponseWriter, *http.Request) error{
		"GET /{$}": s.overview, "GET /now": s.watch,
		"GET /runs": s.runs, "GET /runs/{run}": s.run, "GET /runs/{run}/now": s.follow, "GET /runs/{run}/report": s.report, "GET /runs/{run}/files/{path...}": s.file,
		"GET /trends": s.trends, "GET /trend": s.trend, "GET /compare": s.compare,
	} {
		mux.Handle(pattern, s.handler(serve))
	}
	mux.Handle("/", s.handler(func(http.ResponseWriter, *http.Request) error { return errNotFound }))
	mux.Handle("GET /metrics", o.Metrics)
	mux.Handle("GET /assets/{file}", http.HandlerFunc(asset))
	login := s.handler(s.askToken)
	return &guard{next: mux, hosts: o.Hosts, token: o.Token, login: login}
}

//go:embed assets
var assets embed.FS

// asset serves what all pages share. A browser keeps it, and asks whether it is still the same.
func asset(w http.ResponseWriter, req *http.Request) {
	name := "assets/" + req.PathValue("file")
	if text, err := assets.ReadFile(name); err == nil {
		w.Header().Set("ETag", fmt.Sprintf(`"%.16x"`, sha256.Sum256(text)))
		w.Header().Set("Cache-Control", "no-cache")
	}
	http.ServeFileFS(w, req, assets, name)
}

//go:embed templates
var templates embed.FS

// layouts are the pages by the names of their files.
var layouts = parse(templates)

func parse(files fs.FS) map[string]*template.Template {
	all := map[string]*template.Template{}
	shared := template.Must(template.New("").Funcs(helpers).ParseFS(files, "templates/shared/*.html"))
	names, _ := fs.Glob(files, "templates/*.html") // the pattern is sound
	for _, name := range names {
		all[name[len("templates/"):]] = template.Must(template.Must(shared.Clone()).ParseFS(files, name))
	}
	return all
}

// frame is what all pages have around what is theirs.
type frame struct {
	Title string
	Here  string // the part of the site, of those in the head
	Page  any
}

// show writes a page, whole or not at all.
func (s *site) show(w http.ResponseWriter, status int, layout string, f frame) error {
	var page bytes.Buffer
	if err := layouts[layout].ExecuteTemplate(&page, "frame", f); err != nil {
		return fmt.Errorf("make the page: %w", err)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	w.Write(page.Bytes()) // the visitor may have gone
	return nil
}

var errNotFound = errors.New("there is no such thing")

// badRequest is what a visitor can put right.
type badRequest struct{ error }

// handler serves pages, and a page that tells of the error if there is one.
func (s *site) handler(serve func(http.ResponseWriter, *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		err := serve(w, req)
		if err == nil {
			return
		}
		status, text := http.StatusInternalServerError, err.Error()
		switch {
		case errors.Is(err, errNotFound):
			status, text = http.StatusNotFound, "There is no "+req.URL.Path+" here."
		case errors.As(err, &badRequest{}):
			status = http.StatusBadRequest
		default:
			s.Log.Printf("%s %q: %v", req.Method, req.URL.Path, err)
		}
		if err := s.show(w, status, "error.html", frame{Title: http.StatusText(status), Page: text}); err != nil {
			s.Log.Print(err)
		}
	})
}

// askToken is the page that asks for the token.
func (s *site) askToken(w http.ResponseWriter, req *http.Request) error {
	wrong := req.URL.Query().Has("token") || req.Method == http.MethodPost
	next := "/"
	if req.Method == http.MethodGet {
		next = withoutToken(req.URL)
	}
	return s.show(w, http.StatusUnauthorized, "login.html", frame{Title: "Token", Page: struct {
		Wrong bool
		Next  string
	}{wrong, next}})
}
