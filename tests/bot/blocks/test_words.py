"""The words: one sentence for each event and state, in Slack's form and in a terminal's."""

from datetime import timedelta
from typing import Any

import pytest

from bot.blocks.event_words import dated_event_words, event_words
from bot.blocks.words import (
    PLAIN,
    REFUSAL_WORDS,
    SLACK,
    STATE_WORDS,
    code_words,
    counts_words,
    outcome_words,
    standing_words,
    state_words,
    time_taken,
    waiting_count,
    waiting_words,
)
from tests.bot.facts import HOSTILE, NOON, cost_code, counts, event, hold, update_facts
from workflow.privileges import Rules
from workflow.vocabulary import Event, HoldKind, Place, Refusal, Standing, State

ASSIGNMENTS = [["", "03-100", "L"], ["", "03-100", "M"], ["", "03-200", "L"]]
LINES = {"created": 3, "tied": 1, "failed": 2}


@pytest.mark.parametrize(
    ("kind", "facts", "words"),
    [
        (
            Event.REQUESTED,
            {"added": 3, "assignments": ASSIGNMENTS},
            "Dana Whitfield requested 3 assignments of 2 cost codes. Ready to Update.",
        ),
        (
            Event.JOINED,
            {"added": 1, "assignments": ASSIGNMENTS[:1], "revision": 2},
            "Dana Whitfield added 1 assignment of 1 cost code. Ready to Update, revision 2.",
        ),
        (
            Event.UPDATED,
            {"revision": 2},
            "Dana Whitfield updated revision 2. It goes out with the next data sync.",
        ),
        (
            Event.TAKEN_BACK,
            {"revision": 3},
            "Dana Whitfield took the update back. Ready to Update again, revision 3.",
        ),
        (
            Event.REJECTED,
            {"revision": 1, "comment": "Wrong phase"},
            "Dana Whitfield rejected revision 1: “Wrong phase”",
        ),
        (
            Event.SENT_AGAIN,
            {"added": 0, "assignments": [], "revision": 4},
            "Dana Whitfield sent again what Sage refused. Ready to Update, revision 4.",
        ),
        (
            Event.SENT_AGAIN,
            {"added": 1, "assignments": ASSIGNMENTS[:1], "revision": 4},
            "Dana Whitfield sent again what Sage refused with 1 assignment of 1 cost code. "
            "Ready to Update, revision 4.",
        ),
        (Event.EXPORTED, {"batch": "DS000003"}, "Data sync DS000003 sent it to Sage."),
        (
            Event.SYNCED,
            {"batch": "DS000003", "lines": {"created": 3}},
            "Sage holds every line after data sync DS000003: 3 created.",
        ),
        (
            Event.FAILED,
            {"batch": "DS000003", "lines": LINES},
            "Sage refused 2 lines of data sync DS000003: "
            "3 created, 1 tied to cost codes Sage had, 2 refused.",
        ),
        (
            Event.STALE,
            {"act": "update", "seen": 1},
            "Dana Whitfield wanted to update revision 1, which had changed meanwhile. Nothing was done.",
        ),
        (
            Event.REFUSED,
            {"act": "update", "reason": "privilege_missing"},
            "Dana Whitfield may not update: the Can Push to Accounting privilege is missing.",
        ),
        (
            Event.PRIVILEGE_ASKED,
            {"reason": "permission_too_low"},
            "Dana Whitfield asks to become an accounting approver: "
            "permission on ERP Integrations is too low. "
            "It takes Standard or Admin on ERP Integrations and Can Push to Accounting.",
        ),
        (Event.SYNC_ASKED, {"job": "data_sync"}, "Dana Whitfield asked for a data sync now."),
        (Event.SYNC_STARTED, {"batch": "DS000003", "jobs": 1}, "Data sync DS000003 started with 1 job."),
        (
            Event.SYNC_FINISHED,
            {"batch": "DS000003", "jobs": 2, "created": 0, "tied": 0, "already_there": 5, "failed": 0},
            "Data sync DS000003 finished 2 jobs: 5 there already.",
        ),
        (
            Event.SYNC_UNREACHABLE,
            {"job": "data_sync"},
            "Sage cannot be reached, so the data sync that was asked for waits. It is tried again every "
            "minute or so, and nothing is lost. If it goes on, have whoever looks after costbot run "
            "`costbot doctor`, which says why.",
        ),
        (
            Event.SYNC_OVERDUE,
            {"batch": "DS000003", "file": "DS000003.jce", "sent_at": "2026-11-23T12:00:00+00:00"},
            "Nobody has imported DS000003.jce of data sync DS000003 into Sage yet. Import it from the folder "
            "outgoing (Job Cost, Tasks, Import Estimates), then move it to the folder done. If it lies there "
            "already, costbot waits for a newer export of Job Cost: save it anew.",
        ),
        (
            Event.HOLD_ADDED,
            {"kind": "prime_contract_change_order", "number": "PCO-2", "title": "Steel"},
            "Dana Whitfield registered prime contract change order PCO-2 Steel.",
        ),
        (
            Event.HOLD_PLACED,
            {"holds": ["commitment SC-1", "prime_contract PC 2"]},
            "On hold until the cost codes are updated: commitment SC-1, prime contract PC 2.",
        ),
        (
            Event.HOLD_RELEASED,
            {"holds": ["commitment SC-1"]},
            "Released, may be exported now: commitment SC-1.",
        ),
        (
            Event.IMPORTED,
            {"what": "people", "rows": 12, "source": "people.csv"},
            "Dana Whitfield imported people (12 rows) from people.csv.",
        ),
        (
            Event.PERSON_LINKED,
            {"person": "pat@example.com", "team_id": "T1", "user_id": "U1"},
            "Dana Whitfield linked pat@example.com to Slack user U1.",
        ),
        (
            Event.PERSON_UNLINKED,
            {"person": "pat@example.com", "team_id": "T1", "user_id": "U1"},
            "Dana Whitfield unlinked pat@example.com from Slack user U1.",
        ),
        (
            Event.UPDATED,
            {"revision": 2, "standing_in_for": ["Sam Ortiz"]},
            "Dana Whitfield, for Sam Ortiz, updated revision 2. It goes out with the next data sync.",
        ),
        (
            Event.ESCALATED,
            {"hours": 18, "to": ["Bo Boss"]},
            "Nobody has updated or rejected this for 18 working hours. It was escalated to Bo Boss.",
        ),
        (
            Event.EXPIRED,
            {"revision": 2, "days": 30},
            "Revision 2 expired: nobody updated or rejected it for 30 days. Nothing went to Sage. "
            "Ask again brings it back.",
        ),
        (
            Event.AWAY,
            {
                "person": "Sam Ortiz",
                "delegate": "Dana Reyes",
                "first_day": "2026-12-01",
                "last_day": "2026-12-05",
            },
            "Sam Ortiz is away from 2026-12-01 to 2026-12-05, and Dana Reyes stands in.",
        ),
        (
            Event.NOTIFY_CHOSEN,
            {"person": "Sam Ortiz", "notify": "daily", "quiet": "19:00 to 07:00"},
            "Dana Whitfield set the messages for Sam Ortiz: a digest every working morning. "
            "Quiet hours 19:00 to 07:00.",
        ),
    ],
)
def test_each_event_is_a_sentence(kind: Event, facts: dict[str, Any], words: str) -> None:
    told = event(kind, **facts)
    assert event_words(told, PLAIN) == words
    assert event_words(told, SLACK) == words


