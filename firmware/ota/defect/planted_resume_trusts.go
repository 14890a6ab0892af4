//go:build tinygo && defect_resume_trusts

package defect

const planted = ResumeTrusts
