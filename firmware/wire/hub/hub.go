// Package hub is what the program hub and the harness know of each other beyond
// package wire: commands, the meaning of their samples, and the messages that
// the program publishes.
//
// The program reads a BME280 over I2C, blinks a LED by a goroutine of its own, and, where it
// has a radio and was told a network, publishes every reading to an MQTT broker, at least
// once: a reading that was not acknowledged is told again on the next connection.
package hub

// Commands of the sensor's bus. A command's Count must be the number of samples that it
// is said to give.
const (
	// Which addresses answer: 4 samples; address a is bit a%32 of sample a/32.
	CommandScan = "i2c-scan"
	// Param 0 leaves SCL as TinyGo sets it for 400 kHz, 1 has it at 400 kHz. 1 sample: Param.
	CommandSpeed = "i2c-speed"
	// Frees the bus and starts it anew: 4 samples, Lines before, pulses given on SCL,
	// Lines after, Fault.
	CommandFree = "i2c-free"
	// 2 samples: Fault, and the sensor's id register.
	CommandIdentify = "sensor-id"
	// Readings, one every Param milliseconds, each published. Words samples each: see
	// Reading.Words. Between them, all goes on that a program with a network has to do.
	// The start mark rises when one begins, the end mark when it has ended; both fall before
	// the next.
	CommandRead = "sensor-read"
	// What the sensor-read before left: when each reading began, and when the
	// LED changed first, second and so on. Counter ticks of a clock that doesn't stand still.
	CommandReadTimes = "read-times"
	CommandLEDTimes  = "led-times"
	// How often the LED changes: every Param microseconds. 1 sample: Param.
	CommandLED = "led"
	// As many goroutines as samples: the number of the core, mhartid, that each ran on.
	CommandHarts = "harts"
)

// Commands of the network. The network's name and key are told word by word, see Text.
const (
	CommandSSID = "wifi-ssid"
	CommandKey  = "wifi-key"
	// Where the broker is: Param is the IPv4 address, first byte highest; 0 for the
	// network's router. Port is the port, 1883 at first. 1 sample each: Param.
	CommandHost = "wifi-host"
	CommandPort = "wifi-port"
	// Joins, and waits at most Param milliseconds for an address. From then on a lost network is
	// joined again. 4 samples: State, reason (firmware/network), the address, milliseconds.
	CommandJoin = "wifi-join"
	// Ends that. 1 sample: 0.
	CommandLeave = "wifi-leave"
	// 8 samples: State, reason, address, times joined, times lost, readings that the
	// broker acknowledged, readings that there was no room to keep for it, datagrams
	// received at the discard port.
	CommandLink = "wifi-link"
)

// Topic is what readings are published to.
const Topic = "rigor/hub/reading"

// MaxReadings is the most readings of one command.
const MaxReadings = 250

// State is how the station stands: as in firmware/network, or NoRadio.
type State uint32

// The states.
const (
	Off State = iota
	Joining
	Joined
	Refused
	NoRadio State = 255
)

// Lines are the levels of the idle bus.
type Lines uint32

// SDA and SCL are high in Lines.
const (
	SDA Lines = 1 << iota
	SCL
)

// Fault is why there is no reading.
type Fault uint32

// The faults.
const (
	OK      Fault = iota
	NACK          // the sensor didn't answer
	Timeout       // a transfer didn't end
	SDALow        // something holds SDA low
	SCLLow        // something holds SCL low
	WrongID       // what answers is no BME280
	Invalid       // beyond what the sensor can measure
)

var faults = [...]string{"ok", "nack", "timeout", "sda-low", "scl-low", "wrong-id", "invalid"}

func (f Fault) String() string {
	if int(f) < len(faults) {
		return faults[f]
	}
	return "unknown"
}
