"""The window of `/costcodes notify`: it shows the present choices and reads back what was picked."""

from datetime import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.blocks.checking import view_problems
from bot.blocks.notify_window import (
    FROM_BLOCK,
    NOTIFY_BLOCK,
    UNTIL_BLOCK,
    Wrong,
    choices_picked,
    notify_window,
)
from bot.interaction import typed_into
from bot.sandbox.inputs import state_of
from workflow.preferences import Choices, QuietHours
from workflow.vocabulary import Notify

minutes = st.builds(time, st.integers(0, 23), st.integers(0, 59))
any_choices = st.builds(
    Choices,
    st.sampled_from(Notify),
    st.none() | st.builds(QuietHours, minutes, minutes).filter(lambda quiet: quiet.since != quiet.until),
)


def untouched(view: dict[str, Any]) -> dict[str, str]:
    """What comes back when nothing of the window was changed."""
    return typed_into({"state": {"values": state_of(view["blocks"])}})


@given(any_choices)
def test_what_is_shown_and_sent_back_untouched_is_what_was_chosen(choices: Choices) -> None:
    view = notify_window(choices, time_zone="America/Chicago", is_approver=True)

    assert view_problems(view) == []
    assert choices_picked(untouched(view)) == choices


def test_who_is_no_approver_chooses_quiet_hours_alone_and_keeps_the_rest() -> None:
    before = Choices(Notify.DAILY)
    view = notify_window(before, time_zone="UTC", is_approver=False)

    assert [block.get("block_id") for block in view["blocks"][:2]] == [FROM_BLOCK, UNTIL_BLOCK]
    assert choices_picked(untouched(view), before) == before


@pytest.mark.parametrize(
    ("since", "until", "at"),
    [
        ("19:00", "never", UNTIL_BLOCK),
        ("never", "07:00", FROM_BLOCK),
        ("19:00", "19:00", UNTIL_BLOCK),
    ],
)
def test_hours_that_do_not_go_together_are_said_at_the_field(since: str, until: str, at: str) -> None:
    picked = choices_picked({NOTIFY_BLOCK: "daily", FROM_BLOCK: since, UNTIL_BLOCK: until})

    assert isinstance(picked, Wrong)
    assert picked.block_id == at
