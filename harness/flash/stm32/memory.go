package stm32

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"rigor/harness/flash"
)

const (
	blockSize = 256 // AN3155 §3.4, §3.6: at most per command
	wordSize  = 4   // what a write must be aligned to
)

// Block is the size and the alignment of a write.
func (l *Loader) Block() (size, align uint32) { return blockSize, wordSize }

// Ceiling is what the line and typical programming times allow, in bytes a
// second: each block costs command, address, length, checksum and three ACKs.
func (l *Loader) Ceiling() uint64 {
	const around = 2 + 1 + 5 + 1 + 1 + 1 + 1
	block := l.onLine(around+blockSize) + blockSize*programTypical
	return uint64(blockSize * time.Second / block)
}

// Read fills p from memory (AN3155 §3.4).
func (l *Loader) Read(ctx context.Context, addr uint32, p []byte) error {
	for len(p) > 0 {
		n := min(len(p), blockSize)
		if err := l.readBlock(ctx, addr, p[:n]); err != nil {
			return err
		}
		addr, p = addr+uint32(n), p[n:]
	}
	return nil
}

func (l *Loader) readBlock(ctx context.Context, addr uint32, p []byte) error {
	if err := l.command(ctx, ReadMemory, addr); err != nil {
		return err
	}
	if err := l.address(ReadMemory, addr); err != nil {
		return err
	}
	n := byte(len(p) - 1)
	s := step{ReadMemory, StageLength, addr}
	if err := l.request([]byte{n, ^n}, s, 0); err != nil {
		return err
	}
	return l.recv(p, s.String(), l.answer(len(p)))
}

// Write programs flash or RAM (AN3155 §3.6). In flash, which must be erased, data
// may begin and end anywhere: the rest of a word is written as 0xFF, which leaves
// it as it is. RAM takes whole words only.
func (l *Loader) Write(ctx context.Context, addr uint32, data []byte) error {
	if err := checkWrite(addr, len(data)); err != nil {
		return err
	}
	for len(data) > 0 {
		front := int(addr % wordSize)
		n := min(len(data), blockSize-front)
		if err := l.writeBlock(ctx, addr-uint32(front), fill(front, data[:n])); err != nil {
			return err
		}
		addr, data = addr+uint32(n), data[n:]
	}
	return nil
}

func checkWrite(addr uint32, n int) error {
	span := flash.Span{Addr: addr, Size: uint32(n)}
	switch {
	case within(span, optionBytes):
		return &AddressError{WriteMemory.String(), addr, "the option bytes are not written by this package"}
	case within(span, loaderRAM):
		return &AddressError{WriteMemory.String(), addr, "RAM below 0x20003000 is the boot loader's own"}
	case !within(span, flashMemory) && (addr%wordSize != 0 || n%wordSize != 0):
		return &AddressError{WriteMemory.String(), addr, "outside flash only whole words can be written"}
	}
	return nil
}

// fill makes whole words of data that begin front bytes into the first.
func fill(front int, data []byte) []byte {
	end := (front + len(data) + wordSize - 1) / wordSize * wordSize
	p := bytes.Repeat([]byte{0xFF}, end)
	copy(p[front:], data)
	return p
}

func (l *Loader) writeBlock(ctx context.Context, addr uint32, data []byte) error {
	if err := l.command(ctx, WriteMemory, addr); err != nil {
		return err
	}
	if err := l.address(WriteMemory, addr); err != nil {
		return err
	}
	p := append([]byte{byte(len(data) - 1)}, data...)
	work := time.Duration(len(data)) * programMax
	return l.request(append(p, xor(p)), step{WriteMemory, StageData, addr}, work)
}

// Erase erases the sectors that hold any of the span (AN3155 §3.8). The loader
// does not report sectors that are write protected: they just stay.
func (l *Loader) Erase(ctx context.Context, s flash.Span) error {
	first, last, err := sectorRange(s)
	if err != nil || first == last {
		return err
	}
	pages := binary.BigEndian.AppendUint16(nil, uint16(last-first-1))
	var work time.Duration
	for i := first; i < last; i++ {
		pages = binary.BigEndian.AppendUint16(pages, uint16(i))
		work += eraseMax(sectorSize(i))
	}
	if err := l.extendedErase(ctx, pages, work); err != nil {
		return fmt.Errorf("erase sectors %d to %d: %w", first, last-1, err)
	}
	return nil
}

// MassErase erases the whole flash.
func (l *Loader) MassErase(ctx context.Context) error {
	if err := l.extendedErase(ctx, []byte{0xFF, 0xFF}, massEraseMax); err != nil {
		return fmt.Errorf("erase all of the flash: %w", err)
	}
	return nil
}

func (l *Loader) extendedErase(ctx context.Context, p []byte, work time.Duration) error {
	if err := l.command(ctx, ExtendedErase, 0); err != nil {
		return err
	}
	return l.request(append(p, xor(p)), step{ExtendedErase, StageData, 0}, work)
}

// Run starts the program whose vector table is at entry (AN3155 §3.5). The
// loader is gone then.
func (l *Loader) Run(ctx context.Context, entry uint32) error {
	if err := l.command(ctx, Go, entry); err != nil {
		return err
	}
	if err := l.address(Go, entry); err != nil {
		return err
	}
	l.lost = true
	return nil
}
