package wire

// CommandHello makes any program send its [Hello] again. It is answered by that
// alone, not by a [Status].
const CommandHello = "hello"

// Commands of the program latency: what each measures, from the event named
// first to the event named last. Samples are counter ticks between the two.
const (
	// Nothing: the cost of the measurement itself.
	CommandOverhead = "overhead"
	// One goroutine calls runtime.Gosched -> the other returns from it.
	CommandGosched = "gosched"
	// Send on an unbuffered channel, then block -> the waiting receiver runs.
	CommandChannel = "channel"
	// Go statement, then runtime.Gosched -> first instruction of the new goroutine.
	// Param 0 collects garbage before every sample, 1 lets it be collected
	// whenever the allocator wants to.
	CommandLaunch = "launch"
	// Interrupt raised by software -> first action of the handler.
	CommandHandler = "irq-handler"
	// Interrupt raised by software -> the goroutine that its handler woke
	// through a channel.
	CommandGoroutine = "irq-goroutine"
	// Interrupt raised by software -> a goroutine that polls a flag with
	// runtime.Gosched.
	CommandPoll = "irq-poll"
	// Edge on the stimulus pin -> first action of the handler. Samples are the
	// counter's value at that action, since only a probe sees the edge.
	CommandHandlerPin = "irq-handler-pin"
	// Edge on the stimulus pin, processor asleep -> the goroutine that the
	// handler woke through a channel. Samples as for CommandHandlerPin.
	CommandGoroutinePin = "irq-goroutine-pin"
)
