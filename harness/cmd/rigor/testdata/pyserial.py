# pyserial as the client of a served board: reset into the boot loader by modem
# lines, then Get ID and Read Memory of the unique id (AN3155), at 8E1.
import sys
import time

import serial

port = serial.serial_for_url("rfc2217://" + sys.argv[1], do_not_open=True)
port.baudrate, port.parity, port.timeout = 115200, serial.PARITY_EVEN, 10
port.dtr, port.rts = False, False
port.open()
port.rts, port.dtr = True, True
time.sleep(0.1)
port.dtr = False
time.sleep(0.2)
port.reset_input_buffer()
for send, count in (
    ("7f", 1),
    ("02fd", 5),
    ("11ee", 1),
    ("1fff7a108a", 1),
    ("0bf4", 13),
):
    port.write(bytes.fromhex(send))
    print(port.read(count).hex())
port.close()
