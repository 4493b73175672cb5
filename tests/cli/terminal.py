"""A program at a terminal of its own, for tests of what people type and see."""
import os
import pty
import re
import select
import sys
import termios
import threading
import time


class Terminal:
    """What the program printed so far is in `seen`, without what terminals do with it."""
    def __init__(self, *command, **environment):
        self.seen, self.raw, self.mark = "", b"", 0
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(environment)
            os.execv(command[0], command)

    def read(self, seconds=60):
        if not select.select([self.fd], [], [], seconds)[0]:
            sys.exit(f"nothing came; so far: {self.seen[-400:]!r}")
        try:
            got = os.read(self.fd, 65536)
        except OSError:  # how a terminal's end looks on Linux
            got = b""
        self.raw += got
        self.seen = re.sub(r"\x1b\[[?0-9;]*[A-Za-z]", "", self.raw.decode(errors="replace")).replace("\r", "")
        return bool(got)

    def expect(self, pattern):
        while not (found := re.compile(pattern).search(self.seen, self.mark)):
            if not self.read():
                sys.exit(f"no {pattern} in: {self.seen[self.mark:][-400:]!r}")
        self.mark = found.end()
        return found

    def type(self, text):
        """As somebody who does not look types it: the program reads while this goes on."""
        todo = text if isinstance(text, bytes) else text.encode()
        while todo:
            readable, writable, _ = select.select([self.fd], [self.fd], [], 60)
            if readable:
                self.read()
            if writable:
                todo = todo[os.write(self.fd, todo[:512]):]

    def paste(self, text):
        """As terminals do it: between two marks, with a carriage return for every line's end."""
        self.type("\x1b[200~" + text.replace("\n", "\r") + "\x1b[201~")

    def stops_echoing(self):
        """The prompt stands there a moment before the terminal is the editor's."""
        for _ in range(600):
            if not self.echoes():
                return
            time.sleep(0.1)
        sys.exit("what is typed is echoed by the terminal, into answers too")

    def echoes(self):
        return bool(termios.tcgetattr(self.fd)[3] & termios.ECHO)

    def end(self):
        while self.read():
            pass
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
