"""The independent check after each fault: what was lost, what was doubled, what is wrong.

Pure, and on purpose none of costbot's own logic: it folds the audit trail by itself and counts what stands
in Slack and in Sage. `tests/faults/test_verdict.py` shows that each check can fail.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from tests.faults.facts import Deaf, Facts, Notice, Quiet, TrailEvent, Update
from workflow.vocabulary import Event, NoticeKind, Outcome, PeriodicWork, State


class Kind(StrEnum):
    """What a finding is."""

    LOST = "lost"
    DOUBLED = "doubled"
    WRONG = "wrong"


@dataclass(frozen=True, order=True)
class Finding:
    """One thing that should not be, in words."""

    kind: Kind
    words: str


Findings = Iterator[Finding]

ARROWS: dict[str, tuple[frozenset[State | None], State]] = {
    Event.REQUESTED: (frozenset({None}), State.READY),
    Event.JOINED: (frozenset({State.READY}), State.READY),
    Event.SENT_AGAIN: (frozenset({State.READY, State.FAILED}), State.READY),
    Event.UPDATED: (frozenset({State.READY}), State.ACCEPTED),
    Event.TAKEN_BACK: (frozenset({State.ACCEPTED}), State.READY),
    Event.REJECTED: (frozenset({State.READY}), State.REJECTED),
    Event.EXPIRED: (frozenset({State.READY}), State.EXPIRED),
    Event.EXPORTED: (frozenset({State.ACCEPTED}), State.EXPORTED),
    Event.SYNCED: (frozenset({State.EXPORTED}), State.SYNCED),
    Event.FAILED: (frozenset({State.ACCEPTED, State.EXPORTED}), State.FAILED),
}
"""From which states each event leads to which; each of them has one reply in the thread of its job's card."""

SHOWN = {
    State.READY: "Ready to Update",
    State.ACCEPTED: "Updated, waits for the data sync",
    State.EXPORTED: "Sent to Sage, waits for the read-back",
    State.SYNCED: "Synced",
    State.FAILED: "Failed to Export",
    State.REJECTED: "Rejected",
    State.EXPIRED: "Expired",
}
_SHOWN_FIRST = (State.READY, State.FAILED, State.ACCEPTED, State.EXPORTED)
_ON_ITS_WAY = (State.ACCEPTED, State.EXPORTED)
_IN_SAGE = (Outcome.CREATED, Outcome.TIED, Outcome.ALREADY_THERE)

TOLD: dict[str, str] = {
    "It is updated, and goes out": Event.UPDATED,
    "It is taken back, and Ready": Event.TAKEN_BACK,
    "It is rejected, and whoever": Event.REJECTED,
    "It is Ready to Update again, for": Event.SENT_AGAIN,
}
"""What people are told that something was done, and the event that then is on record."""
SOMEBODY_DID = re.compile(r": (?:[^:]*: )?(?P<who>[^:]+?) (?P<what>updated|rejected) it on ")
DID = {"updated": Event.UPDATED, "rejected": Event.REJECTED}
_JOB = re.compile(r"\b\d\d-\d{3}\b")
_NOTHING_CHANGED = re.compile(r"Nothing was changed\..*: error (?P<request>\w+)")
_MAY_BE_DONE = ("It may have been saved", "It was saved, but not all of it could be shown")
"""What says the truth of an act that is on record, though not what it was."""
_HAS_A_MESSAGE = frozenset({NoticeKind.CARD, NoticeKind.DIRECT, NoticeKind.PRIVILEGE, NoticeKind.STEP})
_MESSAGES_OF_THEIR_OWN = ("answer", "burst", "report", "report-files")
"""Keys of what no notice asks for, or not by this key."""


def judge(facts: Facts) -> list[Finding]:
    """Everything that is wrong; empty when all is as it should be."""
    return sorted({finding for check in CHECKS for finding in check(facts)})


