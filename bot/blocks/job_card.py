"""The job card: one message per job that shows where its requested update stands, and what may be done.

A pure function of facts, drawn again for every change. It decides nothing: a button that is not
drawn is a courtesy, never the gate.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from slack_sdk.models.blocks import ButtonElement

from bot.blocks import words
from bot.blocks.limits import clamp
from bot.blocks.pieces import (
    Json,
    Message,
    actions,
    button,
    confirm,
    context,
    header,
    message,
    section,
    table,
    text_table,
)
from bot.blocks.words import ALOUD, SLACK, code_words, one_line
from bot.payloads import Action, JobButton
from workflow.facts import CostCodeFacts, HoldFacts, UpdateFacts
from workflow.language import later, plural, say
from workflow.privileges import USUAL_RULES, Rules
from workflow.vocabulary import Severity, State

CODES_ON_CARD = 12
HOLDS_ON_CARD = 5
REFUSED_ON_CARD = 5
_DESCRIPTION = 60
_REFUSE = Severity.REFUSE
_MEND = later(
    "Correct it in Sage, or in costbot's Sage profile where that is wrong, and run `/costcodes sync`; "
    "or reject it with a comment."
)
_NARROW_DESCRIPTION = 30
_CATEGORIES = 80
_HEAD = (later("Cost code"), later("Description"), later("Categories"), later("In Sage"))
_NARROW_HEAD = (later("Cost code"), later("Categories"), later("Description"))


def job_card(
    facts: UpdateFacts,
    codes: Sequence[CostCodeFacts],
    holds: Sequence[HoldFacts],
    *,
    next_sync: datetime | None,
    rules: Rules = USUAL_RULES,
) -> Message:
    """The card of a job in the state of `facts`; `rules` say whether it takes two approvers.

    `codes` holds at least the first CODES_ON_CARD cost codes, and all of them where Sage refused
    some, which then come first.
    """
    shown = sorted(codes, key=lambda code: not code.refused)[:CODES_ON_CARD]
    rows = [tuple(map(say, _HEAD)), *(_row(code, facts.state) for code in shown)]
    narrow = [tuple(map(say, _NARROW_HEAD)), *(row for code in shown for row in _narrow_rows(code))]
    approvers = words.approvers_words(facts, rules)
    above = list(_above(facts, approvers, next_sync))
    below = list(_below(facts, codes, holds, len(shown), rules))
    summary, fallback = ([table(rows)], [text_table(narrow)]) if shown else ([], [])
    aloud = words.approvers_words(facts, rules, ALOUD)
    return message(
        f"{ALOUD.data(facts.title)}: {words.state_words(facts, ALOUD)}. {words.counts_words(facts.counts)}. "
        f"{words.request_words(facts, ALOUD)}." + (f" {aloud}" if aloud else ""),
        [*above, *summary, *below],
        fallback=[*above, *fallback, *below],
    )


def job_button(facts: UpdateFacts) -> JobButton:
    """What a button beside these facts carries: the revision that the person sees."""
    return JobButton(
        job_id=facts.job_id, requested_update_id=facts.requested_update_id, revision=facts.revision
    )


def view_button(facts: UpdateFacts) -> ButtonElement:
    """Opens the read-only window of the job."""
    return button(say("View Requested Updates"), Action.VIEW, job_button(facts))


def ask_again_button(facts: UpdateFacts) -> ButtonElement:
    """Requests the same lines once more, after a question."""
    ask = confirm(
        say("Ask again for {number}?", number=one_line(facts.number, 40)),
        say("The same cost codes and categories become Ready to Update, for an approver to decide on."),
        yes=say("Ask again"),
    )
    return button(say("Ask again"), Action.ASK_AGAIN, job_button(facts), confirm=ask)


def update_button(facts: UpdateFacts, rules: Rules = USUAL_RULES) -> list[ButtonElement]:
    """Accepts the revision that these facts show, after a question; none where a check refuses."""
    if facts.state is not State.READY or facts.found.refusing:
        return []
    ask = confirm(
        say("Update {number}?", number=one_line(facts.number, 40)),
        say(
            "You accept revision {revision}: {counts}. {what_follows}",
            revision=facts.revision,
            counts=words.counts_words(facts.counts),
            what_follows=_what_follows(facts, rules),
        ),
        yes=say("Update"),
    )
    return [button(say("Update"), Action.UPDATE, job_button(facts), style="primary", confirm=ask)]


def categories_words(code: CostCodeFacts) -> str:
    """The categories asked for as ticked boxes: `☑ L new, ☑ M in Sage`; no box is alone at a line's end."""
    in_sage, new = say("in Sage"), say("new")
    return ", ".join(
        f"☑\N{NO-BREAK SPACE}{category} {in_sage if category in code.in_sage else new}"
        for category in code.requested
    )


def _above(facts: UpdateFacts, approvers: str, next_sync: datetime | None) -> Iterator[Json]:
    yield header(one_line(facts.title))
    yield section(
        "\n".join(filter(None, (words.state_words(facts), approvers, words.counts_words(facts.counts))))
    )
    if facts.state in (State.READY, State.ACCEPTED):
        yield context(f"{words.request_words(facts)}\n{words.next_sync_words(next_sync)}")
    else:
        yield context(words.request_words(facts))


