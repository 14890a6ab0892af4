//go:build tinygo && defect_switch_early

package defect

const planted = SwitchEarly
