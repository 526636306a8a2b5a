"""Run a server until standard input closes, as it does when its owner dies: keeper.py FOLDER UID COMMAND...

Removes FOLDER at the end, unless the owner says `keep`. A program of its own, so that no end of a session,
`kill -9` included, leaves a server behind; on the standard library alone, so that it starts in no time.
"""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path


def _main(folder: Path, uid: int, command: list[str]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the tests, which then close the pipe
    other = {"user": uid, "extra_groups": []} if uid != os.geteuid() else {}
    with (folder / "log").open("ab") as log:
        server = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            **other,  # type: ignore[call-overload]
        )
    (folder / "pid").write_text(str(server.pid))
    word = sys.stdin.readline()
    server.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown, and Valkey's ordinary one
    server.wait()
    if word.strip() != "keep":
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    _main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
