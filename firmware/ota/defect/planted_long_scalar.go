//go:build tinygo && defect_long_scalar

package defect

const planted = LongScalar
