//go:build tinygo && !defect

package defect

const planted = None
