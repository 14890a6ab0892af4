package web

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"time"
)

// How long things may take before somebody is taken to be gone.
const (
	headerPatience = 5 * time.Second
	writePatience  = 30 * time.Second // of a page, and of each event
	filePatience   = 10 * time.Minute // of a large file over a thin line
	grace          = 5 * time.Second  // of requests in progress when the server is told to end
)

// Serve serves h on l until ctx ends; streams of events end with it, and other requests in
// progress are finished. What goes wrong with single requests goes to errlog; nil is standard error.
func Serve(ctx context.Context, l net.Listener, h http.Handler, errlog *log.Logger) error {
	s := &http.Server{
		Handler: h, ErrorLog: errlog, ReadHeaderTimeout: headerPatience, ReadTimeout: writePatience, WriteTimeout: writePatience,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 1 << 16,
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	select {
	case err := <-done:
		return fmt.Errorf("serve http://%s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	err := s.Shutdown(end)
	if served := <-done; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	if err != nil {
		return fmt.Errorf("end serving http://%s: %w", l.Addr(), err)
	}
	return nil
}
