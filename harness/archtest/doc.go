// Package archtest holds the rules of who may import whom, as a test. It reads
// the imports of every Go file in the tree with go/parser: the test then opens
// the files itself, so that the test cache notices a change, and sees the files
// that only TinyGo builds.
package archtest
