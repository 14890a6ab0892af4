//go:build tinygo && defect_payload_signed

package defect

const planted = PayloadSigned
