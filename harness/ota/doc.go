// Package ota is the host's half of the update system whose other half is
// firmware/ota: it keeps keys, makes, signs, takes apart and sends packages, and
// makes what a factory flashes.
//
// A package file is a manifest of 256 bytes (firmware/ota describes it) with its
// payload behind it. Keys are Ed25519 (RFC 8032) in PEM files of PKCS #8 (RFC 5958,
// RFC 8410) and SubjectPublicKeyInfo (RFC 5280 §4.1), which are those that `openssl
// genpkey -algorithm ed25519` and `openssl pkey -pubout` make. A factory file is
// Intel hex, since what goes to the flash lies apart.
//
// Left out: keys behind a pass phrase or in a token (sign there, by `openssl pkeyutl
// -sign -rawin` over what Signed gives, and put the signature in); and packages for
// more than one chip.
package ota
