package virtual

import (
	"context"
	"fmt"

	"rigor/harness/sim/bme280"
	"rigor/harness/sim/board"
	"rigor/harness/timebase"
	"rigor/probes"
)

// Target is a simulated sensor on a virtual board's bus.
type Target struct {
	board  *board.Board
	target *board.Target
	sensor *bme280.Sensor
}

var _ probes.BusTarget = (*Target)(nil)

// NewTarget gives a hold on a sensor that is the device of a board's target.
func NewTarget(b *board.Board, t *board.Target, s *bme280.Sensor) *Target { return &Target{b, t, s} }

// SetEnvironment changes the air at the sensor from now on.
func (t *Target) SetEnvironment(ctx context.Context, e probes.Environment) error {
	err := ctx.Err()
	if err == nil {
		err = e.Check()
	}
	if err != nil {
		return fmt.Errorf("set the air at %s: %w", t.target.Name(), err)
	}
	t.sensor.SetEnvironment(bme280.Environment(e), t.board.Now())
	return nil
}

var misbehaviours = map[probes.MisbehaviourKind]board.MisbehaviourKind{
	probes.NACKAddress: board.NACKAddress, probes.NACKData: board.NACKData, probes.Stretch: board.Stretch,
	probes.StuckSDA: board.StuckSDA, probes.WrongValue: board.WrongValue, probes.BitError: board.BitError,
	probes.Absent: board.Absent,
}

// Misbehave arms a misbehaviour.
func (t *Target) Misbehave(ctx context.Context, m probes.Misbehaviour) error {
	err := ctx.Err()
	if err == nil {
		err = m.Check()
	}
	if err != nil {
		return fmt.Errorf("let %s misbehave: %w", t.target.Name(), err)
	}
	return t.target.Misbehave(board.Misbehaviour{
		Kind: misbehaviours[m.Kind], Byte: m.Byte, Mask: m.Mask, Register: int(m.Register), Value: m.Value,
		For: span(m.For), Clocks: m.Clocks, Transactions: m.Transactions,
	})
}

// Clear ends all misbehaviour.
func (t *Target) Clear(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("clear what %s does wrong: %w", t.target.Name(), err)
	}
	t.target.Behave()
	return nil
}

// Log gives the transactions that ended since the last call, with times since the
// board's beginning.
func (t *Target) Log(ctx context.Context) (probes.BusLog, error) {
	if err := ctx.Err(); err != nil {
		return probes.BusLog{}, fmt.Errorf("read the log of %s: %w", t.target.Name(), err)
	}
	ended, lost := t.target.Log()
	log := probes.BusLog{Rate: Rate, Lost: lost}
	for _, e := range ended {
		tr := probes.BusTransaction{Start: timebase.Ticks(e.Start), End: timebase.Ticks(e.End)}
		for _, v := range e.Bytes {
			tr.Bytes = append(tr.Bytes, probes.BusByte(v))
		}
		log.Transactions = append(log.Transactions, tr)
	}
	return log, nil
}
