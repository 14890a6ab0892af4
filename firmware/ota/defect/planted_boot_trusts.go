//go:build tinygo && defect_boot_trusts

package defect

const planted = BootTrusts
