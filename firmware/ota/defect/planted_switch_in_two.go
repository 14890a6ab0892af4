//go:build tinygo && defect_switch_in_two

package defect

const planted = SwitchInTwo
