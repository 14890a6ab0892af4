package network

// Registers are the words of the paravirtual MAC, at offsets in bytes from its
// beginning. On the board they are memory, on the host a simulation's block.
type Registers interface {
	Load(off uintptr) uint32
	Store(off uintptr, v uint32)
}

// Registers of the paravirtual MAC; the simulator's mac.go documents them.
const (
	regID      = 0x000
	regVersion = 0x004
	regCommand = 0x008
	regStatus  = 0x010
	regAddrLo  = 0x014
	regAddrHi  = 0x018
	regTXData  = 0x030
	regTXSend  = 0x034
	regTXRoom  = 0x038
	regRXLen   = 0x040
	regRXData  = 0x044
	regRXNext  = 0x048
	regSSID    = 0x100
	regSSIDLen = 0x120
	regKey     = 0x140
	regKeyLen  = 0x180

	paravirtualID      = 0x434D4752 // "RGMC"
	paravirtualVersion = 1

	commandJoin  = 1
	commandLeave = 2

	maxSSID = 32
	maxKey  = 63
)

// Paravirtual is the driver of the MAC that simulated chips have in place of a
// radio that is not documented. It polls.
type Paravirtual struct{ r Registers }

// NewParavirtual is ErrNoRadio where there is no such MAC.
func NewParavirtual(r Registers) (*Paravirtual, error) {
	if r.Load(regID) != paravirtualID || r.Load(regVersion) != paravirtualVersion {
		return nil, ErrNoRadio
	}
	return &Paravirtual{r}, nil
}

// Join begins to join; see Station.
func (p *Paravirtual) Join(ssid, key string) error {
	if len(ssid) == 0 || len(ssid) > maxSSID || len(key) > maxKey {
		return ErrTooLong
	}
	p.name(regSSID, regSSIDLen, ssid)
	p.name(regKey, regKeyLen, key)
	p.r.Store(regCommand, commandJoin)
	return nil
}

// name writes a string and its length.
func (p *Paravirtual) name(at, length uintptr, s string) {
	for i := 0; i < len(s); i += 4 {
		var w uint32
		for j := i; j < len(s) && j < i+4; j++ {
			w |= uint32(s[j]) << (8 * (j - i))
		}
		p.r.Store(at+uintptr(i), w)
	}
	p.r.Store(length, uint32(len(s)))
}

// Leave leaves the network.
func (p *Paravirtual) Leave() { p.r.Store(regCommand, commandLeave) }

// Status is how it stands.
func (p *Paravirtual) Status() Status {
	v := p.r.Load(regStatus)
	return Status{State(v & 3), Reason(v >> 8)}
}

// MAC is the address in eFuse.
func (p *Paravirtual) MAC() MAC {
	lo, hi := p.r.Load(regAddrLo), p.r.Load(regAddrHi)
	return MAC{byte(lo), byte(lo >> 8), byte(lo >> 16), byte(lo >> 24), byte(hi), byte(hi >> 8)}
}

// Send queues a frame.
func (p *Paravirtual) Send(frame []byte) error {
	switch {
	case len(frame) < headerSize || len(frame) > MaxFrame:
		return ErrTooLong
	case p.Status().State != Joined:
		return ErrNotJoined
	case p.r.Load(regTXRoom) == 0:
		return ErrFull
	}
	n := uint32(len(frame))
	for ; len(frame) >= 4; frame = frame[4:] {
		p.r.Store(regTXData, uint32(frame[0])|uint32(frame[1])<<8|uint32(frame[2])<<16|uint32(frame[3])<<24)
	}
	if len(frame) > 0 {
		var w uint32
		for i, b := range frame {
			w |= uint32(b) << (8 * i)
		}
		p.r.Store(regTXData, w)
	}
	p.r.Store(regTXSend, n)
	return nil
}

// Receive takes the next frame; what does not fit is cut off.
func (p *Paravirtual) Receive(buf []byte) (n int, ok bool) {
	n = int(p.r.Load(regRXLen))
	if n == 0 {
		return 0, false
	}
	n = min(n, len(buf))
	for i := 0; i < n; i += 4 {
		w := p.r.Load(regRXData)
		for j := i; j < n && j < i+4; j++ {
			buf[j] = byte(w)
			w >>= 8
		}
	}
	p.r.Store(regRXNext, 0)
	return n, true
}
