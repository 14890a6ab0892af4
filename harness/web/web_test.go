package web

import (
	"context"
	"fmt"
	"html"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"rigor/harness/history"
	"rigor/harness/record"
	"rigor/harness/rig"
	"rigor/harness/web/webtest"
)

// begin is the first of the nights; today is after the last.
var (
	begin  = time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)
	nights = webtest.Slower + 6
	today  = begin.AddDate(0, 0, nights)
)

// spare is a rig that never ran.
const spare = `rigs:
  spare:
    kind: virtual
    boards:
      - {name: k210, chip: k210, console: {tx: IO5, rx: IO4, baud: 115200}, loader: {tx: IO5, rx: IO4, baud: 1500000}}
`

// options are those of a site over a history of some nights.
func options(t *testing.T, nights int) Options {
	t.Helper()
	results := t.TempDir()
	runs := filepath.Join(results, "runs")
	if err := webtest.Nights(runs, begin, nights); err != nil {
		t.Fatal(err)
	}
	index, err := history.Open(filepath.Join(results, history.File), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { index.Close() })
	return Options{
		Runs: runs, Baselines: filepath.Join(results, "baseline"), History: index,
		Now: func() time.Time { return today }, Log: log.New(t.Output(), "", 0), Metrics: http.NotFoundHandler(),
		Rigs: func() (*rig.Config, error) {
			return rig.ParseConfig("rigs.yaml", []byte(spare))
		},
	}
}

// get asks for a page of the machine itself.
func get(h http.Handler, target string, change ...func(*http.Request)) *httptest.ResponseRecorder {
	req := httptest.NewRequest(http.MethodGet, target, nil)
	req.Host = "localhost:8090"
	for _, c := range change {
		c(req)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	return w
}

// Links are followed from the first page on: all that is linked is there, and no page needs
// anything from elsewhere or has a script or a style in itself, which its policy forbids.
func TestEveryLinkLeadsSomewhere(t *testing.T) {
	h := New(options(t, nights))
	links := regexp.MustCompile(`(?:href|src|action|data-live)="([^"]*)"`)
	seen, todo := map[string]bool{}, []string{"/", "/runs?status=running", "/compare?all=1", "/compare?a=baseline"}
	for len(todo) > 0 && len(seen) < 400 {
		page := todo[0]
		todo = todo[1:]
		if seen[page] || strings.HasPrefix(page, "/now") { // the stream doesn't end
			continue
		}
		seen[page] = true
		w := get(h, page)
		if w.Code != http.StatusOK {
			t.Errorf("%s: status %d", page, w.Code)
		}
		if !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") || strings.HasSuffix(page, "/report") { // which has its style in itself
			continue
		}
		if found := regexp.MustCompile(`https?://|<script>|<style| style=| on[a-z]+="`).FindString(w.Body.String()); found != "" {
			t.Errorf("%s holds %q", page, found)
		}
		base, _ := url.Parse(page)
		for _, m := range links.FindAllStringSubmatch(w.Body.String(), -1) {
			to, err := base.Parse(html.UnescapeString(m[1]))
			if err != nil {
				t.Errorf("%s: link %q: %v", page, m[1], err)
				continue
			}
			to.Fragment = ""
			todo = append(todo, to.String())
		}
	}
	for _, page := range []string{"/trends", "/compare", "/runs/" + webtest.Name(begin, 3, "bench-1"), "/assets/style.css", "/assets/live.js"} {
		if !seen[page] {
			t.Errorf("nothing leads to %s", page)
		}
	}
}

