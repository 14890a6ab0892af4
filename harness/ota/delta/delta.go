// Package delta finds how a new image is made of an old one, on the host, and
// makes the payload of it that package patch applies on a board.
//
// The search is that of bsdiff (C. Percival, Naive Differences of Executable Code,
// 2003): a suffix array finds the longest exact matches, and those that go on
// where the last one ended in spirit, with some bytes differing, are grown
// forwards and backwards from there. A program compiled again has a few long
// stretches of such matches, in which the addresses differ.
//
// Patches of the classic program are read too. It leaves out bsdiff's variants with
// other containers than BSDIFF40.
package delta

import (
	"index/suffixarray"

	"rigor/firmware/ota/patch"
)

// thresholds are by how many bytes a match must beat going on as before to begin
// a new stretch. bsdiff has 8 alone; which is best depends on what a stretch
// costs, so that all are tried.
var thresholds = []int{4, 6, 8, 12}

// Payload returns the smallest payload that it finds for an image against a base;
// with an empty base that of a full image. The base is as patch.Base.Read gives
// it.
func Payload(base, image []byte) ([]byte, error) {
	if len(base) == 0 {
		return patch.Encode(nil, image, whole(image))
	}
	s := searcher{base: base, image: image, index: suffixarray.New(base), found: make([]found, len(image))}
	var best []byte
	for _, t := range thresholds {
		payload, err := patch.Encode(base, image, s.stretches(t))
		if err != nil {
			return nil, err
		}
		if best == nil || len(payload) < len(best) {
			best = payload
		}
	}
	return best, nil
}

// whole is an image that has nothing of a base.
func whole(image []byte) []patch.Stretch {
	if len(image) == 0 {
		return nil
	}
	return []patch.Stretch{{Own: uint32(len(image))}}
}

// A searcher looks for an image's parts in a base.
type searcher struct {
	base, image []byte
	index       *suffixarray.Index
	found       []found // by the place in the image; each threshold asks again
}

// A found is the longest match of an image's place.
type found struct {
	known        bool
	from, length int
}

// A match is where the image from at on is like the base from from on.
type match struct{ at, from int }

// stretches are the image's, one for each match that is better than going on.
func (s *searcher) stretches(threshold int) (out []patch.Stretch) {
	var last match // of the image's part before at that has no stretch yet
	at, step := 0, 0
	for end := false; !end; {
		next, length, onward := s.next(at, last, threshold)
		at, end = next.at+length, next.at == len(s.image)
		if onward {
			continue
		}
		like, back := s.grow(last, next)
		next.at, next.from = next.at-back, next.from-back
		own := next.at - (last.at + like)
		if like+own > 0 {
			out = append(out, patch.Stretch{Step: int32(step), Like: uint32(like), Own: uint32(own)})
			step = 0
		}
		step += next.from - (last.from + like)
		last = next
	}
	return out
}

// next finds the next place from at on whose longest match beats going on with the
// last by more than the threshold, or is the last going on. Without one it is the
// image's end.
func (s *searcher) next(at int, last match, threshold int) (m match, length int, onward bool) {
	agree, counted := 0, at // image[at:counted] agrees with the last match in so many bytes
	for ; at < len(s.image); at++ {
		from, length := s.longest(at)
		if end := at + length; end > counted {
			agree += s.agreeing(last, counted, end)
			counted = end
		}
		if length == agree && length > 0 || length > agree+threshold {
			return match{at, from}, length, length == agree
		}
		if counted > at {
			agree -= s.agreeing(last, at, at+1)
		}
	}
	return match{at, last.from + at - last.at}, 0, false
}

// agreeing counts the image's bytes in [from, to) that a match foretells.
func (s *searcher) agreeing(m match, from, to int) (n int) {
	shift := m.from - m.at
	for i := max(from, -shift); i < to && i+shift < len(s.base); i++ {
		if s.image[i] == s.base[i+shift] {
			n++
		}
	}
	return n
}

// longest finds the longest beginning of the image's bytes from at on in the base.
func (s *searcher) longest(at int) (from, length int) {
	f := &s.found[at]
	if !f.known {
		f.known = true
		f.from, f.length = s.search(s.image[at:])
	}
	return f.from, f.length
}

// search tries lengths, by doubling and then halving, since the index finds texts
// of a given length.
func (s *searcher) search(text []byte) (from, length int) {
	try := func(n int) bool {
		if n > len(text) {
			return false
		}
		at := s.index.Lookup(text[:n], 1)
		if at != nil {
			from, length = at[0], n
		}
		return at != nil
	}
	n := 4
	for try(n) {
		n *= 2
	}
	for low, high := length, min(n, len(text)+1); high-low > 1; {
		if mid := (low + high) / 2; try(mid) {
			low = mid
		} else {
			high = mid
		}
	}
	return from, length
}

// grow tells how far a match is worth going on, and how far the one after it is
// worth beginning earlier. Between them they have the bytes that both could have.
func (s *searcher) grow(last, next match) (like, back int) {
	room := next.at - last.at
	like = worth(min(room, len(s.base)-last.from), func(i int) bool {
		return s.image[last.at+i] == s.base[last.from+i]
	})
	if next.at < len(s.image) {
		back = worth(min(room, next.from), func(i int) bool {
			return s.image[next.at-1-i] == s.base[next.from-1-i]
		})
	}
	if both := like + back - room; both > 0 {
		keep := s.divide(last, next, like-both, both)
		like += keep - both
		back -= keep
	}
	return like, back
}

// worth is the length, of at most n, at which the bytes that agree are furthest
// ahead of those that don't.
func worth(n int, agrees func(i int) bool) (best int) {
	for i, lead, bestLead := 0, 0, 0; i < n; i++ {
		if agrees(i) {
			lead++
		} else {
			lead--
		}
		if lead > bestLead {
			bestLead, best = lead, i+1
		}
	}
	return best
}

// divide tells how many of both matches' n bytes, from start bytes after the last
// one's beginning, the last is to have.
func (s *searcher) divide(last, next match, start, n int) (keep int) {
	for i, lead, bestLead := 0, 0, 0; i < n; i++ {
		at := last.at + start + i
		if s.image[at] == s.base[last.from+start+i] {
			lead++
		}
		if s.image[at] == s.base[next.from+at-next.at] {
			lead--
		}
		if lead > bestLead {
			bestLead, keep = lead, i+1
		}
	}
	return keep
}
