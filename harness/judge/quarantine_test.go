package judge

import (
	"strings"
	"testing"
	"time"
)

const isolated = `quarantine:
  - suite: latency
    experiment: goroutine-switch at 16 MHz
    board: f407
    owner: ann@example.org
    reason: the lead to mark-end is loose
    issue: https://example.org/issues/12
    expires: 2026-12-31
`

func TestQuarantine(t *testing.T) {
	q, err := ParseQuarantine("q.yaml", []byte(isolated))
	if err != nil {
		t.Fatal(err)
	}
	before := time.Date(2026, 12, 30, 23, 59, 59, 0, time.UTC)
	after := before.Add(time.Second)
	find := func(suite, experiment, board string, at time.Time) bool {
		return q.Find(suite, experiment, board, at) != nil
	}
	const x = "goroutine-switch at 16 MHz"
	if !find("latency", x, "f407", before) {
		t.Error("not found on its last day")
	}
	if find("latency", x, "f407", after) || !q.Entries[0].Expired(after) || q.Entries[0].Expired(before) {
		t.Error("it holds on the day of its expiry")
	}
	if west := time.Date(2026, 12, 30, 20, 0, 0, 0, time.FixedZone("", -5*3600)); find("latency", x, "f407", west) {
		t.Error("the day ends by another clock than UTC")
	}
	if find("smoke", x, "f407", before) || find("latency", "goroutine-switch", "f407", before) || find("latency", x, "c3", before) {
		t.Error("it is about other experiments")
	}
	if (*Quarantine)(nil).Find("latency", x, "f407", before) != nil {
		t.Error("no list has an entry")
	}
	const want = "latency/goroutine-switch at 16 MHz on f407 in quarantine until 2026-12-31 by ann@example.org: " +
		"the lead to mark-end is loose (https://example.org/issues/12)"
	if got := q.Entries[0].String(); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestParseQuarantineNamesTheLine(t *testing.T) {
	entry := strings.TrimPrefix(isolated, "quarantine:\n")
	for _, c := range []struct{ name, text, want string }{
		{"no owner", strings.Replace(isolated, "ann@example.org", "", 1), "q.yaml:2: entry 1: no owner"},
		{"no issue", strings.Replace(isolated, "    issue: https://example.org/issues/12\n", "", 1), "q.yaml:2: entry 1: no issue"},
		{"blank reason", strings.Replace(isolated, "the lead to mark-end is loose", "' '", 1), "q.yaml:2: entry 1: no reason"},
		{"no day", strings.Replace(isolated, "2026-12-31", "soon", 1), `q.yaml:2: entry 1: expires "soon": want a day such as 2026-12-31`},
		{"no such day", strings.Replace(isolated, "2026-12-31", "2026-02-30", 1), "q.yaml:2: entry 1: expires"},
		{"for ever", strings.Replace(isolated, "    expires: 2026-12-31\n", "", 1), "q.yaml:2: entry 1: expires"},
		{"twice", isolated + entry, "q.yaml:9: entry 2: latency/goroutine-switch at 16 MHz on f407 is there twice"},
		{"unknown key", strings.Replace(isolated, "owner:", "onwer:", 1), "q.yaml:5: unknown key onwer"},
	} {
		if _, err := ParseQuarantine("q.yaml", []byte(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// The file that runs heed.
func TestCheckedInQuarantine(t *testing.T) {
	if _, err := LoadQuarantine("../../suites/quarantine.yaml"); err != nil {
		t.Error(err)
	}
}
