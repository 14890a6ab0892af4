package harness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"rigor/firmware/wire"
)

// talk is a console to a fake that has said the given bytes.
func talk(said ...[]byte) (*Console, *fake, *bytes.Buffer) {
	f, log := &fake{input: slices.Concat(said...), fail: map[string][]error{}}, new(bytes.Buffer)
	return NewConsole(serial{f}, f, log), f, log
}

var hello = wire.Hello{Version: wire.Version, Program: "echo", SourceDigest: "c0de", Chip: "stm32f407", CoreHz: 16e6, CounterHz: 16e6}

func samples(name string, index uint32, values ...uint32) []byte {
	return wire.AppendSamples(nil, wire.Samples{Name: name, Index: index, Values: values})
}

// damaged is a frame with a bit turned over.
func damaged(frame []byte) []byte {
	frame = bytes.Clone(frame)
	frame[len(frame)/2] ^= 4
	return frame
}

func TestHello(t *testing.T) {
	greeting := wire.AppendHello(nil, hello)
	other := hello
	other.Version++
	for name, c := range map[string]struct {
		said []byte
		want string // of the error
	}{
		"greeting":       {greeting, ""},
		"noise before":   {slices.Concat([]byte("panic: \xff\n"), greeting), ""},
		"logs before":    {slices.Concat(wire.AppendLog(nil, "booting"), greeting), ""},
		"the second one": {slices.Concat(damaged(greeting), greeting), ""},
		"nothing":        {nil, "no greeting from the firmware within 5s"},
		"damaged":        {damaged(greeting), "no greeting from the firmware within 5s; 1 frames came damaged"},
		"half of it":     {greeting[:len(greeting)-3], fmt.Sprintf("within 5s; %d bytes came that are no whole frame", len(greeting)-3)},
		"other protocol": {wire.AppendHello(nil, other), "read the greeting: wire: other protocol version"},
		"malformed":      {wire.AppendFrame(nil, wire.TypeHello, []byte{wire.Version, 9}), "read the greeting: wire: malformed payload"},
	} {
		console, _, log := talk(c.said)
		h, err := console.Hello(t.Context(), Patience)
		checkError(t, name, err, c.want)
		if err == nil && h != hello {
			t.Errorf("%s: got %+v", name, h)
		}
		if !bytes.Equal(log.Bytes(), c.said) {
			t.Errorf("%s: log holds %q, want %q", name, log, c.said)
		}
	}
}

func checkError(t *testing.T, name string, err error, want string) {
	t.Helper()
	if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
		t.Errorf("%s: %v, want %q", name, err, want)
	}
}

func TestStart(t *testing.T) {
	for name, c := range map[string]struct {
		said []byte
		want string
	}{
		"accepted":       {accepted(), ""},
		"log before":     {slices.Concat(wire.AppendLog(nil, "well"), accepted()), ""},
		"refused":        {wire.AppendStatus(nil, wire.Status{Code: wire.StatusUnknown, Text: "no such command"}), `refused "gosched": status 1 no such command`},
		"silence":        {nil, `no answer to "gosched"`},
		"only a damaged": {damaged(accepted()), "1 frames came damaged"},
		"malformed":      {wire.AppendFrame(nil, wire.TypeStatus, nil), `read the answer to "gosched"`},
	} {
		console, _, _ := talk(c.said)
		checkError(t, name, console.Start(t.Context(), command, Patience), c.want)
	}
}

func TestCollect(t *testing.T) {
	done := finished(4)
	for name, c := range map[string]struct {
		said [][]byte
		want string
	}{
		"in one frame":     {[][]byte{samples("gosched", 0, 1, 2, 3, 4), done}, ""},
		"in two":           {[][]byte{samples("gosched", 0, 1), samples("gosched", 1, 2, 3, 4), done}, ""},
		"log between":      {[][]byte{samples("gosched", 0, 1, 2), wire.AppendLog(nil, "gc"), samples("gosched", 2, 3, 4), done}, ""},
		"noise between":    {[][]byte{samples("gosched", 0, 1, 2), []byte("noise"), samples("gosched", 2, 3, 4), done}, ""},
		"damaged frame":    {[][]byte{samples("gosched", 0, 1, 2), damaged(samples("gosched", 2, 3)), samples("gosched", 3, 4), done}, "want them from 2 on; a frame was lost"},
		"gap":              {[][]byte{samples("gosched", 0, 1), samples("gosched", 2, 3, 4), done}, "from 2 on, want them from 1 on"},
		"repeated":         {[][]byte{samples("gosched", 0, 1), samples("gosched", 0, 1), done}, "from 0 on, want them from 1 on"},
		"another's":        {[][]byte{samples("channel", 0, 1, 2, 3, 4), done}, `got "channel" from 0`},
		"too few":          {[][]byte{samples("gosched", 0, 1, 2, 3), done}, `sent 4 samples of "gosched", 3 arrived, 4 were asked for`},
		"too many":         {[][]byte{samples("gosched", 0, 1, 2, 3, 4, 5), done}, "5 arrived, 4 were asked for"},
		"another count":    {[][]byte{samples("gosched", 0, 1, 2, 3), finished(3)}, "3 arrived, 4 were asked for"},
		"another's end":    {[][]byte{samples("gosched", 0, 1, 2, 3, 4), wire.AppendDone(nil, wire.Done{Name: "channel", Count: 4})}, `of "channel"`},
		"no end":           {[][]byte{samples("gosched", 0, 1, 2, 3, 4)}, `no sample 4 of "gosched"`},
		"silence":          {nil, `no sample 0 of "gosched"`},
		"a late refusal":   {[][]byte{wire.AppendStatus(nil, wire.Status{Code: wire.StatusArgument, Text: "oh"})}, `refused "gosched": status 2 oh`},
		"malformed":        {[][]byte{wire.AppendFrame(nil, wire.TypeSamples, []byte{1})}, `read samples of "gosched"`},
		"malformed end":    {[][]byte{wire.AppendFrame(nil, wire.TypeDone, []byte{1})}, `read the end of "gosched"`},
		"malformed status": {[][]byte{wire.AppendFrame(nil, wire.TypeStatus, nil)}, "wire: malformed payload"},
	} {
		console, _, _ := talk(c.said...)
		r, err := console.Collect(t.Context(), command, Patience)
		checkError(t, name, err, c.want)
		if err == nil && !slices.Equal(r.Values, []uint32{1, 2, 3, 4}) {
			t.Errorf("%s: got %v", name, r.Values)
		}
	}
}

