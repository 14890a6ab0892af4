package esp32c3

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"

	"rigor/harness/sim/clock"
	"rigor/harness/sim/nor"
)

// loaderFlash is a write to flash: it erases at its beginning and programs what
// each packet brings before it replies, inflating compressed ones by a window.
type loaderFlash struct {
	On, Compressed bool
	Erase, Erased  uint32 // addresses: what is left to erase
	Next, Left     uint32 // the next byte to program, and how many
	Op             byte   // the command under way
	Src, Size      uint32 // in memory: what is being programmed
	Check          uint32 // the bytes programmed last, to be read back at Next-Check
	Bad            bool   // some did not read back
	In, InSize     uint32 // in memory: compressed bytes left
	At             uint32 // next place in the window
	Inflater       inflater
	Status         inflateStatus
}

// loaderFlashCommand runs the commands on the flash chip.
func (c *Chip) loaderFlashCommand(op byte, sum uint32, p []byte) {
	l := &c.ROM.Loader
	switch op {
	case cmdAttach:
		l.Attached = true
		c.romAttach()
		c.loaderDone(op, 0)
	case cmdSetParams:
		for i := range 6 {
			c.romPut32(romFlashChip+4*uint32(i), loaderWord(p, i))
		}
		c.loaderDone(op, 0)
	case cmdFlashBegin, cmdDeflateBegin:
		c.loaderFlashBegin(op, p)
	case cmdFlashData, cmdDeflateData:
		c.loaderFlashData(op, sum, p)
	case cmdFlashEnd, cmdDeflateEnd:
		l.Flash = loaderFlash{}
		l.After = afterBoot
		if loaderWord(p, 0) == 0 {
			l.After = afterReset
		}
		c.loaderDone(op, 0)
	case cmdFlashMD5:
		c.loaderMD5(loaderWord(p, 0), loaderWord(p, 1))
	case cmdReadFlash:
		c.loaderReadFlash(loaderWord(p, 0), loaderWord(p, 1))
	default:
		c.loaderDone(op, errMessage)
	}
}

// loaderFlashBegin checks a write and begins to erase for it.
func (c *Chip) loaderFlashBegin(op byte, p []byte) {
	l := &c.ROM.Loader
	size, addr := loaderWord(p, 0), loaderWord(p, 3)
	bad := errWrite
	if op == cmdDeflateBegin {
		bad = errDeflate
	}
	encrypted := len(p) == 20 && loaderWord(p, 4) != 0
	if encrypted {
		c.warn("the loader was asked to write encrypted, which is not modelled")
	}
	if encrypted || !l.Attached || !c.romFlashRange(addr, size) || loaderWord(p, 2) > loaderMost-24 {
		c.loaderDone(op, bad)
		return
	}
	l.Flash = loaderFlash{On: true, Compressed: op == cmdDeflateBegin, Op: op, Next: addr, Left: size, Inflater: newInflater(true)}
	if !l.Flash.Compressed { // a write may come without an erase
		l.Flash.Left = max(size, loaderWord(p, 1)*loaderWord(p, 2))
	}
	if size > 0 {
		l.Flash.Erase, l.Flash.Erased = addr&^(nor.SectorSize-1), addr+size
	}
	c.ROM.Phase = loaderWork
	c.romNext(c.flashUnlock())
}

// loaderFlashData takes a packet to program.
func (c *Chip) loaderFlashData(op byte, sum uint32, p []byte) {
	f, data := &c.ROM.Loader.Flash, p[16:]
	switch {
	case !f.On || f.Compressed != (op == cmdDeflateData):
		c.loaderDone(op, errAct)
		return
	case loaderSum(data) != sum:
		c.loaderDone(op, errChecksum)
		return
	}
	const payload = loaderBuffer + 8 + 16
	f.Op, f.Bad = op, false
	if f.Compressed {
		f.In, f.InSize, f.Status = payload, uint32(len(data)), inflateMoreRoom
	} else {
		f.Src, f.Size = payload, min(uint32(len(data)), f.Left)
	}
	c.ROM.Phase = loaderWork
	c.romNext(0)
}

