"""Every sentence that people read about states, counts, holds and events: one wording for all places.

Owns the words and their two forms, Slack's `mrkdwn` and plain text for a terminal. Data is put in by
the form, which escapes it and keeps it on one line. No blocks here, and no database.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from bot.blocks.limits import clamp, escape
from workflow import four_eyes
from workflow.aways import AwaySet, Cannot
from workflow.checks import Finding
from workflow.preferences import Choices
from workflow.privileges import Rules
from workflow.queries import CostCodeFacts, Counts, HistoryEvent, HoldFacts, UpdateFacts
from workflow.tables import Away
from workflow.vocabulary import (
    Event,
    HoldKind,
    Notify,
    Place,
    PrivilegeAnswer,
    Refusal,
    Rule,
    Severity,
    Standing,
    State,
)

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
    State.EXPIRED: "⌛",
}
STATE_WORDS = {
    State.READY: "Ready to Update",
    State.ACCEPTED: "Updated, waits for the data sync",
    State.EXPORTED: "Sent to Sage, waits for the read-back",
    State.SYNCED: "Synced",
    State.FAILED: "Failed to Export",
    State.REJECTED: "Rejected",
    State.EXPIRED: "Expired",
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
    Refusal.SECOND_APPROVER_NEEDED: "was the first of the two approvers already",
    Refusal.NOT_READY: "it was not Ready to Update",
    Refusal.NOT_ACCEPTED: "it was not updated",
    Refusal.NOT_FAILED: "Sage had refused nothing",
    Refusal.ALREADY_GOING_OUT: "the data sync was sending it",
    Refusal.COMMENT_MISSING: "the comment was missing",
    Refusal.NOT_ADMINISTRATOR: "not an administrator on record",
    Refusal.OWN_PRIVILEGE: "asked for it themselves",
    Refusal.SAGE_WOULD_REFUSE: "Sage would refuse it",
    Refusal.NOT_TURNED_DOWN: "there was nothing to ask again",
    Refusal.CANNOT_STAND_IN: "the person named cannot stand in",
}
NOTIFY_WORDS = {
    Notify.EVERY_REQUEST: "every request, at once",
    Notify.HOURLY: "a digest every working hour",
    Notify.DAILY: "a digest every working morning",
    Notify.MENTIONS: "mentions only",
    Notify.DO_NOT_PING: "may update, is not pinged",
}
_CHANNEL_ID = re.compile(r"[CG][A-Z0-9]+")
FINDING_EMOJI = {Severity.REFUSE: "🚫", Severity.WARN: "⚠️"}


def counted(number: int, one: str, many: str | None = None) -> str:
    """`1 cost code`, `5,000 cost codes`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def counts_words(counts: Counts) -> str:
    """`3 cost codes, 7 assignments, 2 codes new to Sage`.

    Of what was sent again only what waits is counted: the rest of it is in Sage already.
    """
    new = counted(counts.new_codes, "code") if counts.new_codes else "no code"
    in_sage = counts.assignments - counts.open_lines if counts.open_lines else 0
    codes, lines = (
        (counts.open_codes, counts.open_lines) if in_sage else (counts.cost_codes, counts.assignments)
    )
    said = f"{counted(codes, 'cost code')}, {counted(lines, 'assignment')}, {new} new to Sage"
    if not in_sage:
        return said
    return f"{said}. Sage has {in_sage:,} more {'assignment' if in_sage == 1 else 'assignments'} already"


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
    who = acting_words(form.data(facts.decided_by or "somebody"), form.data(facts.decided_for or ""))
    by = f"by {who} {form.date(facts.decided_at)}" if facts.decided_at else f"by {who}"
    match facts.state:
        case State.READY:
            return title
        case State.ACCEPTED:
            after = facts.first_approval
            return f"{title}: {by}, after {form.data(after.by)}" if after else f"{title}: {by}"
        case State.REJECTED:
            return f"{title}: {by}: “{form.data(facts.comment or '')}”"
        case State.EXPIRED:
            when = f" {form.date(facts.decided_at)}" if facts.decided_at else ""
            return f"{title}{when}: nobody updated or rejected it in time, and nothing went to Sage"
        case State.EXPORTED:
            return f"{title}: data sync {facts.batch}"
        case State.SYNCED | State.FAILED:
            c = facts.counts
            result = outcome_words(c.created, c.tied, c.already_there, c.failed)
            batch = f"data sync {facts.batch}" if facts.batch else "data sync"
            when = f" {form.date(facts.finished_at)}" if facts.finished_at else ""
            return f"{title}: {batch}{when}: {result}"


def is_first_of_two(facts: UpdateFacts, rules: Rules) -> bool:
    """Whether a ready job has the first of its two approvals and waits for the second."""
    return facts.first_approval is not None and bool(approvers_words(facts, rules))