// A program that talks of other things without end is silent all the same.
func TestChatterIsSilence(t *testing.T) {
	console, f, _ := talk()
	chatter := &chatty{serial{f}, wire.AppendLog(nil, "still alive")}
	console.port = chatter
	before := f.now
	_, err := console.Hello(t.Context(), Patience)
	if silent := (*SilentError)(nil); !errors.As(err, &silent) {
		t.Errorf("got %v, want a *SilentError", err)
	}
	if took := f.now - before; took > Patience+time.Second {
		t.Errorf("the wait took %v", took)
	}
}

// chatty is a port on which a frame comes every millisecond.
type chatty struct {
	serial
	frame []byte
}

func (c *chatty) Read(p []byte) (int, error) {
	c.now += time.Millisecond
	return copy(p, c.frame), nil
}

func TestExchange(t *testing.T) {
	console, _, log := talk(wire.AppendHello(nil, hello), []byte("abcdef"))
	if _, err := console.Hello(t.Context(), Patience); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"abc", "de", ""} {
		got, err := console.Exchange(t.Context(), []byte(want), Patience)
		if err != nil || string(got) != want {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
	}
	got, err := console.Exchange(t.Context(), []byte("fgh"), Patience)
	checkError(t, "too short", err, "wait for byte 2 of 3")
	if string(got) != "f" || !bytes.HasSuffix(log.Bytes(), []byte("abcdef")) {
		t.Errorf("got %q, log %q", got, log)
	}
}

func TestConsoleErrors(t *testing.T) {
	say := map[string]func(*Console, context.Context) error{
		"Hello":   func(c *Console, ctx context.Context) error { _, err := c.Hello(ctx, Patience); return err },
		"Start":   func(c *Console, ctx context.Context) error { return c.Start(ctx, command, Patience) },
		"Collect": func(c *Console, ctx context.Context) error { _, err := c.Collect(ctx, command, Patience); return err },
		"Exchange": func(c *Console, ctx context.Context) error {
			_, err := c.Exchange(ctx, []byte("x"), Patience)
			return err
		},
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for name, call := range say {
		console, _, _ := talk()
		if err := call(console, cancelled); !errors.Is(err, context.Canceled) {
			t.Errorf("%s with a cancelled context: %v", name, err)
		}
		for _, op := range []string{"read", "write", "deadline"} {
			console, f, _ := talk()
			f.fail[op] = []error{errCable}
			err := call(console, t.Context())
			if f.calls[op] == 0 {
				continue
			}
			if port := (*PortError)(nil); !errors.As(err, &port) || !errors.Is(err, errCable) {
				t.Errorf("%s when %s fails: %v, want a *PortError", name, op, err)
			}
		}
	}
}

// Whatever comes, the console ends with an answer or an error, and has logged
// every byte it took.
func FuzzConsole(f *testing.F) {
	f.Add(slices.Concat(wire.AppendHello(nil, hello), accepted(), reported(interval), finished(4)))
	f.Add(slices.Concat([]byte("noise"), accepted(), finished(0)))
	f.Fuzz(func(t *testing.T, said []byte) {
		console, fake, log := talk(said)
		console.Hello(t.Context(), Patience)
		console.Start(t.Context(), command, Patience)
		if r, err := console.Collect(t.Context(), command, Patience); err == nil && len(r.Values) != int(command.Count) {
			t.Errorf("%d values without an error", len(r.Values))
		}
		if read := len(said) - len(fake.input); !bytes.Equal(log.Bytes(), said[:read]) {
			t.Errorf("%d bytes were read, log holds %q", read, log)
		}
	})
}
