package measure

import "fmt"

// Quantities of updates over the air. Those of patches are by the change that they are
// for, see [Under] and [Changes]; those of cuts by what the board boots afterwards.
const (
	PatchRatio      = "patch-ratio"
	UpdateTime      = "update-time"
	InstallTime     = "update-install-time"
	UpdateSent      = "update-sent"
	PatchMemory     = "patch-memory"
	SignatureTime   = "signature-verification"
	SignatureStack  = "signature-stack"
	UpdateRefusals  = "update-refusals"
	UpdateFaults    = "fault-points"
	UpdateStates    = "fault-states"
	UpdateRuns      = "fault-recoveries"
	UpdateBricks    = "fault-violations"
	TrialsReverted  = "trials-reverted"
	CutBoots        = "cut-boots"      // by the image: old, new; values are when power was cut
	UpdateOperation = "flash-activity" // by phase: values are when each operation began
)

// Changes are what patches are made for: one line of a program, a release of it, and
// nothing, so that all of it is new.
const (
	SmallChange = "small"
	NewRelease  = "release"
	WholeImage  = "whole"
)

// Variants of how a patch for another slot could be made, where images are linked to slots: against
// the same slot's image, and against the other's without its addresses being moved first.
const (
	SameSlot = "same-slot"
	Unmoved  = "unmoved"
)

// What a board boots, and where an update has got to.
var (
	CutOutcomes  = []string{"old", "new"}
	UpdatePhases = []string{"journal", "staging", "slot"}
)

// updates are the quantities of programs boot and app.
func updates() []Quantity {
	all := []Quantity{
		{UpdateTime, "Offer of an update to its confirmation", Lower},
		{InstallTime, "Request to install what was staged to the answer that it was", Lower},
		{UpdateSent, "Bytes on the line to the board for an update", Lower},
		{PatchMemory, "Memory that applying a patch takes, window and models included", Lower},
		{SignatureTime, "Verification of an Ed25519 signature, hashing included", Lower},
		{SignatureStack, "Stack that the verification of a signature takes", Lower},
		{UpdateRefusals, "Attacks that were refused with their own reason and left the old image as it was", Higher},
		{UpdateFaults, "Faults tried in an update and in recoveries from faults", Neither},
		{UpdateStates, "Classes of flash contents reached by faults, that recover in different ways", Neither},
		{UpdateRuns, "Recoveries really executed", Neither},
		{UpdateBricks, "Faults after which the board did not boot the old or the new image, or told otherwise, or could not be updated", Lower},
		{TrialsReverted, "Trials without a confirmation after which the old image ran again", Higher},
	}
	for change, of := range inOrder(SmallChange, "a change of one line", NewRelease, "a release", WholeImage, "a whole image, against nothing") {
		all = append(all, Quantity{Under(PatchRatio, change), "Size of the payload against the new image's, for " + of, Lower})
		if change == WholeImage {
			continue
		}
		for variant, by := range inOrder(SameSlot, "against the old image linked for the same slot", Unmoved, "against the other slot's image as it is") {
			all = append(all, Quantity{Under(Under(PatchRatio, change), variant), "Size of a payload against the new image's, for " + of + ", " + by, Lower})
		}
	}
	for _, image := range CutOutcomes {
		all = append(all, Quantity{Under(CutBoots, image), fmt.Sprintf("When in an update power can be cut so that the %s image is booted next", image), Neither})
	}
	for _, phase := range UpdatePhases {
		all = append(all, Quantity{Under(UpdateOperation, phase), "When in an update operations on flash begin, in its " + phase, Neither})
	}
	return all
}
