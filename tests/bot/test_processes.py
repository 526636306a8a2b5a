"""A tree of real processes: restarted when they die, stopped in order, and never orphaned."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from bot.processes import Child, Family, restart_delay

_DEADLINE = 20.0


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


def wait_for(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _DEADLINE
    while not what():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


@pytest.fixture
def family() -> Iterator[Family]:
    """A family whose clock runs a hundred times as fast, so that waits between restarts are short."""
    stop = threading.Event()
    with Family(clock=lambda: time.monotonic() * 100) as family:
        watch = threading.Thread(target=family.keep_running, args=(stop.wait,))
        watch.start()
        yield family
        stop.set()
        watch.join()


def test_a_child_that_dies_is_started_again(family: Family, tmp_path: Path) -> None:
    lives = tmp_path / "lives"
    code = f"open({str(lives)!r}, 'a').write('x')"

    family.start(Child("short-lived", python(code)))

    wait_for(lambda: lives.exists() and len(lives.read_text()) >= 3)


def test_a_child_that_dies_at_once_waits_ever_longer_but_never_more_than_half_a_minute() -> None:
    assert [restart_delay(deaths) for deaths in range(1, 8)] == [1, 2, 4, 8, 16, 30, 30]


def test_children_are_asked_to_stop_and_have_time_for_it(tmp_path: Path) -> None:
    said = tmp_path / "said"
    code = f"""
import pathlib, signal, sys, time
said = pathlib.Path({str(said)!r})
def stop(*_):
    said.write_text("stopped in order")
    sys.exit()
signal.signal(signal.SIGTERM, stop)
said.write_text("up")
time.sleep(60)
"""
    with Family() as family:
        family.start(Child("polite", python(code)))
        wait_for(lambda: said.exists() and said.read_text() == "up")

    assert said.read_text() == "stopped in order"


def test_a_child_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    child = f"""
import os, time
from bot.processes import end_with_parent
end_with_parent()
open({str(pids)!r}, "a").write(f"{{os.getpid()}} ")
time.sleep(60)
"""
    parent = f"""
import sys, threading
from bot.processes import Child, Family
with Family() as family:
    for name in ("one", "two"):
        family.start(Child(name, (sys.executable, "-c", {child!r})))
    family.keep_running(threading.Event().wait)
"""
    running = subprocess.Popen(python(parent))
    try:
        wait_for(lambda: pids.exists() and len(pids.read_text().split()) == 2)
        children = [psutil.Process(int(pid)) for pid in pids.read_text().split()]
    finally:
        running.kill()
        running.wait()

    _, alive = psutil.wait_procs(children, timeout=_DEADLINE)
    assert alive == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_the_parent_stops_the_children(tmp_path: Path, number: signal.Signals) -> None:
    pid = tmp_path / "pid"
    child = f"import os, time; open({str(pid)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    parent = f"""
import sys
from bot.processes import Child, Family, stopping_on_signals
with stopping_on_signals() as stop, Family() as family:
    family.start(Child("sleeper", (sys.executable, "-c", {child!r})))
    family.keep_running(stop)
"""
    running = subprocess.Popen(python(parent))
    wait_for(lambda: pid.exists() and bool(pid.read_text()))

    running.send_signal(number)

    assert running.wait(_DEADLINE) == 0
    assert not psutil.pid_exists(int(pid.read_text()))