@pytest.mark.parametrize("kind", Event)
def test_no_event_is_left_without_words(kind: Event) -> None:
    assert event_words(event(kind, reason=Refusal.DEACTIVATED.value))


def test_every_state_and_refusal_has_words() -> None:
    assert set(STATE_WORDS) == set(State)
    assert set(REFUSAL_WORDS) == set(Refusal)


def test_what_was_done_on_the_command_line_says_so() -> None:
    told = event(Event.UPDATED, Place.COMMAND_LINE, revision=1)
    assert event_words(told).endswith("next data sync. (command line)")


def test_a_dated_event_shows_each_slack_reader_their_own_time_and_a_terminal_utc() -> None:
    told = event(revision=1)
    assert dated_event_words(told, PLAIN).startswith("2026-11-23 12:00 UTC: Dana")
    assert dated_event_words(told).startswith("<!date^1795435200^{date_short_pretty} at {time}|2026-11-23")


def test_a_comment_stays_text_and_on_one_line() -> None:
    words = event_words(event(Event.REJECTED, revision=1, comment=HOSTILE))
    assert "<!channel>" not in words
    assert "\n" not in words


def test_a_very_long_comment_is_cut() -> None:
    words = event_words(event(Event.REJECTED, revision=1, comment="why " * 1_000), PLAIN)
    assert words.endswith("…”")
    assert len(words) < 300


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.4, "0 s"), (119, "119 s"), (121, "2 min"), (7_199, "119 min"), (90_000, "25 h")]
)
def test_time_taken_reads_as_english(seconds: float, words: str) -> None:
    assert time_taken(NOON, NOON + timedelta(seconds=seconds)) == words


