//go:build tinygo && esp32c3 && espradio && ignore

// To build with it: go get tinygo.org/x/espradio, where a registry has it, and
// -tags "espradio ignore". The tag ignore keeps go mod tidy from looking for it elsewhere.

package network

import "tinygo.org/x/espradio"

// vendor is the part's own radio, through Espressif's closed driver as package
// espradio wraps it. That package is in none of the registries that this project
// builds from: this file was written from its published API and has never been
// compiled or run.
type vendor struct {
	dev    *espradio.NetDev
	mac    MAC
	status Status
	answer chan error // of the attempt under way
}

// Open starts the radio.
func Open() (Station, error) {
	if err := espradio.Enable(espradio.Config{}); err != nil {
		return nil, err
	}
	if err := espradio.Start(); err != nil {
		return nil, err
	}
	dev, err := espradio.StartNetDev()
	if err != nil {
		return nil, err
	}
	mac, err := dev.HardwareAddr6()
	return &vendor{dev: dev, mac: mac}, err
}

// Join lets a goroutine wait for the driver.
func (v *vendor) Join(ssid, key string) error {
	answer := make(chan error, 1)
	v.answer, v.status = answer, Status{State: Joining}
	go func() { answer <- espradio.Connect(espradio.STAConfig{SSID: ssid, Password: key}) }()
	return nil
}

// Leave only stops the use of the network: the package cannot disconnect.
func (v *vendor) Leave() { v.answer, v.status = nil, Status{} }

// Status does not notice the end of a network: the package does not tell.
func (v *vendor) Status() Status {
	select {
	case err := <-v.answer:
		v.answer = nil
		if v.status.State = Joined; err != nil {
			v.status = Status{Refused, NoAccessPoint}
		}
	default:
	}
	return v.status
}

func (v *vendor) Send(frame []byte) error {
	if v.Status().State != Joined {
		return ErrNotJoined
	}
	if v.dev.SendEthFrame(frame) != nil {
		return ErrFull
	}
	return nil
}

func (v *vendor) Receive(buf []byte) (n int, ok bool) {
	n, err := v.dev.EthPoll(buf)
	return n, err == nil && n > 0
}

func (v *vendor) MAC() MAC { return v.mac }
