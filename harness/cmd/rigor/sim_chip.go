package main

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"rigor/harness/flash"
	"rigor/harness/sim/board"
	"rigor/harness/sim/soc/esp32c3"
	"rigor/harness/sim/soc/k210"
	"rigor/harness/sim/soc/stm32f407"
)

// simChip are the flags that describe the silicon.
type simChip struct {
	Chip    string  `required:"" enum:"stm32f407,esp32c3,k210" placeholder:"NAME" help:"Chip to simulate: ${enum}."`
	Crystal *uint64 `placeholder:"HZ" help:"Crystal at an STM32F407's oscillator pins; 0: none (default: 8000000)."`
	Seed    uint64  `default:"1" placeholder:"N" help:"Of all that is random on silicon (default: ${default})."`
}

// simulated is a chip that can be given a program without its boot loader.
type simulated interface {
	board.Chip
	LoadFlash(addr uint32, data []byte) error
	LoadRAM(addr uint32, data []byte) error
}

// silicon is what the commands must know of a chip.
type silicon struct {
	// make makes one; sent is called for each byte as a UART begins to send it.
	make  func(s *simChip, sent func(uart int, b byte)) simulated
	uarts map[string]uart
	usb   bool // it has a USB port of its own, too
	// console is the UART that programs speak on, loader the pins that the boot
	// loader listens on.
	console, loader string
	crystal         string   // its rate, where there is no choice
	boot            string   // the strap pin
	bootLow         bool     // it selects the boot loader when low
	pulls           []string // pins that every board pulls up
	circuit         string   // between modem lines and straps, usually
	rise            time.Duration
	ram             []flash.Region // where a program may be loaded as a debugger would
}

// uart is one of a chip's: its number, as the chip tells of it, and its usual pins, TX/RX.
type uart struct {
	number int
	pins   string
}

const crystal8MHz = 8_000_000 // what most STM32F4 boards have

var simChips = map[string]silicon{
	"stm32f407": {
		make: newF407,
		// The first pins that the datasheet gives each (DS8626 §4, alternate functions).
		uarts: map[string]uart{
			"usart1": {1, "PA9/PA10"}, "usart2": {2, "PA2/PA3"}, "usart3": {3, "PB10/PB11"},
			"uart4": {4, "PA0/PA1"}, "uart5": {5, "PC12/PD2"}, "usart6": {6, "PC6/PC7"},
		},
		console: "usart2", loader: "PB10/PB11", boot: "BOOT0", circuit: "direct",
		ram: []flash.Region{{Name: "SRAM", Span: flash.Span{Addr: 0x2000_0000, Size: 128 << 10}}},
	},
	"esp32c3": {
		make: newC3,
		// UART1 has no pins of its own.
		uarts:   map[string]uart{"uart0": {0, "GPIO21/GPIO20"}, "uart1": {1, "GPIO0/GPIO1"}},
		usb:     true,
		crystal: "40 MHz",
		console: "uart0", loader: "GPIO21/GPIO20", boot: "GPIO9", bootLow: true, pulls: []string{"GPIO8"},
		// pyserial's client of RFC 2217 takes 50 ms for each modem line: EN must still
		// be low when the second one has changed, and have risen before both have
		// changed again.
		circuit: "esp32", rise: 75 * time.Millisecond,
	},
	"k210": {
		make: newK210,
		// UART1 to UART3 have no pins of their own; those here are what programs that kflash
		// comes with give them.
		uarts:   map[string]uart{"uarths": {0, "IO5/IO4"}, "uart1": {1, "IO7/IO6"}, "uart2": {2, "IO10/IO11"}, "uart3": {3, "IO5/IO4"}},
		crystal: "26 MHz",
		console: "uarths", loader: "IO5/IO4", boot: "IO16", bootLow: true, circuit: "k210",
	},
}

func newF407(s *simChip, sent func(int, byte)) simulated {
	crystal := uint64(crystal8MHz)
	if s.Crystal != nil {
		crystal = *s.Crystal
	}
	id := sha256.Sum256(fmt.Appendf(nil, "served board %d", s.Seed))
	return stm32f407.New(stm32f407.Options{UID: [12]byte(id[:]), HSEHz: crystal, NoHSE: crystal == 0, Seed: s.Seed, Sent: sent})
}

func newC3(s *simChip, sent func(int, byte)) simulated {
	id := sha256.Sum256(fmt.Appendf(nil, "served board %d", s.Seed))
	mac := [6]byte(id[:])
	mac[0] = 0x02 // a locally administered address
	return esp32c3.New(esp32c3.Options{MAC: mac, Seed: s.Seed, Sent: sent})
}

func newK210(s *simChip, sent func(int, byte)) simulated {
	id := sha256.Sum256(fmt.Appendf(nil, "served board %d", s.Seed))
	return k210.New(k210.Options{FlashID: [8]byte(id[:]), Seed: s.Seed, Sent: sent})
}

// silicon is the chip that was asked for.
func (s *simChip) silicon() (silicon, error) {
	k := simChips[s.Chip]
	if s.Crystal != nil && k.crystal != "" {
		return k, fmt.Errorf("--crystal: the %s has a crystal of %s always", s.Chip, k.crystal)
	}
	return k, nil
}

// pins are those of a UART.
func (k silicon) pins(uart string) (string, error) {
	if u, ok := k.uarts[uart]; ok {
		return u.pins, nil
	}
	names := slices.Sorted(maps.Keys(k.uarts))
	if k.usb {
		names = append(names, "usb")
	}
	return "", fmt.Errorf("--uart %s: the chip has %s", uart, strings.Join(names, ", "))
}

// put wires a chip as boards do, and what else is on this one.
func (k silicon) put(chip board.Chip, w board.Wiring) (*board.Board, error) {
	w.Boot, w.BootLow = k.boot, k.bootLow
	b, err := board.New(chip, w)
	if err != nil {
		return nil, err
	}
	for _, name := range k.pulls {
		pin, err := chip.PinByName(name)
		if err != nil {
			return nil, err
		}
		b.Drive(pin, board.Drive{Kind: board.PullUp})
	}
	return b, nil
}

// splitPins takes TX/RX apart.
func splitPins(pins, example string) (tx, rx string, err error) {
	tx, rx, ok := strings.Cut(pins, "/")
	if !ok {
		return "", "", fmt.Errorf("pins %q: want TX/RX, such as %s", pins, example)
	}
	return tx, rx, nil
}
