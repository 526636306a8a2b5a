"""A tree of real processes: restarted when they die, stopped in order, and never orphaned.

Each family is a script's: it forks what the script is, which must not be pytest with its threads.
"""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from bot.processes import restart_delay

_DEADLINE = 90.0
_HOW_IT_RUNS = """
import sys
from contextlib import closing
from bot import logs
from bot.processes import Child, Family, stopping_on_signals
logs.configure("info")
with stopping_on_signals() as pause, closing(Family(main, clock=clock)) as family:
    for words in sys.argv[1:]:
        family.start(Child(words, tuple(words.split())))
    family.keep_running(pause)
print("stopped")
"""
_NORMAL = "from time import monotonic as clock\n"
_FAST = "from itertools import count\nclock = count().__next__\n"
"""A clock by which a second passes with each look, so that waits between restarts are short.

Nobody who takes long to die on a busy machine has lived for a minute by it.
"""
_SLEEPS = """
import os, pathlib, signal, sys, time

def main():
    pathlib.Path(f"{sys.argv[1]}.pid").write_text(str(os.getpid()))
    time.sleep(300)
"""
_POLITE = """
import pathlib, signal, sys, time

def main():
    said = pathlib.Path("said")
    def stop(*_):
        time.sleep(0.5)
        said.write_text("stopped in order")
        sys.exit()
    signal.signal(signal.SIGTERM, stop)
    said.write_text("up")
    time.sleep(300)
"""


