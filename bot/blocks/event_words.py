"""What an audit event says, as one sentence: the same in a thread, a history, a message, a terminal.

Owns a sentence for each event of `workflow.vocabulary`; its words and forms are those of `bot.blocks.words`.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from bot.blocks.reach_words import NOTIFY_WORDS, quiet_words
from bot.blocks.words import PLAIN, REFUSAL_WORDS, SLACK, Form, acting_words, hold_words, outcome_words
from workflow.facts import HistoryEvent
from workflow.language import later, plural, say
from workflow.vocabulary import Event, Notify, Place, PrivilegeAnswer, Refusal

KNOWN_WORDS = (
    later("update"),
    later("reject"),
    later("take back"),
    later("send again"),
    later("update several"),
    later("request"),
    later("ask again"),
    later("hand over"),
    later("look at cost codes"),
    later("start a data sync"),
    later("ask for the privilege"),
    later("answer for the privilege"),
    later("people"),
    later("jobs"),
    later("categories"),
    later("standard codes"),
)
"""What audit events name in words: the acts that were refused, and what was imported."""
_CHANNEL_ID = re.compile(r"[CG][A-Z0-9]+")


def event_words(event: HistoryEvent, form: Form = SLACK) -> str:
    """One audit event as a sentence: the same in a thread, a history, a direct message, a terminal."""
    words = _SENTENCES[Event(event.event)](_Told(event, form))
    return say("{words} (command line)", words=words) if event.place == Place.COMMAND_LINE else words


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

    def known(self, name: str) -> str:
        """A word of costbot's own, such as the name of an act, as the reader says it."""
        return self._form.data(say(str(self._facts.get(name) or "")))

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
        return say(REFUSAL_WORDS[Refusal(self._facts["reason"])])

    @property
    def asked_for(self) -> str:
        """`7 assignments of 3 cost codes`."""
        codes = {(extra, code) for extra, code, _ in self.list("assignments")}
        return say(
            "{assignments} of {cost_codes}",
            assignments=plural("{n:,} assignment", "{n:,} assignments", self.number("added")),
            cost_codes=plural("{n:,} cost code", "{n:,} cost codes", len(codes)),
        )

    @property
    def code(self) -> str:
        """Slack's own word for what is wrong."""
        return str(self._facts.get("code") or "")

    @property
    def channel(self) -> str:
        """The approvals channel: Slack shows its name to whoever may see it."""
        channel = str(self._facts.get("channel") or "")
        if not channel:
            return say("the approvals channel")
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
        return plural("{n:,} line", "{n:,} lines", int((self._facts.get("lines") or {}).get("failed") or 0))

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
        names = self._form.data(", ".join(map(str, named)))
        return say("{names} and {more:,} more", names=names, more=more) if more > 0 else names

    @property
    def holds(self) -> str:
        """`commitment SC-1, prime contract PC-2`."""
        holds = [str(hold).partition(" ")[::2] for hold in self.list("holds")]
        return self._form.data(", ".join(hold_words(kind, number) for kind, number in holds))


def _requested(told: _Told) -> str:
    if told.fact("again"):
        return say(
            "{who} asked again for {asked_for}. Ready to Update.", who=told.who, asked_for=told.asked_for
        )
    said = say("{who} requested {asked_for}. Ready to Update.", who=told.who, asked_for=told.asked_for)
    return _with_note(told, said)


def _joined(told: _Told) -> str:
    said = say(
        "{who} added {asked_for}. Ready to Update, revision {revision}.",
        who=told.who,
        asked_for=told.asked_for,
        revision=told.number("revision"),
    )
    return _with_note(told, said)


def _with_note(told: _Told, said: str) -> str:
    """What who asks wants the approver to know, from a step of a workflow."""
    if not told.fact("note"):
        return said
    return say("{said} Note: “{note}”", said=said, note=told.text("note"))


def _escalated(told: _Told) -> str:
    waited = plural(
        "Nobody has updated or rejected this for {n:,} working hour.",
        "Nobody has updated or rejected this for {n:,} working hours.",
        told.number("hours"),
    )
    return (
        say("{waited} It was escalated to {to}.", waited=waited, to=told.names("to"))
        if told.list("to")
        else waited
    )


def _notify_chosen(told: _Told) -> str:
    how = say(NOTIFY_WORDS[Notify(told.fact("notify") or Notify.EVERY_REQUEST)])
    if told.fact("quiet"):
        return say(
            "{who} set the messages for {person}: {how}. Quiet hours {quiet}.",
            who=told.who,
            person=told.text("person"),
            how=how,
            quiet=quiet_words(told.text("quiet")),
        )
    return say(
        "{who} set the messages for {person}: {how}. No quiet hours.",
        who=told.who,
        person=told.text("person"),
        how=how,
    )


