package conform

import (
	"encoding/hex"
	"fmt"
	"io"
	"iter"
	"strings"
)

// Verdict is what the decode oracle thinks of an encoding.
type Verdict byte

const (
	Legal         Verdict = 'V'
	Unpredictable Verdict = 'U' // potentially undefined
	Illegal       Verdict = '-'
)

// Encoding is a line of the decode oracle: `bytes verdict text`, separated by tabs.
type Encoding struct {
	Line    int
	Code    []byte // in memory order
	Verdict Verdict
	Asm     string
}

// Encodings reads decode oracle lines; name stands for r in errors. After an error nothing follows.
func Encodings(name string, r io.Reader) iter.Seq2[Encoding, error] {
	return records(name, r, parseEncoding)
}

func parseEncoding(line int, text []byte) (Encoding, error) {
	w := strings.Split(string(text), "\t")
	if len(w) != 3 || len(w[1]) != 1 || !strings.Contains("VU-", w[1]) {
		return Encoding{}, fmt.Errorf("bytes, V, U or -, and text expected in %q", text)
	}
	code, err := hex.DecodeString(w[0])
	if err != nil {
		return Encoding{}, err
	}
	if len(code) != 2 && len(code) != 4 {
		return Encoding{}, fmt.Errorf("2 or 4 bytes expected in %q", w[0])
	}
	return Encoding{Line: line, Code: code, Verdict: Verdict(w[1][0]), Asm: w[2]}, nil
}