def _below(
    facts: UpdateFacts,
    codes: Sequence[CostCodeFacts],
    holds: Sequence[HoldFacts],
    shown: int,
    rules: Rules,
) -> Iterator[Json]:
    more = facts.counts.cost_codes - shown
    if more > 0:
        yield context(
            plural(
                "… and {n:,} more cost code: View Requested Updates",
                "… and {n:,} more cost codes: View Requested Updates",
                more,
            )
        )
    if facts.state is State.FAILED:
        yield section(_refused(codes))
    yield from _found(facts)
    waiting = [hold for hold in holds if hold.waiting]
    if waiting:
        yield section(_waiting(waiting))
    yield actions(_buttons(facts, rules))


def _what_follows(facts: UpdateFacts, rules: Rules) -> str:
    if words.approvers_words(facts, rules) and facts.first_approval is None:
        return say("A second approver must Update before they go to Sage; until then you can take it back.")
    return say("They go to Sage with the next data sync; until then you can take it back.")


def _take_back_first(facts: UpdateFacts) -> ButtonElement:
    """For whoever gave the first of two approvals; others hear that it is not theirs."""
    ask = confirm(
        say("Take back {number}?", number=one_line(facts.number, 40)),
        say("Two approvers must Update it then. Only who was the first of them can take that back."),
        yes=say("Take back"),
    )
    return button(say("Take back"), Action.TAKE_BACK, job_button(facts), confirm=ask)


def _row(code: CostCodeFacts, state: State) -> tuple[str, ...]:
    description = one_line(code.description, _DESCRIPTION)
    if code.sage_keeps is not None:
        description += say(" (Sage keeps: {sage_keeps})", sage_keeps=one_line(code.sage_keeps, _DESCRIPTION))
    return (
        code_words(code.extra, code.code),
        description,
        clamp(categories_words(code), _CATEGORIES),
        words.standing_words(code, state),
    )


def _narrow_rows(code: CostCodeFacts) -> Iterator[tuple[str, ...]]:
    """The cost code in less width, with what Sage keeps on a line of its own."""
    description = one_line(code.description, _NARROW_DESCRIPTION)
    yield code_words(code.extra, code.code), clamp(categories_words(code), _CATEGORIES), description
    if code.sage_keeps is not None:
        yield (
            "",
            "",
            say("Sage keeps: {sage_keeps}", sage_keeps=one_line(code.sage_keeps, _NARROW_DESCRIPTION)),
        )


def _refused(codes: Sequence[CostCodeFacts]) -> str:
    refused = [
        f"• {SLACK.data(f'{code_words(code.extra, code.code)} {category}: {say(reason)}')}"
        for code in codes
        for category, reason in code.refused
    ]
    head = plural("❌ *Sage refused {n:,} line*", "❌ *Sage refused {n:,} lines*", len(refused))
    return "\n".join([head, *_first(refused, REFUSED_ON_CARD)])


def _found(facts: UpdateFacts) -> Iterator[Json]:
    """What the checks say while an approver may still act on it; what refuses stands for the button."""
    found = facts.found
    if facts.state is State.READY and found.refusing:
        listed = [words.finding_words(finding) for finding in found.first if finding.severity is _REFUSE]
        head = plural(
            "*Cannot be updated: Sage would refuse {n:,} thing*",
            "*Cannot be updated: Sage would refuse {n:,} things*",
            found.refusing,
        )
        more = found.refusing - len(listed)
        yield section(
            "\n".join([head, *listed, *([say("… and {more:,} more", more=more)] if more else []), say(_MEND)])
        )
    elif facts.state in (State.READY, State.ACCEPTED) and found.warning:
        listed = [words.finding_words(finding) for finding in found.first]
        more = found.warning - len(listed)
        yield section(
            "\n".join([say("*To know*"), *listed, *([say("… and {more:,} more", more=more)] if more else [])])
        )


def _waiting(waiting: Sequence[HoldFacts]) -> str:
    listed = _first(list(map(words.hold_line, waiting)), HOLDS_ON_CARD)
    return "\n".join([f"⏸️ *{words.waiting_words(waiting)}*", *listed])


def _first(lines: list[str], limit: int) -> list[str]:
    more = len(lines) - limit
    return [*lines[:limit], say("… and {more:,} more", more=more)] if more > 0 else lines


def _buttons(facts: UpdateFacts, rules: Rules) -> list[ButtonElement]:
    value = job_button(facts)
    view = view_button(facts)
    match facts.state:
        case State.READY:
            return [
                view,
                *update_button(facts, rules),
                button(say("Reject"), Action.REJECT, value),
                *([_take_back_first(facts)] if words.is_first_of_two(facts, rules) else []),
            ]
        case State.ACCEPTED:
            ask = confirm(
                say("Take back {number}?", number=one_line(facts.number, 40)),
                say(
                    "The job is Ready to Update again, and nothing of it goes to Sage until someone "
                    "updates it."
                ),
                yes=say("Take back"),
            )
            return [view, button(say("Take back"), Action.TAKE_BACK, value, confirm=ask)]
        case State.FAILED:
            ask = confirm(
                say("Send {number} again?", number=one_line(facts.number, 40)),
                say(
                    "Correct what was refused first, in Sage or in costbot's Sage profile. The refused lines "
                    "become Ready to Update, and go out once an approver updates them."
                ),
                yes=say("Send again"),
            )
            return [view, button(say("Send again"), Action.SEND_AGAIN, value, style="primary", confirm=ask)]
        case State.REJECTED | State.EXPIRED:
            return [view, ask_again_button(facts)]
        case State.EXPORTED | State.SYNCED:
            return [view]