// loaderWork erases, inflates or programs the next part, or replies when there is
// none.
func (c *Chip) loaderWork() {
	f := &c.ROM.Loader.Flash
	if until, busy := c.nor.Busy(c.Time()); busy {
		c.romNext(until - c.Time())
		return
	}
	c.loaderReadBack()
	switch {
	case f.Erase < f.Erased:
		left := (f.Erased - f.Erase + nor.SectorSize - 1) &^ (nor.SectorSize - 1)
		n, d := c.flashErase(opArea, f.Erase, left)
		f.Erase += n
		c.romNext(d)
	case f.Size > 0:
		n := min(f.Size, romWriteBytes, nor.PageSize-f.Next%nor.PageSize)
		d := c.flashProgram(f.Next, c.romBytes(f.Src, n))
		f.Next, f.Src, f.Size, f.Left, f.Check = f.Next+n, f.Src+n, f.Size-n, f.Left-min(n, f.Left), n
		c.romNext(d)
	case f.Compressed && f.Status == inflateMoreRoom && f.Op == cmdDeflateData:
		c.romNext(c.loaderInflate())
	default:
		c.loaderDone(f.Op, f.failure())
	}
}

// loaderReadBack compares what was programmed last, in no time [A].
func (c *Chip) loaderReadBack() {
	f := &c.ROM.Loader.Flash
	if f.Check > 0 {
		got, want := c.romFlash(f.Next-f.Check, f.Check), c.romBytes(f.Src-f.Check, f.Check)
		f.Bad = f.Bad || !bytes.Equal(got, want)
		f.Check = 0
	}
}

// failure is what has become of a write.
func (f *loaderFlash) failure() loaderError {
	switch {
	case f.Status == inflateBad:
		return errInflate
	case f.Status == inflateBadSum:
		return errAdler
	case f.Bad:
		return errWrite
	}
	return 0
}

// loaderInflate fills the window, and has it programmed when it is full or the
// stream is at its end.
func (c *Chip) loaderInflate() clock.Time {
	f := &c.ROM.Loader.Flash
	out := c.ramAt(loaderWindow, windowSize)
	used, made, st := f.Inflater.run(c.romBytes(f.In, f.InSize), out, int(f.At), true)
	c.ramChanged(loaderWindow, windowSize)
	f.In, f.InSize, f.Status = f.In+uint32(used), f.InSize-uint32(used), st
	f.At += uint32(made)
	if f.At == windowSize || st == inflateEnd {
		f.Src, f.Size = loaderWindow, min(f.At, f.Left)
		f.At = 0
	}
	return clock.Time(made+used) * romInflateCost * clock.Second / clock.Time(c.Clocks.CPU)
}

// loaderMD5 answers with the digest of a part of flash, in hexadecimal, after the
// time that reading it takes.
func (c *Chip) loaderMD5(addr, size uint32) {
	if !c.ROM.Loader.Attached || !c.romFlashRange(addr, size) {
		c.loaderDone(cmdFlashMD5, errRead)
		return
	}
	sum := md5.Sum(c.romFlash(addr, size))
	c.loaderPut(cmdFlashMD5, 0, []byte(hex.EncodeToString(sum[:])), 0)
	c.ROM.Phase = loaderSend
	c.romNext(c.romReadTime(size) + clock.Time(size)*romMD5Cost*clock.Second/clock.Time(c.Clocks.CPU))
}

// loaderReadFlash answers with up to 64 bytes, padded to 64.
func (c *Chip) loaderReadFlash(addr, size uint32) {
	switch {
	case size > romReadBytes:
		c.loaderDone(cmdReadFlash, errReadLen)
		return
	case !c.ROM.Loader.Attached || !c.romFlashRange(addr, size):
		c.loaderDone(cmdReadFlash, errRead)
		return
	}
	var data [romReadBytes]byte
	copy(data[:], c.romFlash(addr, size))
	c.loaderPut(cmdReadFlash, 0, data[:], 0)
	c.ROM.Phase = loaderSend
	c.romNext(c.romReadTime(size))
}