def approvers_words(facts: UpdateFacts, rules: Rules, form: Form = SLACK) -> str:
    """Which of two approvers a ready job still waits for; nothing where one approver is enough."""
    needs_two = four_eyes.needs_two(rules, number=facts.number, open_lines=facts.counts.open_lines)
    if facts.state is not State.READY or not needs_two:
        return ""
    first = facts.first_approval
    if first is None:
        return "👥 Two approvers must Update this."
    return f"👥 1 of 2: {form.data(first.by)} updated {form.date(first.at)}, a second approver must Update."


def acting_words(who: str, instead_of: str) -> str:
    """`Dana Reyes, for Sam Ortiz,`: who acted, and for whom they stood in, if for anybody."""
    return f"{who}, for {instead_of}," if instead_of else who


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


def choices_words(choices: Choices) -> str:
    """What a person chose to hear of, in a sentence; plain text."""
    how = NOTIFY_WORDS[choices.notify]
    if choices.quiet:
        return f"Messages: {how}. Quiet hours {choices.quiet}."
    return f"Messages: {how}. No quiet hours."


def away_words(away: Away) -> str:
    """Who is away when, and who stands in; plain text."""
    return (
        f"{away.person.name} is away from {away.first_day} to {away.last_day}, "
        f"and {away.delegate.name} stands in."
    )


def away_set_words(done: AwaySet) -> str:
    """That somebody stands in from now on, and what that means; plain text."""
    name = done.away.delegate.name
    said = f"{away_words(done.away)} Messages go to {name}, who acts by their own right: rights do not move."
    if not done.both_away:
        return said
    back = done.away.person.name
    return f"{said} {name} is away on some of these days too; on those the messages go to {back}."


def forwarded_words(person: str, last_day: date, form: Form = SLACK) -> str:
    """Why somebody reads another person's message."""
    return f"This is for {form.data(person)}, who is away until {last_day}. You stand in."


def not_forwarded_words(delegate: str, cannot: Cannot, form: Form = SLACK) -> str:
    """Why somebody who is away gets a message after all."""
    if cannot is Cannot.AWAY:
        return f"You are away, but so is {form.data(delegate)}, who stands in for you. So this comes to you."
    return (
        f"You are away, but {form.data(delegate)}, who stands in for you, may not Update any more. "
        "So this comes to you."
    )


def time_taken(start: datetime, end: datetime) -> str:
    """`4 s`, `12 min`, `3 h`: how long something took."""
    seconds = round((end - start).total_seconds())
    if seconds < 120:
        return f"{seconds:,} s"
    return f"{seconds // 60:,} min" if seconds < 7_200 else f"{seconds // 3_600:,} h"


