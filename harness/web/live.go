package web

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"time"
)

const (
	streams  = 64                     // at most, of all visitors
	interval = 500 * time.Millisecond // between two looks at what is under way
	pulse    = 15 * time.Second       // after which a stream without news says that it lives
)

// stream sends what look gives, whenever that differs from the last, until the visitor goes or the
// server ends: as "show", or as "again" if the page is to be loaded anew, which ends the stream.
func (s *site) stream(w http.ResponseWriter, req *http.Request, look func() (html string, again bool, err error)) error {
	select {
	case s.streams <- struct{}{}:
		defer func() { <-s.streams }()
	default:
		w.Header().Set("Retry-After", "30")
		http.Error(w, "too many streams of events", http.StatusServiceUnavailable)
		return nil
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no")                  // of nginx
	http.NewResponseController(w).SetReadDeadline(time.Time{}) // nothing more is to come from the visitor; a recorder of tests has none
	n := &news{look: look, now: s.Now}
	tick := time.NewTicker(interval)
	defer tick.Stop()
	err := send(w, ": rigor\n\n") // so that the visitor knows that it is open
	for err == nil {
		message, last, failure := n.next()
		if failure != nil { // too late for a page that tells
			s.Log.Printf("%q: %v", req.URL.Path, failure)
			return nil
		}
		if err = send(w, message); last {
			return nil
		}
		select {
		case <-req.Context().Done():
			return nil
		case <-tick.C:
		}
	}
	return nil // the visitor has gone
}

// news makes messages of what changes.
type news struct {
	look func() (html string, again bool, err error)
	now  func() time.Time
	last string    // what was shown
	told time.Time // when there was the last message
}

// next is the message to send now, or none; last ends the stream.
func (n *news) next() (message string, last bool, err error) {
	html, again, err := n.look()
	switch {
	case err != nil:
		return "", true, err
	case again:
		return event("again", ""), true, nil
	case html != n.last:
		message = event("show", html)
	case n.now().Sub(n.told) >= pulse:
		message = ": still here\n\n"
	default:
		return "", false, nil
	}
	n.last, n.told = html, n.now()
	return message, false, nil
}

// event writes a message: each line of its data with the field's name before it.
func event(name, data string) string {
	return fmt.Sprintf("event: %s\ndata: %s\n\n", name, strings.Join(strings.Split(data, "\n"), "\ndata: "))
}

// send writes a message, if there is one, through to the visitor.
func send(w http.ResponseWriter, message string) error {
	if message == "" {
		return nil
	}
	c := http.NewResponseController(w)
	if err := c.SetWriteDeadline(time.Now().Add(writePatience)); err != nil {
		return err
	}
	if _, err := w.Write([]byte(message)); err != nil {
		return err
	}
	return c.Flush()
}

// fragment makes a part of a page alone.
func fragment(layout, name string, data any) (string, error) {
	var b bytes.Buffer
	err := layouts[layout].ExecuteTemplate(&b, name, data)
	return b.String(), err
}
