package faults

import "testing"

func TestSequenceText(t *testing.T) {
	for _, text := range []string{
		"no fault",
		"cut@1234:program:bytes2",
		"cut@1234:program:bytes2; cut@17:erase:half",
		"cut@8:program:marginal/1; cut@9:program:bits0; cut@0:erase:zeroed1; cut@3:end/2",
		"flip@5:0x20004.3",
		"reset@5:brown-out",
		"drop@1; partial@2; refuse@3",
	} {
		s, err := ParseSequence(text)
		if err != nil || s.String() != text {
			t.Errorf("%s: read as %s, %v", text, s, err)
		}
	}
}

func TestSequenceTextRefused(t *testing.T) {
	for _, text := range []string{
		"", "cut", "cut@", "cut@x:end", "cut@-1:end", "cut@01:end", "cut@1:erase:bytes2", "cut@1:program:half",
		"cut@1:program:end", "cut@1:write:before", "cut@1:program:bits", "cut@1:end/0", "cut@1:end/300", "drop@1:x",
		"flip@1:20004.3", "flip@1:0x20004.8", "flip@1:0x20004", "reset@1", "reset@1:kick", "melt@1", "cut@1:end;",
	} {
		if s, err := ParseSequence(text); err == nil {
			t.Errorf("%q is read as %s", text, s)
		}
	}
}

// What is read is written so that it is read as the same.
func FuzzParseSequence(f *testing.F) {
	f.Add("cut@1234:program:bytes2; cut@17:erase:half; flip@5:0x20004.3; reset@5:pin; cut@3:end/2")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseSequence(text)
		if err != nil {
			return
		}
		again, err := ParseSequence(s.String())
		if err != nil || again.String() != s.String() {
			t.Errorf("%q: %s, then %s, %v", text, s, again, err)
		}
	})
}
