//go:build tinygo && defect_torn_header

package defect

const planted = TornHeader
