package main

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"rigor/harness/record"
)

// However a run is exported, the metrics are those that the run left.
func TestExport(t *testing.T) {
	dir, _ := fullRun(t)
	text, err := os.ReadFile(filepath.Join(dir, record.MetricsFile))
	if err != nil {
		t.Fatal(err)
	}
	o := rigor(t, "export", dir)
	o.want(t, exitOK)
	if o.stdout != string(text) || o.stderr != "" {
		t.Errorf("export prints %d bytes, metrics.prom has %d; notes: %s", len(o.stdout), len(text), o.stderr)
	}
	file := filepath.Join(t.TempDir(), "rigor.prom")
	rigor(t, "export", dir, "--textfile", file).want(t, exitOK)
	if got, err := os.ReadFile(file); err != nil || string(got) != string(text) {
		t.Errorf("the text file has %d bytes, metrics.prom %d, %v", len(got), len(text), err)
	}
}

func TestExportListens(t *testing.T) {
	dir, _ := fullRun(t)
	c := command("export", dir, "--listen", "127.0.0.1:0")
	stderr, err := c.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer c.Process.Kill()
	line, _ := bufio.NewReader(stderr).ReadString('\n')
	url, ok := strings.CutPrefix(strings.TrimSpace(line), "serving ")
	if !ok {
		t.Fatalf("got %q", line)
	}
	r, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != http.StatusOK || !strings.Contains(string(body), "rigor_run_info{") {
		t.Errorf("%s, %v\n%s", r.Status, err, body)
	}
	c.Process.Signal(os.Interrupt)
	c.Wait()
	if status := c.ProcessState.ExitCode(); status != exitOK {
		t.Errorf("exit status %d, want %d", status, exitOK)
	}
}

// What package otlp sends is tested there; here, that a run and a bundle are sent at all, and
// only if somebody asks for it.
func TestTracesAreSent(t *testing.T) {
	took := map[string]int{}
	var mu sync.Mutex
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		took[r.URL.Path]++
	}))
	defer collector.Close()
	dir := filepath.Join(t.TempDir(), "run")
	quick := []string{"run", "--suite", "smoke", "--board", "f407", "--out"}
	o := rigor(t, append(quick, dir, "--otlp", collector.URL)...)
	o.want(t, exitOK, "sent run run, trace ", " spans, ")
	if took["/v1/traces"] == 0 || took["/v1/logs"] == 0 {
		t.Errorf("the collector got %v", took)
	}
	rigor(t, "export", dir, "--otlp", collector.URL).want(t, exitOK, "sent run run, trace ")
	rigor(t, "export", dir, "--otlp", "nowhere").want(t, exitSetup, "send run run", "no http address of a collector")
	rigor(t, append(quick, filepath.Join(t.TempDir(), "run"), "--otlp", "nowhere")...).want(t, exitOK, "note: send run run", "rigor export --otlp sends it later")
}

func TestExportRefuses(t *testing.T) {
	fresh := t.TempDir()
	if err := os.WriteFile(filepath.Join(fresh, "go.mod"), []byte("module rigor\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	in(t, fresh, "export").want(t, exitSetup, "nothing to export yet; `rigor run` makes a run")
	in(t, fresh, "export", "--listen", "127.0.0.1:0").want(t, exitSetup, "nothing to export yet")
	in(t, fresh, "export", ".").want(t, exitSetup, "run.json")
	dir, _ := fullRun(t)
	rigor(t, "export", dir, "--listen", "nowhere").want(t, exitSetup, "listen for scrapes")
	rigor(t, "export", dir, "--textfile", "/dev/null/x.prom").want(t, exitSetup, "/dev/null/x.prom")
	rigor(t, "export", dir, "--listen", ":0", "--textfile", "x.prom").want(t, exitSetup, "--listen", "--textfile")
}

// What they show is seen in vendor_monitoring_test.go, with a Prometheus.
func TestDashboardsWithoutPrometheus(t *testing.T) {
	files := filepath.Join(t.TempDir(), "monitoring")
	o := rigor(t, "dashboards", "--files", files, "--target", "lab:8090")
	o.want(t, exitOK)
	config, err := os.ReadFile(filepath.Join(files, "prometheus.yml"))
	if err != nil || !strings.Contains(string(config), `targets: ["lab:8090"]`) || !strings.Contains(o.stdout, files) {
		t.Errorf("%v, said %q, prometheus.yml\n%s", err, o.stdout, config)
	}
	rigor(t, "dashboards", "--files", "/dev/null/there").want(t, exitSetup, "write monitoring files")
	rigor(t, "dashboards", "--prometheus", "no-such-program").want(t, exitSetup, "apt install prometheus", "--prometheus")
	rigor(t, "dashboards", "--prometheus", "sh", filepath.Dir(files)).want(t, exitSetup, "run.json")
	run := filepath.Join(t.TempDir(), "run")
	rigor(t, "run", "--suite", "smoke", "--board", "f407", "--out", run).want(t, exitOK)
	rigor(t, "dashboards", "--prometheus", "sh", "--listen", "nowhere", run).want(t, exitSetup, "listen for Prometheus", "--listen")
	rigor(t, "dashboards", "--prometheus", "sh", "--listen", "127.0.0.1:0", run).want(t, exitSetup, "run Prometheus: it ended, exit status 2", "Illegal option")
}

func TestRigs(t *testing.T) {
	o := rigor(t, "rigs")
	o.want(t, exitOK)
	golden(t, "rigs.txt", o.stdout)
	o = rigor(t, "rigs", "--json")
	o.want(t, exitOK)
	var rigs map[string]struct {
		Kind string `json:"kind"`
	}
	if err := json.Unmarshal([]byte(o.stdout), &rigs); err != nil || rigs["virtual"].Kind != "virtual" {
		t.Errorf("%v, %v in\n%s", rigs, err, o.stdout)
	}
}