func TestPagesTell(t *testing.T) {
	h := New(options(t, nights))
	figure := "experiment=goroutine+switch+at+168+MHz&quantity=goroutine-switch&source=firmware&suite=latency&board=f407&core=168000000"
	before, first := webtest.Name(begin, webtest.Slower-1, "virtual"), webtest.Name(begin, webtest.Slower, "virtual")
	bad := "/runs/" + webtest.Name(begin, webtest.Bad, "bench-1")
	for _, tt := range []struct {
		page string
		want []string
	}{
		{"/", []string{"bench-1", "Flaky experiments", "smoke: echoes every byte", "esp32c3", "2 worse", "+1 (+0.85 %)", "answers", "Rig spare"}},
		{"/runs?rig=virtual", []string{first, "4 min"}},
		{bad, []string{"fail: 1 finding", "the firmware said <script>", `<span class="pill bad">firmware</span>`, "smoke/echoes every byte on c3"}},
		{"/runs/" + webtest.Name(begin, webtest.Flaky, "virtual"), []string{"tried again", "device or resource busy"}},
		{"/trends?board=f407", []string{"goroutine-switch", "+1 (+0.85 %)", `class="spark"`}},
		{"/trend?rig=virtual&" + figure, []string{"119", first, before, "worse", "harness"}},
		{"/trend?rig=bench-1&statistic=max&" + figure, []string{"worse", "rig bench-1"}},
		{"/compare?a=" + before + "&b=" + first, []string{"2 worse", "+1 (+0.42 %)", "harness"}},
		{"/compare?a=" + first + "&b=" + first + "&all=1", []string{"2 same", "are the same in both"}},
		{"/compare?a=baseline&b=" + first, []string{"no baseline of rig virtual yet"}},
	} {
		w := get(h, tt.page)
		body := html.UnescapeString(w.Body.String())
		for _, text := range tt.want {
			if w.Code != http.StatusOK || !strings.Contains(body, text) {
				t.Errorf("%s: status %d, lacks %q", tt.page, w.Code, text)
			}
		}
		if strings.Contains(w.Body.String(), webtest.Script) {
			t.Errorf("%s: what firmware said is not escaped", tt.page)
		}
	}
}

func TestFiguresPageByPage(t *testing.T) {
	all := make([]history.Figure, figuresPerPage+5)
	var p trendsPage
	if err := p.cut(&all, url.Values{"suite": {"latency"}}); err != nil || len(all) != figuresPerPage || p.More != "?from=60&suite=latency" || p.From != 1 || p.To != 60 {
		t.Errorf("%d figures, %+v, %v", len(all), p, err)
	}
	all, p = make([]history.Figure, figuresPerPage+5), trendsPage{}
	if err := p.cut(&all, url.Values{"from": {"60"}}); err != nil || len(all) != 5 || p.More != "" || p.From != 61 || p.To != 65 {
		t.Errorf("%d figures, %+v, %v", len(all), p, err)
	}
	if err := p.cut(&all, url.Values{"from": {"1000"}}); err != nil || len(all) != 0 {
		t.Errorf("beyond the last: %d figures, %v", len(all), err)
	}
}

// Browsers keep what all pages share, and are told when it is still the same.
func TestAssets(t *testing.T) {
	h := New(options(t, 0))
	w := get(h, "/assets/style.css")
	tag := w.Header().Get("ETag")
	if w.Code != http.StatusOK || tag == "" || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/css") {
		t.Fatalf("status %d, tag %q", w.Code, tag)
	}
	again := get(h, "/assets/style.css", func(r *http.Request) { r.Header.Set("If-None-Match", tag) })
	if again.Code != http.StatusNotModified || again.Body.Len() != 0 {
		t.Errorf("status %d, %d bytes", again.Code, again.Body.Len())
	}
	if w := get(h, "/assets/live.go"); w.Code != http.StatusNotFound {
		t.Errorf("what is not there: status %d", w.Code)
	}
}

// An empty history is the first thing that a newcomer sees.
func TestNothingYet(t *testing.T) {
	h := New(options(t, 0))
	for _, page := range []string{"/", "/runs", "/trends", "/compare"} {
		if w := get(h, page); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "</html>") {
			t.Errorf("%s: status %d", page, w.Code)
		}
	}
}

func TestWhatThereIsNot(t *testing.T) {
	h := New(options(t, 2))
	for page, want := range map[string]int{
		"/nothing": 404, "/runs/nothing": 404, "/runs/nothing/now": 404, "/trend": 404, "/trend?rig=virtual": 404, "/compare?a=x&b=y": 404,
		"/runs?before=yesterday": 400, "/trends?from=-1": 400, "/trend?statistic=mean": 400,
	} {
		if w := get(h, page); w.Code != want {
			t.Errorf("%s: status %d, want %d", page, w.Code, want)
		}
	}
}

