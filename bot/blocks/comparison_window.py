"""The window of a job in three places: every difference between Procore, costbot and Sage, in pages.

Pure functions of facts. Read-only. What does not differ is counted, and the categories of a cost code that
stand alike share a row; `costbot diff` lists everything.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from math import ceil

from bot.blocks import comparison_words, limits
from bot.blocks.pieces import Json, button, context, divider, modal, plain, section
from bot.blocks.words import SLACK, code_words
from bot.payloads import Action, ComparisonButton
from workflow.comparison import Row
from workflow.language import later, say
from workflow.three_places import ThreePlaces

TITLE = later("Where it differs")
ROWS_A_PAGE = 40
"""One block a row, so that a page stays under Slack's 100 blocks."""
_CATEGORIES_SHOWN = 30
_TOGETHER = 40
"""Characters that fit one line on a phone."""


def comparison_window(known: ThreePlaces, *, page: int = 0) -> Json:
    """One page; pages count from 0, and one beyond the last is the last."""
    rows = [_row(group, known) for group in _alike(known.differing, known)]
    pages = max(1, ceil(len(rows) / ROWS_A_PAGE))
    page = min(max(page, 0), pages - 1)
    head = f"*{SLACK.data(known.title)}*\n{comparison_words.counts_words(known)}"
    blocks = [
        section(head),
        context(" · ".join(comparison_words.ages_words(known))),
        divider(),
        *(section(text) for text in rows[page * ROWS_A_PAGE : (page + 1) * ROWS_A_PAGE]),
        *_turning(known, page, pages),
    ]
    return modal(TITLE, blocks, close=plain(say("Close"), limits.VIEW_TITLE))


def _alike(rows: Sequence[Row], known: ThreePlaces) -> Iterator[list[Row]]:
    """The rows of one cost code that stand alike, next to each other."""
    for _, group in groupby(rows, key=lambda row: (row.assignment.code_key, _standing(row, known))):
        yield list(group)


def _standing(row: Row, known: ThreePlaces) -> tuple[str, ...]:
    places = [
        say("*costbot:* {words}", words=comparison_words.costbot_words(row)),
        say("*Sage:* {words}", words=comparison_words.sage_words(row, known)),
    ]
    if known.procore is not None:
        places.insert(0, say("*Procore:* {words}", words=comparison_words.procore_words(row, known)))
    return "   ".join(map(_kept_together, places)), *(f"➡️ {one}" for one in comparison_words.what_to_do(row))


def _kept_together(place: str) -> str:
    """A place on one line with its name, as far as lines are long enough for that."""
    return place.replace(" ", "\N{NO-BREAK SPACE}", -1 if len(place) <= _TOGETHER else 1)


def _row(group: Sequence[Row], known: ThreePlaces) -> str:
    first = group[0]
    code = code_words(first.assignment.extra, first.assignment.code)
    categories = [row.assignment.category for row in group]
    listed = ", ".join(categories[:_CATEGORIES_SHOWN])
    if len(categories) > _CATEGORIES_SHOWN:
        listed = say("{listed} and {more:,} more", listed=listed, more=len(categories) - _CATEGORIES_SHOWN)
    head = f"*{SLACK.data(code)}* {SLACK.data(first.description)} · *{SLACK.data(listed)}*"
    return "\n".join([head, *_standing(first, known)])


def _turning(known: ThreePlaces, page: int, pages: int) -> Iterator[Json]:
    if pages <= 1:
        return
    yield divider()
    yield context(say("Page {page:,} of {pages:,}.", page=page + 1, pages=pages))
    for label, to in ((say("Previous"), page - 1), (say("Next"), page + 1)):
        if 0 <= to < pages:
            turn = button(label, Action.TURN_COMPARISON, ComparisonButton(job_id=known.job_id, page=to))
            yield section(say("Page {page:,}", page=to + 1), accessory=turn, block_id=f"page:{to}")
