//go:build tinygo && !v1_1_0

package main

const unknownText = "no such command: "

var added []command
