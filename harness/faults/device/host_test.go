package device

import (
	"context"
	"os"
	"slices"
	"time"

	device "rigor/firmware/ota"
	"rigor/firmware/wire"
	wireota "rigor/firmware/wire/ota"
	"rigor/harness/faults"
	"rigor/harness/ota"
	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
)

// host is a machine without silicon: the boot program and the application of
// firmware/ota over flash in memory, with the client of package ota.
type host struct {
	layout  *device.Layout
	pack    *ota.Package
	word    bool // the flash is programmed by words, not by pages
	cells   []byte
	watch   board.FlashWatcher
	fail    func(board.FlashOp) board.FlashFault
	updater *device.Updater
	decoder wire.Decoder
	said    []byte
	told    wire.Decoder
	report  faults.Report
	resetAt clock.Time
	kind    board.ResetKind
	now     clock.Time
}

var _ faults.Machine = (*host)(nil)

func (h *host) FlashSize() int                                   { return len(h.cells) }
func (h *host) ReadCells(off uint32, p []byte)                   { copy(p, h.cells[off:]) }
func (h *host) SetCells(off uint32, p []byte)                    { copy(h.cells[off:], p) }
func (h *host) WatchFlash(w board.FlashWatcher)                  { h.watch = w }
func (h *host) FailFlash(f func(board.FlashOp) board.FlashFault) { h.fail = f }
func (h *host) ResetAt(at clock.Time, kind board.ResetKind)      { h.resetAt, h.kind = at, kind }

// hostSnapshot is the host between boot and update: an application that has just started.
type hostSnapshot struct {
	cells  []byte
	on     bool
	report faults.Report
	now    clock.Time
}

func (h *host) Snapshot() any {
	return hostSnapshot{slices.Clone(h.cells), h.updater != nil, h.report, h.now}
}

func (h *host) Restore(s any) {
	was := s.(hostSnapshot)
	h.Power(false)
	h.watch, h.fail = nil, nil
	copy(h.cells, was.cells)
	if was.on && was.report.Alive {
		h.updater = new(device.Updater)
		h.updater.Open(h, h.layout)
		h.updater.Start(uint8(was.report.Slot))
		copy(h.cells, was.cells)
	}
	h.report, h.now, h.resetAt = was.report, was.now, clock.NeverTime
}

func (h *host) Power(bool) {
	h.updater, h.said, h.report, h.now = nil, nil, faults.Report{}, 0
	h.decoder, h.told = wire.Decoder{}, wire.Decoder{}
}

func (h *host) Read(off uint32, p []byte) {
	if h.watch != nil && len(p) > 0 {
		h.watch.FlashRead(off, uint32(len(p)))
	}
	copy(p, h.cells[off:])
}

// hostReset is the panic in which a reset ends what the program does.
type hostReset struct{}

func (h *host) operate(op board.FlashOp, takes clock.Time) error {
	op.Start, op.End = h.now, h.now+takes
	h.now = op.End
	var f board.FlashFault
	if h.fail != nil {
		f = h.fail(op)
	}
	if f.Kind == board.FlashRefused {
		return wireota.FlashFault
	}
	op.Cut = h.resetAt >= op.Start && h.resetAt < op.End
	for i := range op.Len {
		mask := byte(0xFF)
		switch {
		case f.Kind == board.FlashDropped || op.Cut && i >= op.Len/2:
			mask = 0
		case f.Kind == board.FlashPartial:
			mask = f.Mask[i]
		}
		if op.Erase {
			h.cells[op.Off+i] |= mask
		} else {
			h.cells[op.Off+i] &= op.Data[i] | ^mask
		}
	}
	if h.watch != nil {
		h.watch.FlashEnd(op)
	}
	if op.Cut {
		h.resetAt = clock.NeverTime
		panic(hostReset{})
	}
	return nil
}

func (h *host) Program(off uint32, p []byte) error {
	for len(p) > 0 {
		n := 4
		if !h.word {
			n = min(len(p), int(256-off%256))
		}
		if err := h.operate(board.FlashOp{Off: off, Len: uint32(n), Data: slices.Clone(p[:n])}, 16*clock.Microsecond); err != nil {
			return err
		}
		off, p = off+uint32(n), p[n:]
	}
	return nil
}

func (h *host) Erase(off, size uint32) error {
	return h.operate(board.FlashOp{Erase: true, Off: off, Len: size}, clock.Second)
}

// powered starts the board again if a reset comes.
func (h *host) powered(do func()) {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(hostReset); !ok {
				panic(r)
			}
			h.start()
		}
	}()
	do()
}

// start is the boot program, and the start of the application.
func (h *host) start() {
	h.updater = nil
	h.powered(func() {
		var boot device.Device
		boot.Open(h, h.layout)
		h.report = reportOf(boot.Boot())
		if h.report.Slot >= 0 {
			u := new(device.Updater)
			u.Open(h, h.layout)
			u.Start(uint8(h.report.Slot))
			h.updater, h.report.Alive = u, true
		}
	})
}

func (h *host) Boot(context.Context) (faults.Report, error) {
	h.start()
	return h.report, nil
}

func (h *host) Update(ctx context.Context) (o faults.Outcome, err error) {
	for o.Pushes = 1; ; o.Pushes++ {
		c := &ota.Client{Link: h, Clock: h, Token: uint16(o.Pushes) << 12}
		_, err := c.Push(ctx, h.pack)
		if o.Report, o.Done = h.report, err == nil; err != nil {
			o.Err = err.Error()
		}
		if o.Done || o.Pushes == pushes {
			return o, nil
		}
	}
}

// Send has a request done at once.
func (h *host) Send(frame []byte) error {
	for _, b := range frame {
		if f, ok := h.decoder.Feed(b); ok && h.updater != nil {
			h.powered(func() { h.request(f) })
		}
	}
	return nil
}

func (h *host) request(f wire.Frame) {
	r, err := wireota.ParseRequest(f.Payload)
	if err != nil {
		return
	}
	var a wireota.Answer
	h.updater.Do(&r, &a)
	h.said = wireota.AppendAnswer(h.said, &a)
	if r.Op == wireota.Restart {
		h.start()
		h.said = wire.AppendHello(h.said, wire.Hello{Version: wire.Version, Program: "host", Chip: h.layout.Chip})
	}
}

func (h *host) Receive(deadline time.Time) (wire.Frame, error) {
	for i, b := range h.said {
		if f, ok := h.told.Feed(b); ok {
			h.said = h.said[i+1:]
			return f, nil
		}
	}
	h.said, h.now = nil, clock.Time(deadline.UnixNano())*clock.Nanosecond
	return wire.Frame{}, os.ErrDeadlineExceeded
}

func (h *host) Now() time.Time { return time.Unix(0, int64(h.now/clock.Nanosecond)) }

func (h *host) Sleep(context.Context, time.Duration) error { return nil }