def lines_reach_sage(facts: Facts) -> Findings:
    """Every accepted line is in Sage or has failed with words; none waits once all has drained."""
    states = {update.id: update.state for update in facts.updates}
    held = set(facts.in_sage)
    for line in facts.lines:
        state, what = states.get(line.update), f"{_said(line.assignment)} of update {line.update}"
        if state is None:
            yield Finding(Kind.WRONG, f"{what}: its requested update does not exist")
        elif (state is State.SYNCED or line.outcome in _IN_SAGE) and line.assignment not in held:
            yield Finding(Kind.LOST, f"{what}: costbot says that it is in Sage, and it is not")
        elif state is State.SYNCED and line.outcome not in _IN_SAGE:
            yield Finding(Kind.WRONG, f"{what}: synced, but its outcome is {line.outcome}")
        elif state is State.FAILED and line.outcome not in (*_IN_SAGE, Outcome.FAILED):
            yield Finding(Kind.LOST, f"{what}: of a failed update, but nobody knows what became of it")
        elif line.outcome is Outcome.FAILED and not line.message:
            yield Finding(Kind.WRONG, f"{what}: failed without words")


def nothing_waits(facts: Facts) -> Findings:
    """What was accepted has gone through, every slot is done, and the outbox is empty."""
    for update in facts.updates:
        if update.state in _ON_ITS_WAY:
            yield Finding(Kind.LOST, f"update {update.id} of {update.job} is stuck: {update.state}")
    for slot in facts.slots:
        due = slot.asked or (facts.quiet is not None and slot.due_at <= facts.quiet.since)
        if due and not slot.done:
            yield Finding(Kind.LOST, f"a {slot.name} that was due at {slot.due_at:%H:%M:%S} was not done")
    for notice in facts.notices:
        may_wait = notice.waits_for_its_hour or _came_after_the_drain(notice, facts.quiet)
        if notice.given_up or not (notice.done or may_wait):
            state = "given up" if notice.given_up else "waits for ever"
            yield Finding(
                Kind.LOST, f"notice {notice.id} ({notice.kind}, {notice.job}) {state}: {notice.error}"
            )


def the_schedule_goes_on(facts: Facts) -> Findings:
    """A data sync fell due after the fault, that nobody asked for, and is done."""
    if facts.quiet is None:
        return
    since, until = facts.quiet.since, facts.quiet.until
    mine = [slot for slot in facts.slots if slot.name == PeriodicWork.DATA_SYNC and not slot.asked]
    if not any(slot.done and since <= slot.due_at <= until for slot in mine):
        yield Finding(Kind.LOST, f"no data sync was done by the schedule from {since:%H:%M:%S} on")


def sage_has_nothing_else(facts: Facts) -> Findings:
    """Each line is in Sage once, and somebody accepted it."""
    accepted = {event.update for event in facts.events if event.event == Event.UPDATED}
    wanted = {line.assignment for line in facts.lines if line.update in accepted}
    for assignment, times in Counter(facts.in_sage).items():
        if times > 1:
            yield Finding(Kind.DOUBLED, f"{_said(assignment)} is in Sage {times} times")
        if assignment not in wanted and assignment not in facts.before:
            yield Finding(Kind.WRONG, f"{_said(assignment)} is in Sage, and nobody accepted it")
    for assignment, times in facts.in_files.items():
        if times > 1:
            yield Finding(Kind.DOUBLED, f"{_said(assignment)} stands in import files {times} times")


def what_was_asked_is_there(facts: Facts) -> Findings:
    """Whoever was told that their lines are requested finds them on record."""
    for assignment in facts.asked - {line.assignment for line in facts.lines}:
        yield Finding(Kind.LOST, f"{_said(assignment)} was requested, and is not on record")


def trail_holds(facts: Facts) -> Findings:
    """The audit chain verifies."""
    for problem in facts.audit_problems:
        yield Finding(Kind.WRONG, f"audit trail: {problem}")


def trail_tells_the_states(facts: Facts) -> Findings:
    """Every state has come about by events, each decision by one; folded here from the trail alone."""
    states: dict[int, State] = {}
    joined: set[int] = set()
    for event in facts.events:
        if event.event not in ARROWS or event.update is None:
            continue
        sources, target = ARROWS[event.event]
        now = states.get(event.update)
        if now not in sources:
            kind = Kind.DOUBLED if now is target else Kind.WRONG
            yield Finding(kind, f"event {event.seq}: {event.event} of update {event.update}, which was {now}")
        states[event.update] = target
        joined |= set(event.facts.get("joined") or ())
    for update in facts.updates:
        if update.id not in joined and states.get(update.id) is not update.state:
            said = (
                f"update {update.id} of {update.job} is {update.state}, by its events {states.get(update.id)}"
            )
            yield Finding(Kind.WRONG, said)
    for missing in states.keys() - joined - {update.id for update in facts.updates}:
        yield Finding(Kind.LOST, f"update {missing} is on the audit trail, and gone")


