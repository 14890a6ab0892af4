//go:build tinygo && defect_base_unchecked

package defect

const planted = BaseUnchecked
