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
from workflow.language import later, plural, say
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
    when = say("{day} at {time}", day="{date_short_pretty}", time="{time}")
    return f"<!date^{int(at.timestamp())}^{when}|{_utc(at)}>"


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
    State.READY: later("Ready to Update"),
    State.ACCEPTED: later("Updated, waits for the data sync"),
    State.EXPORTED: later("Sent to Sage, waits for the read-back"),
    State.SYNCED: later("Synced"),
    State.FAILED: later("Failed to Export"),
    State.REJECTED: later("Rejected"),
    State.EXPIRED: later("Expired"),
}
STANDING_WORDS = {
    Standing.NEW_CODE: later("new cost code"),
    Standing.NEW_CATEGORY: later("in Sage, new category"),
    Standing.IN_SAGE: later("in Sage already"),
}
DONE_WORDS = {
    Standing.NEW_CODE: later("created"),
    Standing.NEW_CATEGORY: later("category added"),
    Standing.IN_SAGE: later("was there already"),
}
REFUSAL_WORDS = {
    Refusal.NO_MATCHING_PERSON: later("no matching person in the company directory"),
    Refusal.PERMISSION_TOO_LOW: later("permission on ERP Integrations is too low"),
    Refusal.PRIVILEGE_MISSING: later("the Can Push to Accounting privilege is missing"),
    Refusal.DEACTIVATED: later("deactivated in the company directory"),
    Refusal.COULD_NOT_FIND_OUT: later("could not find out who it is"),
    Refusal.NOT_KNOWN_NOW: later("Procore could not be asked, and what was known was too old"),
    Refusal.FROM_OUTSIDE: later("not a member of this workspace"),
    Refusal.OWN_REQUEST: later("asked for these cost codes themselves"),
    Refusal.SECOND_APPROVER_NEEDED: later("was the first of the two approvers already"),
    Refusal.NOT_READY: later("it was not Ready to Update"),
    Refusal.NOT_ACCEPTED: later("it was not updated"),
    Refusal.NOT_FAILED: later("Sage had refused nothing"),
    Refusal.ALREADY_GOING_OUT: later("the data sync was sending it"),
    Refusal.COMMENT_MISSING: later("the comment was missing"),
    Refusal.NOT_ADMINISTRATOR: later("not an administrator on record"),
    Refusal.OWN_PRIVILEGE: later("asked for it themselves"),
    Refusal.SAGE_WOULD_REFUSE: later("Sage would refuse it"),
    Refusal.NOT_TURNED_DOWN: later("there was nothing to ask again"),
    Refusal.CANNOT_STAND_IN: later("the person named cannot stand in"),
}
NOTIFY_WORDS = {
    Notify.EVERY_REQUEST: later("every request, at once"),
    Notify.HOURLY: later("a digest every working hour"),
    Notify.DAILY: later("a digest every working morning"),
    Notify.MENTIONS: later("mentions only"),
    Notify.DO_NOT_PING: later("may update, is not pinged"),
}
HOLD_WORDS: Mapping[str, str] = {
    HoldKind.COMMITMENT: later("commitment"),
    HoldKind.COMMITMENT_CHANGE_ORDER: later("commitment change order"),
    HoldKind.PRIME_CONTRACT: later("prime contract"),
    HoldKind.PRIME_CONTRACT_CHANGE_ORDER: later("prime contract change order"),
    HoldKind.BUDGET: later("budget"),
    HoldKind.DIRECT_COST: later("direct cost"),
    HoldKind.INVOICE: later("invoice"),
}
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
FINDING_EMOJI = {Severity.REFUSE: "🚫", Severity.WARN: "⚠️"}
_FINDING_WORDS = {
    Severity.REFUSE: later("stops the Update: {finding}"),
    Severity.WARN: later("to know: {finding}"),
}