// A path out of the bundle, in whatever spelling, finds nothing; nor does a symbolic link,
// a folder, or a file that is hidden.
func TestFiles(t *testing.T) {
	o := options(t, 1)
	run := webtest.Name(begin, 0, "virtual")
	bundle := filepath.Join(o.Runs, run)
	secret := filepath.Join(filepath.Dir(o.Runs), "secret.txt")
	for _, err := range []error{
		os.WriteFile(secret, []byte("secret"), 0o644),
		os.Symlink(secret, filepath.Join(bundle, "link.txt")),
		os.Symlink(filepath.Dir(o.Runs), filepath.Join(bundle, "up")),
		os.Symlink(filepath.Dir(o.Runs), filepath.Join(o.Runs, "elsewhere")),
		os.WriteFile(filepath.Join(bundle, "report.html"), []byte("<script>alert(1)</script>"), 0o644),
		os.WriteFile(filepath.Join(bundle, "tool.bin"), []byte{0}, 0o644),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	h := New(o)
	for _, name := range []string{"../../secret.txt", "..%2f..%2fsecret.txt", "%2e%2e/%2e%2e/secret.txt", "samples/../../../secret.txt", "/etc/passwd", `..\..\secret.txt`,
		"link.txt", "up/secret.txt", ".lock", "samples", "samples/", "", "nothing.txt", "run.json%00.txt"} {
		w := get(h, "/runs/"+run+"/files/"+name)
		if w.Code == http.StatusOK || strings.Contains(w.Body.String(), "secret\n") || strings.Contains(w.Body.String(), "root:") {
			t.Errorf("%s: status %d", name, w.Code)
		}
	}
	for _, run := range []string{"elsewhere", "..", "%2e%2e", "."} {
		if w := get(h, "/runs/"+run+"/files/secret.txt"); w.Code == http.StatusOK {
			t.Errorf("%s: a folder that is no bundle was opened", run)
		}
	}
	for name, kind := range map[string]string{"report.html": "text/html", "run.json": "application/json", "bench.txt": "text/plain", "tool.bin": "application/octet-stream"} {
		w := get(h, "/runs/"+run+"/files/"+name)
		if got := w.Header().Get("Content-Type"); w.Code != http.StatusOK || !strings.HasPrefix(got, kind) {
			t.Errorf("%s: status %d, %s", name, w.Code, got)
		}
		if got := w.Header().Get("Content-Security-Policy"); !strings.HasPrefix(got, "sandbox; default-src 'none'") || w.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: policy %q", name, got)
		}
	}
	if w := get(h, "/runs/"+run+"/files/tool.bin"); w.Header().Get("Content-Disposition") != "attachment" {
		t.Error("a file of unknown kind is shown in place")
	}
}

// A run without a report, such as one that was killed, gets it when it is asked for.
func TestReportIsMade(t *testing.T) {
	o := options(t, webtest.Bad+1)
	h := New(o)
	page := "/runs/" + webtest.Name(begin, webtest.Bad, "virtual") + "/report"
	w := get(h, page)
	if body := w.Body.String(); w.Code != http.StatusOK || !strings.Contains(body, "the firmware said &lt;script&gt;") || strings.Contains(body, webtest.Script) {
		t.Errorf("status %d", w.Code)
	}
	if got := w.Header().Get("Content-Security-Policy"); !strings.HasPrefix(got, "sandbox") {
		t.Errorf("policy %q", got)
	}
	if err := os.WriteFile(filepath.Join(o.Runs, webtest.Name(begin, webtest.Bad, "virtual"), record.ReportFile), []byte("as it was"), 0o644); err != nil {
		t.Fatal(err)
	}
	if w := get(h, page); w.Body.String() != "as it was" {
		t.Errorf("the bundle's report is not shown: %s", w.Body)
	}
}

// A run under way is told of as it goes on, and the page is loaded anew when it has ended.
func TestProgressIsStreamed(t *testing.T) {
	o := options(t, 1)
	o.Now = time.Now
	b, err := webtest.Start(o.Runs, time.Now(), record.Rig{Name: "virtual", Kind: "virtual"})
	if err != nil {
		t.Fatal(err)
	}
	events, err := b.Events()
	if err != nil {
		t.Fatal(err)
	}
	defer events.Close()
	server := httptest.NewServer(New(o))
	defer server.Close()
	page := "/runs/" + filepath.Base(b.Dir())
	if w := get(New(o), page); !strings.Contains(w.Body.String(), `data-live="`+page+`/now"`) {
		t.Errorf("%s has no place for progress", page)
	}
	own, all := listen(t, server.URL+page+"/now"), listen(t, server.URL+"/now?seen="+url.QueryEscape(state(t, o)))
	own.until(t, "Getting ready")
	all.until(t, "Getting ready")
	add := func(e record.Event) {
		e.Time = time.Now()
		if err := events.Add(e); err != nil {
			t.Fatal(err)
		}
	}
	add(record.Event{Kind: record.Begun, Board: "c3", Suite: "smoke", Experiment: "echoes", Total: 4})
	own.until(t, "smoke: echoes")
	add(record.Event{Kind: record.Step, Board: "c3", Text: "write echo 50% " + webtest.Script, Total: 4})
	own.until(t, "write echo 50% &lt;script&gt;")
	add(record.Event{Kind: record.Ended, Board: "c3", Text: "ok smoke/echoes", Done: 1, Total: 4, Left: 9 * time.Second})
	own.until(t, "1 of 4 experiments, about 9 s left")
	all.until(t, "1 of 4 experiments")
	if err := b.Finish(record.Complete, time.Now()); err != nil {
		t.Fatal(err)
	}
	own.until(t, "event: again")
	all.until(t, "event: again")
}

