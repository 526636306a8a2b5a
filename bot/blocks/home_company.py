"""What an administrator sees on App Home: costbot's health, who may Update, what Slack was not told.

Pure functions of facts.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from bot.blocks import words
from bot.blocks.pieces import Json, header, section
from bot.blocks.words import REFUSAL_WORDS, SLACK, counted
from workflow.administration import AccountantReport, Administration, NearlyApprover, Undelivered

SHOWN = 5
"""How many people and reasons are named; the command line names all."""
_LATE = timedelta(minutes=10)
"""A message to Slack that is older waits for a reason."""


def company(facts: Administration, *, now: datetime) -> Iterator[Json]:
    """The administrator's section; lists name SHOWN at most."""
    yield header("For the administrator")
    yield section(health_words(facts, now))
    if facts.undelivered:
        yield section("\n".join(["*Not delivered to Slack*", *map(_reason, facts.undelivered[:SHOWN])]))
    yield section(_approvers(facts.report))
    if facts.report.nearly:
        yield section("\n".join(_nearly(facts.report)))


def health_words(facts: Administration, now: datetime) -> str:
    """How costbot is, in one line."""
    oldest = facts.backlog.oldest
    troubles = []
    if oldest is not None and now - oldest > _LATE:
        waiting = counted(facts.backlog.waiting, "message")
        troubles.append(f"Slack has not taken {waiting} for {words.age_words(oldest, now)}.")
    if facts.backlog.given_up:
        troubles.append(f"{counted(facts.backlog.given_up, 'message')} could not be delivered.")
    if facts.late_files:
        troubles.append(f"Not imported into Sage yet: {SLACK.data(', '.join(facts.late_files))}.")
    return f"⚠️ *Look after this:* {' '.join(troubles)}" if troubles else "✅ *costbot is well.*"


def _reason(undelivered: Undelivered) -> str:
    lost = f", {undelivered.given_up:,} of them given up" if undelivered.given_up else ""
    return (
        f"• {counted(undelivered.notices, 'message')} since {SLACK.date(undelivered.oldest)}{lost}: "
        f"{SLACK.data(undelivered.reason)}"
    )


def _approvers(report: AccountantReport) -> str:
    if not report.approvers_in_all:
        return (
            "⚠️ *Nobody may update.* It takes Standard or Admin on ERP Integrations "
            "and Can Push to Accounting."
        )
    more = report.approvers_in_all - len(report.approvers[:SHOWN])
    named = SLACK.data(", ".join(report.approvers[:SHOWN])) + (f" and {more:,} more" if more else "")
    return f"*May update ({report.approvers_in_all:,}):* {named}"


def _nearly(report: AccountantReport) -> Iterator[str]:
    yield f"*Lack one thing to update ({report.nearly_in_all:,})*"
    yield from map(nearly_words, report.nearly[:SHOWN])
    more = report.nearly_in_all - len(report.nearly[:SHOWN])
    if more:
        yield f"… and {more:,} more: `costbot people approvers`"


def nearly_words(nearly: NearlyApprover) -> str:
    """Somebody and the one thing that they lack."""
    return f"• {SLACK.data(nearly.name)}: {REFUSAL_WORDS[nearly.lacks]}"
