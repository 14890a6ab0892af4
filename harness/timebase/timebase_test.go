package timebase

import (
	"context"
	"testing"
	"time"
)

func TestConvert(t *testing.T) {
	for _, c := range []struct {
		n        Ticks
		from, to Rate
		want     Ticks
	}{
		{16, 16e6, 1e12, 1_000_000}, // 16 cycles at 16 MHz are 1 us
		{1, 168e6, 1e12, 5952},      // 5952.38 ps
		{2, 168e6, 1e12, 11905},     // 11904.76 ps
		{-2, 168e6, 1e12, -11905},
		{1, 2, 1, 1}, // halves go away from zero
		{-1, 2, 1, -1},
		{1 << 60, 1e12, 1e12, 1 << 60},
	} {
		if got := c.n.Convert(c.from, c.to); got != c.want {
			t.Errorf("%d ticks at %v = %d at %v, want %d", c.n, c.from, got, c.to, c.want)
		}
	}
}

func TestRateString(t *testing.T) {
	for r, want := range map[Rate]string{16e6: "16 MHz", 1e12: "1000 GHz", 115200: "115200 Hz", 42500e3: "42500 kHz"} {
		if got := r.String(); got != want {
			t.Errorf("%d: %q, want %q", uint64(r), got, want)
		}
	}
}

func TestHostSleepEndsWithContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := (Host{}).Sleep(ctx, time.Hour); err != context.Canceled {
		t.Errorf("got %v", err)
	}
}
