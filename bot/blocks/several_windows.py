"""Update several: the list of ready jobs with their boxes, the question before the Update, and the results.

Pure functions of facts. A box carries the revision that is shown beside it; what may not be ticked says why.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.blocks import limits, words
from bot.blocks.job_card import job_button, view_button
from bot.blocks.notices import several_button
from bot.blocks.pieces import (
    Json,
    Message,
    actions,
    box,
    button,
    context,
    divider,
    fitting,
    message,
    modal,
    plain,
    section,
)
from bot.blocks.words import SLACK, one_line
from bot.payloads import Action, SeveralButton, SeveralMetadata, Tick, Window
from workflow.acting import AlreadyDecided, Decision, Done, FirstOfTwo, Stale
from workflow.facts import UpdateFacts
from workflow.language import later, plural, say
from workflow.privileges import Refused, Rules
from workflow.vocabulary import Refusal, Severity

TITLE = later("Update several")
JOBS_A_PAGE = 20
"""Three blocks a job, so that a page is far under Slack's 100 blocks and does not tire a thumb."""
MOST_AT_ONCE = 100
"""Ticks that one window carries; with ids of ten digits they stay under 3,000 characters."""
_WARNINGS = 2
_VIEWS = 40
_TEXT = 2_500
_NO_LONGER_THERE = later("A job that you ticked")
_TITLE = 80
"""Characters of a job's title in a list, so that a hundred jobs stay under Slack's 100 blocks."""


@dataclass(frozen=True, slots=True)
class ReadyJob:
    """A job of the list; `why_not` is plain text where this person may not Update it."""

    facts: UpdateFacts
    why_not: str | None = None


@dataclass(frozen=True, slots=True)
class Unsure:
    """The database did not say whether it took the Update."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one ticked job; without facts it is no more, without a decision something went wrong."""

    facts: UpdateFacts | None
    decision: Decision | Unsure | None


def list_window(
    jobs: Sequence[ReadyJob],
    *,
    total: int,
    pages: int,
    ticked: frozenset[Tick],
    metadata: SeveralMetadata,
    now: datetime,
    rules: Rules,
    note: str = "",
) -> Json:
    """One page of the ready jobs, oldest first; `ticked` holds the ticks of every page, `note` is plain."""
    boxes = {tick_of(job.facts) for job in jobs if job.why_not is None}
    elsewhere = tuple(tick.text() for tick in sorted(ticked - boxes, key=_order))
    metadata = metadata.model_copy(update={"ticked": elsewhere, "drawing": metadata.drawing + 1})
    if not jobs:
        blocks = [section(say("✅ Nothing waits for an approver."))]
    else:
        blocks = [
            *([section(f"⚠️ *{SLACK.data(note)}*")] if note else []),
            section(
                plural(
                    "*{n:,} job Ready to Update*. Tick it to update, then Next.",
                    "*{n:,} jobs Ready to Update*, oldest first. Tick those to update, then Next.",
                    total,
                )
            ),
            *_whole_page(metadata, boxes, ticked),
            *(block for job in jobs for block in _job(job, metadata.drawing, ticked, now, rules)),
            *_turning(metadata.page, pages, len(ticked - boxes)),
        ]
    return modal(
        TITLE,
        blocks,
        submit=plain(say("Next"), limits.VIEW_TITLE) if boxes or elsewhere else None,
        close=plain(say("Close"), limits.VIEW_TITLE),
        callback_id=Window.SEVERAL.value,
        private_metadata=metadata.text(),
    )


def confirm_window(
    chosen: Sequence[UpdateFacts],
    changed: Sequence[UpdateFacts],
    *,
    gone: int = 0,
    metadata: SeveralMetadata,
    rules: Rules,
) -> Json:
    """Asks before the Update; `changed` are ticked jobs that are others than the person saw.

    `gone` is how many ticked requested updates have joined another one of their job.
    """
    back = SeveralButton(page=metadata.page)
    ticked = tuple(tick_of(facts).text() for facts in chosen)
    lines = [
        f"• *{_title(facts)}*: {words.counts_words(facts.counts)}{_twos(facts, rules)}" for facts in chosen
    ]
    blocks = [
        section(plural("*Update {n:,} job?*", "*Update {n:,} jobs?*", len(chosen))),
        *map(section, _paragraphs(lines)),
        context(say("They go to Sage with the next data sync; until then each can be taken back.")),
        *_changed(changed, gone),
        actions([button(say("Back to the list"), Action.TURN_SEVERAL, back)]),
    ]
    return modal(
        TITLE,
        blocks,
        submit=plain(plural("Update {n:,} job", "Update {n:,} jobs", len(chosen)), limits.VIEW_TITLE),
        close=plain(say("Cancel"), limits.VIEW_TITLE),
        callback_id=Window.SEVERAL_CONFIRM.value,
        private_metadata=metadata.model_copy(update={"ticked": ticked}).text(),
    )


