package web

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"
)

// guard lets through who may look.
type guard struct {
	next  http.Handler
	hosts []string // names that the server is known by, beside localhost and any IP address
	token string   // "" if none is demanded
	login http.Handler
}

// policy is the Content-Security-Policy of pages: what they are made of comes from here.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

func (g *guard) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	for name, value := range map[string]string{
		"Content-Security-Policy":      policy,
		"Cross-Origin-Resource-Policy": "same-origin",
		"Referrer-Policy":              "same-origin",
		"X-Content-Type-Options":       "nosniff",
		"Cache-Control":                "no-store",
	} {
		w.Header().Set(name, value)
	}
	switch {
	case !g.knows(req.Host):
		http.Error(w, fmt.Sprintf("This server is not known as %q. If it should be: rigor serve --host NAME.", req.Host), http.StatusMisdirectedRequest)
	case g.token == "", strings.HasPrefix(req.URL.Path, "/assets/"):
		g.next.ServeHTTP(w, req)
	case req.Method == http.MethodPost && req.URL.Path == "/login":
		req.Body = http.MaxBytesReader(w, req.Body, longestForm)
		g.enter(w, req, req.PostFormValue("token"), local(req.PostFormValue("next")))
	case req.URL.Query().Has("token"):
		g.enter(w, req, req.URL.Query().Get("token"), withoutToken(req.URL))
	case g.authorized(req):
		g.next.ServeHTTP(w, req)
	default:
		w.Header().Set("WWW-Authenticate", `Bearer realm="rigor"`)
		g.login.ServeHTTP(w, req)
	}
}

// knows reports whether a Host header is ours. An address cannot be made to point
// elsewhere; a name can, so only names that are configured are.
func (g *guard) knows(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.Trim(host, "[]"))
	_, err := netip.ParseAddr(host)
	return err == nil || host == "localhost" || slices.Contains(g.hosts, host)
}

// longestForm bounds what a visitor who is not known may send.
const longestForm = 1 << 14

// cookie is the name of the cookie that stands for the token.
const cookie = "rigor"

// session is the cookie's value: made from the token, which is not kept in the browser.
func (g *guard) session() string {
	mac := hmac.New(sha256.New, []byte(g.token))
	mac.Write([]byte("rigor serve"))
	return hex.EncodeToString(mac.Sum(nil))
}

func (g *guard) authorized(req *http.Request) bool {
	if bearer, ok := strings.CutPrefix(req.Header.Get("Authorization"), "Bearer "); ok {
		return same(bearer, g.token)
	}
	c, err := req.Cookie(cookie)
	return err == nil && same(c.Value, g.session())
}

// same compares in a time that tells nothing of either, their lengths included.
func same(got, want string) bool {
	a, b := sha256.Sum256([]byte(got)), sha256.Sum256([]byte(want))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

// enter gives the cookie for the token, and goes where the visitor wanted to.
func (g *guard) enter(w http.ResponseWriter, req *http.Request, token, next string) {
	if !same(token, g.token) {
		g.login.ServeHTTP(w, req)
		return
	}
	http.SetCookie(w, &http.Cookie{Name: cookie, Value: g.session(), Path: "/", HttpOnly: true,
		SameSite: http.SameSiteLaxMode, MaxAge: int(30 * 24 * time.Hour / time.Second)})
	http.Redirect(w, req, next, http.StatusSeeOther)
}

// withoutToken is where a link with a token leads once the cookie is set.
func withoutToken(u *url.URL) string {
	q := u.Query()
	q.Del("token")
	return local((&url.URL{Path: u.Path, RawQuery: q.Encode()}).String())
}

// local is a place of this server, or its front page: a link to elsewhere is not followed.
func local(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.Contains(next, `\`) {
		return "/"
	}
	return next
}

// shortest is the least length of a token: 128 bits in hexadecimal digits.
const shortest = 32

// ReadToken reads the token from a file that is for its owner alone.
func ReadToken(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("read the token: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("read the token: others may read %s: chmod 600 %s", path, path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read the token: %w", err)
	}
	token := strings.TrimSpace(string(text))
	if len(token) < shortest {
		return "", fmt.Errorf("read the token: %s holds %d characters, want %d or more that nobody can guess: openssl rand -hex 32 > %s",
			path, len(token), shortest, path)
	}
	return token, nil
}

// ErrNoToken is a server that others could reach and that would let in anybody.
var ErrNoToken = errors.New("others can reach this address, so it needs a token")

// Admissible reports whether a listener may be served with a token, or without one if that is "".
func Admissible(l net.Listener, token string) error {
	if a, ok := l.Addr().(*net.TCPAddr); ok && a.IP.IsLoopback() || token != "" {
		return nil
	}
	return fmt.Errorf("listen on %v: %w", l.Addr(), ErrNoToken)
}
