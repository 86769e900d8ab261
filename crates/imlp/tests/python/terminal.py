"""Runs a program in a terminal of 80×24, and prints what it shows in the end as JSON.

terminal.py FOLDER KEY_AFTER COMMAND...: where KEY_AFTER is not 0, Ctrl-C is pressed once that
many bytes of bars (━) were drawn.
"""

import json
import os
import pty
import select
import struct
import sys
import termios
import fcntl
import time

import pyte

folder, key_after, command = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
child, terminal = pty.fork()
if child == 0:
    os.chdir(folder)
    os.environ.update(TERM="xterm-256color", LANG="C.UTF-8", LC_ALL="C.UTF-8")
    # The size is set below.
    time.sleep(0.2)
    os.execv(command[0], command)

fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
screen = pyte.HistoryScreen(80, 24, history=1000)
stream = pyte.ByteStream(screen)
drawn, pressed = 0, False
while True:
    ready, _, _ = select.select([terminal], [], [], 60)
    try:
        data = os.read(terminal, 65536) if ready else b""
    except OSError:
        data = b""
    if not data:
        break
    # A terminal ignores this character; pyte prints it.
    stream.feed(data.replace(b"\x03", b""))
    drawn += data.count("━".encode())
    if key_after and not pressed and drawn >= key_after:
        os.write(terminal, b"\x03")
        pressed = True
_, status = os.waitpid(child, 0)

history = ["".join(line[x].data for x in range(80)).rstrip() for line in screen.history.top]
lines = history + [line.rstrip() for line in screen.display]
while lines and not lines[-1]:
    lines.pop()
print(json.dumps({"lines": lines, "code": os.waitstatus_to_exitcode(status)}))
