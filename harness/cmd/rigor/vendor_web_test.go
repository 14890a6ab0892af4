//go:build vendortools

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"rigor/harness/record"
	"rigor/harness/web/webtest"
)

// webNights is how many nights the browsers' history has; the last one is today's.
const webNights = webtest.Slower + 6

// webToday is when the last night's run began.
var webToday = time.Now().UTC().Truncate(24 * time.Hour)

// webNight is the bundle of a night of the history.
func webNight(n int, rig string) string {
	return webtest.Name(webToday.AddDate(0, 0, 1-webNights), n, rig)
}

// serveHistory runs rigor serve over a history of its own, and gives its address and the folder of runs.
func serveHistory(t *testing.T, args ...string) (address, runs string) {
	t.Helper()
	dir := t.TempDir()
	runs = filepath.Join(dir, "results", "runs")
	for name, text := range map[string]string{"go.mod": "module rigor\n", "rigs.yaml": original(t, "rigs.yaml")} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := webtest.Nights(runs, webToday.AddDate(0, 0, 1-webNights), webNights); err != nil {
		t.Fatal(err)
	}
	return serveIn(t, dir, args...), runs
}

// serveIn runs rigor serve in a folder.
func serveIn(t *testing.T, dir string, args ...string) (address string) {
	t.Helper()
	c := command(append([]string{"serve"}, args...)...)
	c.Dir = dir
	stderr := background(t, c)
	lines := bufio.NewReader(stderr)
	line, err := lines.ReadString('\n')
	address, ok := strings.CutPrefix(strings.TrimSpace(line), "serving ")
	if err != nil || !ok {
		t.Fatalf("%q, %v", line, err)
	}
	go func() {
		for line, err := lines.ReadString('\n'); err == nil; line, err = lines.ReadString('\n') {
			t.Logf("rigor serve: %s", line)
		}
	}()
	return strings.TrimSuffix(address, "/")
}

// browser is a tab of a headless Chromium.
type browser struct {
	context.Context
	t *testing.T
}

// chromium starts Debian's, without a sandbox, which root may not have.
func chromium(t *testing.T, options ...chromedp.ExecAllocatorOption) browser {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatalf("%v: `make vendor-deps` installs it", err)
	}
	options = append(append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU), options...)
	ctx, end := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(end)
	ctx, end = context.WithTimeout(ctx, patience)
	t.Cleanup(end)
	ctx, end = chromedp.NewContext(ctx)
	t.Cleanup(end)
	b := browser{ctx, t}
	b.do(chromedp.EmulateViewport(1280, 900))
	return b
}

// silently wants no page to say anything on the console: an error of its own, or a breach of its
// policy.
func (b browser) silently() browser {
	b.t.Helper()
	ctx, end := context.WithCancel(b)
	said := chromedp.Console(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for m, err := range said {
			if err != nil {
				return
			}
			b.t.Errorf("the console says: %v", m)
		}
	}()
	b.t.Cleanup(func() { end(); <-done })
	return b
}

func (b browser) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b, steps...); err != nil {
		b.t.Fatal(err)
	}
}

// open goes to a page.
func (b browser) open(address string) {
	b.t.Helper()
	b.do(chromedp.Navigate(address))
}

