"""The request window's steps as values: inside Slack's limits at their fullest, and what they say."""

from datetime import UTC, datetime

import pytest

from bot.blocks.checking import problems, view_problems
from bot.blocks.privilege import ask_window, asked
from bot.blocks.request_window import (
    GRID_CODES,
    LINES_LENGTH,
    GridRow,
    RequestFacts,
    category_window,
    preview_window,
    request_window,
)
from bot.payloads import PrivilegeButton
from workflow.checks import Finding
from workflow.merge import Assignment
from workflow.request_preview import Preview, PreviewLine
from workflow.tables import Person, PrivilegeRequest
from workflow.vocabulary import PrivilegeAnswer, Refusal, Rule, Severity, Standing

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
LONG = "W" * 200


def words(view: dict[str, object]) -> str:
    return str(view["blocks"])


def test_the_first_step_fits_at_its_fullest() -> None:
    facts = RequestFacts(
        token="t" * 16,
        job=(1, LONG),
        picked=[(f"{n:040}", LONG) for n in range(GRID_CODES)],
        text="x" * LINES_LENGTH,
        file_name=LONG,
        lines_in_file=25_000,
        begun_at=NOW,
    )

    view = request_window(facts, [LONG] * 500, note=LONG)

    assert view_problems(view) == []
    assert "480 more" in words(view)


@pytest.mark.parametrize("categories", [0, 1, 10, 11, 200])
def test_the_grid_fits_at_its_fullest(categories: int) -> None:
    names = {f"{n:020}": LONG for n in range(categories)}
    rows = [GridRow(f"{n:040}", LONG, list(names)[:15], list(names)) for n in range(GRID_CODES)]

    assert view_problems(category_window(LONG, rows, names, token="t" * 16)) == []


def line(n: int, standing: Standing, *, waits: bool = False) -> PreviewLine:
    finding = Finding(Rule.CODE_LENGTH, Severity.REFUSE, f"{n} {LONG}")
    return PreviewLine(Assignment(f"{n:040}", "W" * 20), LONG, standing, waits, (finding,))


def test_the_preview_fits_at_its_fullest_and_says_what_sage_would_refuse() -> None:
    lines = [line(n, standing, waits=n % 2 == 0) for n in range(500) for standing in Standing]

    view = preview_window(Preview(1, LONG, tuple(lines), None, NOW), token="t" * 16)

    assert view_problems(view) == []
    assert "cannot Update it before it is mended" in words(view)


def test_a_preview_of_nothing_new_cannot_be_requested() -> None:
    preview = Preview(1, "24-017", (line(1, Standing.NEW_CODE, waits=True),), None, None)

    view = preview_window(preview, token="t")

    assert "submit" not in view
    assert "Nothing new to request" in words(view)
    assert "Sage has not been read for this job yet" in words(view)


def request(**columns: object) -> PrivilegeRequest:
    return PrivilegeRequest(
        **{
            "id": 1,
            "person": Person(id=1, name=LONG),
            "asker": LONG,
            "lacks": Refusal.PRIVILEGE_MISSING,
            "reason": "<!channel> " + LONG,
            "in_procore": False,
            "asked_at": NOW,
            "comment": LONG,
            **columns,
        }
    )


@pytest.mark.parametrize(
    ("columns", "buttons"),
    [
        ({}, ["Grant", "Decline"]),
        ({"person": None}, ["Done", "Decline"]),
        ({"in_procore": True}, ["Done", "Decline", "How to in Procore"]),
        *(({"answer": answer, "answered_at": NOW}, []) for answer in PrivilegeAnswer),
    ],
)
def test_the_administrators_message_offers_what_can_be_done(
    columns: dict[str, object], buttons: list[str]
) -> None:
    message = asked(request(**columns))

    drawn = [
        one["text"]["text"]
        for block in message.blocks
        for one in block.get("elements", ())
        if "action_id" in one
    ]
    assert drawn == buttons
    assert problems(message.blocks, "message") == []
    assert "<!channel>" not in message.text


def test_the_window_that_asks_for_a_reason_fits() -> None:
    assert view_problems(ask_window(PrivilegeButton(reason=Refusal.PERMISSION_TOO_LOW))) == []
