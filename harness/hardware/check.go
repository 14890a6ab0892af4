package hardware

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"rigor/harness/port/rfc2217"
	"rigor/harness/port/serialport"
	"rigor/harness/rig"
	"rigor/harness/timebase"
)

// Finding is what Check found of one thing that a board needs.
type Finding struct {
	Board string `json:"board"`
	What  string `json:"what"`
	OK    bool   `json:"ok"`
	Found string `json:"found"`
	Fix   string `json:"fix,omitempty"` // what to do, where something is missing
}

// Check looks for all that the board needs: its lease, its ports, its modem
// lines, its boot loader and its chip. The board is reset, and left running its
// program. What cannot be looked for because of something that is missing is
// not in the list.
func Check(ctx context.Context, rigName string, c *rig.BoardConfig, clock timebase.Clock) []Finding {
	r := &checker{board: c.Name}
	lease, err := rig.Acquire(rig.Leases(), rigName, c.Name, clock.Now())
	if !r.note("lease", "free", err) {
		return r.findings
	}
	b, err := newBoard(c, clock)
	if err != nil {
		r.note("boot loader", "", errors.Join(err, lease.Release()))
		return r.findings
	}
	b.lease = lease
	defer b.Close()
	complete := true
	for _, l := range b.ports {
		complete = r.note(l.role+" port", fmt.Sprint(l.at), l.connect()) && complete
	}
	if b.straps.connected() {
		complete = r.note("reset lines", describe(c.Reset), b.idle()) && complete
	}
	if complete {
		r.chip(ctx, b)
	}
	return r.findings
}

// describe says what the modem lines do.
func describe(r *rig.ResetConfig) string {
	if r.Circuit == rig.USB {
		return "DTR and RTS are commands to the chip's own USB port"
	}
	found := fmt.Sprintf("DTR is %s, RTS is %s", r.DTR, r.RTS)
	if r.Circuit == rig.ESP32 {
		found += ", by two transistors"
	}
	return found
}

// checker collects findings.
type checker struct {
	board    string
	findings []Finding
}

// note adds what was found, or what went wrong.
func (r *checker) note(what, found string, err error) bool {
	f := Finding{Board: r.board, What: what, OK: err == nil, Found: found}
	if err != nil {
		f.Found, f.Fix = err.Error(), fix(err)
	}
	r.findings = append(r.findings, f)
	return f.OK
}

// chip asks the boot loader.
func (r *checker) chip(ctx context.Context, b *Board) {
	defer b.Reset(context.WithoutCancel(ctx), rig.BootApp)
	l, err := b.connect(ctx, b.config.Loader.Baud)
	if !r.note("boot loader", "answers", err) {
		return
	}
	id, err := l.Identify(ctx)
	if err == nil && id.Chip != b.config.Chip {
		err = &chipError{id.String(), b.config.Chip}
	}
	if !r.note("chip", id.String(), err) {
		return
	}
	uid, err := uniqueID(ctx, l)
	if err == nil && b.config.UID != "" && uid != b.config.UID {
		err = &UIDError{Want: b.config.UID, Got: uid}
	}
	r.note("unique id", uid, err)
}

type chipError struct{ got, want string }

func (e *chipError) Error() string {
	return fmt.Sprintf("the chip is %s, rigs.yaml names %s", e.got, e.want)
}

// fix says what to do about an error.
func fix(err error) string {
	var (
		leased  *rig.BusyError
		busy    *serialport.BusyError
		absent  *AbsentError
		refused *rfc2217.RefusedError
		uid     *UIDError
		chip    *chipError
		classed *rig.Error
	)
	switch {
	case errors.As(err, &leased):
		return "wait for that to end, or end it"
	case errors.As(err, &busy):
		return "end the program that has the port; ModemManager: `systemctl disable --now ModemManager`"
	case errors.As(err, &absent):
		return "plug it in, or correct the port in rigs.yaml"
	case errors.Is(err, fs.ErrPermission):
		return "join the group of serial ports: `sudo usermod -aG dialout $USER`, then log in again"
	case errors.Is(err, fs.ErrNotExist):
		return "plug it in, or correct the device in rigs.yaml"
	case errors.As(err, &refused):
		return "end the other client, or correct host and port in rigs.yaml"
	case errors.Is(err, errors.ErrUnsupported):
		return "name a port that has DTR and RTS: `reset: {port: …}`"
	case errors.As(err, &uid):
		return "another board is plugged in there: plug in the right one, or correct uid or port in rigs.yaml"
	case errors.As(err, &chip):
		return "correct chip or port in rigs.yaml"
	case errors.As(err, &classed) && classed.Class == rig.DUT:
		return "is the board powered? check the wires of its reset pin, of its boot strap and of the loader's tx and rx, and `invert` and `hold` of reset"
	}
	return "check the cable, and the port in rigs.yaml"
}