@contextmanager
def family(folder: Path, script: str, *children: str) -> Iterator[subprocess.Popen[str]]:
    """A process that keeps children running, each of which calls the script's `main`."""
    running = subprocess.Popen(
        [sys.executable, "-c", script + _HOW_IT_RUNS, *children],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield running
    finally:
        running.kill()
        running.communicate()


def wait_for(what: Callable[[], object]) -> None:
    deadline = time.monotonic() + _DEADLINE
    while not what():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def text_of(file: Path) -> str:
    return file.read_text() if file.exists() else ""


def pid_of(folder: Path, child: str) -> int:
    file = folder / f"{child}.pid"
    wait_for(lambda: text_of(file))
    return int(file.read_text())


def ended(running: subprocess.Popen[str], by: signal.Signals = signal.SIGTERM) -> list[dict[str, Any]]:
    """Ask a family to end; what it has logged until it had."""
    running.send_signal(by)
    out, errors = running.communicate(timeout=_DEADLINE)
    assert (out, running.returncode) == ("stopped\n", 0), errors
    return [json.loads(line) for line in errors.splitlines()]


def test_a_child_that_dies_is_started_again_and_its_exit_code_is_told(tmp_path: Path) -> None:
    dies = "import sys\ndef main():\n    open('lives', 'a').write('x')\n    sys.exit(int(sys.argv[1]))\n"

    with family(tmp_path, _FAST + dies, "7") as running:
        wait_for(lambda: len(text_of(tmp_path / "lives")) >= 3)
        told = ended(running)

    assert {(line["event"], line["child"], line["exit_code"]) for line in told} == {
        ("a process ended", "7", 7)
    }
    assert [line["again_in"] for line in told[:3]] == [1, 2, 4][: len(told)]


def test_a_killed_child_is_started_again_and_the_others_live_on(tmp_path: Path) -> None:
    with family(tmp_path, _FAST + _SLEEPS, "one", "two") as running:
        killed, other = pid_of(tmp_path, "one"), pid_of(tmp_path, "two")
        os.kill(killed, signal.SIGKILL)
        wait_for(lambda: pid_of(tmp_path, "one") != killed)
        assert pid_of(tmp_path, "two") == other
        (told,) = ended(running)

    assert (told["child"], told["exit_code"]) == ("one", -signal.SIGKILL)


def test_a_child_that_dies_at_once_waits_ever_longer_but_never_more_than_half_a_minute() -> None:
    assert [restart_delay(deaths) for deaths in range(1, 8)] == [1, 2, 4, 8, 16, 30, 30]


@pytest.mark.parametrize("to_all", [False, True], ids=["to the parent", "to all of them"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_has_the_children_stopped_who_have_time_for_it(
    tmp_path: Path, number: signal.Signals, to_all: bool
) -> None:
    with family(tmp_path, _NORMAL + _POLITE, "polite") as running:
        wait_for(lambda: text_of(tmp_path / "said") == "up")
        if to_all:  # as systemd does
            keeper, child = psutil.Process(running.pid).children(recursive=True)
            for process in (keeper, child):
                process.send_signal(signal.SIGTERM)
        assert ended(running, number) == []

    assert text_of(tmp_path / "said") == "stopped in order"


def test_a_child_that_does_not_stop_is_killed(tmp_path: Path) -> None:
    deaf = textwrap.dedent("""
        import os, pathlib, signal, time
        from bot import processes
        processes._STOP_SECONDS = processes._STOP_AT_ONCE_SECONDS = 0.3

        def main():
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            pathlib.Path("deaf.pid").write_text(str(os.getpid()))
            time.sleep(300)
    """)
    with family(tmp_path, _NORMAL + deaf, "deaf") as running:
        child = pid_of(tmp_path, "deaf")
        ended(running)

    assert not psutil.pid_exists(child)


def test_a_child_that_takes_long_is_asked_once_more_and_leaves_nothing_running(tmp_path: Path) -> None:
    busy = textwrap.dedent("""
        import os, pathlib, signal, subprocess, sys, time
        from bot import processes
        processes._STOP_SECONDS = 1.0  # within which it hears the first signal, or two would be one

        def main():
            quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            work = subprocess.Popen(["sleep", "60"], start_new_session=True, **quiet)
            asked = []
            def stop(*_):
                asked.append(True)
                if len(asked) == 2:
                    work.kill()
                    work.wait()
                    sys.exit()
            signal.signal(signal.SIGTERM, stop)
            pathlib.Path("work.pid").write_text(str(work.pid))
            while True:
                time.sleep(300)
    """)
    with family(tmp_path, _NORMAL + busy, "busy") as running:
        work = psutil.Process(pid_of(tmp_path, "work"))
        ended(running)

    assert not work.is_running()


@pytest.mark.parametrize("killed", ["parent", "keeper"])
def test_nothing_is_left_of_a_family_when_one_that_it_needs_is_killed(tmp_path: Path, killed: str) -> None:
    with family(tmp_path, _NORMAL + _SLEEPS, "one", "two") as running:
        children = [psutil.Process(pid_of(tmp_path, name)) for name in ("one", "two")]
        parent = psutil.Process(running.pid)
        (keeper,) = parent.children()
        {"parent": parent, "keeper": keeper}[killed].kill()
        running.communicate(timeout=_DEADLINE)

    assert running.returncode == {"parent": -signal.SIGKILL, "keeper": 1}[killed]
    _, alive = psutil.wait_procs([keeper, *children], timeout=_DEADLINE)
    assert alive == []


def test_a_child_begins_as_a_process_of_its_own(tmp_path: Path) -> None:
    script = textwrap.dedent("""
        import atexit, json, os, pathlib, psutil, signal, socket, sys, threading

        def main():
            me = psutil.Process()
            held = [file for file in me.open_files() if file.fd > 2], me.net_connections("all")
            atexit.register(pathlib.Path("at exit").touch)
            facts = {
                "argv": sys.argv,
                "title": " ".join(me.cmdline()).split(),
                "leads its session": os.getsid(0) == os.getpid(),
                "input": sys.stdin.read(),
                "handles": [signal.getsignal(n) is h for n, h in USUAL.items()],
                "blocked": list(signal.pthread_sigmask(signal.SIG_BLOCK, ())),
                "threads": [thread.name for thread in threading.enumerate()],
                "held": [str(each) for each in held[0] + held[1]],
            }
            pathlib.Path("facts").write_text(json.dumps(facts))

        USUAL = {signal.SIGTERM: signal.SIG_DFL, signal.SIGINT: signal.default_int_handler}
        from bot import processes

        class Family(processes.Family):
            def start(self, child):
                # what a parent has by the time when children are started, or started again
                global port, file
                port = socket.create_server(("127.0.0.1", 0))
                file = open("of the parent", "w")
                threading.Thread(target=threading.Event().wait, daemon=True).start()
                super().start(child)
    """)
    script += _FAST + _HOW_IT_RUNS.replace("Child, Family, ", "Child, ")
    running = subprocess.Popen([sys.executable, "-W", "error", "-c", script, "worker notices"], cwd=tmp_path)
    try:
        wait_for((tmp_path / "at exit").exists)
    finally:
        running.terminate()
        assert running.wait(_DEADLINE) == 0

    assert json.loads(text_of(tmp_path / "facts")) == {
        "argv": ["costbot", "worker", "notices"],
        "title": ["costbot", "worker", "notices"],
        "leads its session": True,
        "input": "",
        "handles": [True, True],
        "blocked": [],
        "threads": ["MainThread", "parent-watch"],
        "held": [],
    }