def _sent_again(told: _Told) -> str:
    if told.number("added"):
        said = say(
            "{who} sent again what Sage refused with {asked_for}. Ready to Update, revision {revision}.",
            who=told.who,
            asked_for=told.asked_for,
            revision=told.number("revision"),
        )
        return _with_note(told, said)
    said = say(
        "{who} sent again what Sage refused. Ready to Update, revision {revision}.",
        who=told.who,
        revision=told.number("revision"),
    )
    return _with_note(told, said)


def _removed(told: _Told) -> str:
    if told.number("left"):
        return say(
            "Removed in Procore before it was updated: {asked_for}. Ready to Update, revision {revision}.",
            asked_for=told.asked_for,
            revision=told.number("revision"),
        )
    return say(
        "Removed in Procore before it was updated: {asked_for}. Nothing of it is left to update.",
        asked_for=told.asked_for,
    )


def _updated(told: _Told) -> str:
    revision, first = told.number("revision"), told.text("first")
    if first:
        return say(
            "{who} updated revision {revision} as the second approver, after {first}. It goes out "
            "with the next data sync.",
            who=told.who,
            revision=revision,
            first=first,
        )
    return say(
        "{who} updated revision {revision}. It goes out with the next data sync.",
        who=told.who,
        revision=revision,
    )


def _channel_closed(told: _Told) -> str:
    channel = told.channel
    match told.code:
        case "not_in_channel":
            why = say(
                "costbot is not in {channel}, so it cannot post there. Open that channel and type "
                "`/invite @costbot`.",
                channel=channel,
            )
        case "is_archived":
            why = say(
                "{channel} is archived. Unarchive it, or set `COSTBOT_CHANNEL` to another channel.",
                channel=channel,
            )
        case "restricted_action" | "restricted_action_read_only_channel":
            why = say(
                "Apps may not post in {channel}. Let costbot post there, or set `COSTBOT_CHANNEL` to "
                "another channel.",
                channel=channel,
            )
        case _:
            why = say(
                "costbot does not find {channel}. If it is private, open it and type `/invite "
                "@costbot`; else correct `COSTBOT_CHANNEL`.",
                channel=channel,
            )
    return say("{why} What is to be told there waits, and nothing is lost.", why=why)


