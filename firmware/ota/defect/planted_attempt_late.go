//go:build tinygo && defect_attempt_late

package defect

const planted = AttemptLate
