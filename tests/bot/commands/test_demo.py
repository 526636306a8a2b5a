"""`costbot demo` as a newcomer starts it, beside a `.env` that is none of its business."""

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from bot.sandbox import sample_company
from bot.sandbox.client import Sandbox
from tests.bot.commands.conftest import Shell
from tests.ports import free_ports

PATIENCE = 90.0


@pytest.fixture
def port() -> int:
    [free] = free_ports(1)
    return free


@contextmanager
def demo(folder: Path, port: int, *options: str) -> Iterator[Sandbox]:
    """The demo, once its page can be opened; stopped by Ctrl-C, and gone with all its children."""
    command = [sys.executable, "-m", "bot.cli", "demo", "--port", str(port), *options]
    running = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True)
    assert running.stdout
    try:
        said = ""
        while f"Open http://127.0.0.1:{port} " not in said:
            line = running.stdout.readline()
            assert line, f"the demo ended: {said}"
            said += line
        sandbox = Sandbox(f"http://127.0.0.1:{port}")
        yield sandbox
        sandbox.close()
        family = psutil.Process(running.pid).children(recursive=True)
    finally:
        running.send_signal(signal.SIGINT)
        assert running.wait(PATIENCE) == 0
        running.stdout.close()
    assert len(family) >= 5
    _, alive = psutil.wait_procs(family, timeout=PATIENCE)
    assert alive == []


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_newcomer_sees_cards_within_moments_and_again_after_a_pause(
    bare_shell: Shell, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = bare_shell.folder
    monkeypatch.setenv("SLACK_BOT_TOKEN_FILE", str(folder / "none"))
    (folder / ".env").write_text(
        "COSTBOT_DATABASE_URL=postgresql://127.0.0.1:1/real\nCOSTBOT_SYNC_CRON=bad\n"
    )

    with demo(folder, port) as sandbox:
        dana = sandbox.as_person(sample_company.APPROVER)
        card = dana.wait_for_message("24-017 Riverside Medical Center", PATIENCE)
        assert "Update" in card.buttons
    assert sorted(path.name for path in folder.iterdir()) == [".demo", ".env"]

    with demo(folder, port, "--keep") as sandbox:
        dana = sandbox.as_person(sample_company.APPROVER)
        dana.wait_for_message("24-017 Riverside Medical Center", PATIENCE)
    monkeypatch.delenv("SLACK_BOT_TOKEN_FILE")
    (folder / ".env").write_text("COSTBOT_DATA_DIR=.demo\n")
    trail = bare_shell.done("audit", "export", "--format", "jsonl").out
    assert trail.count('"what":"people"') == 1


@pytest.mark.parametrize("command", ["demo", "sandbox"])
def test_a_port_that_is_taken_is_named_with_another(bare_shell: Shell, command: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        ran = bare_shell.run(command, "--port", str(port))

    assert ran.exit_code == 1
    assert f"Port {port} cannot be used" in ran.err
    assert f"`costbot {command} --port {port + 1}`" in ran.err
    assert list(bare_shell.folder.iterdir()) == []


def test_a_folder_that_is_not_the_demo_s_is_left_alone(bare_shell: Shell, port: int) -> None:
    mine = bare_shell.folder / ".demo" / "mine"
    mine.parent.mkdir()
    mine.touch()

    ran = bare_shell.run("demo", "--port", str(port))

    assert ran.exit_code == 1
    assert "is not the folder of a demo" in ran.err
    assert mine.exists()
