package main

import (
	"os"
	"testing"
)

// What others could reach is not served to anybody who asks; the message says what to do.
func TestServeWantsAToken(t *testing.T) {
	rigor(t, "serve", "--listen", "0.0.0.0:0").want(t, exitSetup, "others can reach this address, so it needs a token", "--token-file")
	open := write(t, "token", []byte("0123456789abcdef0123456789abcdef"))
	rigor(t, "serve", "--listen", "0.0.0.0:0", "--token-file", open).want(t, exitSetup, "chmod 600")
	short := write(t, "token", []byte("secret"))
	if err := os.Chmod(short, 0o600); err != nil {
		t.Fatal(err)
	}
	rigor(t, "serve", "--token-file", short).want(t, exitSetup, "holds 6 characters, want 32 or more")
}

func TestServeWantsAnAddress(t *testing.T) {
	rigor(t, "serve", "--listen", "nowhere").want(t, exitSetup, "--listen chooses another address")
}