def one_data_sync_at_a_time(facts: Facts) -> Findings:
    """A batch begins when the one before it is out of the way; each begins and ends once.

    That is when it is finished, or, where an accountant imports a file some time, when it is sent.
    """
    begun: Counter[str] = Counter()
    ended: Counter[str] = Counter()
    out_of_the_way: set[str] = set()
    for event in facts.events:
        batch = str(event.facts.get("batch"))
        if event.event == Event.SYNC_STARTED:
            for other in begun.keys() - out_of_the_way:
                yield Finding(Kind.WRONG, f"data sync {batch} began while {other} was under way")
            begun[batch] += 1
        elif event.event == Event.SYNC_FINISHED:
            ended[batch] += 1
            out_of_the_way.add(batch)
        elif facts.sage_answers_later and event.event in (Event.EXPORTED, Event.FAILED):
            out_of_the_way.add(batch)
    for what, counted in (("began", begun), ("ended", ended)):
        for batch, times in counted.items():
            if times > 1:
                yield Finding(Kind.DOUBLED, f"data sync {batch} {what} {times} times")


def one_message_per_notice(facts: Facts) -> Findings:
    """No message is in Slack twice, by its key, and every event of a job has one reply there."""
    there = Counter(message.key for message in facts.posted)
    for key, times in there.items():
        if times > 1:
            yield Finding(Kind.DOUBLED, f"{key} is in Slack {times} times")
    notices = Counter(notice.event for notice in facts.notices if notice.kind is NoticeKind.THREAD)
    for event in facts.events:
        if event.event in ARROWS:
            if notices[event.seq] != 1:
                kind = Kind.DOUBLED if notices[event.seq] else Kind.LOST
                yield Finding(kind, f"event {event.seq} has {notices[event.seq]} notices for its thread")
            if not there[f"thread:{event.seq}"]:
                yield Finding(Kind.LOST, f"event {event.seq} ({event.event}, {event.job}) is not in Slack")


def notices_and_messages_agree(facts: Facts) -> Findings:
    """A notice that is done has its message in Slack, of whatever kind, and each message there has a notice.

    A card, a reply, a direct message, a digest, a request for the privilege, a step of a workflow.
    """
    there = {message.key for message in facts.posted}
    for notice in facts.notices:
        # a digest of which nothing is left to tell is done without a message
        wanted = notice.key is not None or notice.kind in _HAS_A_MESSAGE
        if wanted and notice.done and not notice.given_up and notice.key not in there:
            said = f"notice {notice.id} ({notice.kind}) is done, and its message {notice.key} not in Slack"
            yield Finding(Kind.LOST, said)
    asked = {notice.key for notice in facts.notices}
    # where nothing could be kept, whoever waits for a step is told so all the same
    told_anyway = {message.key for message in facts.posted if message.of_nothing_kept}
    for key in there - asked - told_anyway:
        if key.partition(":")[0] not in _MESSAGES_OF_THEIR_OWN:
            yield Finding(Kind.WRONG, f"{key} is in Slack, and no notice asks for it")


def threads_say_who(facts: Facts) -> Findings:
    """The reply that tells of a decision names whoever made it."""
    words = {message.key: message.words for message in facts.posted}
    for event in facts.events:
        reply = words.get(f"thread:{event.seq}")
        if event.event in TOLD.values() and reply is not None and event.actor not in reply:
            yield Finding(Kind.WRONG, f"the reply of event {event.seq} does not name {event.actor}")


def one_true_card_per_job(facts: Facts) -> Findings:
    """A job that anybody asked for has one card, and its words are those of the state."""
    of_jobs: defaultdict[str, list[Update]] = defaultdict(list)
    for update in facts.updates:
        of_jobs[update.job].append(update)
    for job, key in facts.cards.items():
        shown = [message for message in facts.posted if message.key == key]
        if job not in of_jobs:
            if shown:
                yield Finding(Kind.WRONG, f"{job} has a card, and nothing was asked for")
            continue
        if not shown:
            yield Finding(Kind.LOST, f"{job} has no card")
        state = _shown_state(of_jobs[job])
        for card in shown:
            if f"*{SHOWN[state]}*" not in card.words:
                yield Finding(Kind.WRONG, f"the card of {job} does not say {SHOWN[state]}")


