package web

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const token = "0123456789abcdef0123456789abcdef"

// guarded is a guard before a page that says "in".
func guarded(token string) *guard {
	in := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("in")) })
	login := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) })
	return &guard{next: in, hosts: []string{"lab"}, token: token, login: login}
}

// A name that others can point here at will is none of ours: DNS rebinding.
func TestHost(t *testing.T) {
	for host, want := range map[string]int{
		"localhost": 200, "localhost:8090": 200, "LOCALHOST": 200, "127.0.0.1:8090": 200, "[::1]:8090": 200, "[::1]": 200, "192.168.1.2:80": 200, "lab": 200, "Lab:8090": 200,
		"evil.example": 421, "evil.example:8090": 421, "localhost.evil.example": 421, "127.0.0.1.nip.example": 421, "": 421, "localhost.": 421, "lab.example": 421, "0x7f.1": 421,
	} {
		w := get(guarded(""), "/", func(r *http.Request) { r.Host = host })
		if w.Code != want {
			t.Errorf("host %q: status %d, want %d", host, w.Code, want)
		}
	}
}

func TestToken(t *testing.T) {
	g := guarded(token)
	bearer := func(text string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Authorization", text) }
	}
	withCookie := func(value string) func(*http.Request) {
		return func(r *http.Request) { r.AddCookie(&http.Cookie{Name: cookie, Value: value}) }
	}
	for _, tt := range []struct {
		name   string
		target string
		change func(*http.Request)
		want   int
	}{
		{"nothing", "/", func(*http.Request) {}, 401},
		{"the token", "/", bearer("Bearer " + token), 200},
		{"another token", "/", bearer("Bearer " + strings.ToUpper(token)), 401},
		{"a part of the token", "/", bearer("Bearer " + token[:31]), 401},
		{"no token", "/", bearer("Bearer "), 401},
		{"another scheme", "/", bearer("Basic " + token), 401},
		{"the cookie", "/", withCookie(g.session()), 200},
		{"the token as cookie", "/", withCookie(token), 401},
		{"the cookie of another token", "/", withCookie(guarded(token + "0").session()), 401},
		{"a link", "/?token=" + token, func(*http.Request) {}, 303},
		{"a wrong link", "/?token=x", func(*http.Request) {}, 401},
		{"a wrong link with the cookie", "/?token=x", withCookie(g.session()), 401},
		{"a style", "/assets/style.css", func(*http.Request) {}, 200},
		{"metrics", "/metrics", func(*http.Request) {}, 401},
		{"the token at another host", "/", func(r *http.Request) { bearer("Bearer " + token)(r); r.Host = "evil.example" }, 421},
	} {
		if w := get(g, tt.target, tt.change); w.Code != tt.want {
			t.Errorf("%s: status %d, want %d", tt.name, w.Code, tt.want)
		}
	}
}

// What a link with a token leads to has it no more, and never leads elsewhere.
func TestEntering(t *testing.T) {
	g := guarded(token)
	w := get(g, "/runs?rig=virtual&token="+token)
	c := w.Result().Cookies()
	if w.Header().Get("Location") != "/runs?rig=virtual" || len(c) != 1 || c[0].Value != g.session() || !c[0].HttpOnly || c[0].SameSite != http.SameSiteLaxMode {
		t.Errorf("location %q, cookies %v", w.Header().Get("Location"), c)
	}
	for next, want := range map[string]string{
		"/runs?rig=virtual": "/runs?rig=virtual", "": "/", "//evil.example": "/", "https://evil.example/": "/", `/\evil.example`: "/", "runs": "/", "javascript:alert(1)": "/", "///evil.example": "/",
	} {
		req := httptest.NewRequest(http.MethodPost, "/login", strings.NewReader("token="+token+"&next="+strings.ReplaceAll(next, "&", "%26")))
		req.Host = "localhost"
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		g.ServeHTTP(w, req)
		if w.Code != http.StatusSeeOther || w.Header().Get("Location") != want {
			t.Errorf("next %q: status %d, location %q, want %q", next, w.Code, w.Header().Get("Location"), want)
		}
	}
}

func TestPolicyOfPages(t *testing.T) {
	w := get(guarded(""), "/")
	for name, want := range map[string]string{"Content-Security-Policy": "default-src 'none'", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Cache-Control": "no-store"} {
		if got := w.Header().Get(name); !strings.HasPrefix(got, want) {
			t.Errorf("%s is %q", name, got)
		}
	}
}

func TestAdmissible(t *testing.T) {
	for _, tt := range []struct {
		address, token string
		want           error
	}{
		{"127.0.0.1:0", "", nil}, {"localhost:0", "", nil}, {"0.0.0.0:0", "", ErrNoToken}, {":0", "", ErrNoToken}, {"0.0.0.0:0", token, nil},
	} {
		l, err := net.Listen("tcp", tt.address)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		if err := Admissible(l, tt.token); !errors.Is(err, tt.want) {
			t.Errorf("%s, token %q: %v", tt.address, tt.token, err)
		}
	}
}

func TestReadToken(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	for _, tt := range []struct {
		text string
		mode os.FileMode
		want string // in the error
	}{
		{token + "\n", 0o600, ""}, {token, 0o400, ""}, {token, 0o640, "chmod 600"}, {token, 0o604, "chmod 600"}, {"short", 0o600, "holds 5 characters"}, {"", 0o600, "holds 0"},
	} {
		os.Remove(path)
		if err := os.WriteFile(path, []byte(tt.text), tt.mode); err != nil {
			t.Fatal(err)
		}
		got, err := ReadToken(path)
		if tt.want == "" && (err != nil || got != token) || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%q, mode %o: %q, %v", tt.text, tt.mode, got, err)
		}
	}
	if _, err := ReadToken(path + ".none"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a token that is not there: %v", err)
	}
}
