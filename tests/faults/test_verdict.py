"""The verdict on faults can fail: whatever may be lost, doubled or wrong is put into facts, and found."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from tests.faults.clicking import NOT_OPENED, Click, click
from tests.faults.crowd import disagreements
from tests.faults.facts import (
    Answer,
    Assignment,
    Deaf,
    Facts,
    Line,
    Notice,
    Posted,
    Quiet,
    Slot,
    TrailEvent,
    Update,
)
from tests.faults.verdict import CHECKS, Kind, judge
from workflow.vocabulary import Event, NoticeKind, Outcome, State

JOB, CARD = "26-101", "card:1"
SENT = Assignment(JOB, "", "03-3110", "S")
REFUSED = Assignment(JOB, "", "01-1780", "CW")
HELD = Assignment(JOB, "", "03-3000", "L")
REJECTED = Assignment("26-102", "", "03-3110", "S")

NOON, TEN_SECONDS = datetime(2026, 11, 26, 12, tzinfo=UTC), timedelta(seconds=10)

_TRAIL: tuple[tuple[Event, str, str | None, int | None, dict[str, object]], ...] = (
    (Event.REQUESTED, "Tom", JOB, 1, {}),
    (Event.UPDATED, "Dana", JOB, 1, {}),
    (Event.SYNC_STARTED, "schedule", None, None, {"batch": "DS000001"}),
    (Event.EXPORTED, "schedule", JOB, 1, {"batch": "DS000001"}),
    (Event.SYNCED, "schedule", JOB, 1, {"batch": "DS000001"}),
    (Event.SYNC_FINISHED, "schedule", None, None, {"batch": "DS000001"}),
    (Event.REQUESTED, "Tom", "26-102", 2, {}),
    (Event.REJECTED, "Marcus", "26-102", 2, {}),
    (Event.REQUESTED, "Tom", "26-103", 3, {}),
    (Event.UPDATED, "Dana", "26-103", 3, {}),
    (Event.SYNC_STARTED, "schedule", None, None, {"batch": "DS000002"}),
    (Event.EXPORTED, "schedule", "26-103", 3, {"batch": "DS000002"}),
    (Event.FAILED, "schedule", "26-103", 3, {"batch": "DS000002"}),
    (Event.SYNC_FINISHED, "schedule", None, None, {"batch": "DS000002"}),
)


def good() -> Facts:
    """One requested update that was synced, one rejected, one that Sage refused: all as it should be."""
    events = tuple(
        TrailEvent(seq, event, actor, job, update, facts, request=f"request{seq}")
        for seq, (event, actor, job, update, facts) in enumerate(_TRAIL, start=1)
    )
    told = [event for event in events if event.job]
    refused = replace_job(REFUSED, "26-103")
    dana, marcus = (
        "It is updated, and goes out with the next data sync.",
        "It is rejected, and whoever requested",
    )
    return Facts(
        cards={JOB: CARD, "26-102": "card:2", "26-103": "card:3", "26-104": "card:4"},
        updates=(
            Update(1, JOB, State.SYNCED),
            Update(2, "26-102", State.REJECTED),
            Update(3, "26-103", State.FAILED),
        ),
        lines=(
            Line(1, SENT, Outcome.CREATED),
            Line(2, REJECTED),
            Line(3, refused, Outcome.FAILED, "Category CW is not a standard category"),
        ),
        events=events,
        notices=(
            *(
                Notice(event.seq, NoticeKind.THREAD, event.job, event.seq, f"thread:{event.seq}")
                for event in told
            ),
            Notice(100, NoticeKind.DIRECT, JOB, 1, "direct:100"),
            Notice(101, NoticeKind.CARD, JOB, key=CARD),
            Notice(102, NoticeKind.PRIVILEGE, key="privilege:1:2"),
            Notice(103, NoticeKind.STEP, JOB, key="step:Fx1"),
            Notice(104, NoticeKind.DIGEST, key="direct:104"),
            Notice(105, NoticeKind.DIGEST),
            *(Notice(id_, NoticeKind.CARD, key=f"card:{id_}") for id_ in (2, 3)),
        ),
        posted=(
            *(Posted(f"thread:{event.seq}", f"{event.actor}: {event.event}") for event in told),
            Posted(CARD, "✅ *Synced*"),
            Posted("card:2", "⛔ *Rejected*"),
            Posted("card:3", "❌ *Failed to Export*"),
            Posted("direct:100", "Tom requested"),
            Posted("privilege:1:2", "Priya asks"),
            Posted("step:Fx1", "updated"),
            Posted("direct:104", "Your digest"),
            Posted("answer:click", "in no other way"),
        ),
        answers=(
            Answer("Dana", f"{JOB} Riverside: {dana}"),
            Answer("Dana", f"26-103 Annex: {dana}"),
            Answer("Marcus", f"26-102 Harbor: {marcus} it gets your comment."),
            Answer("Marcus", f"{JOB} Riverside: Dana updated it on 2026-11-26 10:00 UTC, and Sage holds it."),
        ),
        before=frozenset({HELD}),
        in_sage=(HELD, SENT),
        in_files=Counter({SENT: 1}),
        slots=(Slot("data_sync", NOON), Slot("tidy", NOON), Slot("data_sync", NOON + TEN_SECONDS)),
        quiet=Quiet(NOON, NOON + 2 * TEN_SECONDS),
        asked=frozenset({SENT, REJECTED, refused}),
    )


def replace_job(assignment: Assignment, job: str) -> Assignment:
    return assignment._replace(job=job)


def without_event(facts: Facts, seq: int) -> Facts:
    return replace(facts, events=tuple(event for event in facts.events if event.seq != seq))


def once_more(facts: Facts, seq: int) -> Facts:
    """The event of this number happens twice."""
    place = next(place for place, event in enumerate(facts.events) if event.seq == seq)
    return replace(
        facts, events=(*facts.events[: place + 1], facts.events[place], *facts.events[place + 1 :])
    )


def with_trail(facts: Facts, *seqs: int) -> Facts:
    """The same events in another order."""
    events = {event.seq: event for event in facts.events}
    return replace(facts, events=tuple(events[seq] for seq in seqs))


def later(facts: Facts) -> Facts:
    """Sage is reached by import files."""
    return replace(facts, sage_answers_later=True)


def with_update(facts: Facts, id_: int, state: State) -> Facts:
    updates = tuple(replace(update, state=state) if update.id == id_ else update for update in facts.updates)
    return replace(facts, updates=updates)


def with_line(facts: Facts, update: int, **changes: object) -> Facts:
    lines = tuple(replace(line, **changes) if line.update == update else line for line in facts.lines)  # type: ignore[arg-type]
    return replace(facts, lines=lines)


def without_message(facts: Facts, key: str) -> Facts:
    return replace(facts, posted=tuple(message for message in facts.posted if message.key != key))


def with_message(facts: Facts, key: str, words: str = "") -> Facts:
    return replace(facts, posted=(*facts.posted, Posted(key, words)))


def with_answer(facts: Facts, person: str, words: str) -> Facts:
    return replace(facts, answers=(*facts.answers, Answer(person, words)))


def without_answer(facts: Facts, words: str) -> Facts:
    return replace(facts, answers=tuple(answer for answer in facts.answers if words not in answer.words))


def with_slot(facts: Facts, slot: Slot) -> Facts:
    return replace(facts, slots=(*facts.slots, slot))


def with_notice(facts: Facts, **changes: object) -> Facts:
    return replace(facts, notices=(*facts.notices, Notice(200, NoticeKind.CARD, JOB, **changes)))  # type: ignore[arg-type]


NOTHING_CHANGED = (
    "Something went wrong. Nothing was changed. Try again, or tell your administrator: error request8."
)
UPDATED_AGAIN = f"{JOB} Riverside: It is updated, and goes out with the next data sync."

BROKEN: dict[str, tuple[Callable[[Facts], Facts], Kind, str]] = {
    "a synced line is not in Sage": (lambda f: replace(f, in_sage=(HELD,)), Kind.LOST, "and it is not"),
    "a synced line has no outcome": (
        lambda f: with_line(f, 1, outcome=None),
        Kind.WRONG,
        "its outcome is None",
    ),
    "a failed update's line has no outcome": (
        lambda f: with_line(f, 3, outcome=None),
        Kind.LOST,
        "nobody knows what became of it",
    ),
    "a line failed without words": (lambda f: with_line(f, 3, message=None), Kind.WRONG, "without words"),
    "a line has lost its update": (
        lambda f: replace(f, lines=(*f.lines, Line(9, SENT))),
        Kind.WRONG,
        "does not exist",
    ),
    "an accepted update is stuck": (
        lambda f: without_event(with_update(f, 1, State.EXPORTED), 5),
        Kind.LOST,
        "is stuck: exported",
    ),
    "a data sync that was asked for is not done": (
        lambda f: with_slot(f, Slot("data_sync", NOON + TEN_SECONDS, asked=True, done=False)),
        Kind.LOST,
        "a data_sync that was due at 12:00:10 was not done",
    ),
    "the schedule's own work is not done": (
        lambda f: with_slot(f, Slot("tidy", NOON - TEN_SECONDS, done=False)),
        Kind.LOST,
        "a tidy that was due at 11:59:50 was not done",
    ),
    "the schedule stands still after the fault": (
        lambda f: replace(f, slots=(Slot("data_sync", NOON - TEN_SECONDS),)),
        Kind.LOST,
        "no data sync was done by the schedule",
    ),
    "after the fault data syncs run only when asked for": (
        lambda f: replace(f, slots=(Slot("data_sync", NOON + TEN_SECONDS, asked=True),)),
        Kind.LOST,
        "no data sync was done by the schedule",
    ),
    "a notice waits": (lambda f: with_notice(f, done=False), Kind.LOST, "waits for ever"),
    "a notice was given up": (lambda f: with_notice(f, given_up=True), Kind.LOST, "given up"),
    "Sage has a line twice": (
        lambda f: replace(f, in_sage=(*f.in_sage, SENT)),
        Kind.DOUBLED,
        "is in Sage 2 times",
    ),
    "Sage has what was rejected": (
        lambda f: replace(f, in_sage=(*f.in_sage, REJECTED)),
        Kind.WRONG,
        "nobody accepted it",
    ),
    "a line stands in two import files": (
        lambda f: replace(f, in_files=Counter({SENT: 2})),
        Kind.DOUBLED,
        "in import files 2 times",
    ),
    "what was asked for is nowhere": (
        lambda f: replace(f, asked=frozenset({SENT, REFUSED})),
        Kind.LOST,
        "is not on record",
    ),
    "the audit chain is broken": (
        lambda f: replace(f, audit_problems=("Event 3 is missing.",)),
        Kind.WRONG,
        "Event 3 is missing",
    ),
    "a decision is on record twice": (lambda f: once_more(f, 2), Kind.DOUBLED, "updated of update 1"),
    "a decision is not on record": (lambda f: without_event(f, 8), Kind.WRONG, "by its events ready"),
    "a sync skipped the Update": (lambda f: without_event(f, 2), Kind.WRONG, "exported of update 1"),
    "a state is not that of the trail": (
        lambda f: with_update(f, 2, State.READY),
        Kind.WRONG,
        "is ready, by its events rejected",
    ),
    "an update is gone": (lambda f: replace(f, updates=f.updates[1:]), Kind.LOST, "update 1 is on the audit"),
    "two data syncs at once": (lambda f: without_event(f, 6), Kind.WRONG, "while DS000001 was under way"),
    "two data syncs at once, with import files": (
        lambda f: with_trail(later(f), 1, 2, 3, 11, 4, 5, 6, 7, 8, 9, 10, 12, 13, 14),
        Kind.WRONG,
        "DS000002 began while DS000001 was under way",
    ),
    "a data sync began twice": (lambda f: once_more(f, 3), Kind.DOUBLED, "DS000001 began 2 times"),
    "a data sync ended twice": (lambda f: once_more(f, 14), Kind.DOUBLED, "DS000002 ended 2 times"),
    "a reply is not in Slack": (lambda f: without_message(f, "thread:2"), Kind.LOST, "event 2 "),
    "a reply is in Slack twice": (
        lambda f: with_message(f, "thread:2"),
        Kind.DOUBLED,
        "thread:2 is in Slack 2",
    ),
    "an event has no notice": (lambda f: replace(f, notices=f.notices[1:]), Kind.LOST, "has 0 notices"),
    "an event has two notices": (
        lambda f: replace(f, notices=(*f.notices, Notice(300, NoticeKind.THREAD, JOB, 1))),
        Kind.DOUBLED,
        "has 2 notices",
    ),
    "a direct message is not in Slack": (
        lambda f: without_message(f, "direct:100"),
        Kind.LOST,
        "direct:100 not in Slack",
    ),
    "a direct message is doubled": (
        lambda f: with_message(f, "direct:100"),
        Kind.DOUBLED,
        "direct:100 is in",
    ),
    **{
        f"the message of a {kind} is not in Slack": (
            partial(without_message, key=key),
            Kind.LOST,
            f"its message {key} not in Slack",
        )
        for kind, key in (
            (NoticeKind.CARD, CARD),
            (NoticeKind.THREAD, "thread:2"),
            (NoticeKind.DIGEST, "direct:104"),
            (NoticeKind.PRIVILEGE, "privilege:1:2"),
            (NoticeKind.STEP, "step:Fx1"),
        )
    },
    "a message that nobody asked for": (
        lambda f: with_message(f, "direct:999"),
        Kind.WRONG,
        "direct:999 is in Slack, and no notice asks for it",
    ),
    "a reply does not say who": (
        lambda f: with_message(without_message(f, "thread:2"), "thread:2", "Somebody updated it"),
        Kind.WRONG,
        "event 2 does not name Dana",
    ),
    "a person was told nothing of what they did": (
        lambda f: without_answer(f, "It is rejected"),
        Kind.LOST,
        "Marcus was not told of 1 acts",
    ),
    "a person was told nothing, while answers were not lost": (
        lambda f: replace(
            without_answer(f, "It is rejected"), deaf=(Deaf(NOON, NOON, events=frozenset({Event.REJECTED})),)
        ),
        Kind.LOST,
        "Marcus was not told of 1 acts",
    ),
    "a person was told that nothing was changed by what they did": (
        lambda f: with_answer(without_answer(f, "It is rejected"), "Marcus", NOTHING_CHANGED),
        Kind.WRONG,
        "Marcus was told that nothing was changed, and event 8",
    ),
    "a job has no card": (lambda f: without_message(f, CARD), Kind.LOST, f"{JOB} has no card"),
    "a job has two cards": (
        lambda f: with_message(f, CARD, "*Synced*"),
        Kind.DOUBLED,
        "card:1 is in Slack 2",
    ),
    "a card says what is over": (
        lambda f: with_message(without_message(f, CARD), CARD, "🟡 *Ready to Update*"),
        Kind.WRONG,
        "does not say Synced",
    ),
    "a card of nothing": (lambda f: with_message(f, "card:4"), Kind.WRONG, "nothing was asked for"),
    "a person was told of what did not happen": (
        lambda f: with_answer(f, "Marcus", UPDATED_AGAIN),
        Kind.WRONG,
        "happened 0 times",
    ),
    "a person was told twice of one act": (
        lambda f: with_answer(f, "Dana", UPDATED_AGAIN),
        Kind.WRONG,
        "2 times, which happened 1 times",
    ),
    "a person was told the wrong name": (
        lambda f: with_answer(f, "Dana", f"{JOB} Riverside: Marcus rejected it on 2026-11-26 10:00 UTC."),
        Kind.WRONG,
        "told that Marcus",
    ),
}


def test_good_facts_have_nothing_to_find() -> None:
    assert judge(good()) == []


@pytest.mark.parametrize("name", BROKEN)
def test_the_verdict_finds(name: str) -> None:
    mutate, kind, words = BROKEN[name]
    found = judge(mutate(good()))
    assert [finding for finding in found if finding.kind is kind and words in finding.words], found


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_no_check_is_for_nothing(check: Callable[[Facts], object]) -> None:
    assert any(list(check(mutate(good()))) for mutate, _, _ in BROKEN.values())  # type: ignore[call-overload]


def test_a_batch_that_nobody_has_imported_yet_holds_up_no_other() -> None:
    facts = with_trail(good(), 1, 2, 3, 4, 7, 8, 9, 10, 11, 5, 6, 12, 13, 14)
    assert judge(later(facts)) == []
    assert judge(facts)


def test_an_act_whose_answer_may_be_lost_or_was_unsure_needs_no_other() -> None:
    facts = without_answer(good(), "It is rejected")
    at = next(event.at for event in facts.events if event.seq == 8)
    for concerned in ({"requests": frozenset({"request8"})}, {"events": frozenset({Event.REJECTED})}):
        assert judge(replace(facts, deaf=(Deaf(at, at, **concerned),))) == []
    for concerned in ({"requests": frozenset({"request7"})}, {"events": frozenset({Event.UPDATED})}):
        assert judge(replace(facts, deaf=(Deaf(at, at, **concerned),)))
    unsure = "Something went wrong. It may have been saved, so look first. Try again: error request8."
    assert judge(with_answer(facts, "Marcus", unsure)) == []
    assert judge(facts)


def test_an_answer_of_which_slack_says_nothing_may_come_twice() -> None:
    facts = with_answer(good(), "Dana", UPDATED_AGAIN)
    assert judge(replace(facts, unheard=(str({"text": UPDATED_AGAIN}),))) == []
    assert judge(facts)


def test_what_falls_due_while_the_facts_are_read_is_no_finding() -> None:
    under_way = Slot("data_sync", NOON + TEN_SECONDS * 2, done=False)
    assert judge(with_slot(good(), under_way)) == []


def test_what_a_data_sync_writes_while_the_facts_are_read_may_wait() -> None:
    """But not where all had never gone out, nor what was there before that."""
    rest = Quiet(NOON, NOON + 2 * TEN_SECONDS)
    card = {"key": CARD, "done": False}
    assert judge(with_notice(replace(good(), quiet=replace(rest, told=frozenset())), **card)) == []
    assert judge(with_notice(replace(good(), quiet=replace(rest, told=frozenset(range(1000)))), **card))
    assert judge(with_notice(replace(good(), quiet=rest), **card))


def test_a_step_of_which_nothing_could_be_kept_is_told_without_a_notice() -> None:
    told = Posted("step:Fx2", "{}", of_nothing_kept=True)
    assert judge(replace(good(), posted=(*good().posted, told))) == []
    assert judge(with_message(good(), "step:Fx2", "{}"))


def test_a_digest_that_waits_for_its_hour_is_no_finding() -> None:
    digest = Notice(201, NoticeKind.DIGEST, done=False, waits_for_its_hour=True)
    assert judge(replace(good(), notices=(*good().notices, digest))) == []
    assert judge(replace(good(), notices=(*good().notices, replace(digest, waits_for_its_hour=False))))


def test_what_was_joined_needs_no_end_of_its_own() -> None:
    facts = good()
    joined = TrailEvent(15, Event.SENT_AGAIN, "Tom", "26-103", 3, {"joined": [4]})
    asked = TrailEvent(14, Event.REQUESTED, "Tom", "26-103", 4)
    told = tuple(
        Notice(event.seq + 200, NoticeKind.THREAD, "26-103", event.seq, f"thread:{event.seq}")
        for event in (asked, joined)
    )
    facts = replace(
        with_update(facts, 3, State.READY),
        events=(*facts.events[:13], asked, joined),
        notices=(*facts.notices, *told),
    )
    facts = with_message(with_message(facts, "thread:14"), "thread:15", "Tom")
    facts = with_answer(facts, "Tom", "26-103 Annex: It is Ready to Update again, for an approver")
    facts = with_message(without_message(facts, "card:3"), "card:3", "*Ready to Update*")
    assert judge(facts) == []


CLICKED = (
    Click("Dana", "Update", f"{JOB} Riverside: It is updated, and goes out with the next data sync."),
    Click("Marcus", "Update", f"{JOB} Riverside: Dana updated it on 2026-11-26 10:00 UTC."),
)
CLICKS_ON_RECORD = (
    TrailEvent(1, Event.UPDATED, "Dana", JOB, 1),
    TrailEvent(2, Event.REFUSED, "Marcus", JOB, 1, {"act": "update"}),
)


def test_clicks_that_were_answered_as_the_trail_has_them_agree() -> None:
    assert list(disagreements(CLICKED, CLICKS_ON_RECORD)) == []


def test_a_refusal_of_whom_slack_did_not_name_is_on_record_by_their_id() -> None:
    clicks = (CLICKED[0], CLICKED[1]._replace(user="U0MARCUS"))
    trail = (CLICKS_ON_RECORD[0], replace(CLICKS_ON_RECORD[1], actor="U0MARCUS"))
    assert list(disagreements(clicks, trail)) == []
    assert list(disagreements(CLICKED, trail))


@pytest.mark.parametrize(
    ("clicks", "events", "words"),
    [
        ((CLICKED[0], CLICKED[1]._replace(answer="")), CLICKS_ON_RECORD, "got no answer"),
        ((CLICKED[0], CLICKED[0]._replace(person="Marcus")), CLICKS_ON_RECORD, "Marcus was told 1 times"),
        (CLICKED, CLICKS_ON_RECORD[:1], "Marcus was told 1 times of no to Update, the trail has it 0"),
        (CLICKED, CLICKS_ON_RECORD[1:], "Dana was told 1 times"),
        (
            (CLICKED[0], CLICKED[1]._replace(answer=f"{JOB} Riverside: Marcus rejected it on 2026-11-26.")),
            CLICKS_ON_RECORD,
            "Marcus was told that Marcus rejected it",
        ),
        ((CLICKED[0]._replace(answer="Something went wrong."), CLICKED[1]), CLICKS_ON_RECORD, "went wrong"),
    ],
    ids=[
        "no answer",
        "two winners",
        "no refusal on record",
        "no act on record",
        "another outcome",
        "an error",
    ],
)
def test_a_click_that_was_answered_otherwise_is_found(
    clicks: tuple[Click, ...], events: tuple[TrailEvent, ...], words: str
) -> None:
    assert [finding for finding in disagreements(clicks, events) if words in finding.words]


class Rejecting:
    """A person whose click opens the window that asks why, though Slack does not say so to the bot."""

    def __init__(self) -> None:
        self.said: list[SimpleNamespace] = []
        self.window: str | None = None

    def sees(self) -> SimpleNamespace:
        modal = SimpleNamespace(words=self.window) if self.window else None
        if self.window == "Rejecting…":
            self.window = f"{JOB} Riverside: It is rejected, and whoever requested it gets your comment."
        return seen(self.said, modal)

    def click(self, _act: str, _card: object) -> SimpleNamespace:
        self.window = f"Reject {JOB}? Why?"
        return SimpleNamespace(trigger_id="1.a")

    def submit(self, _inputs: object) -> SimpleNamespace:
        self.window = "Rejecting…"
        self.said.append(SimpleNamespace(words=f"Slack {NOT_OPENED}; please click again."))
        return SimpleNamespace(trigger_id="2.b")

    def close(self) -> None:
        self.window = None


def test_the_word_of_a_window_that_did_not_open_answers_no_comment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.faults.clicking._LOOK_SECONDS", 0.0)
    person: Any = Rejecting()
    card: Any = None
    assert "It is rejected" in click(person, "Marcus", "Reject", card).answer


class SaidTwice:
    """A person who is told of a click twice, since Slack has shown it and called it a failure."""

    def __init__(self) -> None:
        self.said: list[SimpleNamespace] = []
        self.looks = 0

    def sees(self) -> SimpleNamespace:
        self.looks += 1
        if self.looks in (2, 5):
            self.said.append(SimpleNamespace(words=UPDATED_AGAIN))
        return seen(self.said, None)

    def click(self, _act: str, _card: object) -> SimpleNamespace:
        return SimpleNamespace(trigger_id="1.a")


def seen(said: Sequence[SimpleNamespace], window: SimpleNamespace | None) -> SimpleNamespace:
    return SimpleNamespace(ephemerals=[*said], direct_messages=[], modal=window, raw={"me": "U0DANA"})


def test_nobody_clicks_again_before_all_was_said_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.faults.clicking._LOOK_SECONDS", 0.0)
    person: Any = SaidTwice()
    card: Any = None
    click(person, "Dana", "Update", card, unheard=lambda user, since: [UPDATED_AGAIN])
    assert len(person.said) == 2
