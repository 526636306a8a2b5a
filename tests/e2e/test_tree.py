"""Whoever waits for a company to start hears why it does not."""

from pathlib import Path

import pytest

from tests.e2e.tree import ProcessTree


def test_a_process_that_has_ended_is_not_waited_for(tmp_path: Path) -> None:
    tree = ProcessTree(tmp_path, {})
    tree.start("no-such-command")
    with pytest.raises(AssertionError, match="before it is up had ended: ") as waited:
        tree.wait_for_start(lambda: False, "it is up")
    assert "No such command" in str(waited.value)
    tree.stop()
