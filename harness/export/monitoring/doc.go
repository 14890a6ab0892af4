// Package monitoring makes what Prometheus and Grafana need to watch rigs: recording and
// alerting rules, dashboards, and the files that bring both into place. All of it is
// made from the metrics' definitions in package export and checked in, so that it can be
// used without rigor; the tests find what is no longer what the definitions give.
//
// Rules are in the format of Prometheus 2.42, which is the first to know keep_firing_for, named as its "Recording rules" practice says,
// level:metric:operations. Dashboards are Grafana's JSON model, schema 39 (Grafana 11).
// Distributions are asked for as native histograms and, for a Prometheus without
// that feature, as classic ones.
//
// Left out: whom to tell of an alert, which is Alertmanager's configuration.
package monitoring

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"rigor/harness/wholefile"
)

// files are what is checked in.
//
//go:embed rules.yml dashboards provisioning
var files embed.FS

// Write puts rules, dashboards and Grafana's provisioning files below dir, and beside
// them a configuration for a Prometheus that scrapes target, which is host:port, once every while.
func Write(dir, target string, every time.Duration) error {
	err := fs.WalkDir(files, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		text, err := files.ReadFile(name)
		if err != nil {
			return err
		}
		return put(filepath.Join(dir, name), bytes.ReplaceAll(text, []byte(folderMark), []byte(dir)))
	})
	if err == nil {
		err = put(filepath.Join(dir, "prometheus.yml"), []byte(prometheus(target, every)))
	}
	if err != nil {
		return fmt.Errorf("write monitoring files: %w", err)
	}
	return nil
}

// folderMark stands in the provisioning files for the folder that they are written to.
const folderMark = "/etc/rigor/monitoring"

func put(path string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return wholefile.WriteBytes(path, text)
}

// Features are those of Prometheus 2 that are wanted on its command line.
const Features = "native-histograms,exemplar-storage"

func prometheus(target string, every time.Duration) string {
	return fmt.Sprintf(`# Start Prometheus 2 with --enable-feature=%[1]s: without, histograms come with
# classic buckets, and values do not lead to their runs.
global:
  scrape_interval: %[2]dms
  evaluation_interval: %[2]dms
rule_files: [rules.yml]
scrape_configs:
  - job_name: %[3]s
    honor_labels: true
    static_configs:
      - targets: [%[4]s]
`, Features, every.Milliseconds(), job, quote(target))
}

// job is the name of the scrapes.
const job = "rigor"

// quote writes a YAML string: JSON's are.
func quote(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.Encode(s) // a string cannot fail
	return strings.TrimSpace(b.String())
}
