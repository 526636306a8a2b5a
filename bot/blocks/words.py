"""Every sentence that people read about states, counts, holds and events: one wording for all places.

Owns the words and their two forms, Slack's `mrkdwn` and plain text for a terminal. Data is put in by
the form, which escapes it and keeps it on one line. No blocks here, and no database.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.blocks.limits import clamp, escape
from workflow.checks import Finding
from workflow.queries import CostCodeFacts, Counts, HistoryEvent, HoldFacts, UpdateFacts
from workflow.vocabulary import Event, HoldKind, Place, Refusal, Rule, Severity, Standing, State

DATA_SHOWN = 200
"""Characters of one piece of data inside a sentence; the rest is in `costbot show`."""


@dataclass(frozen=True, slots=True)
class Form:
    """How a sentence is written for one kind of reader: its dates, its data, its stress."""

    date: Callable[[datetime], str]
    data: Callable[[str], str]
    strong: Callable[[str], str]


def one_line(text: str, limit: int = DATA_SHOWN) -> str:
    """Data on one line, cut with `…` after `limit` characters."""
    return clamp(" ".join(text.split()), limit)


def _utc(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _local(at: datetime) -> str:
    # Slack shows each reader their own time zone; the fallback is for clients that cannot
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} at {{time}}|{_utc(at)}>"


SLACK = Form(
    date=_local, data=lambda text: escape(one_line(text)), strong=lambda text: f"*{text}*" if text else ""
)
PLAIN = Form(date=_utc, data=one_line, strong=str)
ALOUD = Form(date=_utc, data=SLACK.data, strong=str)
"""For a message's fall-back text: what a phone's notification and a screen reader say."""

STATE_EMOJI = {
    State.READY: "🟡",
    State.ACCEPTED: "🔵",
    State.EXPORTED: "📤",
    State.SYNCED: "✅",
    State.FAILED: "❌",
    State.REJECTED: "⛔",
}
STATE_WORDS = {
    State.READY: "Ready to Update",
    State.ACCEPTED: "Updated, waits for the data sync",
    State.EXPORTED: "Sent to Sage, waits for the read-back",
    State.SYNCED: "Synced",
    State.FAILED: "Failed to Export",
    State.REJECTED: "Rejected",
}
STANDING_WORDS = {
    Standing.NEW_CODE: "new cost code",
    Standing.NEW_CATEGORY: "in Sage, new category",
    Standing.IN_SAGE: "in Sage already",
}
DONE_WORDS = {
    Standing.NEW_CODE: "created",
    Standing.NEW_CATEGORY: "category added",
    Standing.IN_SAGE: "was there already",
}
REFUSAL_WORDS = {
    Refusal.NO_MATCHING_PERSON: "no matching person in the company directory",
    Refusal.PERMISSION_TOO_LOW: "permission on ERP Integrations is too low",
    Refusal.PRIVILEGE_MISSING: "the Can Push to Accounting privilege is missing",
    Refusal.DEACTIVATED: "deactivated in the company directory",
    Refusal.COULD_NOT_FIND_OUT: "could not find out who it is",
    Refusal.FROM_OUTSIDE: "not a member of this workspace",
    Refusal.OWN_REQUEST: "asked for these cost codes themselves",
    Refusal.NOT_READY: "it was not Ready to Update",
    Refusal.NOT_ACCEPTED: "it was not updated",
    Refusal.NOT_FAILED: "Sage had refused nothing",
    Refusal.ALREADY_GOING_OUT: "the data sync was sending it",
    Refusal.COMMENT_MISSING: "the comment was missing",
    Refusal.SAGE_WOULD_REFUSE: "Sage would refuse it",
}
FINDING_EMOJI = {Severity.REFUSE: "🚫", Severity.WARN: "⚠️"}


def counted(number: int, one: str, many: str | None = None) -> str:
    """`1 cost code`, `5,000 cost codes`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def counts_words(counts: Counts) -> str:
    """`3 cost codes, 7 assignments, 2 codes new to Sage`."""
    new = counted(counts.new_codes, "code") if counts.new_codes else "no code"
    return (
        f"{counted(counts.cost_codes, 'cost code')}, "
        f"{counted(counts.assignments, 'assignment')}, {new} new to Sage"
    )


def outcome_words(created: int, tied: int, already_there: int, failed: int) -> str:
    """What became of lines in Sage: `4 created, 2 tied to cost codes Sage had, 1 refused`."""
    parts = (
        (created, "created"),
        (tied, "tied to cost codes Sage had"),
        (already_there, "there already"),
        (failed, "refused"),
    )
    return ", ".join(f"{number:,} {word}" for number, word in parts if number) or "nothing to send"


def standing_words(code: CostCodeFacts, state: State) -> str:
    """How a cost code stands against Sage now, or what became of it once Sage was read back."""
    if code.refused:
        return "refused by Sage"
    if state in (State.SYNCED, State.FAILED):
        return DONE_WORDS[code.standing]
    held = set(code.requested) <= set(code.in_sage)
    return STANDING_WORDS[Standing.IN_SAGE if held else code.standing]


