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
	w.Header().Set("X-Accel-Buffering", "no") // of nginx
	if send(w, ": rigor\n\n") != nil {        // so that the visitor knows that it is open
		return nil
	}
	last, told := "", s.Now()
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		html, again, err := look()
		if err != nil { // too late for a page that tells
			s.Log.Printf("%s: %v", req.URL.Path, err)
			return nil
		}
		message := ""
		switch {
		case again:
			message = event("again", "")
		case html != last:
			message = event("show", html)
		case s.Now().Sub(told) >= pulse:
			message = ": still here\n\n"
		}
		if message != "" {
			last, told = html, s.Now()
			if send(w, message) != nil || again {
				return nil // the visitor has gone
			}
		}
		select {
		case <-req.Context().Done():
			return nil
		case <-tick.C:
		}
	}
}

// event writes a message: each line of its data with the field's name before it.
func event(name, data string) string {
	return fmt.Sprintf("event: %s\ndata: %s\n\n", name, strings.Join(strings.Split(data, "\n"), "\ndata: "))
}

// send writes a message through to the visitor.
func send(w http.ResponseWriter, message string) error {
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
