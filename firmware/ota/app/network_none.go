//go:build tinygo && !net

package main

func startNetwork() {}

func attend() {}