def code_words(extra: str, code: str) -> str:
    """A cost code of the job itself, or of one of its extras."""
    return f"{code} (extra {extra})" if extra else code


def hold_words(kind: HoldKind | str, number: str, title: str = "") -> str:
    """`commitment change order CO-3 Steel erection`; plain text, for a form to put in."""
    return " ".join(filter(None, (kind.replace("_", " "), number, title)))


def hold_line(hold: HoldFacts, form: Form = SLACK) -> str:
    """A hold as one line of a list."""
    words = hold_words(hold.kind, hold.number, hold.title)
    return f"• {form.data(words[0].upper() + words[1:])}"


def waiting_words(holds: Sequence[HoldFacts]) -> str:
    """How many contracts wait, in a sentence."""
    kind = "contract" if all(hold.kind.is_contract for hold in holds) else "export"
    verb = "waits" if len(holds) == 1 else "wait"
    return f"{counted(len(holds), kind)} {verb} until these cost codes are updated"


def state_words(facts: UpdateFacts, form: Form = SLACK) -> str:
    """The state in words with its emoji, and who put it there and when."""
    title = f"{STATE_EMOJI[facts.state]} {form.strong(STATE_WORDS[facts.state])}"
    who = form.data(facts.decided_by or "somebody")
    by = f"by {who} {form.date(facts.decided_at)}" if facts.decided_at else f"by {who}"
    match facts.state:
        case State.READY:
            return title
        case State.ACCEPTED:
            return f"{title}: {by}"
        case State.REJECTED:
            return f"{title}: {by}: “{form.data(facts.comment or '')}”"
        case State.EXPORTED:
            return f"{title}: data sync {facts.batch}"
        case State.SYNCED | State.FAILED:
            c = facts.counts
            result = outcome_words(c.created, c.tied, c.already_there, c.failed)
            batch = f"data sync {facts.batch}" if facts.batch else "data sync"
            when = f" {form.date(facts.finished_at)}" if facts.finished_at else ""
            return f"{title}: {batch}{when}: {result}"


def request_words(facts: UpdateFacts, form: Form = SLACK) -> str:
    """Who asked, when, and which revision this is."""
    return (
        f"Requested by {form.data(facts.requested_by)} {form.date(facts.requested_at)}, "
        f"revision {facts.revision}"
    )


def finding_words(finding: Finding, form: Form = SLACK) -> str:
    """What a check before Update found, marked by whether it stops the Update."""
    return f"{FINDING_EMOJI[finding.severity]} {form.data(finding.message)}"


def told_of(findings: Iterable[Finding]) -> list[Finding]:
    """Without what is shown beside a cost code's description anyway: that Sage keeps its own."""
    return [finding for finding in findings if finding.rule is not Rule.DESCRIPTION_DIFFERS]


def time_taken(start: datetime, end: datetime) -> str:
    """`4 s`, `12 min`, `3 h`: how long something took."""
    seconds = round((end - start).total_seconds())
    if seconds < 120:
        return f"{seconds:,} s"
    return f"{seconds // 60:,} min" if seconds < 7_200 else f"{seconds // 3_600:,} h"


def next_sync_words(next_sync: datetime | None, form: Form = SLACK) -> str:
    """When the next data sync runs, as the schedule has it."""
    return f"Next data sync: {form.date(next_sync)}" if next_sync else "No data sync is scheduled"


def last_run_words(last_run: datetime | None, form: Form = SLACK) -> str:
    """When the data sync ran last, whether or not it had something to send."""
    return f"Last data sync: {form.date(last_run)}" if last_run else "No data sync has run yet"


def event_words(event: HistoryEvent, form: Form = SLACK) -> str:
    """One audit event as a sentence: the same in a thread, a history, a direct message, a terminal."""
    words = _SENTENCES[Event(event.event)](_Told(event, form))
    return f"{words} (command line)" if event.place == Place.COMMAND_LINE else words


def dated_event_words(event: HistoryEvent, form: Form = SLACK) -> str:
    """The sentence with its time before it, for a list of events."""
    return f"{form.date(event.at)}: {event_words(event, form)}"


