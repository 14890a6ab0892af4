# Runs kflash, whose file is the first argument, at ports that it does not open itself:
# URLs of pyserial, and pseudo terminals, which have no modem lines.
import errno
import runpy
import sys

import serial

Device = serial.Serial


def without_lines(update):
    def quiet(port):
        try:
            update(port)
        except OSError as e:
            if e.errno != errno.ENOTTY:
                raise

    return quiet


def open_port(port, **options):
    return serial.serial_for_url(port, **options) if "://" in port else Device(port, **options)


Device._update_dtr_state = without_lines(Device._update_dtr_state)
Device._update_rts_state = without_lines(Device._update_rts_state)
serial.Serial = open_port

sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
