package port

import "testing"

func TestModeString(t *testing.T) {
	for m, want := range map[Mode]string{
		{115200, ParityEven}: "115200 8E1", {9600, ParityNone}: "9600 8N1", {1, ParityOdd}: "1 8O1",
	} {
		if got := m.String(); got != want {
			t.Errorf("%#v is %q, want %q", m, got, want)
		}
	}
}