class _Told:
    """An event's facts, ready to be put into a sentence; a fact that is missing reads as nothing."""

    def __init__(self, event: HistoryEvent, form: Form) -> None:
        self._facts: Mapping[str, Any] = event.facts
        self._form = form
        self.who = form.data(event.actor)

    def text(self, name: str) -> str:
        return self._form.data(str(self._facts.get(name) or ""))

    def number(self, name: str) -> int:
        return int(self._facts.get(name) or 0)

    def list(self, name: str) -> list[Any]:
        return list(self._facts.get(name) or [])

    @property
    def reason(self) -> str:
        return REFUSAL_WORDS[Refusal(self._facts["reason"])]

    @property
    def asked_for(self) -> str:
        """`7 assignments of 3 cost codes`."""
        codes = {(extra, code) for extra, code, _ in self.list("assignments")}
        return f"{counted(self.number('added'), 'assignment')} of {counted(len(codes), 'cost code')}"

    @property
    def outcomes(self) -> str:
        """What became of the lines, from a requested update's event or from a data sync's."""
        counts = self._facts.get("lines") or self._facts
        names = ("created", "tied", "already_there", "failed")
        return outcome_words(*(int(counts.get(name) or 0) for name in names))

    @property
    def refused_lines(self) -> str:
        return counted(int((self._facts.get("lines") or {}).get("failed") or 0), "line")

    @property
    def hold(self) -> str:
        return self._form.data(
            hold_words(*(str(self._facts.get(n) or "") for n in ("kind", "number", "title")))
        )

    @property
    def oldest(self) -> str:
        """`24-017 Riverside Medical Center, 24-031 Harbor Point and 3 more`."""
        named = self.list("oldest")
        more = self.number("jobs") - len(named)
        return self._form.data(", ".join(map(str, named))) + (f" and {more:,} more" if more > 0 else "")

    @property
    def holds(self) -> str:
        """`commitment SC-1, prime contract PC-2`."""
        holds = [str(hold).partition(" ")[::2] for hold in self.list("holds")]
        return self._form.data(", ".join(hold_words(kind, number) for kind, number in holds))


def _sent_again(told: _Told) -> str:
    new = f" with {told.asked_for}" if told.number("added") else ""
    return (
        f"{told.who} sent again what Sage refused{new}. Ready to Update, revision {told.number('revision')}."
    )


_SENTENCES: Mapping[Event, Callable[[_Told], str]] = {
    Event.REQUESTED: lambda t: f"{t.who} requested {t.asked_for}. Ready to Update.",
    Event.JOINED: lambda t: f"{t.who} added {t.asked_for}. Ready to Update, revision {t.number('revision')}.",
    Event.UPDATED: lambda t: (
        f"{t.who} updated revision {t.number('revision')}. It goes out with the next data sync."
    ),
    Event.TAKEN_BACK: lambda t: (
        f"{t.who} took the update back. Ready to Update again, revision {t.number('revision')}."
    ),
    Event.REJECTED: lambda t: f"{t.who} rejected revision {t.number('revision')}: “{t.text('comment')}”",
    Event.SENT_AGAIN: _sent_again,
    Event.EXPORTED: lambda t: f"Data sync {t.text('batch')} sent it to Sage.",
    Event.SYNCED: lambda t: f"Sage holds every line after data sync {t.text('batch')}: {t.outcomes}.",
    Event.FAILED: lambda t: f"Sage refused {t.refused_lines} of data sync {t.text('batch')}: {t.outcomes}.",
    Event.STALE: lambda t: (
        f"{t.who} wanted to {t.text('act')} revision {t.number('seen')}, which had changed meanwhile. "
        "Nothing was done."
    ),
    Event.REFUSED: lambda t: f"{t.who} may not {t.text('act')}: {t.reason}.",
    Event.PRIVILEGE_ASKED: lambda t: (
        f"{t.who} asks to become an accounting approver: {t.reason}. "
        "It takes Standard or Admin on ERP Integrations and Can Push to Accounting."
    ),
    Event.SYNC_ASKED: lambda t: f"{t.who} asked for a data sync now.",
    Event.SYNC_STARTED: lambda t: (
        f"Data sync {t.text('batch')} started with {counted(t.number('jobs'), 'job')}."
    ),
    Event.SYNC_FINISHED: lambda t: (
        f"Data sync {t.text('batch')} finished {counted(t.number('jobs'), 'job')}: {t.outcomes}."
    ),
    Event.REMINDED: lambda t: (
        f"{counted(t.number('jobs'), 'job')} Ready to Update for more than a day: {t.oldest}. "
        "`/costcodes ready` lists them."
    ),
    Event.SYNC_OVERDUE: lambda t: (
        f"Nobody has imported {t.text('file')} of data sync {t.text('batch')} into Sage yet. Import it from "
        "the folder outgoing (Job Cost, Tasks, Import Estimates), then move it to the folder done. If it "
        "lies there already, costbot waits for a newer export of Job Cost: save it anew."
    ),
    Event.HOLD_ADDED: lambda t: f"{t.who} registered {t.hold}.",
    Event.HOLD_PLACED: lambda t: f"On hold until the cost codes are updated: {t.holds}.",
    Event.HOLD_RELEASED: lambda t: f"Released, may be exported now: {t.holds}.",
    Event.IMPORTED: lambda t: (
        f"{t.who} imported {t.text('what')} ({counted(t.number('rows'), 'row')}) from {t.text('source')}."
    ),
    Event.PERSON_LINKED: lambda t: f"{t.who} linked {t.text('person')} to Slack user {t.text('user_id')}.",
    Event.PERSON_UNLINKED: lambda t: (
        f"{t.who} unlinked {t.text('person')} from Slack user {t.text('user_id')}."
    ),
}
