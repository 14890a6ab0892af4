package accesspoint

import (
	"slices"
	"sort"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"

	"rigor/harness/sim/clock"
)

// queue is what is to happen, in order of time, and at one time in the order of
// asking. It is the network stack's clock as well.
type queue struct {
	now  clock.Time
	todo []*event
}

type event struct {
	at clock.Time
	f  func()
}

// at lets f happen at a time, or as soon as it can be if that is over.
func (q *queue) at(t clock.Time, f func()) *event {
	e := &event{max(t, q.now), f}
	i := sort.Search(len(q.todo), func(i int) bool { return q.todo[i].at > e.at })
	q.todo = slices.Insert(q.todo, i, e)
	return e
}

func (q *queue) after(d clock.Time, f func()) *event { return q.at(q.now+d, f) }

// cancel reports whether the event was still to come; nil never is.
func (q *queue) cancel(e *event) bool {
	i := slices.Index(q.todo, e)
	if i < 0 {
		return false
	}
	q.todo = slices.Delete(q.todo, i, i+1)
	return true
}

// advance moves time on.
func (q *queue) advance(until clock.Time) {
	for len(q.todo) > 0 && q.todo[0].at <= until {
		e := q.todo[0]
		q.todo = slices.Delete(q.todo, 0, 1)
		q.now = e.at
		e.f()
	}
	q.now = until
}

func (q *queue) due() clock.Time {
	if len(q.todo) == 0 {
		return clock.NeverTime
	}
	return q.todo[0].at
}

// stackClock is the queue as gVisor wants it. Its timers' functions do not run
// within the calls that set them, and so need no goroutines of their own.
type stackClock struct{ *queue }

func (c stackClock) Now() time.Time { return time.Unix(0, int64(c.now/clock.Nanosecond)) }

func (c stackClock) NowMonotonic() (t tcpip.MonotonicTime) {
	return t.Add(time.Duration(c.now / clock.Nanosecond))
}

func (c stackClock) AfterFunc(d time.Duration, f func()) tcpip.Timer {
	t := &timer{queue: c.queue, f: f}
	t.Reset(d)
	return t
}

type timer struct {
	queue *queue
	f     func()
	event *event
}

func (t *timer) Stop() bool { return t.queue.cancel(t.event) }

func (t *timer) Reset(d time.Duration) { t.event = t.queue.after(span(d), t.f) }

func span(d time.Duration) clock.Time { return clock.Time(max(d, 0)) * clock.Nanosecond }
