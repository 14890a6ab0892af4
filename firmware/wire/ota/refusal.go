package ota

// Refusal is why the board didn't do what it was asked for.
type Refusal uint8

// The refusals.
const (
	OK             Refusal = iota
	BadRequest             // no such request, or not of its length
	BadFormat              // no manifest of a form that is known here
	WrongChip              // made for another chip
	WrongSlot              // linked to the slot that runs
	WrongBase              // a difference against another image than the one that runs
	OldVersion             // not newer than what runs
	OldCounter             // its counter is below what was confirmed once
	UnknownKey             // signed with a key that the board doesn't have
	RevokedKey             // signed with a key that was revoked
	BadSignature           // not signed by that key
	TooLarge               // payload or image don't fit
	PayloadDigest          // the payload that came is not the one that was signed
	PatchMalformed         // the payload is no difference
	PatchOutside           // the payload reads or writes out of bounds
	TargetDigest           // what the payload made is not the image that was signed
	FlashFault             // the flash didn't take what was written
	NotStaged              // there is no offer, or pieces are missing
	NotOnTrial             // there is nothing to confirm
	Busy                   // not while an image is on trial
	SelfTestFailed         // a signature was judged wrongly
)

var refusals = [...]struct{ name, text string }{
	OK:             {"ok", "done"},
	BadRequest:     {"bad-request", "no such request, or not of its length"},
	BadFormat:      {"bad-format", "not a manifest that this board understands"},
	WrongChip:      {"wrong-chip", "made for another chip"},
	WrongSlot:      {"wrong-slot", "linked to the slot that is running"},
	WrongBase:      {"wrong-base", "a difference against another image than the one that is running"},
	OldVersion:     {"old-version", "not newer than the version that is running"},
	OldCounter:     {"old-counter", "its rollback counter is below what was confirmed once"},
	UnknownKey:     {"unknown-key", "signed with a key that the board does not have"},
	RevokedKey:     {"revoked-key", "signed with a key that was revoked"},
	BadSignature:   {"bad-signature", "the signature is not of this manifest by this key"},
	TooLarge:       {"too-large", "payload or image do not fit"},
	PayloadDigest:  {"payload-digest", "the payload that arrived is not the one that was signed"},
	PatchMalformed: {"patch-malformed", "the payload is not a difference"},
	PatchOutside:   {"patch-outside", "the payload reads or writes out of bounds"},
	TargetDigest:   {"target-digest", "what the payload made is not the image that was signed"},
	FlashFault:     {"flash-fault", "the flash did not take what was written"},
	NotStaged:      {"not-staged", "nothing was offered, or pieces are missing"},
	NotOnTrial:     {"not-on-trial", "there is nothing to confirm"},
	Busy:           {"busy", "an image is on trial: confirm it or let it revert first"},
	SelfTestFailed: {"self-test-failed", "a signature was judged wrongly"},
}

// String is the refusal's short name.
func (r Refusal) String() string {
	if int(r) < len(refusals) {
		return refusals[r].name
	}
	return "unknown"
}

// Error says the refusal in words. OK is no error: return nil for it.
func (r Refusal) Error() string {
	if int(r) < len(refusals) {
		return refusals[r].text
	}
	return "unknown refusal"
}

// Err is r as an error, nil for OK.
func (r Refusal) Err() error {
	if r == OK {
		return nil
	}
	return r
}
