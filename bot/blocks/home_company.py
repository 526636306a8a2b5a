"""What an administrator sees on App Home: costbot's health, who may Update, what Slack was not told.

Pure functions of facts.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from bot.blocks import words
from bot.blocks.pieces import Json, context, header, section
from bot.blocks.words import REFUSAL_WORDS, SLACK
from workflow.administration import AccountantReport, Administration, NearlyApprover, Undelivered
from workflow.language import plural, say

SHOWN = 5
"""How many people and reasons are named; the command line names all."""
_LATE = timedelta(minutes=10)
"""A message to Slack that is older waits for a reason."""


def company(facts: Administration, *, now: datetime) -> Iterator[Json]:
    """The administrator's section; lists name SHOWN at most."""
    yield header(say("For the administrator"))
    yield section(health_words(facts, now))
    if facts.undelivered:
        yield section("\n".join([say("*Not delivered to Slack*"), *map(_reason, facts.undelivered[:SHOWN])]))
    yield section(_approvers(facts.report))
    if facts.report.nearly:
        yield section("\n".join(_nearly(facts.report)))
    if facts.report.read_at is not None:
        yield context(
            say("As Procore's directory was read {read_at}.", read_at=SLACK.date(facts.report.read_at))
        )


def health_words(facts: Administration, now: datetime) -> str:
    """How costbot is, in one line."""
    oldest = facts.backlog.oldest
    troubles = []
    if oldest is not None and now - oldest > _LATE:
        waiting = plural("{n:,} message", "{n:,} messages", facts.backlog.waiting)
        troubles.append(
            say(
                "Slack has not taken {messages} for {age}.",
                messages=waiting,
                age=words.age_words(oldest, now),
            )
        )
    if facts.backlog.given_up:
        troubles.append(
            say(
                "{messages} could not be delivered.",
                messages=plural("{n:,} message", "{n:,} messages", facts.backlog.given_up),
            )
        )
    if facts.late_files:
        troubles.append(
            say(
                "Not imported into Sage yet: {late_files}.",
                late_files=SLACK.data(", ".join(facts.late_files)),
            )
        )
    return (
        say("⚠️ *Look after this:* {troubles}", troubles=" ".join(troubles))
        if troubles
        else say("✅ *costbot is well.*")
    )


def _reason(undelivered: Undelivered) -> str:
    lost = say(", {given_up:,} of them given up", given_up=undelivered.given_up)
    return say(
        "• {messages} since {oldest}{lost}: {reason}",
        messages=plural("{n:,} message", "{n:,} messages", undelivered.notices),
        oldest=SLACK.date(undelivered.oldest),
        lost=lost if undelivered.given_up else "",
        reason=SLACK.data(say(undelivered.reason)),
    )


def _approvers(report: AccountantReport) -> str:
    if not report.approvers_in_all:
        return say(
            "⚠️ *Nobody may update.* It takes Standard or Admin on ERP Integrations and Can Push "
            "to Accounting."
        )
    more = report.approvers_in_all - len(report.approvers[:SHOWN])
    named = SLACK.data(", ".join(report.approvers[:SHOWN]))
    if more:
        named = say("{names} and {more:,} more", names=named, more=more)
    return say("*May update ({count:,}):* {names}", count=report.approvers_in_all, names=named)


def _nearly(report: AccountantReport) -> Iterator[str]:
    yield say("*Lack one thing to update ({count:,})*", count=report.nearly_in_all)
    yield from map(nearly_words, report.nearly[:SHOWN])
    more = report.nearly_in_all - len(report.nearly[:SHOWN])
    if more:
        yield say("… and {more:,} more: `costbot people approvers`", more=more)


def nearly_words(nearly: NearlyApprover) -> str:
    """Somebody and the one thing that they lack."""
    return f"• {SLACK.data(nearly.name)}: {say(REFUSAL_WORDS[nearly.lacks])}"
