package measure

// Quantity is something that can be measured. Its name is the same in
// samples, limits, benchmark lines and, with underscores, in metrics.
type Quantity struct {
	Name string
	Help string // one sentence without a full stop: from which event to which
}

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
	FlashRead            = "flash-read"
)

// Quantities lists every quantity once.
var Quantities = []Quantity{
	{MarkingOverhead, "Cost of the two marks with nothing in between"},
	{GoroutineSwitch, "Call of runtime.Gosched to the other goroutine's return from it"},
	{ChannelHandover, "Send on an unbuffered channel to the waiting receiver's next action"},
	{GoroutineLaunch, "Go statement to the new goroutine's first action"},
	{InterruptToHandler, "Interrupt raised by software to the handler's first action"},
	{InterruptToGoroutine, "Interrupt raised by software to the goroutine woken by the handler"},
	{InterruptToPoller, "Interrupt raised by software to the goroutine polling the handler's flag"},
	{PinToHandler, "Edge on a pin to the handler's first action"},
	{PinToGoroutine, "Edge on a pin, core asleep, to the goroutine woken by the handler"},
	{PinEcho, "Edge on an input pin to the same edge on the output pin"},
	{UARTEcho, "Stop bit of a byte received to the start bit of its echo"},
	{ResetToHello, "Release of reset to the end of the firmware's greeting"},
	{FlashErase, "Erasing flash through the boot loader"},
	{FlashWrite, "Writing flash through the boot loader"},
	{FlashRead, "Reading flash back through the boot loader"},
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
