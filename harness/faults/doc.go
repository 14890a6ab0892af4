// Package faults tries every fault in an update of a device's firmware, and what
// can follow it, and proves within a model that the device always comes up with
// the old image or the new one and that a repeated update completes.
package faults
