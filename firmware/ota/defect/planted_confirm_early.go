//go:build tinygo && defect_confirm_early

package defect

const planted = ConfirmEarly