def counted(number: int, one: str, many: str | None = None) -> str:
    """`1 cost code`, `5,000 cost codes`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def counts_words(counts: Counts) -> str:
    """`3 cost codes, 7 assignments, 2 codes new to Sage`.

    Of what was sent again only what waits is counted: the rest of it is in Sage already.
    """
    new = (
        plural("{n:,} code new to Sage", "{n:,} codes new to Sage", counts.new_codes)
        if counts.new_codes
        else say("no code new to Sage")
    )
    in_sage = counts.assignments - counts.open_lines if counts.open_lines else 0
    codes, lines = (
        (counts.open_codes, counts.open_lines) if in_sage else (counts.cost_codes, counts.assignments)
    )
    said = say(
        "{cost_codes}, {assignments}, {new}",
        cost_codes=plural("{n:,} cost code", "{n:,} cost codes", codes),
        assignments=plural("{n:,} assignment", "{n:,} assignments", lines),
        new=new,
    )
    if not in_sage:
        return said
    held = plural(
        "Sage has {n:,} more assignment already", "Sage has {n:,} more assignments already", in_sage
    )
    return f"{said}. {held}"


def outcome_words(created: int, tied: int, already_there: int, failed: int) -> str:
    """What became of lines in Sage: `4 created, 2 tied to cost codes Sage had, 1 refused`."""
    parts = (
        (created, plural("{n:,} created", "{n:,} created", created)),
        (tied, plural("{n:,} tied to cost codes Sage had", "{n:,} tied to cost codes Sage had", tied)),
        (already_there, plural("{n:,} there already", "{n:,} there already", already_there)),
        (failed, plural("{n:,} refused", "{n:,} refused", failed)),
    )
    return ", ".join(said for number, said in parts if number) or say("nothing to send")


def standing_words(code: CostCodeFacts, state: State) -> str:
    """How a cost code stands against Sage now, or what became of it once Sage was read back."""
    if code.refused:
        return say("refused by Sage")
    if state in (State.SYNCED, State.FAILED):
        return say(DONE_WORDS[code.standing])
    held = set(code.requested) <= set(code.in_sage)
    return say(STANDING_WORDS[Standing.IN_SAGE if held else code.standing])


def code_words(extra: str, code: str) -> str:
    """A cost code of the job itself, or of one of its extras."""
    return say("{code} (extra {extra})", code=code, extra=extra) if extra else code


def hold_words(kind: HoldKind | str, number: str, title: str = "") -> str:
    """`commitment change order CO-3 Steel erection`; plain text, for a form to put in."""
    return " ".join(filter(None, (say(HOLD_WORDS.get(kind, kind)), number, title)))


def hold_line(hold: HoldFacts, form: Form = SLACK) -> str:
    """A hold as one line of a list."""
    words = hold_words(hold.kind, hold.number, hold.title)
    return f"• {form.data(words[0].upper() + words[1:])}"


def waiting_count(holds: int) -> str:
    """How many contracts wait, where only their number is known."""
    return plural(
        "{n:,} contract waits until these cost codes are updated",
        "{n:,} contracts wait until these cost codes are updated",
        holds,
    )


def waiting_words(holds: Sequence[HoldFacts]) -> str:
    """How many contracts wait, in a sentence."""
    if all(hold.kind.is_contract for hold in holds):
        return waiting_count(len(holds))
    return plural(
        "{n:,} export waits until these cost codes are updated",
        "{n:,} exports wait until these cost codes are updated",
        len(holds),
    )


def state_words(facts: UpdateFacts, form: Form = SLACK) -> str:
    """The state in words with its emoji, and who put it there and when."""
    title = f"{STATE_EMOJI[facts.state]} {form.strong(say(STATE_WORDS[facts.state]))}"
    who = acting_words(form.data(facts.decided_by or say("somebody")), form.data(facts.decided_for or ""))
    by = (
        say("by {who} {when}", who=who, when=form.date(facts.decided_at))
        if facts.decided_at
        else say("by {who}", who=who)
    )
    match facts.state:
        case State.READY:
            return title
        case State.ACCEPTED:
            after = facts.first_approval
            return (
                say("{title}: {by}, after {first}", title=title, by=by, first=form.data(after.by))
                if after
                else f"{title}: {by}"
            )
        case State.REJECTED:
            return f"{title}: {by}: “{form.data(facts.comment or '')}”"
        case State.EXPIRED:
            when = f" {form.date(facts.decided_at)}" if facts.decided_at else ""
            return say(
                "{title}{when}: nobody updated or rejected it in time, and nothing went to Sage",
                title=title,
                when=when,
            )
        case State.EXPORTED:
            return say("{title}: data sync {batch}", title=title, batch=facts.batch)
        case State.SYNCED | State.FAILED:
            c = facts.counts
            result = outcome_words(c.created, c.tied, c.already_there, c.failed)
            batch = say("data sync {batch}", batch=facts.batch) if facts.batch else say("data sync")
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
        return say("👥 Two approvers must Update this.")
    return say(
        "👥 1 of 2: {by} updated {at}, a second approver must Update.",
        by=form.data(first.by),
        at=form.date(first.at),
    )


def acting_words(who: str, instead_of: str) -> str:
    """`Dana Reyes, for Sam Ortiz,`: who acted, and for whom they stood in, if for anybody."""
    return say("{who}, for {instead_of},", who=who, instead_of=instead_of) if instead_of else who


def request_words(facts: UpdateFacts, form: Form = SLACK) -> str:
    """Who asked, when, and which revision this is."""
    return say(
        "Requested by {requested_by} {requested_at}, revision {revision}",
        requested_by=form.data(facts.requested_by),
        requested_at=form.date(facts.requested_at),
        revision=facts.revision,
    )


def finding_words(finding: Finding, form: Form = SLACK) -> str:
    """What a check before Update found, marked by whether it stops the Update; below words that say so."""
    return f"{FINDING_EMOJI[finding.severity]} {form.data(say(finding.message))}"


def full_finding_words(finding: Finding, form: Form = SLACK) -> str:
    """The same where no head says whether it stops the Update."""
    said = say(_FINDING_WORDS[finding.severity], finding=form.data(say(finding.message)))
    return f"{FINDING_EMOJI[finding.severity]} {said}"


def told_of(findings: Iterable[Finding]) -> list[Finding]:
    """Without what is shown beside a cost code's description anyway: that Sage keeps its own."""
    return [finding for finding in findings if finding.rule is not Rule.DESCRIPTION_DIFFERS]


