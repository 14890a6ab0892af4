//go:build !tinygo

package defect

// Info is what is to be known of a defect.
type Info struct {
	Defect  Defect
	Name    string
	Wrong   string
	Boot    bool // the boot program has it
	App     bool // the application has it
	New     bool // which is the one that is updated to, not the one that updates
	FoundBy string
}

// Tags are the build tags that plant it.
func (i Info) Tags() []string { return []string{"defect", "defect_" + i.Name} }

// Slot is the one in which the application that has it does harm.
func (i Info) Slot() int {
	if i.New || i.Defect == CompactInForce {
		return 1
	}
	return 0
}

// All are the defects, in the order of their constants.
var All = []Info{
	{BootTrusts, "boot_trusts", "the boot program verifies nothing: it takes the journal's word", true, false, false,
		"bit flip in the image that runs"},
	{SwitchEarly, "switch_early", "the switch is made before the image is, and the boot program believes it", true, true, false,
		"cut during the installation"},
	{SwitchInTwo, "switch_in_two", "the old slot is retired by one write and the new one made valid by another", true, true, false,
		"cut between the two"},
	{OldFirst, "old_first", "the old slot's manifest is destroyed before the new image is written", false, true, false,
		"cut during the installation"},
	{StreamDigest, "stream_digest", "the digest is taken of what is to be written, before it is, and the boot program believes it", true, true, false,
		"dropped or partial write of a page"},
	{ResumeTrusts, "resume_trusts", "an installation goes on where pages are written already by an interrupted one", false, true, false,
		"cut inside a page of the image"},
	{TornHeader, "torn_header", "a journal entry counts as soon as its first word is there", true, true, false,
		"cut inside the write of an entry's header"},
	{CompactInForce, "compact_in_force", "the journal's next entry is written where the one in force is, after an erase", false, true, false,
		"cut during the erase, when slot 1 runs"},
	{MarkUnchecked, "mark_unchecked", "that a mark was written is believed, not read", false, true, true,
		"refused or dropped write of the confirmation"},
	{ConfirmEarly, "confirm_early", "the application confirms itself as soon as it starts", false, true, true,
		"update that hangs after its start"},
	{AttemptLate, "attempt_late", "the attempt is marked by the application, not before it", true, true, true,
		"signed image that doesn't start"},
	{AttemptsInRAM, "attempts_in_ram", "attempts are counted in RAM that a warm reset keeps", true, false, false,
		"power-on instead of a warm reset in a trial that hangs; reset that keeps RAM; report against journal"},
	{RevertBootsNew, "revert_boots_new", "after the last attempt the journal says reverted, but the new image is booted", true, false, false,
		"update that hangs; report against digest of what runs"},
	{PayloadSigned, "payload_signed", "the signature is over the payload's digest alone", true, true, false,
		"flipped bit in the manifest"},
	{BaseUnchecked, "base_unchecked", "a difference is applied to whatever runs", false, true, false,
		"difference against another base: not its own refusal, and the other slot is lost"},
	{LongScalar, "long_scalar", "S of a signature may be any number: S+L is taken too", true, true, false,
		"malleable signature"},
}
