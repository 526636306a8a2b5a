"""Every sentence that people read about states, counts, holds and findings: one wording for all places.

Owns the words and their two forms, Slack's `mrkdwn` and plain text for a terminal. Data is put in by
the form, which escapes it and keeps it on one line. No blocks here, and no database.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.blocks.limits import clamp, escape
from workflow import four_eyes
from workflow.checks import Finding
from workflow.facts import CostCodeFacts, Counts, HoldFacts, UpdateFacts
from workflow.language import later, plural, say
from workflow.privileges import Rules
from workflow.vocabulary import (
    HoldKind,
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
HOLD_WORDS: Mapping[str, str] = {
    HoldKind.COMMITMENT: later("commitment"),
    HoldKind.COMMITMENT_CHANGE_ORDER: later("commitment change order"),
    HoldKind.PRIME_CONTRACT: later("prime contract"),
    HoldKind.PRIME_CONTRACT_CHANGE_ORDER: later("prime contract change order"),
    HoldKind.BUDGET: later("budget"),
    HoldKind.DIRECT_COST: later("direct cost"),
    HoldKind.INVOICE: later("invoice"),
}
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


def waiting_count(holds: int, rules: Rules) -> str:
    """How much waits, in a sentence, where only the number is known."""
    return _until_updated(_exports_wait(holds) if rules.hold_every_export else _both_wait(holds))


def waiting_words(holds: Sequence[HoldFacts]) -> str:
    """How much waits, and of which kind, in a sentence."""
    return _until_updated(what_waits(holds))


def what_waits(holds: Sequence[HoldFacts]) -> str:
    """`3 contracts wait`, by the kinds of what waits."""
    if not all(hold.kind.is_contract for hold in holds):
        return _exports_wait(len(holds))
    change_orders = sum(hold.kind.is_change_order for hold in holds)
    if change_orders == 0:
        return plural("{n:,} contract waits", "{n:,} contracts wait", len(holds))
    if change_orders == len(holds):
        return plural("{n:,} change order waits", "{n:,} change orders wait", len(holds))
    return _both_wait(len(holds))


def _both_wait(holds: int) -> str:
    return plural("{n:,} contract or change order waits", "{n:,} contracts and change orders wait", holds)


def _exports_wait(holds: int) -> str:
    return plural("{n:,} export waits", "{n:,} exports wait", holds)


def _until_updated(what_waits: str) -> str:
    return say("{what_waits} until these cost codes are updated", what_waits=what_waits)


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


def not_installed(team: str, page: str) -> str:
    """That nothing can be told in Slack until the app is installed there, on that page."""
    return say(
        "costbot is not installed in the Slack workspace {team}, so notices wait: open {page}.",
        team=team,
        page=page,
    )