def people_were_told_the_truth(facts: Facts) -> Findings:
    """Nobody was told of an act that is not on record, nor that nothing was changed by one that is."""
    on_record = Counter((event.actor, event.job, event.event) for event in facts.events)
    deciders = {(event.job, event.actor, event.event) for event in facts.events}
    # Slack has shown these without saying so, and they were said once more
    repeated = Counter(act for words in facts.unheard for act in _acts_told(words))
    said = _told_of(facts)
    for answer in facts.answers:
        did = SOMEBODY_DID.search(answer.words)
        job = answer.words.partition(" ")[0]
        if did and (job, did["who"], DID[did["what"]]) not in deciders:
            told = f"{did['who']} {DID[did['what']]} {job}"
            yield Finding(Kind.WRONG, f"{answer.person} was told that {told}")
    for (person, job, what), times in said.items():
        if times > on_record[person, job, what] + repeated[job, what]:
            counted = f"{times} times, which happened {on_record[person, job, what]} times"
            yield Finding(Kind.WRONG, f"{person} was told of {what} of {job} {counted}")
    done = {event.request: event for event in facts.events if event.request and event.event in TOLD.values()}
    for answer in facts.answers:
        nothing = _NOTHING_CHANGED.search(answer.words)
        if nothing and (event := done.get(nothing["request"])):
            told = f"was told that nothing was changed, and event {event.seq} is {event.event} of {event.job}"
            yield Finding(Kind.WRONG, f"{answer.person} {told}")


def nobody_was_left_in_the_dark(facts: Facts) -> Findings:
    """Whoever decided something was told so, or at least that it may be done.

    But for whom a bot was to tell that was killed, or a window that Slack did not show.
    """
    said = _told_of(facts)
    unsure = Counter(
        answer.person for answer in facts.answers for words in _MAY_BE_DONE if words in answer.words
    )
    untold: Counter[str] = Counter()
    jobs: defaultdict[str, list[str]] = defaultdict(list)
    on_record: Counter[tuple[str, str, str]] = Counter()
    deaf: Counter[tuple[str, str, str]] = Counter()
    for event in facts.events:
        if event.event in TOLD.values():
            act = event.actor, event.job or "", event.event
            on_record[act] += 1
            deaf[act] += any(_may_be_lost(event, time) for time in facts.deaf)
    for act, times in on_record.items():
        person, job, what = act
        missing = times - said[act] - deaf[act]
        if missing > 0:
            untold[person] += missing
            jobs[person].append(f"{what} of {job}")
    for person, times in untold.items():
        if times > unsure[person]:
            what = ", ".join(jobs[person])
            yield Finding(Kind.LOST, f"{person} was not told of {times} acts that are on record: {what}")


CHECKS: tuple[Callable[[Facts], Findings], ...] = (
    lines_reach_sage,
    nothing_waits,
    the_schedule_goes_on,
    sage_has_nothing_else,
    what_was_asked_is_there,
    trail_holds,
    trail_tells_the_states,
    one_data_sync_at_a_time,
    one_message_per_notice,
    notices_and_messages_agree,
    threads_say_who,
    one_true_card_per_job,
    people_were_told_the_truth,
    nobody_was_left_in_the_dark,
)


def _came_after_the_drain(notice: Notice, quiet: Quiet | None) -> bool:
    """A data sync has written it while the facts were read; each draws the cards of ready jobs anew."""
    return quiet is not None and quiet.told is not None and notice.id not in quiet.told


def _may_be_lost(event: TrailEvent, deaf: Deaf) -> bool:
    """Whether the answer to an act may have ended with whoever was to give it."""
    concerned = event.request in deaf.requests or event.event in deaf.events
    return concerned and deaf.since <= event.at <= deaf.until


def _told_of(facts: Facts) -> Counter[tuple[str, str, str]]:
    """How often each person was told of an act of theirs on a job."""
    return Counter(
        (answer.person, job, event) for answer in facts.answers for job, event in _acts_told(answer.words)
    )


def _acts_told(words: str) -> list[tuple[str, str]]:
    """The job and the event of which these words say that it was done."""
    job = _JOB.search(words)
    return [(job[0], event) for said, event in TOLD.items() if job and said in words]


def _shown_state(updates: list[Update]) -> State:
    """What the card of a job with these shows: what waits or failed, else the newest."""
    for state in _SHOWN_FIRST:
        if any(update.state is state for update in updates):
            return state
    return max(updates, key=lambda update: update.id).state


def _said(assignment: tuple[str, ...]) -> str:
    return " ".join(filter(None, assignment))
