//go:build tinygo && defect_old_first

package defect

const planted = OldFirst
