package broker

import (
	"net/netip"
	"strings"
	"testing"
	"time"
)

var (
	peer = netip.MustParseAddrPort("192.168.4.2:50000")
	noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
)

// Packets by hand, from the figures of MQTT 3.1.1.
const (
	hello     = "\x10\x0F\x00\x04MQTT\x04\x02\x00\x00\x00\x03hub"
	welcome   = "\x20\x02\x00\x00"
	reading   = "\x32\x09\x00\x03a/b\x00\x07hi"
	elsewhere = "\x32\x09\x00\x03a/c\x00\x08ho"
)

func open(t *testing.T) *Broker {
	t.Helper()
	b, err := New("a/b")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

func (b *Broker) texts(t *testing.T) (texts []string) {
	t.Helper()
	all, err := b.Messages()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range all {
		texts = append(texts, string(m.Payload))
		if !m.At.Equal(noon) {
			t.Errorf("%q came at %v", m.Payload, m.At)
		}
	}
	return texts
}

// A publisher's bytes come in any pieces; the subscriber has what its topic is.
func TestPublish(t *testing.T) {
	b := open(t)
	all := hello + elsewhere + reading + strings.Replace(reading, "\x00\x07hi", "\x00\x09so", 1)
	const want = welcome + "\x40\x02\x00\x08\x40\x02\x00\x07\x40\x02\x00\x09"
	for _, size := range []int{1, 7, 30, len(all)} {
		c := b.Open(peer)
		var got []byte
		for at := 0; at < len(all); at += size {
			answer, err := c.Take(noon, []byte(all[at:min(at+size, len(all))]))
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, answer...)
		}
		if string(got) != want {
			t.Errorf("in pieces of %d: answers % x, want % x", size, got, want)
		}
		if texts := b.texts(t); strings.Join(texts, " ") != "hi so" {
			t.Errorf("in pieces of %d: the subscriber has %q", size, texts)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
}

// The client that comes again by another connection is let in.
func TestAgain(t *testing.T) {
	b := open(t)
	for range 3 {
		c := b.Open(peer)
		t.Cleanup(func() { c.Close() })
		if answer, err := c.Take(noon, []byte(hello+reading)); err != nil || string(answer) != welcome+"\x40\x02\x00\x07" {
			t.Fatalf("% x, %v", answer, err)
		}
	}
	if texts := b.texts(t); len(texts) != 3 {
		t.Errorf("the subscriber has %q", texts)
	}
}

func TestRefused(t *testing.T) {
	for name, data := range map[string]string{
		"publish before connect":     reading,
		"ping":                       hello + "\xC0\x00",
		"quality 2":                  hello + strings.Replace(reading, "\x32", "\x34", 1),
		"a length without end":       "\x10\xFF\xFF\xFF\xFF\x01",
		"a publish that is a tatter": hello + "\x32\x01\x00",
	} {
		b := open(t)
		c := b.Open(peer)
		if _, err := c.Take(noon, []byte(data)); err == nil {
			t.Errorf("%s is no error", name)
		}
		if _, err := b.Messages(); err == nil {
			t.Errorf("%s: the broker says nothing of it", name)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
}

func FuzzLength(f *testing.F) {
	f.Add([]byte(hello))
	f.Fuzz(func(t *testing.T, b []byte) {
		if n, err := length(b); n < 0 || n > len(b) || n == 1 || err != nil && n != 0 {
			t.Errorf("of % x the first %d bytes are a packet, %v", b, n, err)
		}
	})
}