def result_window(results: Sequence[Result]) -> Json:
    """What became of each job, one line a job: first those that an approver should look at."""
    done = [result for result in results if isinstance(result.decision, Done)]
    others = [result for result in results if not isinstance(result.decision, Done)]
    with_view, rest = others[:_VIEWS], others[_VIEWS:]
    blocks = [
        section(f"*{results_words(results)}*"),
        *map(_with_view, with_view),
        *map(section, _paragraphs(result_line(result) for result in [*rest, *done])),
        actions([several_button(say("Update more jobs"))]),
    ]
    return modal(TITLE, blocks, close=plain(say("Close"), limits.VIEW_TITLE))


def result_message(results: Sequence[Result]) -> Message:
    """The same for a person who has closed the window meanwhile."""
    lines = fitting(map(section, _paragraphs(map(result_line, results))))
    return message(results_words(results), [section(f"*{results_words(results)}*"), *lines])


def results_words(results: Sequence[Result]) -> str:
    """`Update several: 9 updated; 3 not updated`: how many came out how."""
    updated = sum(isinstance(result.decision, Done) for result in results)
    first = sum(isinstance(result.decision, FirstOfTwo) for result in results)
    unsure = sum(isinstance(result.decision, Unsure) for result in results)
    left = len(results) - updated - first - unsure
    parts = (
        (updated, plural("{n:,} updated", "{n:,} updated", updated)),
        (first, say("1 of 2 for {first:,}, where a second approver must Update", first=first)),
        (unsure, plural("{n:,} may be updated", "{n:,} may be updated", unsure)),
        (left, plural("{n:,} not updated", "{n:,} not updated", left)),
    )
    said = "; ".join(sentence for number, sentence in parts if number)
    return say("Update several: {said}", said=said or say("nothing was ticked"))


def result_line(result: Result) -> str:
    """One job and what became of it."""
    title = _title(result.facts) if result.facts else say(_NO_LONGER_THERE)
    mark, said = decision_words(result.decision)
    return f"{mark} *{title}*: {SLACK.data(said)}"


def decision_words(decision: Decision | Unsure | None) -> tuple[str, str]:
    """What an Update came to: an emoji, and a plain sentence that says all of it."""
    match decision:
        case Done():
            return "✅", say("Updated. It goes out with the next data sync.")
        case FirstOfTwo():
            return "👥", say("1 of 2: your Update is on record, and a second approver must Update.")
        case AlreadyDecided(words=said):
            return "☑️", say("Nothing was left to do. {said}", said=said)
        case Stale(words=said, new=()):
            return "🔁", said
        case Stale(new=new):
            return "🔁", plural(
                "Changed since you looked: {n:,} assignment came. Nothing was done; look and decide again.",
                "Changed since you looked: {n:,} assignments came. Nothing was done; look and decide again.",
                len(new),
            )
        case Refused(reason=Refusal.SAGE_WOULD_REFUSE, words=said):
            return "🚫", say("Refused by a check. {said}", said=said)
        case Refused(words=said):
            return "🔒", say("Not updated. {said}", said=said)
        case Unsure():
            return "⚠️", say("Something went wrong. It may have been saved, so look first.")
        case None:
            return "⚠️", say("Something went wrong, and nothing of this job was changed. Try it again.")


def tick_of(facts: UpdateFacts) -> Tick:
    """What the box beside these facts carries."""
    return Tick(requested_update_id=facts.requested_update_id, revision=facts.revision)