// call sends the browser a command that has no action.
func call[P, R any](b browser, c cdp.Command[P, R], params P) R {
	b.t.Helper()
	r, err := chromedp.Call(b, c, params)
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

// text is what the page shows.
func (b browser) text() string {
	text, err := chromedp.Run(b, chromedp.Evaluate[string]("document.body ? document.body.innerText : ''"))
	if err != nil && !errors.Is(err, context.Canceled) {
		return "" // between two pages
	}
	return text
}

// until waits until the page shows a text.
func (b browser) until(want string) {
	b.t.Helper()
	for !strings.Contains(b.text(), want) {
		if b.Err() != nil {
			b.t.Fatalf("the page does not show %q", want)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// number evaluates an expression.
func (b browser) number(expression string) int {
	b.t.Helper()
	n, err := chromedp.Run(b, chromedp.Evaluate[int](expression))
	if err != nil {
		b.t.Fatal(err)
	}
	return n
}

// fits wants the page to be no wider than its window, and keeps a picture of it: go test -artifacts.
func (b browser) fits(name string) {
	b.t.Helper()
	if wide, have := b.number("document.documentElement.scrollWidth"), b.number("window.innerWidth"); wide > have {
		b.t.Errorf("%s is %d wide in a window of %d", name, wide, have)
	}
	picture, err := chromedp.Run(b, chromedp.FullScreenshot(100))
	if err == nil {
		err = os.WriteFile(filepath.Join(b.t.ArtifactDir(), name+".png"), picture, 0o644)
	}
	if err != nil {
		b.t.Error(err)
	}
}

// figure is the address of a trend.
func figure(address, rig string) string {
	return address + "/trend?" + url.Values{"rig": {rig}, "suite": {"latency"}, "experiment": {"goroutine switch at 168 MHz"}, "board": {"f407"},
		"quantity": {"goroutine-switch"}, "source": {"firmware"}, "core": {"168000000"}}.Encode()
}

// Each page fits a desk, a phone and paper, in light and dark; nothing that firmware said is
// run; and no page breaks the policy that forbids it to load anything from elsewhere.
func TestWebPagesInChromium(t *testing.T) {
	address, _ := serveHistory(t, "--listen", "127.0.0.1:0")
	b := chromium(t).silently()
	pages := []struct{ name, address, want string }{
		{"overview", address + "/", "What changed"},
		{"runs", address + "/runs", "bench-1"},
		{"run", address + "/runs/" + webNight(webtest.Bad, "bench-1"), "the firmware said <script>"},
		{"trends", address + "/trends", "goroutine-switch"},
		{"trend", figure(address, "virtual"), "+1 (+0.85 %)"},
		{"noisy-trend", figure(address, "bench-1"), "worse"},
		{"compare", address + "/compare?a=" + webNight(2, "virtual") + "&b=" + webNight(webNights-1, "virtual"), "2 worse"},
	}
	for _, look := range []struct {
		name   string
		width  int64
		scheme string
		media  string
	}{{"desk", 1280, "light", ""}, {"phone", 360, "light", ""}, {"dark", 1280, "dark", ""}, {"paper", 794, "light", "print"}} {
		b.do(chromedp.EmulateViewport(look.width, 900))
		call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: look.media,
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: look.scheme}}})
		for _, p := range pages {
			b.open(p.address)
			b.until(p.want)
			b.fits(p.name + "-" + look.name)
		}
	}
	pdf, err := chromedp.Run(b, chromedp.PrintToPDF())
	if err != nil || !strings.HasPrefix(string(pdf), "%PDF-") {
		t.Errorf("a page cannot be printed: %v", err)
	}
}

