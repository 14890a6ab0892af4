//go:build tinygo && defect_compact_in_force

package defect

const planted = CompactInForce
