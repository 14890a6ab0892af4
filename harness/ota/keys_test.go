package ota_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"rigor/harness/ota"
)

// The keys of RFC 8410 §10.1 and §10.3.
const (
	rfcPublic  = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n"
	rfcPrivate = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n"
	rfcBytes   = "19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1"
)

// put writes a file in a new folder.
func put(t *testing.T, name, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestReadKeysOfRFC8410(t *testing.T) {
	for name, text := range map[string]string{"public": rfcPublic, "private": rfcPrivate, "both": "notes\n" + rfcPublic + rfcPrivate} {
		key, err := ota.ReadPublicKey(put(t, name, text))
		if err != nil || hex.EncodeToString(key) != rfcBytes {
			t.Errorf("%s: got %x, %v", name, key, err)
		}
	}
}

func TestWriteKeys(t *testing.T) {
	key, err := ota.GenerateKey(bytes.NewReader(make([]byte, 64)))
	if err != nil {
		t.Fatal(err)
	}
	private, public := filepath.Join(t.TempDir(), "a.pem"), filepath.Join(t.TempDir(), "a.pub.pem")
	if err := ota.WriteKeys(private, public, key); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(private); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the private key's mode is %v, %v, want 0600", info.Mode(), err)
	}
	if got, err := ota.ReadPrivateKey(private); err != nil || !got.Equal(key) {
		t.Errorf("read the private key: %v", err)
	}
	if got, err := ota.ReadPublicKey(public); err != nil || !got.Equal(key.Public().(ed25519.PublicKey)) {
		t.Errorf("read the public key: %v", err)
	}
}

// A key that is there stays, and no half of a pair is left.
func TestWriteKeysOverNothing(t *testing.T) {
	key := ed25519.NewKeyFromSeed(make([]byte, 32))
	there, other := put(t, "a.pem", "mine"), filepath.Join(t.TempDir(), "b.pem")
	for _, pair := range [][2]string{{there, other}, {other, there}} {
		if err := ota.WriteKeys(pair[0], pair[1], key); !errors.Is(err, fs.ErrExist) {
			t.Errorf("%v: got %v, want %v", pair, err, fs.ErrExist)
		}
		if text, err := os.ReadFile(there); string(text) != "mine" {
			t.Errorf("the file was overwritten: %q, %v", text, err)
		}
		if _, err := os.Stat(other); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("a lone key is left: %v", err)
		}
	}
}

func TestReadKeysRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "", "text": "hello", "not DER": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
		"certificate": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
	} {
		file := put(t, "k.pem", text)
		var wrong *ota.KeyError
		if _, err := ota.ReadPrivateKey(file); !errors.As(err, &wrong) || wrong.File != file {
			t.Errorf("%s as a private key: %v", name, err)
		}
		if _, err := ota.ReadPublicKey(file); !errors.As(err, &wrong) {
			t.Errorf("%s as a public key: %v", name, err)
		}
	}
	var wrong *ota.KeyError
	if _, err := ota.ReadPrivateKey(put(t, "k.pem", rfcPublic)); !errors.As(err, &wrong) {
		t.Errorf("a public key as a private one: %v", err)
	}
}