def test_counts_read_as_english() -> None:
    assert counts_words(counts()) == "3 cost codes, 7 assignments, 2 codes new to Sage"
    assert counts_words(counts(cost_codes=1, assignments=1, new_codes=1)) == (
        "1 cost code, 1 assignment, 1 code new to Sage"
    )
    assert counts_words(counts(cost_codes=5_000, new_codes=0)) == (
        "5,000 cost codes, 7 assignments, no code new to Sage"
    )
    assert outcome_words(0, 0, 0, 0) == "nothing to send"


def test_a_state_says_who_and_when() -> None:
    assert state_words(update_facts(State.ACCEPTED), PLAIN) == (
        "🔵 Updated, waits for the data sync: by Dana Whitfield 2026-11-23 12:00 UTC"
    )
    synced = update_facts(State.SYNCED, counts=counts(created=6, already_there=1))
    assert state_words(synced, PLAIN) == (
        "✅ Synced: data sync DS000003 2026-11-23 12:00 UTC: 6 created, 1 there already"
    )


@pytest.mark.parametrize(
    ("kinds", "words"),
    [
        ([HoldKind.COMMITMENT], "1 contract waits"),
        ([HoldKind.COMMITMENT, HoldKind.PRIME_CONTRACT], "2 contracts wait"),
        ([HoldKind.COMMITMENT_CHANGE_ORDER], "1 change order waits"),
        ([HoldKind.COMMITMENT_CHANGE_ORDER, HoldKind.PRIME_CONTRACT_CHANGE_ORDER], "2 change orders wait"),
        ([HoldKind.COMMITMENT, HoldKind.COMMITMENT_CHANGE_ORDER], "2 contracts and change orders wait"),
        ([HoldKind.COMMITMENT, HoldKind.INVOICE], "2 exports wait"),
    ],
)
def test_what_waits_is_called_what_it_is(kinds: list[HoldKind], words: str) -> None:
    holds = [hold(kind=kind) for kind in kinds]
    assert waiting_words(holds) == f"{words} until these cost codes are updated"


@pytest.mark.parametrize(
    ("number", "every_export", "words"),
    [
        (1, False, "1 contract or change order waits"),
        (2, False, "2 contracts and change orders wait"),
        (2, True, "2 exports wait"),
    ],
)
def test_what_waits_is_called_what_it_may_be_where_only_the_number_is_known(
    number: int, every_export: bool, words: str
) -> None:
    said = waiting_count(number, Rules(hold_every_export=every_export))
    assert said == f"{words} until these cost codes are updated"


def test_holds_and_extras_are_named_as_accountants_name_them() -> None:
    assert code_words("02", "03-100") == "03-100 (extra 02)"


@pytest.mark.parametrize(
    ("state", "changes", "words"),
    [
        (State.READY, {}, "new cost code"),
        (State.READY, {"standing": Standing.NEW_CATEGORY, "in_sage": ("L",)}, "in Sage, new category"),
        (State.READY, {"in_sage": ("E", "L", "M")}, "in Sage already"),
        (State.SYNCED, {"in_sage": ("L", "M")}, "created"),
        (State.SYNCED, {"standing": Standing.NEW_CATEGORY}, "category added"),
        (State.SYNCED, {"standing": Standing.IN_SAGE}, "was there already"),
        (State.FAILED, {"refused": (("L", "no such category"),)}, "refused by Sage"),
    ],
)
def test_a_cost_code_says_how_it_stands_and_later_what_became_of_it(
    state: State, changes: dict[str, Any], words: str
) -> None:
    assert standing_words(cost_code(**changes), state) == words
