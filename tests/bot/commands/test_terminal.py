"""Tables and progress for people at a terminal, and quiet for everybody else."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import BaseModel

from bot.commands.terminal import json_of
from tests.bot.commands.conftest import Shell
from workflow import masking

SLOW = """
import time
from bot.commands import terminal
terminal._QUIET_SECONDS = {quiet}
with terminal.progress("Counting sheep") as tell:
    for sheep in range(4):
        tell("Counting sheep", sheep, 4)
        time.sleep({pause})
"""


class _Facts(BaseModel):
    number: int
    said: str


def test_a_secret_of_digits_is_masked_in_texts_and_no_number_is_taken_apart() -> None:
    masking.hide(["20261126"])
    try:
        told = json.loads(json_of(_Facts(number=2026112600, said="with 20261126")))
    finally:
        masking.hide_nothing()
    assert told == {"number": 2026112600, "said": "with ***"}


def test_what_looks_like_a_token_is_masked_though_nobody_said_that_it_is_one() -> None:
    told = json.loads(json_of(_Facts(number=1, said="with xoxe.xoxb-1-abcdef")))
    assert told["said"] == "with xoxe.xoxb-***"


def at_a_terminal(command: list[str], folder: Path) -> str:
    """What a command shows on a terminal of its own, standard output and error together."""
    here, there = pty.openpty()
    environment = {**os.environ, "COLUMNS": "200", "TERM": "xterm"}
    running = subprocess.Popen(command, stdin=there, stdout=there, stderr=there, cwd=folder, env=environment)
    os.close(there)
    shown = b""
    while True:
        try:
            some = os.read(here, 65536)
        except OSError:  # Linux says so when the other end is closed
            break
        if not some:
            break
        shown += some
    os.close(here)
    assert running.wait() == 0
    return shown.decode()


def test_a_list_is_a_table_on_a_terminal(company: Shell) -> None:
    company.request("24-017")

    shown = at_a_terminal([sys.executable, "-m", "bot.cli", "ready"], company.folder)

    assert "\t" not in shown
    assert "Riverside Medical Center" in shown
    assert "───" in shown


@pytest.mark.parametrize(("quiet", "seen"), [(0.4, True), (60, False)])
def test_progress_shows_only_what_lasts_longer_than_it_is_quiet(
    tmp_path: Path, quiet: float, seen: bool
) -> None:
    shown = at_a_terminal([sys.executable, "-c", SLOW.format(pause=0.3, quiet=quiet)], tmp_path)

    assert ("Counting sheep" in shown) is seen


def test_progress_is_silent_where_there_is_no_terminal(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", SLOW.format(pause=0.1, quiet=0.0)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=True,
    )

    assert ran.stdout + ran.stderr == ""