// A page that is open learns of a run by itself: that it begins, how far it is, that it has ended.
func TestWebShowsProgressInChromium(t *testing.T) {
	address, runs := serveHistory(t, "--listen", "127.0.0.1:0")
	b := chromium(t).silently()
	b.open(address + "/")
	b.until("What changed")
	bundle, err := webtest.Start(runs, time.Now(), record.Rig{Name: "virtual", Kind: "virtual"})
	if err != nil {
		t.Fatal(err)
	}
	events, err := bundle.Events()
	if err != nil {
		t.Fatal(err)
	}
	defer events.Close()
	add := func(e record.Event) {
		t.Helper()
		e.Time = time.Now()
		if err := events.Add(e); err != nil {
			t.Fatal(err)
		}
	}
	name := filepath.Base(bundle.Dir())
	b.until(name)
	add(record.Event{Kind: record.Begun, Board: "c3", Suite: "smoke", Experiment: "echoes every byte", Total: 8})
	b.until("smoke: echoes every byte")
	add(record.Event{Kind: record.Ended, Board: "c3", Upshot: record.Fine, Text: "smoke/echoes " + webtest.Script, Done: 1, Total: 8})
	b.until("1 of 8 experiments")
	b.fits("progress")
	b.do(chromedp.Click(chromedp.CSS(".now h3 a")))
	b.until("Under way.")
	add(record.Event{Kind: record.Ended, Board: "f407", Upshot: record.Fatal, Text: "smoke/echoes", Done: 2, Total: 8, Left: time.Minute})
	b.until("2 of 8 experiments, about 60 s left")
	if got := b.number("document.querySelector('progress').value"); got != 2 {
		t.Errorf("the bar is at %d", got)
	}
	b.do(chromedp.EmulateViewport(360, 800))
	b.fits("progress-phone")
	if err := bundle.Finish(record.Complete, time.Now()); err != nil {
		t.Fatal(err)
	}
	b.until("all that was asked for")
}

// Without JavaScript only progress stands still: it is that of when the page was made.
func TestWebWithoutJavaScriptInChromium(t *testing.T) {
	address, _ := serveHistory(t, "--listen", "127.0.0.1:0")
	b := chromium(t).silently()
	call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	b.open(address + "/compare?a=" + webNight(2, "virtual"))
	b.do(chromedp.SetValue(chromedp.CSS("select[name=b]"), webNight(webNights-1, "virtual")), chromedp.Click(chromedp.CSS("main form button")),
		chromedp.WaitVisible(chromedp.CSS(".verdict.bad")))
	b.do(chromedp.Click(chromedp.CSS("nav a[href='/trends']")), chromedp.WaitVisible(chromedp.CSS(".spark")))
}

// Another address than a loopback one demands the token; a browser gets in by the form, or by a link which
// does not stay in the bar.
func TestWebTokenInChromium(t *testing.T) {
	const token = "0123456789abcdef0123456789abcdef"
	file := write(t, "token", []byte(token))
	if err := os.Chmod(file, 0o600); err != nil {
		t.Fatal(err)
	}
	address, _ := serveHistory(t, "--listen", "0.0.0.0:0", "--token-file", file)
	at, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	address = "http://" + net.JoinHostPort("127.0.0.1", at.Port())
	b := chromium(t)
	resp, err := chromedp.Run(b, chromedp.NavigateResponse(address+"/runs"))
	if err != nil || resp.Status != 401 {
		t.Fatalf("without the token: %v, %v", resp, err)
	}
	b.fits("token")
	b.do(chromedp.SendKeys(chromedp.CSS("input[name=token]"), token), chromedp.Click(chromedp.CSS("main form button")), chromedp.WaitVisible(chromedp.CSS("table")))
	b.until("bench-1")
	if got, err := chromedp.Run(b, chromedp.Location()); err != nil || got != address+"/runs" {
		t.Errorf("the form leads to %s, %v", got, err)
	}
	b.open(address + "/trends?board=c3&token=" + token)
	if got, err := chromedp.Run(b, chromedp.Location()); err != nil || got != address+"/trends?board=c3" {
		t.Errorf("the link leads to %s, %v", got, err)
	}
}

// A name that somebody points at this machine is not served.
func TestWebRefusesRebindingInChromium(t *testing.T) {
	address, _ := serveHistory(t, "--listen", "127.0.0.1:0")
	at, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	b := chromium(t, chromedp.Flag("host-resolver-rules", "MAP evil.example 127.0.0.1"))
	resp, err := chromedp.Run(b, chromedp.NavigateResponse(fmt.Sprintf("http://evil.example:%s/", at.Port())))
	if err != nil || resp.Status != 421 || strings.Contains(b.text(), "bench-1") {
		t.Errorf("%v, %v: %s", resp, err, b.text())
	}
}
