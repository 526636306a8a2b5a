"""The windows: Cost Codes for Update (read-only, in pages), Reject with its comment, and short answers.

Pure functions of facts. Block Kit has no disabled checkbox, so boxes are drawn as text and said in
words. Update appears for an accounting approver alone; the click is judged in `workflow` all the same.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from slack_sdk.models.blocks import InputBlock, PlainTextInputElement

from bot.blocks import limits, words
from bot.blocks.pieces import (
    Json,
    Message,
    button,
    context,
    divider,
    modal,
    plain,
    plain_context,
    plain_section,
    section,
)
from bot.blocks.words import SLACK, code_words, one_line
from bot.payloads import Action, PageButton, Window, WindowMetadata
from workflow.facts import CostCodeFacts, HoldFacts, UpdateFacts
from workflow.language import later, plural, say
from workflow.merge import Assignment
from workflow.privileges import USUAL_RULES, Rules
from workflow.vocabulary import State

TITLE = later("Cost Codes for Update")
CODES_A_PAGE = 40
"""One block a cost code, so that a page stays under Slack's 100 blocks."""
COMMENT_BLOCK = "comment"
COMMENT_INPUT = "comment"
COMMENT_LENGTH = 500
_HOLDS_SHOWN = 10
_BOXES = 700
"""Characters of one line of boxes; 40 cost codes of three lines stay under a view's 250,000 bytes."""
_NAME = 30
_REASONS = 3


def updates_window(
    facts: UpdateFacts,
    codes_page: Sequence[CostCodeFacts],
    holds: Sequence[HoldFacts],
    categories: Mapping[str, str],
    *,
    page: int,
    pages: int,
    may_update: bool,
    why_not: str | None,
    channel_id: str | None,
    new_since: frozenset[Assignment] = frozenset(),
    seen_revision: int | None = None,
    rules: Rules = USUAL_RULES,
    card: str | None = None,
) -> Json:
    """Cost Codes for Update: every line of one page, read-only.

    `page` counts from 0; `codes_page` holds up to CODES_A_PAGE cost codes; `categories` is name by
    code of every standard category; `why_not` is plain text for who may not Update; `new_since` is
    what joined after the person looked at `seen_revision`, which the page buttons hand on; `card` is the
    address of the job's card.
    """
    open_to_update = facts.state is State.READY and may_update
    metadata = WindowMetadata(
        job_id=facts.job_id,
        requested_update_id=facts.requested_update_id,
        revision=facts.revision,
        page=page,
        channel_id=channel_id,
    )
    blocks = [
        *_head(facts, words.approvers_words(facts, rules), why_not, new_since, card),
        *(_holds(holds) if page == 0 else ()),
        divider(),
        *(section(_cost_code(code, facts.state, categories, new_since)) for code in codes_page),
        *_turning(
            facts,
            page,
            pages,
            open_to_update=open_to_update,
            seen_revision=facts.revision if seen_revision is None else seen_revision,
        ),
    ]
    return modal(
        TITLE,
        blocks,
        submit=plain(say("Update"), limits.VIEW_TITLE) if open_to_update else None,
        close=plain(say("Close"), limits.VIEW_TITLE),
        callback_id=Window.UPDATES.value,
        private_metadata=metadata.text(),
    )


def message_view(title: str, text: str) -> Json:
    """A small window that only says something, such as who updated it before; `text` is plain."""
    return modal(title, [plain_section(text)], close=plain(say("Close"), limits.VIEW_TITLE))


def answer_window(answer: Message) -> Json:
    """An answer in a window, for who acted in one."""
    return modal(say("Cost codes"), answer.blocks, close=plain(say("Close"), limits.VIEW_TITLE))


def reject_window(facts: UpdateFacts, metadata: WindowMetadata) -> Json:
    """Asks for the comment that goes to whoever requested the cost codes."""
    comment = InputBlock(
        block_id=COMMENT_BLOCK,
        label=plain(say("Why?"), limits.INPUT_LABEL),
        hint=plain(
            say("{requested_by} gets this comment.", requested_by=one_line(facts.requested_by)),
            limits.INPUT_LABEL,
        ),
        element=PlainTextInputElement(
            action_id=COMMENT_INPUT,
            multiline=True,
            min_length=1,
            max_length=COMMENT_LENGTH,
            focus_on_load=True,
        ),
    )
    about = f"{SLACK.strong(SLACK.data(facts.title))}\n{words.counts_words(facts.counts)}"
    return modal(
        say("Reject"),
        [section(about), context(words.request_words(facts)), comment.to_dict()],
        submit=plain(say("Reject"), limits.VIEW_TITLE),
        close=plain(say("Cancel"), limits.VIEW_TITLE),
        callback_id=Window.REJECT.value,
        private_metadata=metadata.text(),
    )


