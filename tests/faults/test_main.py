"""How `make faults` ends: its exit code, and the one line that stands last."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
import structlog

from tests.faults import __main__ as faults
from tests.faults.facts import Facts
from tests.faults.table import Fault
from tests.faults.test_verdict import BROKEN, good
from tests.faults.tries import Tries


@pytest.fixture(autouse=True)
def _logs_as_before() -> Iterator[None]:
    """The suite says little of itself, which no other test asked for."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


def run(
    monkeypatch: pytest.MonkeyPatch,
    happens: Callable[[Any, Random, int], Tries],
    facts: Facts,
    *arguments: str,
) -> int:
    """One fault of one company, after which these facts are found."""

    @contextmanager
    def company() -> Iterator[Any]:
        """A company."""
        sandbox = SimpleNamespace(clear_faults=lambda: None)
        yield SimpleNamespace(sandbox=sandbox, drain=lambda: 0.0, facts=lambda: facts)

    monkeypatch.setattr(faults, "COMPANIES", {"stub": company})
    monkeypatch.setattr(faults, "FAULTS", (Fault("it rains", ("stub",), happens, 3, least=3),))
    return faults.main(["--seed", "1", *arguments])


def raises(_company: Any, _rng: Random, _times: int) -> Tries:
    raise RuntimeError("no company")


@pytest.mark.parametrize(
    ("happens", "broken", "code", "last"),
    [
        (lambda *_: Tries(3), None, 0, "3 tried, 0 lost, 0 doubled"),
        (lambda *_: Tries(0, "no umbrella here", cannot_be_had=True), None, 0, "0 tried, 0 lost, 0 doubled"),
        (lambda *_: Tries(0), None, 1, "0 tried, 0 lost, 0 doubled"),
        (lambda *_: Tries(2), None, 1, "2 tried, 0 lost, 0 doubled"),
        (raises, None, 1, "0 tried, 0 lost, 0 doubled"),
        (lambda *_: Tries(3), "a synced line is not in Sage", 1, "3 tried, 1 lost, 0 doubled"),
        (lambda *_: Tries(3), "a data sync ended twice", 1, "3 tried, 0 lost, 1 doubled"),
        (lambda *_: Tries(3), "a card of nothing", 1, "3 tried, 0 lost, 0 doubled"),
    ],
    ids=["good", "cannot be had", "never came about", "too few", "raised", "lost", "doubled", "wrong"],
)
def test_it_ends_with_1_when_anything_is_wrong_and_with_one_line(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    happens: Callable[[Any, Random, int], Tries],
    broken: str | None,
    code: int,
    last: str,
) -> None:
    facts = BROKEN[broken][0](good()) if broken else good()
    assert run(monkeypatch, happens, facts) == code
    assert capsys.readouterr().out.splitlines()[-1] == f"faults: {last}"


def test_faults_that_there_are_not_are_wrong_usage(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        run(monkeypatch, lambda *_: Tries(3), good(), "--only", "snow")
    assert stopped.value.code == 2
    assert "no fault has 'snow' in its name" in capsys.readouterr().err
