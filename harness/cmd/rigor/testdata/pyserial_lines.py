# pyserial as the client of a served board with the reset circuit of an ESP32 board:
# esptool's sequence "classic" into the boot loader, modem inputs, and a break,
# which makes 00 FF, Get, of AN3155 wrong.
import sys
import time

import serial

port = serial.serial_for_url("rfc2217://" + sys.argv[1], do_not_open=True)
port.baudrate, port.parity, port.timeout = 115200, serial.PARITY_EVEN, 10
port.dtr, port.rts = False, False
port.open()
print(port.cts, port.dsr, port.ri, port.cd)
port.dtr = False
port.rts = True
time.sleep(0.1)
port.dtr = True
port.rts = False
time.sleep(0.05)
port.dtr = False
time.sleep(0.5)
port.reset_input_buffer()
port.reset_output_buffer()
port.write(b"\x7f")
print(port.read(1).hex())
port.break_condition = True
time.sleep(0.05)
port.break_condition = False
port.write(b"\xff")
print(port.read(1).hex())
port.close()