def _head(
    facts: UpdateFacts,
    approvers: str,
    why_not: str | None,
    new_since: frozenset[Assignment],
    card: str | None,
) -> Iterator[Json]:
    lines = (
        f"*{SLACK.data(facts.title)}*",
        words.state_words(facts),
        approvers,
        words.counts_words(facts.counts),
    )
    yield section("\n".join(filter(None, lines)))
    open_card = say("Open the card")
    link = f"\n<{card}|{open_card}>" if card else ""
    yield context(f"{words.request_words(facts)}{link}")
    yield context(say("Read-only. ☑ asked for or in Sage already, ☐ not asked for."))
    if new_since:
        yield section(
            plural(
                "🆕 *{n:,} assignment came since you looked.* Nothing was done yet: look at what is marked "
                "🆕 and decide again.",
                "🆕 *{n:,} assignments came since you looked.* Nothing was done yet: look at what is marked "
                "🆕 and decide again.",
                len(new_since),
            )
        )
    if why_not:
        yield plain_context(f"🔒 {why_not}")


def _holds(holds: Sequence[HoldFacts]) -> Iterator[Json]:
    waiting = [hold for hold in holds if hold.waiting]
    if not waiting:
        return
    listed = map(words.hold_line, waiting[:_HOLDS_SHOWN])
    more = (
        [say("… and {more:,} more", more=len(waiting) - _HOLDS_SHOWN)] if len(waiting) > _HOLDS_SHOWN else []
    )
    yield section("\n".join([f"⏸️ *{words.waiting_words(waiting)}*", *listed, *more]))


def _cost_code(
    code: CostCodeFacts,
    state: State,
    categories: Mapping[str, str],
    new_since: frozenset[Assignment],
) -> str:
    asked = set(code.requested)
    new = say("🆕 since you looked")
    requested = (
        _box("☑", category, categories, say("(in Sage)") if category in code.in_sage else say("(new)"))
        + (f" {new}" if Assignment(code.code, category, code.extra) in new_since else "")
        for category in code.requested
    )
    held = (_box("☑", category, categories) for category in code.in_sage if category not in asked)
    others = (
        _box("☐", category, categories)
        for category in categories
        if category not in asked and category not in code.in_sage
    )
    lines = [
        f"*{SLACK.data(code_words(code.extra, code.code))}* {SLACK.data(code.description)}: "
        f"{words.standing_words(code, state)}",
        say("Asked for: {boxes}", boxes=_boxes(requested)),
    ]
    in_sage, not_asked = _boxes(held), _boxes(others)
    if in_sage:
        lines.append(say("In Sage already: {in_sage}", in_sage=in_sage))
    if not_asked:
        lines.append(say("Not asked for: {not_asked}", not_asked=not_asked))
    if code.sage_keeps is not None:
        lines.append(say("Sage keeps: {sage_keeps}", sage_keeps=SLACK.data(code.sage_keeps)))
    if state in (State.READY, State.ACCEPTED):
        lines += [words.full_finding_words(finding) for finding in words.told_of(code.findings)[:_REASONS]]
    lines += [f"❌ {SLACK.data(f'{category}: {say(why)}')}" for category, why in code.refused[:_REASONS]]
    return "\n".join(lines)


def _box(mark: str, code: str, names: Mapping[str, str], note: str = "") -> str:
    """A ticked or unticked box; its label stays beside it where the line is full."""
    name = names.get(code, code)
    label = SLACK.data(code if name == code else f"{code} {one_line(name, _NAME)}")
    return f"{mark} {label} {note}".rstrip().replace(" ", "\N{NO-BREAK SPACE}")


def _boxes(boxes: Iterable[str]) -> str:
    """Boxes side by side, and how many more where they do not fit."""
    shown, left, length = [], 0, 0
    for box in boxes:
        length += len(box) + 3
        if length <= _BOXES:
            shown.append(box)
        else:
            left += 1
    return "   ".join([*shown, say("and {left:,} more", left=left)] if left else shown)


def _turning(
    facts: UpdateFacts, page: int, pages: int, *, open_to_update: bool, seen_revision: int
) -> Iterator[Json]:
    if pages <= 1:
        return
    yield divider()
    where = say("Page {page:,} of {pages:,}.", page=page + 1, pages=pages)
    every = say("Update accepts every page: {counts}.", counts=words.counts_words(facts.counts))
    yield context(f"{where} {every}" if open_to_update else where)
    for label, to in ((say("Previous"), page - 1), (say("Next"), page + 1)):
        if 0 <= to < pages:
            value = PageButton(
                job_id=facts.job_id,
                requested_update_id=facts.requested_update_id,
                revision=seen_revision,
                page=to,
            )
            turn = button(label, Action.TURN_PAGE, value)
            yield section(say("Page {page:,}", page=to + 1), accessory=turn, block_id=f"page:{to}")
