package compare

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"rigor/harness/judge"
	"rigor/harness/record"
	"rigor/harness/rig"
)

// differences are in what the two states differ besides the figures.
func differences(old, now Side) []Difference {
	return slices.Concat(firmware(old, now), harness(old, now), rigs(old, now))
}

// firmware lists the images that differ. Of a baseline their names are not known,
// so that those of the other side stand for them.
func firmware(old, now Side) (ds []Difference) {
	type image struct{ target, old, now string }
	var seen []image
	for _, p := range pairs(old.Figures, now.Figures) {
		if p.old == nil || p.now == nil || p.old.Firmware == p.now.Firmware {
			continue
		}
		target := cmp.Or(target(now.Firmware, p.now.Firmware), target(old.Firmware, p.old.Firmware), "image")
		if i := (image{target, p.old.Firmware, p.now.Firmware}); !slices.Contains(seen, i) {
			seen = append(seen, i)
			ds = append(ds, Difference{rig.Firmware, target, short(i.old), short(i.now)})
		}
	}
	return ds
}

func target(images []record.Firmware, digest string) string {
	for _, f := range images {
		if f.Digest == digest {
			return f.Target
		}
	}
	return ""
}

func short(digest string) string { return digest[:min(12, len(digest))] }

// harness compares the versions of the harness that made the figures.
func harness(old, now Side) []Difference {
	versions := func(s Side) string {
		return strings.Join(slices.Compact(slices.Sorted(maps.Values(s.harness))), ", ")
	}
	a, b := versions(old), versions(now)
	if a == b && !vague(a) {
		return nil
	}
	return []Difference{{rig.Harness, "version", a, b}}
}

// vague reports a version that equals none, not even itself: of sources with
// changes that were not committed, or unknown.
func vague(version string) bool { return version == "unknown" || strings.Contains(version, "+") }

// rigs compares what the figures were measured with. The host counts on hardware,
// where it keeps time; a virtual rig does the same on any.
func rigs(old, now Side) (ds []Difference) {
	add := func(what string, a, b any) {
		if fmt.Sprint(a) != fmt.Sprint(b) {
			ds = append(ds, Difference{rig.Rig, what, fmt.Sprint(a), fmt.Sprint(b)})
		}
	}
	add("rig", old.Rig.Name, now.Rig.Name)
	add("kind", old.Rig.Kind, now.Rig.Kind)
	for _, b := range old.Boards {
		i := slices.IndexFunc(now.Boards, func(o record.Board) bool { return o.Name == b.Name })
		if i < 0 {
			continue // of what is not compared nothing matters
		}
		add("board "+b.Name, board(b), board(now.Boards[i]))
		add("seed of "+b.Name, old.Seeds["board "+b.Name], now.Seeds["board "+b.Name])
	}
	if old.Host != nil && now.Host != nil && now.Rig.Kind == string(rig.Hardware) {
		add("host", *old.Host, *now.Host)
	}
	return ds
}

// board is what identifies a board.
func board(b record.Board) string { return strings.TrimSpace(b.Chip + " " + b.ID) }

// whose lists whose a changed figure can be, the likeliest first: what differs
// and has a part in the figure. If nothing does, a virtual rig should have repeated itself, so that it is the
// harness's; on hardware it is the board's or its surroundings'.
func whose(k judge.Key, old, now Side, ds []Difference) (classes []rig.Class) {
	a, b := old.figure(k), now.figure(k)
	differs := func(class rig.Class) bool {
		return slices.ContainsFunc(ds, func(d Difference) bool { return d.Class == class })
	}
	if a.Firmware != b.Firmware {
		classes = append(classes, rig.Firmware)
	}
	if v := old.harness[a.Run]; v != now.harness[b.Run] || vague(v) {
		classes = append(classes, rig.Harness)
	}
	if differs(rig.Rig) {
		classes = append(classes, rig.Rig)
	}
	switch {
	case now.Rig.Kind == string(rig.Hardware):
		classes = append(classes, rig.DUT)
	case classes == nil:
		classes = append(classes, rig.Harness)
	}
	return classes
}

// figure finds a figure of the side, or nil.
func (s *Side) figure(k judge.Key) *judge.Figure {
	i, ok := slices.BinarySearchFunc(s.Figures, k, func(f judge.Figure, k judge.Key) int { return f.Key.Compare(k) })
	if !ok {
		return nil
	}
	return &s.Figures[i]
}
