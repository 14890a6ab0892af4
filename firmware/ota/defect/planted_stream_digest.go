//go:build tinygo && defect_stream_digest

package defect

const planted = StreamDigest
