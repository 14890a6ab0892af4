// Package serialport is the port of a real board: a serial device of the host,
// or a pseudo terminal.
//
// It wraps go.bug.st/serial v1.8.0, which opens the device and knows how each
// system sets rates and parity. Around it, for a rig that runs for days:
//
//   - Bytes go through an os.File of our own. The library's Read panics if its
//     descriptor is above 1023 (it calls select), returns 0, nil at a time-out,
//     and may read from a stranger's descriptor when Close comes in between; its
//     Write may take a part, and may hang for ever.
//   - That file also holds a flock(2), which keeps out a second owner that is
//     root; the library's TIOCEXCL alone does not. Both end with the process, so
//     that no lock outlives a killed run.
//   - DTR and RTS change in one TIOCMSET; the library makes two calls of it, and
//     a reset circuit sees the state in between.
//   - HUPCL is off, so that closing the port does not drop the lines and reset
//     the board. On Linux nothing prevents the kernel from asserting both lines
//     when it opens a port: keep the port open.
//   - The library's descriptor is closed on exec, so that a child does not keep
//     the port busy after us.
//   - List reads sysfs. The library's list opens ports to see if they are there,
//     and so disturbs whoever uses them.
//
// Only Linux is served; elsewhere Open and List return errors.ErrUnsupported.
package serialport
