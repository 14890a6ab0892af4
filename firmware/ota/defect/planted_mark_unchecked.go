//go:build tinygo && defect_mark_unchecked

package defect

const planted = MarkUnchecked
