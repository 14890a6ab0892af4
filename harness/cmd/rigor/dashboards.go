package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"rigor/harness/export"
	"rigor/harness/export/monitoring"
	"rigor/harness/web"
)

type dashboardsCmd struct {
	Bundle     string        `arg:"" optional:"" type:"existingdir" help:"Run bundle (default: the newest of each rig under results/runs)."`
	Listen     string        `default:"127.0.0.1:9090" placeholder:"ADDR" help:"Address of the Prometheus that is started (default: ${default}); port 0 takes a free one."`
	Prometheus string        `default:"prometheus" placeholder:"FILE" help:"Prometheus's program (default: ${default}, found by PATH)."`
	Every      time.Duration `default:"15s" placeholder:"DURATION" help:"Time between two scrapes, and between two evaluations of the rules (default: ${default})."`
	Files      string        `type:"path" placeholder:"DIR" help:"Write the files into this folder instead, for a Prometheus and a Grafana of your own."`
	Target     string        `default:"localhost:8090" placeholder:"ADDR" help:"With --files: what that Prometheus scrapes (default: ${default}), which is to be rigor serve or rigor export --listen."`
}

func (*dashboardsCmd) Help() string {
	return "Starts Prometheus on a folder of its own, which is gone afterwards, with rigor's recording and alerting rules, and has\n" +
		"it scrape the metrics that `rigor export` gives, with native histograms and exemplars. Nothing but Prometheus is\n" +
		"needed (Debian: apt install prometheus), no container and no network.\n\n" +
		"Grafana isn't part of Debian. --files writes the dashboards and what a Grafana reads to find them (its folder\n" +
		"conf/provisioning, or the variable GF_PATHS_PROVISIONING), beside the rules and Prometheus's configuration:\n\n" +
		"    rigor dashboards --files ~/monitoring\n" +
		"    GF_PATHS_PROVISIONING=~/monitoring/provisioning grafana server\n\n" +
		"The exit status is 0 when interrupted or when the files are written, 2 if not."
}

// Run starts both ends and waits until it is interrupted.
func (c *dashboardsCmd) Run(ctx context.Context) error {
	if c.Files != "" {
		return c.write()
	}
	program, err := exec.LookPath(c.Prometheus)
	if err != nil {
		return fmt.Errorf("start Prometheus: %w; apt install prometheus has it, --prometheus says where it is", err)
	}
	source := exportCmd{Bundle: c.Bundle}
	if _, err := source.state(ctx); err != nil {
		return err
	}
	metrics, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen for scrapes: %w", err)
	}
	defer metrics.Close()
	dir, err := os.MkdirTemp("", "rigor-dashboards-")
	if err != nil {
		return fmt.Errorf("start Prometheus: %w", err)
	}
	defer os.RemoveAll(dir)
	if err := monitoring.Write(dir, metrics.Addr().String(), c.Every); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	served := make(chan error, 1)
	go func() {
		served <- web.Serve(ctx, metrics, export.Handler(func() (export.State, error) { return source.state(ctx) }), nil)
	}()
	err = c.prometheus(ctx, program, dir, fmt.Sprintf("http://%s/metrics", metrics.Addr()))
	stop()
	return errors.Join(err, <-served)
}

func (c *dashboardsCmd) write() error {
	if err := monitoring.Write(c.Files, c.Target, c.Every); err != nil {
		return err
	}
	fmt.Printf("%s: prometheus.yml and rules.yml for Prometheus (--enable-feature=%s), dashboards and provisioning for Grafana\n", c.Files, monitoring.Features)
	return nil
}

// prometheus runs the server on the files in dir until ctx ends.
func (c *dashboardsCmd) prometheus(ctx context.Context, program, dir, metrics string) error {
	address, err := free(c.Listen)
	if err != nil {
		return err
	}
	said, err := os.Create(filepath.Join(dir, "prometheus.log"))
	if err != nil {
		return fmt.Errorf("start Prometheus: %w", err)
	}
	defer said.Close()
	p := exec.CommandContext(ctx, program, "--config.file="+filepath.Join(dir, "prometheus.yml"), "--storage.tsdb.path="+filepath.Join(dir, "data"),
		"--web.listen-address="+address, "--enable-feature="+monitoring.Features)
	p.Stdout, p.Stderr = said, said
	p.Cancel = func() error { return p.Process.Signal(syscall.SIGTERM) }
	p.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM} // a terminal's Ctrl-C is for us
	p.WaitDelay = 10 * time.Second
	if err := p.Start(); err != nil {
		return fmt.Errorf("start Prometheus: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- p.Wait() }()
	server := "http://" + address
	if ready(ctx, server+"/-/ready", ended) {
		fmt.Fprintf(os.Stderr, "metrics     %s\nPrometheus  %s/graph\nalerts      %s\ndashboards  %s\nCtrl-C ends it\n",
			metrics, server, alerts(server), filepath.Join(dir, "dashboards"))
	}
	<-ended
	if ctx.Err() != nil {
		return nil // that is how it ends
	}
	text, _ := os.ReadFile(said.Name())
	return fmt.Errorf("run Prometheus: it ended, %v:\n%s", p.ProcessState, text)
}

// free chooses a port if none is given.
func free(address string) (string, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return "", fmt.Errorf("listen for Prometheus: %w; --listen chooses another address", err)
	}
	return l.Addr().String(), l.Close()
}

// ready waits until a server answers or has ended; the latter is put back.
func ready(ctx context.Context, url string, ended chan error) bool {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case err := <-ended:
			ended <- err
			return false
		case <-tick.C:
		}
		if answers(url) {
			return true
		}
	}
}

func answers(url string) bool {
	r, err := http.Get(url)
	if err != nil {
		return false
	}
	r.Body.Close()
	return r.StatusCode == http.StatusOK
}

// alerts is the page that shows rules and what fires. Debian's Prometheus has only
// the older pages, elsewhere.
func alerts(server string) string {
	if page := server + "/alerts"; answers(page) {
		return page
	}
	return server + "/classic/alerts"
}
