// Package player plays sounds to a board's microphone through a sound device of the
// host, by a command that plays a WAV file, such as ALSA's aplay. It is for benches
// where a loudspeaker stands before the board.
//
// What it cannot know it says: a sound begins Delay after the command was started, as
// somebody has measured, give or take Within; levels are right to each other only. A
// sound is played for [Longest] at most.
package player

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"

	"rigor/harness/timebase"
	"rigor/probes"
)

// Config says how sounds are played.
type Config struct {
	Command []string      // to which the name of a WAV file is added
	Delay   time.Duration // from the command's start to the sound at the microphone
	Within  time.Duration // by how much that may be off
}

// Longest is for how long a sound is played, whatever its length.
const Longest = 20 * time.Second

// rate of the files, in Hz.
const rate = 48_000

// Player is a source of sounds.
type Player struct {
	config Config
	clock  timebase.Clock
	now    *playing // nil: nothing
}

// playing is a command that was started.
type playing struct {
	cmd   *exec.Cmd
	file  string
	said  bytes.Buffer
	ended chan struct{} // closed when it has
	err   error         // why, from then on
}

var _ probes.AudioSource = (*Player)(nil)

// New makes a source on the rig's clock.
func New(c Config, clock timebase.Clock) *Player { return &Player{config: c, clock: clock} }

// Play returns when the sound should have begun.
func (p *Player) Play(ctx context.Context, s probes.Sound) (probes.Onset, error) {
	o, err := p.play(ctx, s)
	if err != nil {
		return probes.Onset{}, fmt.Errorf("play by %v: %w", p.config.Command, err)
	}
	return o, nil
}

func (p *Player) play(ctx context.Context, s probes.Sound) (probes.Onset, error) {
	if err := errors.Join(ctx.Err(), s.Check()); err != nil {
		return probes.Onset{}, err
	}
	file, err := render(s)
	if err != nil {
		return probes.Onset{}, err
	}
	if err = p.end(); err == nil {
		err = p.start(file)
	}
	if err != nil {
		return probes.Onset{}, errors.Join(err, os.Remove(file))
	}
	begins := p.clock.Now().Add(p.config.Delay)
	if err := p.clock.Sleep(ctx, p.config.Delay); err != nil {
		return probes.Onset{}, err
	}
	return probes.Onset{At: begins, Within: p.config.Within}, nil
}

// render makes a file of a sound.
func render(s probes.Sound) (name string, err error) {
	f, err := os.CreateTemp("", "rigor-*.wav")
	if err != nil {
		return "", err
	}
	err = probes.WriteWAV(f, s, rate, rate*uint32(Longest/time.Second))
	if err = errors.Join(err, f.Close()); err != nil {
		return "", errors.Join(err, os.Remove(f.Name()))
	}
	return f.Name(), nil
}

func (p *Player) start(file string) error {
	args := append(p.config.Command[1:len(p.config.Command):len(p.config.Command)], file)
	n := &playing{cmd: exec.Command(p.config.Command[0], args...), file: file, ended: make(chan struct{})}
	n.cmd.Stderr = &n.said
	if err := n.cmd.Start(); err != nil {
		return err
	}
	go func() {
		n.err = n.cmd.Wait()
		close(n.ended)
	}()
	p.now = n
	return nil
}

// Stop ends the command. One that has failed by itself is an error: nobody knows what
// was heard.
func (p *Player) Stop(ctx context.Context) error {
	err := ctx.Err()
	if err == nil {
		err = p.end()
	}
	if err != nil {
		return fmt.Errorf("stop playing by %v: %w", p.config.Command, err)
	}
	return nil
}

func (p *Player) end() error {
	n := p.now
	if n == nil {
		return nil
	}
	p.now = nil
	return errors.Join(n.end(), os.Remove(n.file))
}

func (n *playing) end() error {
	select {
	case <-n.ended:
		if n.err != nil {
			return fmt.Errorf("%w: %s", n.err, bytes.TrimSpace(n.said.Bytes()))
		}
	default:
		n.cmd.Process.Kill() // one that ends at this moment is not minded
		<-n.ended
	}
	return nil
}