def quiet_words(quiet: str) -> str:
    """Quiet hours as they are kept, `18:00 to 08:00`, in words."""
    since, _, until = quiet.partition(" to ")
    return say("{since} to {until}", since=since, until=until)


def choices_words(choices: Choices) -> str:
    """What a person chose to hear of, in a sentence; plain text."""
    how = say(NOTIFY_WORDS[choices.notify])
    if choices.quiet:
        return say("Messages: {how}. Quiet hours {quiet}.", how=how, quiet=quiet_words(str(choices.quiet)))
    return say("Messages: {how}. No quiet hours.", how=how)


def away_words(away: Away) -> str:
    """Who is away when, and who stands in; plain text."""
    return say(
        "{person} is away from {first_day} to {last_day}, and {delegate} stands in.",
        person=away.person.name,
        first_day=away.first_day,
        last_day=away.last_day,
        delegate=away.delegate.name,
    )


def away_set_words(done: AwaySet) -> str:
    """That somebody stands in from now on, and what that means; plain text."""
    name = done.away.delegate.name
    said = say(
        "{away_words} Messages go to {name}, who acts by their own right: rights do not move.",
        away_words=away_words(done.away),
        name=name,
    )
    before = done.replaced
    if before:
        said = say(
            "{said} This is in place of {first} to {last}, when {before} was to stand in.",
            said=said,
            first=before.first_day,
            last=before.last_day,
            before=before.delegate.name,
        )
    if not done.both_away:
        return said
    back = done.away.person.name
    return say(
        "{said} {name} is away on some of these days too; on those the messages go to {back}.",
        said=said,
        name=name,
        back=back,
    )


def forwarded_words(person: str, last_day: date, form: Form = SLACK) -> str:
    """Why somebody reads another person's message."""
    return say(
        "This is for {person}, who is away until {last_day}. You stand in.",
        person=form.data(person),
        last_day=last_day,
    )


def not_forwarded_words(delegate: str, cannot: Cannot, form: Form = SLACK) -> str:
    """Why somebody who is away gets a message after all."""
    if cannot is Cannot.AWAY:
        return say(
            "You are away, but so is {delegate}, who stands in for you. So this comes to you.",
            delegate=form.data(delegate),
        )
    return say(
        "You are away, but {delegate}, who stands in for you, may not Update any more. So this comes to you.",
        delegate=form.data(delegate),
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
    if minutes >= 24 * 60:
        return plural("{n:,} day", "{n:,} days", minutes // (24 * 60))
    if minutes >= 60:
        return plural("{n:,} hour", "{n:,} hours", minutes // 60)
    if minutes >= 1:
        return plural("{n:,} minute", "{n:,} minutes", minutes)
    return say("less than a minute")


def next_sync_words(next_sync: datetime | None, form: Form = SLACK) -> str:
    """When the next data sync runs, as the schedule has it."""
    return (
        say("Next data sync: {next_sync}", next_sync=form.date(next_sync))
        if next_sync
        else say("No data sync is scheduled")
    )


def last_run_words(last_run: datetime | None, form: Form = SLACK) -> str:
    """When the data sync ran last, whether or not it had something to send."""
    return (
        say("Last data sync: {last_run}", last_run=form.date(last_run))
        if last_run
        else say("No data sync has run yet")
    )


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
        case "restricted_action":
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


def not_installed(team: str, page: str) -> str:
    """That nothing can be told in Slack until the app is installed there, on that page."""
    return say(
        "costbot is not installed in the Slack workspace {team}, so notices wait: open {page}.",
        team=team,
        page=page,
    )
