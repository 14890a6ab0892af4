package measure

import (
	"fmt"
	"slices"
)

// Quantity is something that can be measured. Its name is the same in
// samples, limits, benchmark lines and, with underscores, in metrics.
type Quantity struct {
	Name   string
	Help   string // one sentence without a full stop: from which event to which
	Better Better
}

// Better says which of two different values of a quantity is the better one.
type Better string

// The ways.
const (
	Lower      Better = "lower"
	Higher     Better = "higher"
	NearerZero Better = "nearer zero" // deviations, which have a sign
	Neither    Better = "neither"     // no way: the value describes, or has its best somewhere else
)

// Names of the quantities.
const (
	MarkingOverhead      = "marking-overhead"
	GoroutineSwitch      = "goroutine-switch"
	ChannelHandover      = "channel-handover"
	GoroutineLaunch      = "goroutine-launch"
	InterruptToHandler   = "interrupt-to-handler"
	InterruptToGoroutine = "interrupt-to-goroutine"
	InterruptToPoller    = "interrupt-to-poller"
	PinToHandler         = "pin-to-handler"
	PinToGoroutine       = "pin-to-goroutine"
	PinEcho              = "pin-echo"
	UARTEcho             = "uart-echo"
	ResetToHello         = "reset-to-hello"
	FlashErase           = "flash-erase"
	FlashWrite           = "flash-write"
	FlashVerify          = "flash-verify"
	FlashRate            = "flash-rate"
	FlashWriteShare      = "flash-write-share"
	FlashKept            = "flash-kept"
	FlashAfterCut        = "flash-after-cut"
	FlashUnprotect       = "flash-unprotect"
	FlashRecovery        = "flash-recovery"
	PWMSettingError      = "pwm-setting-error"
	PWMFrequencyError    = "pwm-frequency-error"
	PWMDutyError         = "pwm-duty-error"
	PWMJitter            = "pwm-jitter"
	ADCLinearity         = "adc-linearity"
	ADCOffset            = "adc-offset"
	ADCGain              = "adc-gain"
	ADCNoise             = "adc-noise"
	ADCInjectedNoise     = "adc-injected-noise"
	ADCSamplingInstant   = "adc-sampling-instant"
	ADCSamplingJitter    = "adc-sampling-jitter"
	ADCStepResponse      = "adc-step-response"
)

// Names of what the program hub does, see quantities_hub.go for those that come
// in variants.
const (
	Cores            = "cores"
	I2CAgreement     = "i2c-agreement"
	TemperatureError = "temperature-error"
	PressureError    = "pressure-error"
	HumidityError    = "humidity-error"
)

// Releases of a goroutine at a steady rate, which have a quantity for each rate
// and for each thing that runs beside: see [Release].
const (
	ReleaseLateness = "release-lateness"
	ReleaseWake     = "release-wake"
	ReleaseJitter   = "release-jitter"
)

// Rates and scenarios of releases.
var (
	ReleaseRates     = []int{1000, 10000}
	ReleaseScenarios = []string{"idle", "alloc", "uart", "compete"}
)

// Release names a quantity of releases at a rate in Hz in a scenario.
func Release(what string, hz int, scenario string) string {
	return fmt.Sprintf("%s-%dkhz-%s", what, hz/1000, scenario)
}

// Quantities lists every quantity once.
var Quantities = slices.Concat(releases(), hubs(), audio(), updates(), []Quantity{
	{MarkingOverhead, "Cost of the two marks with nothing in between", Lower},
	{GoroutineSwitch, "Call of runtime.Gosched to the other goroutine's return from it", Lower},
	{ChannelHandover, "Send on an unbuffered channel to the waiting receiver's next action", Lower},
	{GoroutineLaunch, "Go statement to the new goroutine's first action", Lower},
	{InterruptToHandler, "Interrupt raised by software to the handler's first action", Lower},
	{InterruptToGoroutine, "Interrupt raised by software to the goroutine woken by the handler", Lower},
	{InterruptToPoller, "Interrupt raised by software to the goroutine polling the handler's flag", Lower},
	{PinToHandler, "Edge on a pin to the handler's first action", Lower},
	{PinToGoroutine, "Edge on a pin, core asleep, to the goroutine woken by the handler", Lower},
	{PinEcho, "Edge on an input pin to the same edge on the output pin", Lower},
	{UARTEcho, "Stop bit of a byte received to the start bit of its echo", Lower},
	{ResetToHello, "Release of reset to the end of the firmware's greeting", Lower},
	{FlashErase, "Erasing flash through the boot loader", Higher},
	{FlashWrite, "Writing flash through the boot loader", Higher},
	{FlashVerify, "Verifying flash through the boot loader, by reading it back or by a digest that the loader makes", Higher},
	{FlashRate, "Rate of writing flash at the baud rate that the experiment names", Higher},
	{FlashKept, "What still reads back of an image after another was refused", Higher},
	{FlashAfterCut, "What still reads back of an image after its flashing was cut off", Neither},
	{FlashWriteShare, "Rate of writing flash as a share of what the boot loader's protocol allows at that baud rate", Higher},
	{FlashUnprotect, "Lifting the read protection, which erases the flash", Lower},
	{FlashRecovery, "Power back after a cut while flashing to the image written and verified", Lower},
	{PWMSettingError, "Frequency that the timer was set to, less what was asked for", NearerZero},
	{PWMFrequencyError, "Frequency of pulses, less what clock tree and timer's setting should give", NearerZero},
	{PWMDutyError, "Width of pulses as a part of their period, less what the timer was set to", NearerZero},
	{PWMJitter, "Deviation of each period of pulses from their mean", NearerZero},
	{ADCLinearity, "Deviation of each conversion of a ramp from the straight line through all", NearerZero},
	{ADCOffset, "Conversion of 0 V, by the straight line through a ramp", NearerZero},
	{ADCGain, "Slope of the straight line through a ramp, less 1", NearerZero},
	{ADCNoise, "Noise of the conversions of a constant voltage, root mean square", Lower},
	{ADCInjectedNoise, "Noise of the conversions of a voltage with 5 mV of noise, root mean square", Neither},
	{ADCSamplingInstant, "Trigger's edge to the moment whose voltage was converted", NearerZero},
	{ADCSamplingJitter, "Deviation of each sampling instant from their median", NearerZero},
	{ADCStepResponse, "Step of the input to the first trigger whose conversion shows the new voltage", Lower},
})

func releases() []Quantity {
	beside := map[string]string{
		"idle": "with nothing beside", "alloc": "beside a goroutine that allocates and collects",
		"uart": "beside a goroutine that echoes the console", "compete": "beside a goroutine that computes 50 us at a time",
	}
	var all []Quantity
	for _, hz := range ReleaseRates {
		for _, s := range ReleaseScenarios {
			at := fmt.Sprintf(", at %d Hz %s", hz, beside[s])
			all = append(all,
				Quantity{Release(ReleaseLateness, hz, s), "Timer's release of a goroutine to its first action" + at, Lower},
				Quantity{Release(ReleaseWake, hz, s), "Timer's interrupt handler to the first action of the goroutine it wakes" + at, Lower},
				Quantity{Release(ReleaseJitter, hz, s), "Deviation of the time between two releases' first actions from the timer's period" + at, NearerZero})
		}
	}
	return all
}

// Describe finds a quantity by its name.
func Describe(name string) (Quantity, bool) {
	for _, q := range Quantities {
		if q.Name == name {
			return q, true
		}
	}
	return Quantity{}, false
}
