// Package smoke asks whether a board is there and wired as rigs.yaml says: it is
// flashed and read back, its program greets, its output pin follows its input
// pin, and its UART returns every byte.
package smoke
