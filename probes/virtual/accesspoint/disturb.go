package accesspoint

import (
	"math/rand/v2"

	"rigor/harness/sim/clock"
	"rigor/probes"
)

// overtaken is how much later than in order a frame comes that others overtake.
const overtaken = 10 * clock.Millisecond

// path is the way of frames between air and host in one direction, with what a
// disturbance does there.
type path struct {
	queue  *queue
	d      probes.Disturbance
	chance *rand.Rand
	last   clock.Time // when the last one comes that is in order
}

// disturb begins a disturbance. Each use of chance has a sequence of its own.
func (a *AccessPoint) disturb(d probes.Disturbance) {
	a.disturbance = d
	a.up = path{&a.queue, d, rand.New(rand.NewPCG(d.Seed, 1)), a.up.last}
	a.down = path{&a.queue, d, rand.New(rand.NewPCG(d.Seed, 2)), a.down.last}
	a.medium.busy, a.medium.chance = d.Busy, rand.New(rand.NewPCG(d.Seed, 3))
}

// pass hands a frame on, perhaps later, twice or not at all.
func (p *path) pass(frame []byte, deliver func([]byte)) {
	if p.happens(p.d.Loss) {
		return
	}
	copies := 1
	if p.happens(p.d.Duplicate) {
		copies = 2
	}
	for range copies {
		p.queue.at(p.due(), func() { deliver(frame) })
	}
}

// due is when the next frame comes.
func (p *path) due() clock.Time {
	at := p.queue.now + span(p.d.Delay)
	if j := span(p.d.Jitter); j > 0 {
		at += clock.Time(p.chance.Uint64N(uint64(j) + 1))
	}
	at = max(at, p.last)
	if p.happens(p.d.Reorder) {
		return at + overtaken
	}
	p.last = at
	return at
}

func (p *path) happens(share probes.PPM) bool {
	return share > 0 && p.chance.Uint32N(uint32(probes.All)) < uint32(share)
}
