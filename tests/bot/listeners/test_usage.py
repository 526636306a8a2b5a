"""What people type after `/costcodes`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.listeners.usage import VERBS, Command, WrongUsage, parse


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("", Command("help")),
        ("help", Command("help")),
        ("jobs", Command("jobs", filter="ready")),
        ("report", Command("report", filter="week")),
        ("report Month", Command("report", filter="month")),
        ("ready", Command("jobs", filter="ready")),
        ("ready riverside", Command("jobs", filter="ready", text="riverside")),
        ("jobs all", Command("jobs", filter="all")),
        ("JOBS Failed", Command("jobs", filter="failed")),
        ("jobs synced medical center", Command("jobs", filter="synced", text="medical center")),
        ("jobs accepted", Command("jobs", filter="accepted")),
        ("jobs riverside medical", Command("jobs", filter="all", text="riverside medical")),
        ("jobs all Smith &amp; Sons", Command("jobs", filter="all", text="Smith & Sons")),
        ("show 24-017", Command("show", job="24-017")),
        ("  update   24-017 ", Command("update", job="24-017")),
        ("history Riverside Medical", Command("history", job="Riverside Medical")),
        ("sync", Command("sync")),
        ("syncs", Command("syncs")),
        ("holds", Command("holds")),
        ("whoami", Command("whoami")),
    ],
)
def test_reads_what_was_meant(typed: str, meant: Command) -> None:
    assert parse(typed) == meant


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        ("udpate 24-017", "Did you mean /costcodes update [JOB]?"),
        ("hisotry 24-017", "Did you mean /costcodes history JOB?"),
        ("job", "Did you mean /costcodes jobs"),
        ("xyzzy", "/costcodes help lists what there is"),
        ("show", "such as /costcodes show 24-017"),
        ("report year", "a week or a month"),
        ("sync 24-017", "takes nothing after it"),
    ],
)
def test_wrong_usage_is_told_what_comes_closest(typed: str, hint: str) -> None:
    wrong = parse(typed)
    assert isinstance(wrong, WrongUsage)
    assert hint in wrong.words


@given(st.text())
def test_anything_typed_is_a_known_command_or_wrong_usage(typed: str) -> None:
    found = parse(typed)
    assert isinstance(found, WrongUsage) or found.verb in VERBS
