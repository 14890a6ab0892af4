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

// Commands of the program jitter. Param is the rate of releases in Hz; samples
// are the time when the goroutine ran, in counter ticks, which goes on where the
// counter stands still because the processor sleeps. They differ in what runs beside.
const (
	CommandJitterIdle    = "jitter-idle"    // nothing: the processor sleeps
	CommandJitterAlloc   = "jitter-alloc"   // a goroutine that allocates and collects
	CommandJitterUART    = "jitter-uart"    // a goroutine that echoes the console
	CommandJitterCompete = "jitter-compete" // a goroutine that computes 50 us at a time
)

// Commands that ask for more about the run of jitter before; Count must be that
// run's.
const (
	CommandReleaseWake  = "release-wake"  // counter ticks from the handler's mark to the goroutine's
	CommandReleaseCause = "release-cause" // what may have held up each release, Cause bits
)

// The causes that [CommandReleaseCause] tells of: what was under way when the
// release came, or came before it was served. MissedShift is where the number of
// missed releases begins.
const (
	CauseTick     = 1 << iota // the runtime's 100 Hz interrupt
	CauseReceive              // the console's interrupt
	CauseAllocate             // an allocation
	CauseCollect              // a garbage collection
	CauseWrite                // a write to the console, which waits for the line
	CauseCompete              // a computation that doesn't yield
	CauseMissed               // further releases came before this one was served

	MissedShift = 16
)

// CommandAnalog of the program analog: Count conversions of the analog input,
// Param a second, each at a rise of the timer pin. Samples are the converter's.
const CommandAnalog = "analog"

// Commands of the program pwm.
const (
	CommandPWMFrequency = "pwm-frequency" // Param is the frequency in Hz for the next pwm
	CommandPWMDuty      = "pwm-duty"      // Param is the width in millionths of the period
	// Pulses on the timer pin for Param milliseconds. Samples are the period and
	// the width as set, in ticks of the timer's clock.
	CommandPWM = "pwm"
)
