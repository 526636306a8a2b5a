"""`costbot run` as a process: what it forks, and its end when that is gone."""

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.processes import kill

PATIENCE = 120.0
TITLES = {"costbot bot", "costbot worker notices", "costbot worker sync", "costbot scheduler"}
SET = {
    "COSTBOT_CHANNEL": "#cost-codes",
    "COSTBOT_HTTP_PORT": "0",
    "SLACK_BOT_TOKEN": "xoxb-of-slack",
    "SLACK_SIGNING_SECRET": "of-slack",
    "SLACK_API_URL": "http://127.0.0.1:9/api/",
    # Python 3.12 and newer then tell of a fork while there are threads
    "PYTHONWARNINGS": "always::DeprecationWarning:multiprocessing.popen_fork",
}


def title_of(process: psutil.Process) -> str:
    return " ".join(process.cmdline()).strip()


def kept_by(parent: psutil.Process) -> dict[str, psutil.Process]:
    """The children of its children, by their titles; Redis and its shell have none of costbot's."""
    found = {title_of(kept): kept for child in parent.children() for kept in child.children()}
    return {title: process for title, process in found.items() if title.startswith("costbot ")}


@pytest.mark.timeout(300)
def test_run_is_seen_as_its_processes_and_ends_when_the_one_that_keeps_them_is_killed(tmp_path: Path) -> None:
    running = subprocess.Popen(
        [str(Path(sys.executable).with_name("costbot")), "run"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], **SET},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    parent = psutil.Process(running.pid)
    try:
        deadline = time.monotonic() + PATIENCE
        while (kept := kept_by(parent)).keys() != TITLES:
            assert time.monotonic() < deadline, kept
            time.sleep(0.05)

        keeper = kept["costbot bot"].parent()
        assert keeper
        keeper.kill()
        _, errors = running.communicate(timeout=PATIENCE)
    finally:
        kill(parent)
        running.communicate()

    assert running.returncode == 1
    # not always the last line: the children end by themselves, and log so
    assert any(line.endswith("start costbot again.") for line in errors.splitlines())
    assert "multi-threaded" not in errors
    _, alive = psutil.wait_procs(kept.values(), timeout=PATIENCE)
    assert alive == []