def age_words(since: datetime, now: datetime) -> str:
    """How long ago something was, in one unit: `3 days`, `1 hour`, `less than a minute`."""
    minutes = int((now - since).total_seconds()) // 60
    for size, unit in ((24 * 60, "day"), (60, "hour"), (1, "minute")):
        if minutes >= size:
            return counted(minutes // size, unit)
    return "less than a minute"


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
        absent = ", ".join(map(str, self.list("standing_in_for")))
        self.who = acting_words(form.data(event.actor), form.data(absent))

    def text(self, name: str) -> str:
        return self._form.data(str(self._facts.get(name) or ""))

    def number(self, name: str) -> int:
        return int(self._facts.get(name) or 0)

    def fact(self, name: str) -> Any:
        return self._facts.get(name)

    def names(self, name: str) -> str:
        return self._form.data(", ".join(map(str, self.list(name))))

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
    def code(self) -> str:
        """Slack's own word for what is wrong."""
        return str(self._facts.get("code") or "")

    @property
    def channel(self) -> str:
        """The approvals channel: Slack shows its name to whoever may see it."""
        channel = str(self._facts.get("channel") or "")
        if not channel:
            return "the approvals channel"
        is_id = _CHANNEL_ID.fullmatch(channel) is not None
        return f"<#{channel}>" if is_id and self._form is not PLAIN else self._form.data(channel)

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


def _requested(told: _Told) -> str:
    if told.fact("again"):
        return f"{told.who} asked again for {told.asked_for}. Ready to Update."
    return _with_note(told, f"{told.who} requested {told.asked_for}. Ready to Update.")


def _joined(told: _Told) -> str:
    revision = told.number("revision")
    return _with_note(told, f"{told.who} added {told.asked_for}. Ready to Update, revision {revision}.")


def _with_note(told: _Told, said: str) -> str:
    """What who asks wants the approver to know, from a step of a workflow."""
    return f"{said} Note: “{told.text('note')}”" if told.fact("note") else said


def _escalated(told: _Told) -> str:
    waited = f"Nobody has updated or rejected this for {counted(told.number('hours'), 'working hour')}."
    return f"{waited} It was escalated to {told.names('to')}." if told.list("to") else waited


def _notify_chosen(told: _Told) -> str:
    how = NOTIFY_WORDS[Notify(told.fact("notify") or Notify.EVERY_REQUEST)]
    if told.fact("quiet"):
        return (
            f"{told.who} set the messages for {told.text('person')}: {how}. Quiet hours {told.text('quiet')}."
        )
    return f"{told.who} set the messages for {told.text('person')}: {how}. No quiet hours."


def _sent_again(told: _Told) -> str:
    new = f" with {told.asked_for}" if told.number("added") else ""
    return _with_note(
        told,
        f"{told.who} sent again what Sage refused{new}. Ready to Update, revision {told.number('revision')}.",
    )


def _updated(told: _Told) -> str:
    revision, first = told.number("revision"), told.text("first")
    if first:
        return (
            f"{told.who} updated revision {revision} as the second approver, after {first}. "
            "It goes out with the next data sync."
        )
    return f"{told.who} updated revision {revision}. It goes out with the next data sync."


def _channel_closed(told: _Told) -> str:
    channel = told.channel
    match told.code:
        case "not_in_channel":
            why = (
                f"costbot is not in {channel}, so it cannot post there. "
                "Open that channel and type `/invite @costbot`."
            )
        case "is_archived":
            why = f"{channel} is archived. Unarchive it, or set `COSTBOT_CHANNEL` to another channel."
        case "restricted_action":
            why = (
                f"Apps may not post in {channel}. "
                "Let costbot post there, or set `COSTBOT_CHANNEL` to another channel."
            )
        case _:
            why = (
                f"costbot does not find {channel}. If it is private, open it and type `/invite @costbot`; "
                "else correct `COSTBOT_CHANNEL`."
            )
    return f"{why} What is to be told there waits, and nothing is lost."


_SENTENCES: Mapping[Event, Callable[[_Told], str]] = {
    Event.REQUESTED: _requested,
    Event.JOINED: _joined,
    Event.FIRST_APPROVED: lambda t: (
        f"{t.who} updated revision {t.number('revision')} as the first of two approvers. "
        "A second approver must Update."
    ),
    Event.FIRST_TAKEN_BACK: lambda t: (
        f"{t.who} took the first of the two updates back. Two approvers must Update."
    ),
    Event.UPDATED: _updated,
    Event.TAKEN_BACK: lambda t: (
        f"{t.who} took the update back. Ready to Update again, revision {t.number('revision')}."
    ),
    Event.REJECTED: lambda t: f"{t.who} rejected revision {t.number('revision')}: “{t.text('comment')}”",
    Event.SENT_AGAIN: _sent_again,
    Event.ESCALATED: _escalated,
    Event.EXPIRED: lambda t: (
        f"Revision {t.number('revision')} expired: nobody updated or rejected it for "
        f"{counted(t.number('days'), 'day')}. Nothing went to Sage. Ask again brings it back."
    ),
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
        + (f" “{t.text('words')}”" if t.text("words") else "")
    ),
    Event.PRIVILEGE_GRANTED: lambda t: (
        f"{t.who} made {t.text('person')} an accounting approver."
        if t.text("answer") == PrivilegeAnswer.GRANTED
        else f"{t.who} says that {t.text('person')} is made an accounting approver in the company directory."
    ),
    Event.PRIVILEGE_DECLINED: lambda t: (
        f"{t.who} declined that {t.text('person')} becomes an accounting approver: “{t.text('comment')}”"
    ),
    Event.SYNC_ASKED: lambda t: f"{t.who} asked for a data sync now.",
    Event.SYNC_STARTED: lambda t: (
        f"Data sync {t.text('batch')} started with {counted(t.number('jobs'), 'job')}."
    ),
    Event.SYNC_FINISHED: lambda t: (
        f"Data sync {t.text('batch')} finished {counted(t.number('jobs'), 'job')}: {t.outcomes}."
    ),
    Event.REMINDED: lambda t: (
        f"Reminded the accounting approvers of {counted(t.number('jobs'), 'job')} Ready to Update for long: "
        f"{t.oldest}."
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
    Event.CHANNEL_CLOSED: _channel_closed,
    Event.CHANNEL_OPEN: lambda t: f"costbot can post in {t.channel} again.",
    Event.PERSON_LINKED: lambda t: f"{t.who} linked {t.text('person')} to Slack user {t.text('user_id')}.",
    Event.PERSON_UNLINKED: lambda t: (
        f"{t.who} unlinked {t.text('person')} from Slack user {t.text('user_id')}."
    ),
    Event.NOTIFY_CHOSEN: _notify_chosen,
    Event.AWAY: lambda t: (
        f"{t.text('person')} is away from {t.text('first_day')} to {t.text('last_day')}, "
        f"and {t.text('delegate')} stands in."
    ),
    Event.AWAY_ENDED: lambda t: (
        f"{t.text('person')} is not away any more (it was to be {t.text('first_day')} to "
        f"{t.text('last_day')}), and {t.text('delegate')} no longer stands in."
    ),
}
