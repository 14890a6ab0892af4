package ota

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
)

const (
	privateBlock = "PRIVATE KEY" // PKCS #8
	publicBlock  = "PUBLIC KEY"  // SubjectPublicKeyInfo
)

// GenerateKey makes a key of 32 random bytes.
func GenerateKey(random io.Reader) (ed25519.PrivateKey, error) {
	_, key, err := ed25519.GenerateKey(random)
	if err != nil {
		return nil, fmt.Errorf("generate a key: %w", err)
	}
	return key, nil
}

// WriteKeys writes a private key that only its owner may read, and its public
// key. Files that exist are left alone: a key that is overwritten is lost, and with
// it all boards that trust it.
func WriteKeys(private, public string, key ed25519.PrivateKey) error {
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fmt.Errorf("encode the private key: %w", err)
	}
	open, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return fmt.Errorf("encode the public key: %w", err)
	}
	if err := writeNew(private, 0o600, pem.EncodeToMemory(&pem.Block{Type: privateBlock, Bytes: secret})); err != nil {
		return fmt.Errorf("write the private key: %w", err)
	}
	if err := writeNew(public, 0o644, pem.EncodeToMemory(&pem.Block{Type: publicBlock, Bytes: open})); err != nil {
		return errors.Join(fmt.Errorf("write the public key: %w", err), os.Remove(private))
	}
	return nil
}

// writeNew writes a file that must not exist; one that could not be written whole
// is removed.
func writeNew(name string, mode os.FileMode, data []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(name))
	}
	return nil
}

// KeyError is a file that holds no key of the wanted kind.
type KeyError struct {
	File string
	Want string // what it should be
	Err  error  // nil: it is of another kind
}

func (e *KeyError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("read %s from %s: %v", e.Want, e.File, e.Err)
	}
	return fmt.Sprintf("%s is no %s in PEM (make one by `rigor ota keygen`, or `openssl genpkey -algorithm ed25519`)", e.File, e.Want)
}

func (e *KeyError) Unwrap() error { return e.Err }

// ReadPrivateKey reads a private key from a PEM file.
func ReadPrivateKey(file string) (ed25519.PrivateKey, error) {
	const want = "Ed25519 private key"
	block, err := readPEM(file, want, privateBlock)
	if err != nil {
		return nil, err
	}
	any, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, &KeyError{file, want, err}
	}
	key, ok := any.(ed25519.PrivateKey)
	if !ok {
		return nil, &KeyError{File: file, Want: want}
	}
	return key, nil
}

// ReadPublicKey reads a public key from a PEM file, which may also hold the private
// key that it belongs to.
func ReadPublicKey(file string) (ed25519.PublicKey, error) {
	const want = "Ed25519 public key"
	block, err := readPEM(file, want, publicBlock, privateBlock)
	if err != nil {
		return nil, err
	}
	if block.Type == privateBlock {
		key, err := ReadPrivateKey(file)
		if err != nil {
			return nil, err
		}
		return key.Public().(ed25519.PublicKey), nil
	}
	any, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, &KeyError{file, want, err}
	}
	key, ok := any.(ed25519.PublicKey)
	if !ok {
		return nil, &KeyError{File: file, Want: want}
	}
	return key, nil
}

// readPEM gives the first block of a file that is of one of the types.
func readPEM(file, want string, types ...string) (*pem.Block, error) {
	rest, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", want, err)
	}
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return nil, &KeyError{File: file, Want: want}
		}
		for _, t := range types {
			if block.Type == t {
				return block, nil
			}
		}
	}
}
