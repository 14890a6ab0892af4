package measure

// Quantities of I2C's clock, each for the bus as TinyGo sets it for 400 kHz and as it
// is at 400 kHz: see [Under].
const (
	SCLFrequency = "scl-frequency"
	SCLDuty      = "scl-duty"
	SCLLow       = "scl-low"
	SCLHigh      = "scl-high"

	SCLTinyGo = "tinygo"
	SCLExact  = "exact"
)

// Quantities of readings and a fault of the bus, see [Under].
const (
	ReadingRecovery = "reading-recovery"
	ReadingFalse    = "reading-false"
)

// BusFaults are those that readings recover from.
var BusFaults = []string{"nack", "nack-data", "absent", "stretch", "stretch-long", "sda-lost", "sda-stuck", "wrong-id", "bit-errors"}

// Quantities of a wireless station.
const (
	Joining      = "wifi-join"
	RefusalKey   = "wifi-refusal-key"
	RefusalSSID  = "wifi-refusal-ssid"
	ReturnTold   = "wifi-return-told"
	ReturnSilent = "wifi-return-silent"
)

// Quantities of published readings, by what the network does: see [Under].
const (
	PublishShare = "publish-share"
	PublishDelay = "publish-delay"

	NetworkClear = "clear"
	NetworkLossy = "lossy"
	NetworkSlow  = "slow"
)

// Quantities of what runs beside a network, by what that does: see [Under].
const (
	LEDJitter     = "led-jitter"
	ReadingJitter = "reading-jitter"
	ReadingTime   = "reading-time"
	LoadTaken     = "network-load-taken" // of a busy one alone

	NetworkOff     = "off"
	NetworkIdle    = "idle"
	NetworkBusy    = "busy"
	NetworkFailing = "failing"
)

// Under names a quantity by what was the case meanwhile: a setting, a fault, a network.
func Under(what, condition string) string { return what + "-" + condition }

// hubs are the quantities of the program hub.
func hubs() []Quantity {
	all := []Quantity{
		{Cores, "Different cores that goroutines ran on", Neither},
		{I2CAgreement, "Transactions that a probe decoded as the bus target took part in them", Higher},
		{TemperatureError, "Temperature that the program reads, less the air's", NearerZero},
		{PressureError, "Pressure that the program reads, less the air's", NearerZero},
		{HumidityError, "Relative humidity that the program reads, less the air's, as a part of saturation", NearerZero},
		{LoadTaken, "Datagrams of a network that is full of them that the program took, as a share of those sent", Higher},
		{Joining, "Begin of joining a network to an address in it", Lower},
		{RefusalKey, "Begin of joining a network with a wrong key to the program's giving up", Lower},
		{RefusalSSID, "Begin of joining a network that is not there to the program's giving up", Lower},
		{ReturnTold, "Network back on the air to the first reading from it, if its end was told", Lower},
		{ReturnSilent, "Network back on the air to the first reading from it, if it ended in silence", Lower},
	}
	for setting, with := range inOrder(SCLTinyGo, "as TinyGo sets it for 400 kHz", SCLExact, "set to 400 kHz") {
		all = append(all,
			Quantity{Under(SCLFrequency, setting), "Frequency of SCL within bytes, " + with, Neither},
			Quantity{Under(SCLDuty, setting), "Part of SCL's period for which it is high, " + with, Neither},
			Quantity{Under(SCLLow, setting), "Low time of SCL within bytes, " + with, Neither},
			Quantity{Under(SCLHigh, setting), "High time of SCL within bytes, " + with, Neither})
	}
	for _, f := range BusFaults {
		all = append(all,
			Quantity{Under(ReadingRecovery, f), "End of the bus fault " + f + " to the end of the first reading that is right again", Lower},
			Quantity{Under(ReadingFalse, f), "Readings spoiled by the bus fault " + f + " that pass for right", Lower})
	}
	for network, with := range inOrder(NetworkClear, "with nothing wrong", NetworkLossy, "a tenth of the frames lost", NetworkSlow, "frames 50 to 80 ms late") {
		all = append(all,
			Quantity{Under(PublishShare, network), "Readings of the program that came to the host, " + with, Higher},
			Quantity{Under(PublishDelay, network), "End of a reading to its arrival at the host, " + with, Lower})
	}
	for network, with := range inOrder(NetworkOff, "without a network", NetworkIdle, "beside an idle network",
		NetworkBusy, "beside a network full of datagrams for the program", NetworkFailing, "beside a network that fails and returns") {
		all = append(all,
			Quantity{Under(LEDJitter, network), "Deviation of the time between two changes of the LED from 5 ms, " + with, NearerZero},
			Quantity{Under(ReadingJitter, network), "Deviation of the time between the begins of two readings from 20 ms, " + with, NearerZero},
			Quantity{Under(ReadingTime, network), "Begin of a reading to its end, " + with, Lower})
	}
	return all
}

// inOrder gives pairs.
func inOrder(pairs ...string) func(yield func(name, text string) bool) {
	return func(yield func(name, text string) bool) {
		for i := 0; i < len(pairs) && yield(pairs[i], pairs[i+1]); i += 2 {
		}
	}
}
