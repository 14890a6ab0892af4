package rig

// BoardConfig is one board of a rig.
type BoardConfig struct{}