_SENTENCES: Mapping[Event, Callable[[_Told], str]] = {
    Event.REQUESTED: _requested,
    Event.JOINED: _joined,
    Event.FIRST_APPROVED: lambda t: say(
        "{who} updated revision {revision} as the first of two approvers. A second approver must Update.",
        who=t.who,
        revision=t.number("revision"),
    ),
    Event.FIRST_TAKEN_BACK: lambda t: say(
        "{who} took the first of the two updates back. Two approvers must Update.", who=t.who
    ),
    Event.UPDATED: _updated,
    Event.TAKEN_BACK: lambda t: say(
        "{who} took the update back. Ready to Update again, revision {revision}.",
        who=t.who,
        revision=t.number("revision"),
    ),
    Event.REJECTED: lambda t: say(
        "{who} rejected revision {revision}: “{comment}”",
        who=t.who,
        revision=t.number("revision"),
        comment=t.text("comment"),
    ),
    Event.SENT_AGAIN: _sent_again,
    Event.ESCALATED: _escalated,
    Event.EXPIRED: lambda t: say(
        "Revision {revision} expired: nobody updated or rejected it for {days}. Nothing went "
        "to Sage. Ask again brings it back.",
        revision=t.number("revision"),
        days=plural("{n:,} day", "{n:,} days", t.number("days")),
    ),
    Event.EXPORTED: lambda t: say("Data sync {batch} sent it to Sage.", batch=t.text("batch")),
    Event.SYNCED: lambda t: say(
        "Sage holds every line after data sync {batch}: {outcomes}.",
        batch=t.text("batch"),
        outcomes=t.outcomes,
    ),
    Event.FAILED: lambda t: say(
        "Sage refused {refused_lines} of data sync {batch}: {outcomes}.",
        refused_lines=t.refused_lines,
        batch=t.text("batch"),
        outcomes=t.outcomes,
    ),
    Event.REMOVED: _removed,
    Event.GONE_AFTER_UPDATE: lambda t: say(
        "Removed in Procore after it was updated: {asked_for}. Sage keeps what it has; take it out in Sage "
        "by hand, or add it again in Procore.",
        asked_for=t.asked_for,
    ),
    Event.STALE: lambda t: say(
        "{who} wanted to {act} revision {seen}, which had changed meanwhile. Nothing was done.",
        who=t.who,
        act=t.known("act"),
        seen=t.number("seen"),
    ),
    Event.REFUSED: lambda t: say(
        "{who} may not {act}: {reason}.", who=t.who, act=t.known("act"), reason=t.reason
    ),
    Event.PRIVILEGE_ASKED: lambda t: (
        say(
            "{who} asks to become an accounting approver: {reason}. It takes Standard or Admin on "
            "ERP Integrations and Can Push to Accounting.",
            who=t.who,
            reason=t.reason,
        )
        + (f" “{t.text('words')}”" if t.text("words") else "")
    ),
    Event.PRIVILEGE_GRANTED: lambda t: (
        say("{who} made {person} an accounting approver.", who=t.who, person=t.text("person"))
        if t.text("answer") == PrivilegeAnswer.GRANTED
        else say(
            "{who} says that {person} is made an accounting approver in the company directory.",
            who=t.who,
            person=t.text("person"),
        )
    ),
    Event.PRIVILEGE_DECLINED: lambda t: say(
        "{who} declined that {person} becomes an accounting approver: “{comment}”",
        who=t.who,
        person=t.text("person"),
        comment=t.text("comment"),
    ),
    Event.SYNC_ASKED: lambda t: say("{who} asked for a data sync now.", who=t.who),
    Event.SYNC_STARTED: lambda t: say(
        "Data sync {batch} started with {jobs}.",
        batch=t.text("batch"),
        jobs=plural("{n:,} job", "{n:,} jobs", t.number("jobs")),
    ),
    Event.SYNC_FINISHED: lambda t: say(
        "Data sync {batch} finished {jobs}: {outcomes}.",
        batch=t.text("batch"),
        jobs=plural("{n:,} job", "{n:,} jobs", t.number("jobs")),
        outcomes=t.outcomes,
    ),
    Event.REMINDED: lambda t: say(
        "Reminded the accounting approvers of {jobs} Ready to Update for long: {oldest}.",
        jobs=plural("{n:,} job", "{n:,} jobs", t.number("jobs")),
        oldest=t.oldest,
    ),
    Event.SYNC_UNREACHABLE: lambda _t: say(
        "Sage cannot be reached, so the data sync that was asked for waits. It is tried again every minute "
        "or so, and nothing is lost. If it goes on, have whoever looks after costbot run `costbot doctor`, "
        "which says why."
    ),
    Event.SYNC_OVERDUE: lambda t: say(
        "Nobody has imported {file} of data sync {batch} into Sage yet. Import it from the "
        "folder outgoing (Job Cost, Tasks, Import Estimates), then move it to the folder done. "
        "If it lies there already, costbot waits for a newer export of Job Cost: save it anew.",
        file=t.text("file"),
        batch=t.text("batch"),
    ),
    Event.HOLD_ADDED: lambda t: say("{who} registered {hold}.", who=t.who, hold=t.hold),
    Event.HOLD_PLACED: lambda t: say("On hold until the cost codes are updated: {holds}.", holds=t.holds),
    Event.HOLD_RELEASED: lambda t: say("Released, may be exported now: {holds}.", holds=t.holds),
    Event.IMPORTED: lambda t: say(
        "{who} imported {what} ({rows}) from {source}.",
        who=t.who,
        what=t.known("what"),
        rows=plural("{n:,} row", "{n:,} rows", t.number("rows")),
        source=t.text("source"),
    ),
    Event.CHANNEL_CLOSED: _channel_closed,
    Event.CHANNEL_OPEN: lambda t: say("costbot can post in {channel} again.", channel=t.channel),
    Event.SLACK_INSTALLED: lambda t: say(
        "{who} installed costbot in {workspace}.", who=t.who, workspace=t.text("workspace")
    ),
    Event.SLACK_REMOVED: lambda t: say("costbot was taken out of the Slack workspace."),
    Event.RESTORED: lambda t: say("{who} put the database back to how a backup had it.", who=t.who),
    Event.PERSON_LINKED: lambda t: say(
        "{who} linked {person} to Slack user {user_id}.",
        who=t.who,
        person=t.text("person"),
        user_id=t.text("user_id"),
    ),
    Event.PERSON_UNLINKED: lambda t: say(
        "{who} unlinked {person} from Slack user {user_id}.",
        who=t.who,
        person=t.text("person"),
        user_id=t.text("user_id"),
    ),
    Event.NOTIFY_CHOSEN: _notify_chosen,
    Event.AWAY: lambda t: say(
        "{person} is away from {first_day} to {last_day}, and {delegate} stands in.",
        person=t.text("person"),
        first_day=t.text("first_day"),
        last_day=t.text("last_day"),
        delegate=t.text("delegate"),
    ),
    Event.AWAY_ENDED: lambda t: say(
        "{person} is not away any more (it was to be {first_day} to {last_day}), and "
        "{delegate} no longer stands in.",
        person=t.text("person"),
        first_day=t.text("first_day"),
        last_day=t.text("last_day"),
        delegate=t.text("delegate"),
    ),
}
