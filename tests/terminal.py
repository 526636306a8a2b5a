"""A command as a person sees it who types it: on a terminal of 80 columns."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from collections.abc import Sequence

COLUMNS, LINES = 80, 40
_STYLES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


def typed(command: Sequence[str]) -> tuple[int, str]:
    """The exit code, and what stands on the terminal, colours and all."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR")}
    with subprocess.Popen(
        command, stdin=its, stdout=its, stderr=its, env=environment | {"TERM": "xterm-256color"}
    ) as process:
        os.close(its)
        shown = b"".join(iter(lambda: _read(ours), b""))
    os.close(ours)
    return process.returncode, shown.decode().replace("\r\n", "\n")


def plain(shown: str) -> str:
    """The text without its colours."""
    return _STYLES.sub("", shown)


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # as Linux says that nobody writes any more
        return b""