def _job(job: ReadyJob, drawing: int, ticked: frozenset[Tick], now: datetime, rules: Rules) -> Iterator[Json]:
    facts, tick = job.facts, tick_of(job.facts)
    seen_before = any(
        each.requested_update_id == tick.requested_update_id and each != tick for each in ticked
    )
    lines = [
        f"*{SLACK.data(facts.title)}*",
        words.counts_words(facts.counts),
        say(
            "{request}, waits for {age}",
            request=words.request_words(facts),
            age=words.age_words(facts.requested_at, now),
        ),
        words.approvers_words(facts, rules),
        say("🔁 Changed since you ticked it: look at it again.") if seen_before else "",
        *_warnings(facts, rules),
        say("🔒 Cannot be ticked. {why_not}", why_not=SLACK.data(job.why_not)) if job.why_not else "",
    ]
    number = one_line(facts.number, 40)
    yield divider()
    yield section(
        "\n".join(filter(None, lines)),
        accessory=view_button(facts),
        block_id=f"look:{drawing}:{facts.requested_update_id}",
    )
    if job.why_not is None:
        yield box(
            say("Update {number}", number=number),
            Action.TICK,
            tick.text(),
            ticked=tick in ticked,
            block_id=f"tick:{drawing}:{facts.requested_update_id}",
        )


def _warnings(facts: UpdateFacts, rules: Rules) -> Iterator[str]:
    """The first things to know; what refuses is said by `why_not`."""
    warned = [finding for finding in facts.found.first if finding.severity is Severity.WARN]
    yield from map(words.full_finding_words, warned[:_WARNINGS])
    more = facts.found.warning - len(warned[:_WARNINGS])
    if more > 0:
        yield plural(
            "… and {n:,} more thing to know: View Requested Updates",
            "… and {n:,} more things to know: View Requested Updates",
            more,
        )
    if facts.holds_waiting:
        yield f"⏸️ {words.waiting_count(facts.holds_waiting, rules)}"


def _whole_page(metadata: SeveralMetadata, boxes: set[Tick], ticked: frozenset[Tick]) -> Iterator[Json]:
    """Ticks or unticks the page at once: forty boxes are many for a thumb."""
    if len(boxes) < 2:
        return
    every = boxes <= ticked
    label = (
        say("Untick all of this page") if every else say("Tick all {count} of this page", count=len(boxes))
    )
    yield actions([button(label, Action.TURN_SEVERAL, SeveralButton(page=metadata.page, tick=not every))])


def _turning(page: int, pages: int, ticked_elsewhere: int) -> Iterator[Json]:
    if pages <= 1:
        return
    yield divider()
    ticked = plural("{n:,} job ticked on other pages.", "{n:,} jobs ticked on other pages.", ticked_elsewhere)
    kept = say(
        "Page {page:,} of {pages:,}. Ticks are kept when you turn the page.", page=page + 1, pages=pages
    )
    yield context(f"{kept} {ticked}" if ticked_elsewhere else kept)
    for label, to in ((say("Previous page"), page - 1), (say("Next page"), page + 1)):
        if 0 <= to < pages:
            turn = button(label, Action.TURN_SEVERAL, SeveralButton(page=to))
            yield section(say("Page {page:,}", page=to + 1), accessory=turn, block_id=f"page:{to}")


def _changed(changed: Sequence[UpdateFacts], gone: int) -> Iterator[Json]:
    if not changed and not gone:
        return
    head = plural(
        "🔁 *{n:,} ticked job changed since you looked* and will not be updated now:",
        "🔁 *{n:,} ticked jobs changed since you looked* and will not be updated now:",
        len(changed) + gone,
    )
    named = [*map(_title, changed), *[say(_NO_LONGER_THERE)] * gone]
    yield from map(section, _paragraphs([head, *(f"• {each}" for each in named)]))


def _title(facts: UpdateFacts) -> str:
    return SLACK.data(one_line(facts.title, _TITLE))


def _twos(facts: UpdateFacts, rules: Rules) -> str:
    approvers = words.approvers_words(facts, rules)
    return f". {approvers}" if approvers else ""


def _with_view(result: Result) -> Json:
    if result.facts is None:
        return section(result_line(result))
    return section(
        result_line(result),
        accessory=view_button(result.facts),
        block_id=f"result:{job_button(result.facts).requested_update_id}",
    )


def _paragraphs(lines: Iterable[str]) -> Iterator[str]:
    """The lines in as few texts as Slack's length of one allows."""
    text = ""
    for line in lines:
        if text and len(text) + len(line) > _TEXT:
            yield text
            text = ""
        text += f"\n{line}" if text else line
    if text:
        yield text


def _order(tick: Tick) -> tuple[int, int]:
    return tick.requested_update_id, tick.revision
