package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"rigor/harness/judge"
	"rigor/harness/measure"
	"rigor/harness/record"
	"rigor/harness/rig"
)

type junitSuites struct {
	XMLName  xml.Name `xml:"testsuites"`
	Name     string   `xml:"name,attr"`
	Tests    int      `xml:"tests,attr"`
	Failures int      `xml:"failures,attr"`
	Errors   int      `xml:"errors,attr"`
	Suites   []*junitSuite
}

type junitSuite struct {
	XMLName   xml.Name `xml:"testsuite"`
	Name      string   `xml:"name,attr"`
	Tests     int      `xml:"tests,attr"`
	Failures  int      `xml:"failures,attr"`
	Errors    int      `xml:"errors,attr"`
	Skipped   int      `xml:"skipped,attr"`
	Time      string   `xml:"time,attr"`
	Timestamp string   `xml:"timestamp,attr"`
	Cases     []junitCase
	took      time.Duration
}

type junitCase struct {
	XMLName    xml.Name `xml:"testcase"`
	Name       string   `xml:"name,attr"`
	Class      string   `xml:"classname,attr"`
	Time       string   `xml:"time,attr"`
	Properties *junitProperties
	Skipped    *junitText `xml:"skipped"`
	Failure    *junitText `xml:"failure"`
	Error      *junitText `xml:"error"`
	Out        string     `xml:"system-out,omitempty"`
	took       time.Duration
}

