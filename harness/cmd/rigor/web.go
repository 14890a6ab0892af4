package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"rigor/harness"
	"rigor/harness/export"
	"rigor/harness/history"
	"rigor/harness/rig"
	"rigor/harness/web"
)

type serveCmd struct {
	Listen    string   `default:"127.0.0.1:8090" placeholder:"ADDR" help:"Address and port to serve at (default: ${default}); port 0 takes a free one."`
	TokenFile string   `type:"path" placeholder:"FILE" help:"File with the token that visitors must show; demanded unless the address is loopback."`
	Host      []string `placeholder:"NAME" help:"Name that this machine is visited by; may be repeated (default: its own; localhost and addresses always do)."`
}

func (*serveCmd) Help() string {
	return "Shows what is below results/runs in a browser: rigs and boards with their health, runs, trends with change points, the\n" +
		"comparison of any two runs, and the progress of a run that is under way. Nothing can be changed there. The index\n" +
		"results/history.db is brought up to date as pages are asked for. /metrics is for Prometheus.\n\n" +
		"On a loopback address who can log in on this machine can look. From elsewhere, `ssh -L 8090:localhost:8090 HOST` needs\n" +
		"nothing more. Any other address demands a token:\n\n" +
		"    (umask 077; openssl rand -hex 32 > ~/.rigor-token)\n" +
		"    rigor serve --listen 0.0.0.0:8090 --token-file ~/.rigor-token\n\n" +
		"A visitor enters it once, or follows a link that ends in ?token=TOKEN; programs send `Authorization: Bearer TOKEN`. It\n" +
		"travels in the clear unless a reverse proxy adds TLS.\n\n" +
		"The exit status is 0 when interrupted, 2 if it cannot serve."
}

// Run serves until interrupted.
func (c *serveCmd) Run(ctx context.Context) error {
	root, err := harness.Root(".")
	if err != nil {
		return err
	}
	token := ""
	if c.TokenFile != "" {
		if token, err = web.ReadToken(c.TokenFile); err != nil {
			return err
		}
	}
	l, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("serve: %w; --listen chooses another address", err)
	}
	defer l.Close() // already, once it served
	if err := web.Admissible(l, token); err != nil {
		return fmt.Errorf("%w; --token-file names its file, and rigor serve --help says how to make one", err)
	}
	errlog := log.New(os.Stderr, "rigor: ", log.LstdFlags)
	index, err := history.Open(filepath.Join(root, "results", history.File), func(text string) { errlog.Print(text) })
	if err != nil {
		return err
	}
	defer index.Close()
	site := web.New(web.Options{
		Runs: filepath.Join(root, "results", "runs"), Baselines: filepath.Join(root, "results", "baseline"), History: index, Token: token, Hosts: c.names(), Now: time.Now, Log: errlog,
		Metrics: export.Handler(func() (export.State, error) { return newest(ctx, filepath.Join(root, "results")) }),
		Rigs:    func() (*rig.Config, error) { return rig.LoadConfig(filepath.Join(root, "rigs.yaml")) },
	})
	fmt.Fprintf(os.Stderr, "serving http://%s/\n", c.reachable(l))
	return web.Serve(ctx, l, site, errlog)
}

// names are those that the machine is visited by.
func (c *serveCmd) names() []string {
	all := c.Host
	if all == nil {
		if name, err := os.Hostname(); err == nil {
			all = []string{name}
		}
	}
	for i := range all {
		all[i] = strings.ToLower(all[i])
	}
	return all
}

// reachable is an address to visit a listener at: where it listens on all, the machine's name.
func (c *serveCmd) reachable(l net.Listener) string {
	a, ok := l.Addr().(*net.TCPAddr)
	if names := c.names(); ok && a.IP.IsUnspecified() && len(names) > 0 {
		return net.JoinHostPort(names[0], fmt.Sprint(a.Port))
	}
	return l.Addr().String()
}
