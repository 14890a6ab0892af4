package ota

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"text/tabwriter"

	device "rigor/firmware/ota"
	"rigor/firmware/ota/patch"
)

// Finding is what became of a check.
type Finding string

// The findings.
const (
	Good      Finding = "good"
	Bad       Finding = "bad"
	Unchecked Finding = "not checked"
	Missing   Finding = "missing"
)

// Report is what a package says, and what of it is true.
type Report struct {
	ID            string  `json:"id"` // by which boards call the update
	Kind          string  `json:"kind"`
	Chip          string  `json:"chip"`
	Slot          *uint8  `json:"slot"` // nil: any
	Version       string  `json:"version"`
	Counter       uint32  `json:"counter"`
	Key           uint8   `json:"key"`
	Revokes       []int   `json:"revokes"` // places of keys
	BaseVersion   string  `json:"baseVersion,omitempty"`
	BaseSize      uint32  `json:"baseSize,omitempty"`
	BaseDigest    string  `json:"baseDigest,omitempty"`
	Base          Finding `json:"base,omitempty"`
	ImageSize     uint32  `json:"imageSize"`
	TargetDigest  string  `json:"targetDigest"`
	Image         Finding `json:"image"` // made of the payload
	PayloadSize   uint32  `json:"payloadSize"`
	PayloadDigest string  `json:"payloadDigest"`
	Payload       Finding `json:"payload"`
	Stretches     int     `json:"stretches,omitempty"` // a classic patch has as many control triples
	Like          uint32  `json:"like,omitempty"`      // bytes that are made of the base's
	Signature     Finding `json:"signature"`
	Problem       string  `json:"problem,omitempty"` // with the payload
}

// OK says whether nothing was found wrong; what could not be checked is not.
func (r *Report) OK() bool {
	for _, f := range []Finding{r.Base, r.Image, r.Payload, r.Signature} {
		if f == Bad || f == Missing {
			return false
		}
	}
	return true
}

// Inspect looks at a package. The signature is checked against the key of keys that the
// manifest names, or against a lone one; a difference is applied to base. Without them, nil,
// that is left unchecked.
func Inspect(p *Package, keys []ed25519.PublicKey, base *Program) (*Report, error) {
	m, err := p.Decode()
	if err != nil {
		return nil, err
	}
	r := &Report{
		ID: fmt.Sprintf("%08x", p.ID()), Kind: "full", Chip: chipOf(&m), Version: Version(m.Version).String(), Counter: m.Counter,
		Key: m.Key, Revokes: []int{}, ImageSize: m.ImageSize, TargetDigest: hex.EncodeToString(m.TargetDigest[:]), Image: Unchecked,
		PayloadSize: m.PayloadSize, PayloadDigest: hex.EncodeToString(m.PayloadDigest[:]), Payload: good(sha256.Sum256(p.Payload) == m.PayloadDigest),
		Signature: p.signature(m.Key, keys),
	}
	if m.Slot != device.AnySlot {
		r.Slot = &m.Slot
	}
	for k := range 8 {
		if m.Revoke>>k&1 != 0 {
			r.Revokes = append(r.Revokes, k)
		}
	}
	if len(p.Payload) != int(m.PayloadSize) {
		r.Payload, r.Problem = Bad, fmt.Sprintf("the file holds %d bytes of payload", len(p.Payload))
	}
	if m.Kind == device.Difference {
		r.difference(&m, base)
	}
	if m.Kind == device.Full || r.Base == Good {
		r.unpack(p, &m, base)
	}
	return r, nil
}

func chipOf(m *device.Manifest) string { return string(bytes.TrimRight(m.Chip[:], "\x00")) }

func good(ok bool) Finding {
	if ok {
		return Good
	}
	return Bad
}

func (p *Package) signature(key uint8, keys []ed25519.PublicKey) Finding {
	switch {
	case p.Unsigned():
		return Missing
	case len(keys) == 0:
		return Unchecked
	case len(keys) == 1:
		return good(p.SignedBy(keys[0]))
	}
	return good(int(key) < len(keys) && p.SignedBy(keys[key]))
}

func (r *Report) difference(m *device.Manifest, base *Program) {
	r.Kind, r.BaseVersion, r.BaseSize = "difference", Version(m.BaseVersion).String(), m.BaseSize
	r.BaseDigest, r.Base = hex.EncodeToString(m.BaseDigest[:]), Unchecked
	if base != nil {
		r.Base = good(sha256.Sum256(base.Image) == m.BaseDigest)
	}
}

func (r *Report) unpack(p *Package, m *device.Manifest, base *Program) {
	program, err := Unpack(p, base)
	if err != nil {
		r.Image, r.Problem = Bad, err.Error()
		return
	}
	r.Image = good(sha256.Sum256(program.Image) == m.TargetDigest)
	from := program.baseOf(m, base)
	stretches, _ := patch.Stretches(bytes.NewReader(p.Payload), &from, m.ImageSize) // which Unpack could apply
	r.Stretches = len(stretches)
	for _, s := range stretches {
		r.Like += s.Like
	}
}

// Ratio is the payload's size in thousandths of the image's.
func (r *Report) Ratio() uint64 { return 1000 * uint64(r.PayloadSize) / uint64(max(r.ImageSize, 1)) }

// WriteText writes the report for people.
func (r *Report) WriteText(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) { fmt.Fprintf(t, name+"\t"+format+"\n", args...) }
	slot := "any slot"
	if r.Slot != nil {
		slot = fmt.Sprintf("slot %d", *r.Slot)
	}
	row("update", "%s, %s", r.ID, r.Kind)
	row("for", "%s, %s", r.Chip, slot)
	row("version", "%s, counter %d", r.Version, r.Counter)
	row("key", "%d%s", r.Key, r.revoking())
	row("signature", "%s", r.Signature)
	if r.Kind == "difference" {
		row("base", "version %s, %d bytes", r.BaseVersion, r.BaseSize)
		row("", "sha256 %s: %s", r.BaseDigest, r.Base)
	}
	row("image", "%d bytes", r.ImageSize)
	row("", "sha256 %s: %s", r.TargetDigest, r.Image)
	row("payload", "%d bytes, %d.%d %% of the image", r.PayloadSize, r.Ratio()/10, r.Ratio()%10)
	row("", "sha256 %s: %s", r.PayloadDigest, r.Payload)
	if r.Stretches > 0 {
		row("", "%d control triples; %d bytes of the image are the base's, with differences, %d its own", r.Stretches, r.Like, r.ImageSize-r.Like)
	}
	if r.Problem != "" {
		row("problem", "%s", r.Problem)
	}
	return t.Flush()
}

func (r *Report) revoking() string {
	if len(r.Revokes) == 0 {
		return ""
	}
	return fmt.Sprintf(", and revokes %v", r.Revokes)
}