// state is what a page of the site knows of what is going on.
func state(t *testing.T, o Options) string {
	t.Helper()
	m := regexp.MustCompile(`/now\?seen=([^"]*)"`).FindStringSubmatch(get(New(o), "/").Body.String())
	if m == nil {
		t.Fatal("the overview has no place for progress")
	}
	text, err := url.QueryUnescape(html.UnescapeString(m[1]))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// stream is a stream of events that a test reads.
type stream struct {
	io.Reader
	text string
}

func listen(t *testing.T, url string) *stream {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Body.Close() })
	if got := r.Header.Get("Content-Type"); got != "text/event-stream" {
		t.Fatalf("%s is %s", url, got)
	}
	return &stream{Reader: r.Body}
}

// until reads until a text has come.
func (s *stream) until(t *testing.T, want string) {
	t.Helper()
	for !strings.Contains(s.text, want) {
		part := make([]byte, 1<<16)
		n, err := s.Read(part)
		s.text += string(part[:n])
		if err != nil && !strings.Contains(s.text, want) {
			t.Fatalf("the stream ended before %q: %v\n%s", want, err, s.text)
		}
	}
	_, s.text, _ = strings.Cut(s.text, want)
}

// Streams are ended with the server, which would otherwise wait for them.
func TestServeEndsStreams(t *testing.T) {
	o := options(t, 1)
	o.Now = time.Now
	server := httptest.NewUnstartedServer(nil)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- Serve(ctx, server.Listener, New(o), o.Log) }()
	s := listen(t, fmt.Sprintf("http://%s/now?seen=%s", server.Listener.Addr(), url.QueryEscape(state(t, o))))
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	io.Copy(io.Discard, s) // to its end
}

func TestServeReportsABrokenListener(t *testing.T) {
	l := httptest.NewUnstartedServer(nil).Listener
	l.Close()
	if err := Serve(t.Context(), l, http.NotFoundHandler(), nil); err == nil {
		t.Error("served on a closed listener")
	}
}

// There are only so many streams; the others are told to come again.
func TestStreamsAreBounded(t *testing.T) {
	s := &site{Options: options(t, 0), streams: make(chan struct{}, 1)}
	s.streams <- struct{}{}
	w := httptest.NewRecorder()
	if err := s.stream(w, httptest.NewRequest(http.MethodGet, "/now", nil), nil); err != nil || w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("status %d, %v", w.Code, err)
	}
}

// A run that says it is running and whose process is gone is not shown as going on.
func TestKilledRunIsNotUnderWay(t *testing.T) {
	o := options(t, 1)
	b, err := webtest.Start(o.Runs, today, record.Rig{Name: "virtual", Kind: "virtual"})
	if err != nil {
		t.Fatal(err)
	}
	events, err := b.Events()
	if err == nil {
		err = events.Add(record.Event{Kind: record.Begun, Board: "c3", Total: 4})
	}
	if err != nil {
		t.Fatal(err)
	}
	h := New(o)
	if w := get(h, "/"); !strings.Contains(w.Body.String(), "pulse") {
		t.Error("the overview does not show it as going on")
	}
	events.Close()
	if w := get(h, "/"); strings.Contains(w.Body.String(), "pulse") {
		t.Error("the overview shows it as going on")
	}
	if w := get(h, "/runs/"+filepath.Base(b.Dir())); !strings.Contains(w.Body.String(), "It never ended") {
		t.Error("its page does not say what happened")
	}
}

func TestEarlierRuns(t *testing.T) {
	h := New(options(t, perPage/2+3)) // of two rigs
	w := get(h, "/runs")
	m := regexp.MustCompile(`href="(\?before=[^"]*)"`).FindStringSubmatch(w.Body.String())
	if m == nil {
		t.Fatal("there is no way to the earlier runs")
	}
	first, second := rows(w.Body.String()), rows(get(h, "/runs"+html.UnescapeString(m[1])).Body.String())
	if len(first) != perPage || len(second) == 0 || slices.Contains(second, first[perPage-1]) {
		t.Errorf("%d runs, then %d", len(first), len(second))
	}
}

func rows(page string) (names []string) {
	for _, m := range regexp.MustCompile(`class="head"><a href="/runs/([^"]*)"`).FindAllStringSubmatch(page, -1) {
		names = append(names, m[1])
	}
	return names
}