type junitText struct {
	Type    string `xml:"type,attr,omitempty"`
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

type junitProperties struct {
	XMLName xml.Name        `xml:"properties"`
	List    []junitProperty `xml:"property"`
}

type junitProperty struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

// JUnit writes the run as JUnit XML, a test case to each experiment. What the
// board or its firmware got wrong is a failure, what the rig or the harness did
// an error, each of the type that is the class. What is in quarantine is skipped, with what it would be.
// Attempts before the last stand in system-out; numbers, limits, changes from the baseline and the number of
// attempts are properties. Required limits that nothing was measured for are failed cases of a suite "required",
// and expired entries of the quarantine such of a suite "quarantine".
func JUnit(w io.Writer, r *record.Run) error {
	doc := &junitSuites{Name: "rigor on " + r.Rig.Name}
	suites := map[string]*junitSuite{}
	add := func(suite string, c junitCase) {
		s := suites[suite]
		if s == nil {
			s = &junitSuite{Name: suite, Timestamp: r.Started.UTC().Format("2006-01-02T15:04:05")}
			suites[suite] = s
			doc.Suites = append(doc.Suites, s)
		}
		s.add(c)
	}
	for _, e := range r.Experiments {
		add(e.Suite, testCase(e))
	}
	for _, v := range r.Missing {
		c := junitCase{Name: v.Limit, Class: "required", Time: seconds(0)}
		c.Failure = &junitText{Type: "unset", Message: v.Reason, Text: v.Because}
		add("required", c)
	}
	for _, i := range r.Expired() {
		c := junitCase{Name: i.Where(), Class: "quarantine", Time: seconds(0)}
		c.Failure = &junitText{Type: "expired", Message: "expired on " + string(i.Expires) + ", owner " + i.Owner, Text: i.String()}
		add("quarantine", c)
	}
	for _, s := range doc.Suites {
		doc.Tests, doc.Failures, doc.Errors = doc.Tests+s.Tests, doc.Failures+s.Failures, doc.Errors+s.Errors
	}
	return encode(w, doc)
}

func encode(w io.Writer, doc *junitSuites) error {
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(doc); err != nil {
		return fmt.Errorf("write JUnit: %w", err)
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func (s *junitSuite) add(c junitCase) {
	s.Cases = append(s.Cases, c)
	s.Tests++
	s.took += c.took
	s.Time = seconds(s.took)
	switch {
	case c.Skipped != nil:
		s.Skipped++
	case c.Failure != nil:
		s.Failures++
	case c.Error != nil:
		s.Errors++
	}
}

func testCase(e record.Experiment) junitCase {
	c := junitCase{Name: e.Name + " [" + e.Board + "]", Class: e.Suite}
	for _, a := range e.Attempts {
		c.took += a.Took
	}
	c.Time = seconds(c.took)
	if list := facts(e); list != nil {
		c.Properties = &junitProperties{List: list}
	}
	c.Out = earlier(e)
	switch e.Outcome() {
	case record.Skipped:
		c.Skipped = &junitText{Message: e.Skipped}
	case record.Broken:
		f := e.Attempts[len(e.Attempts)-1].Failure
		c.blame(f.Class, &junitText{Message: firstLine(f.Message), Text: f.Message})
	default:
		c.broken(e)
	}
	c.isolate(e)
	return c
}

// blame makes a text a failure or an error, by whose it is.
func (c *junitCase) blame(class rig.Class, text *junitText) {
	text.Type = string(class)
	switch class {
	case rig.Rig, rig.Harness:
		c.Error = text
	case "":
		text.Type = "verdict"
		c.Failure = text
	default:
		c.Failure = text
	}
}

// broken gathers the verdicts that fail the run, if there are. The first that blames the board or its firmware makes
// it a failure.
func (c *junitCase) broken(e record.Experiment) {
	lines := blocking(e)
	if lines == nil {
		return
	}
	found := slices.DeleteFunc(findingsOf(0, e), func(f Finding) bool { return f.again })
	slices.SortStableFunc(found, func(a, b Finding) int { return one(ours(a.Class)) - one(ours(b.Class)) })
	c.blame(found[0].Class, &junitText{Message: lines[0], Text: strings.Join(lines, "\n")})
}

// ours reports whether a class says nothing about the board and its firmware.
func ours(c rig.Class) bool { return c == rig.Rig || c == rig.Harness }

// isolate makes what fails in quarantine a skipped case, which says so.
func (c *junitCase) isolate(e record.Experiment) {
	if !e.Quarantined() {
		return
	}
	text := c.Failure
	if text == nil {
		text = c.Error
	}
	c.Skipped = &junitText{Message: e.Quarantine.String() + ": [" + text.Type + "] " + text.Message}
	c.Failure, c.Error = nil, nil
}

// facts are the case's properties.
func facts(e record.Experiment) (all []junitProperty) {
	if n := len(e.Attempts); n > 1 {
		all = append(all, junitProperty{"attempts", fmt.Sprint(n)})
	}
	if i := e.Quarantine; i != nil {
		all = append(all, junitProperty{"quarantine.owner", i.Owner}, junitProperty{"quarantine.expires", string(i.Expires)},
			junitProperty{"quarantine.issue", i.Issue})
	}
	for _, m := range e.Measurements {
		all = append(all, properties(m)...)
	}
	return all
}

// properties gives a measurement's numbers: QUANTITY.SOURCE.STATISTIC in its
// unit, and what limits it.
func properties(m record.Measurement) []junitProperty {
	prefix := m.Quantity + "." + string(m.Source) + "."
	ps := []junitProperty{{prefix + "unit", string(m.Unit)}}
	for _, st := range measure.Statistics {
		if est, ok := m.Summary.Estimate(st); ok {
			ps = append(ps, junitProperty{prefix + string(st), fmt.Sprint(est.Value)})
		}
	}
	for _, v := range m.Verdicts {
		text := v.Outcome.String()
		if v.Reason == judge.NoLimit {
			text = judge.NoLimit
		} else {
			text += ": " + v.Limit
		}
		ps = append(ps, junitProperty{prefix + "verdict", text})
		if v.Class != "" {
			ps = append(ps, junitProperty{prefix + "class", string(v.Class)})
		}
	}
	if m.Change != nil {
		ps = append(ps, junitProperty{prefix + "change", string(m.Change.Verdict) + ": " + transition(m)})
	}
	return ps
}

// earlier tells of the attempts before the last.
func earlier(e record.Experiment) string {
	var b strings.Builder
	for i := 0; i+1 < len(e.Attempts); i++ {
		if f := e.Attempts[i].Failure; f != nil {
			fmt.Fprintf(&b, "attempt %d: [%s] %s\n", i+1, f.Class, f.Message)
		}
	}
	return b.String()
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

func seconds(d time.Duration) string {
	return fmt.Sprintf("%d.%03d", d/time.Second, d%time.Second/time.Millisecond)
}
