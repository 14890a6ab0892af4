// Package defect is the list of what can deliberately be made wrong in the update system, to
// show that its suite finds such things. A sound build has none of it: there Planted is
// false, and the compiler drops what depends on it.
//
// A board's images are built with a defect by the tags in [Defect.Tags], one tiny file for each. On the
// host nothing is planted until a test calls Plant.
package defect

// Defect is one thing that is made wrong. 0 is none.
type Defect uint8

// The defects. What each does and what should find it stands in All.
const (
	None Defect = iota
	BootTrusts
	SwitchEarly
	SwitchInTwo
	OldFirst
	StreamDigest
	ResumeTrusts
	TornHeader
	CompactInForce
	MarkUnchecked
	ConfirmEarly
	AttemptLate
	AttemptsInRAM
	RevertBootsNew
	PayloadSigned
	BaseUnchecked
	LongScalar
)

// Planted says whether d is.
func (d Defect) Planted() bool { return d == planted }
