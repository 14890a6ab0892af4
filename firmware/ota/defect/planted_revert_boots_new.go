//go:build tinygo && defect_revert_boots_new

package defect

const planted = RevertBootsNew
