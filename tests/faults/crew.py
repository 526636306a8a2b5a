"""costbot's processes as a service manager runs them: each is started again at once when it dies.

Owns the processes; knows nothing of what they do. `costbot run` waits ever longer before it starts a child
again that dies often, and so could not be killed 200 times in a few minutes.
"""

import os
import subprocess
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import psutil

from tests.processes import costbot

_LOOK_SECONDS = 0.05
_STOP_SECONDS = 20.0


@dataclass
class Member:
    """One process: the words that it is known by, the program that it runs, and what is set for it alone.

    What it says goes through a pipe to its log, which grows though no file of its own may.
    """

    words: tuple[str, ...]
    program: tuple[str, ...]
    log: Path
    more: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    def says(self) -> int:
        """The end of a pipe that takes what one process says."""
        read, write = os.pipe()
        threading.Thread(target=self._keep, args=(read,), daemon=True).start()
        return write

    def _keep(self, pipe: int) -> None:
        with os.fdopen(pipe, "rb") as said, self.log.open("ab") as log:
            for line in said:
                log.write(line)
                log.flush()


class Crew:
    """Processes kept running from `start` to `stop`, by a thread of their own."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._folder = folder
        self._environment = environment
        self._logs = folder / "crew"
        self._logs.mkdir()
        self._members: list[Member] = []
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._watch = threading.Thread(target=self._keep, name="crew", daemon=True)

    def start(
        self, *words: str, program: tuple[str, ...] = (), more: Mapping[str, str] | None = None
    ) -> Member:
        """Have `costbot` with these words run, or a `program` in its place, with `more` settings."""
        with self._lock:
            log = self._logs / f"{len(self._members)}-{'-'.join(words)}.log"
            member = Member(words, program or costbot(*words), log, more or {})
            self._launch(member)
            self._members.append(member)
        if not self._watch.is_alive():
            self._watch.start()
        return member

    def run_instead(self, *words: str, program: tuple[str, ...]) -> None:
        """Have another program run in the place of `costbot` with these words."""
        with self._lock:
            for member in self._members:
                if member.words == words:
                    member.program = program
        for process in self.of(*words):
            with suppress(psutil.NoSuchProcess):
                process.terminate()

    def of(self, *words: str) -> list[psutil.Process]:
        """The processes that run as `costbot` with these words at the moment."""
        found = []
        for member in self._members:
            process = member.process
            if member.words[: len(words)] == words and process is not None and process.poll() is None:
                with suppress(psutil.NoSuchProcess):
                    found.append(psutil.Process(process.pid))
        return found

    def log_of_bot(self, process: psutil.Process) -> Path | None:
        """Where a process writes what it does, if it is a bot of these."""
        bots = [member for member in self._members if member.words[0] == "bot"]
        return next((bot.log for bot in bots if bot.process and bot.process.pid == process.pid), None)

    def mark(self) -> Mapping[Path, int]:
        """Where the logs end now, each of one member of the crew."""
        return {member.log: member.log.stat().st_size for member in self._members if member.log.exists()}

    def said_since(self, mark: Mapping[Path, int]) -> Mapping[str, list[str]]:
        """The lines that each member has logged since then, by its number and its words."""
        said = {}
        for member in self._members:
            if member.log.exists():
                with member.log.open("rb") as log:
                    log.seek(mark.get(member.log, 0))
                    said[member.log.stem] = log.read().decode(errors="replace").splitlines()
        return said

    def everybody(self) -> list[psutil.Process]:
        """All of them, and all that they have started."""
        family = []
        for process in self.of():
            with suppress(psutil.NoSuchProcess):
                family += [process, *process.children(recursive=True)]
        return family

    def errors(self) -> list[str]:
        """What the processes have logged as an error."""
        said = chain.from_iterable(self.said_since({}).values())
        return [line for line in said if '"level": "error"' in line]

    def stop(self) -> None:
        """Ask all to stop, and wait for it."""
        self._stopping.set()
        if self._watch.is_alive():
            self._watch.join()
        running = [member.process for member in self._members if member.process]
        for process in running:
            process.terminate()
        for process in running:
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdin:
                process.stdin.close()

    def _keep(self) -> None:
        while not self._stopping.wait(_LOOK_SECONDS):
            with self._lock:
                for member in self._members:
                    if member.process is None or member.process.poll() is not None:
                        self._launch(member)

    def _launch(self, member: Member) -> None:
        if member.process is not None and member.process.stdin:
            member.process.stdin.close()
        log = member.says()
        try:
            member.process = subprocess.Popen(
                member.program,
                cwd=self._folder,
                env={**self._environment, **member.more},
                stdin=subprocess.PIPE,  # which it ends with
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the suite, which then stops them in order
            )
        finally:
            os.close(log)
