"""The request window in its three steps: what is asked for, a category grid, and the preview.

Pure functions of facts. Everything written is shown again where something is wrong with it, line by line, so
that nobody types twice.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from slack_sdk.models.blocks import (
    CheckboxesElement,
    ExternalDataMultiSelectElement,
    ExternalDataSelectElement,
    Option,
    PlainTextInputElement,
)
from slack_sdk.models.blocks.block_elements import FileInputElement, InputInteractiveElement

from bot.blocks import limits, words
from bot.blocks.pieces import (
    Json,
    Message,
    actions,
    button,
    context,
    divider,
    input_block,
    message,
    modal,
    option,
    plain,
    plain_section,
    section,
)
from bot.blocks.words import SLACK
from bot.payloads import Action, DraftMark, FirstStep, Typed, Window
from workflow.asked_lines import EXAMPLE
from workflow.language import later, plural, say
from workflow.request_preview import Preview, PreviewLine
from workflow.requests import NothingNew, Requested
from workflow.vocabulary import Severity, Standing, State

TITLE = later("Request cost codes")
JOB_BLOCK, CODES_BLOCK, LINES_BLOCK, FILE_BLOCK = "job", "codes", "lines", "file"
TICK_BLOCK = "tick:"
"""Before the cost code, in the `block_id` of its row of the grid."""
GRID_CODES = 40
"""One row a cost code; with ten boxes each the view stays under Slack's 250,000 bytes."""
LINES_LENGTH = limits.INPUT_VALUE
FILE_BYTES = 1_000_000
_BOXES = limits.OPTIONS["checkboxes"]
_PROBLEMS_SHOWN = 20
_UNREAD_SHOWN = 20
_PROBLEM = 135
_FINDINGS_SHOWN = 8
_CODES_SHOWN = 30
_LABEL = 50
_GROUPS = {
    Standing.NEW_CODE: later("🆕 New to Sage"),
    Standing.NEW_CATEGORY: later("🔗 In Sage, new category"),
    Standing.IN_SAGE: later("✅ In Sage already, nothing to send"),
}


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """What the first step shows: the job and what was put in so far, as a draft has it."""

    token: str
    job: tuple[int, str] | None
    """Id and title."""
    picked: Sequence[tuple[str, str]]
    """Cost codes with their descriptions."""
    text: str
    file_name: str
    lines_in_file: int
    begun_at: datetime | None
    """Since when a draft has been kept, where the window goes on with an earlier one."""
    is_added_to: bool = False
    """Whether the cost codes of a message were added to that draft just now."""


@dataclass(frozen=True, slots=True)
class GridRow:
    """One cost code of the grid: what is ticked before anybody ticks, and what Sage holds of it."""

    code: str
    description: str
    ticked: Sequence[str]
    in_sage: Sequence[str]


def request_window(facts: RequestFacts, problems: Sequence[str] = (), *, note: str = "") -> Json:
    """The first step: the job, and cost codes picked, written, or in a file. `note` is plain."""
    job = facts.job and option(facts.job[1], str(facts.job[0]))
    return modal(
        TITLE,
        [
            *_problems(problems),
            *([plain_section(note)] if note else []),
            *_kept(facts, is_shown_first=not problems),
            input_block(
                JOB_BLOCK,
                say("Job"),
                ExternalDataSelectElement(
                    action_id=Typed.JOB.value,
                    placeholder=plain(say("Type a number or a name"), limits.PLACEHOLDER),
                    initial_option=job,
                    min_query_length=0,
                ),
            ),
            input_block(
                CODES_BLOCK,
                say("Cost codes of the standard list"),
                ExternalDataMultiSelectElement(
                    action_id=Typed.COST_CODES.value,
                    placeholder=plain(say("Type a code or a description"), limits.PLACEHOLDER),
                    initial_options=[option(f"{code} {name}", code) for code, name in facts.picked] or None,
                    min_query_length=0,
                    max_selected_items=GRID_CODES,
                ),
                hint=say("The next step asks for the categories of each."),
                optional=True,
            ),
            input_block(
                LINES_BLOCK,
                say("Or write or paste them, a line each"),
                PlainTextInputElement(
                    action_id="lines",
                    multiline=True,
                    initial_value=facts.text or None,
                    max_length=LINES_LENGTH,
                    placeholder=plain(EXAMPLE, limits.PLACEHOLDER),
                ),
                hint=say(
                    "Cost code, then categories: {example}. Beyond {most:,} characters: a file.",
                    example=EXAMPLE,
                    most=LINES_LENGTH,
                ),
                optional=True,
            ),
            input_block(
                FILE_BLOCK,
                say("Or share a file"),
                FileInputElement(action_id="file", filetypes=["csv", "text"], max_files=1),
                hint=say("CSV with the header code,category, or text with lines as above; 1 MB at most."),
                optional=True,
            ),
            context(say("Next keeps what you put in; Close before that loses it.")),
        ],
        submit=plain(say("Next"), limits.VIEW_TITLE),
        close=plain(say("Close"), limits.VIEW_TITLE),
        callback_id=Window.REQUEST.value,
        private_metadata=FirstStep(token=facts.token, lines_in_file=facts.lines_in_file).text(),
    )


def category_window(
    title: str, rows: Sequence[GridRow], categories: Mapping[str, str], *, token: str
) -> Json:
    """The second step: the categories of each cost code that names none. `title` is the job's."""
    mark = DraftMark(token=token)
    grid = [
        input_block(
            f"{TICK_BLOCK}{row.code}",
            f"{row.code} {row.description}".strip(),
            _boxes(row, categories),
            hint=say("Sage has {categories} for this job.", categories=words.one_line(", ".join(row.in_sage)))
            if row.in_sage
            else None,
        )
        for row in rows[:GRID_CODES]
    ]
    return modal(
        TITLE,
        [
            section(
                say(
                    "*{job}*\nWhich categories? Those of the standard list are ticked.",
                    job=SLACK.data(title),
                )
            ),
            *grid,
            actions([button(say("Back"), Action.CHANGE_REQUEST, mark)]),
        ],
        submit=plain(say("Next"), limits.VIEW_TITLE),
        close=plain(say("Close"), limits.VIEW_TITLE),
        callback_id=Window.CATEGORIES.value,
        private_metadata=mark.text(),
    )


def preview_window(preview: Preview, *, token: str) -> Json:
    """The last step: what the request would do, before anybody hears of it."""
    mark = DraftMark(token=token)
    new = preview.new
    return modal(
        TITLE,
        [
            *_preview_head(preview),
            divider(),
            *_groups(preview),
            *_found(preview),
            actions([button(say("Back"), Action.CHANGE_REQUEST, mark)]),
        ],
        submit=plain(say("Request"), limits.VIEW_TITLE) if new else None,
        close=plain(say("Close"), limits.VIEW_TITLE),
        callback_id=Window.PREVIEW.value,
        private_metadata=mark.text(),
    )


def requested(
    title: str, result: Requested | NothingNew, *, channel: str | None, card: str | None
) -> Message:
    """What became of a request, and where it is; `channel` as the settings have it, `card` its address."""
    open_card = say("Open the card")
    where = f"<{card}|{open_card}>" if card else say("Its card goes to {channel}.", channel=_channel(channel))
    if isinstance(result, NothingNew):
        told = say("All of it waits for an approver already, so nothing was changed.")
    else:
        told = say(
            "{assignments}. Ready to Update, revision {revision}. You hear of what an approver decides.",
            assignments=plural("{n:,} new assignment", "{n:,} new assignments", result.added),
            revision=result.requested_update.revision,
        )
    text = f"✅ {SLACK.strong(SLACK.data(title))}: {told}"
    return message(f"✅ {SLACK.data(title)}: {told}", [section(f"{text}\n{where}")])


def not_requested(problems: Sequence[str]) -> Message:
    """Why nothing was requested, for whoever has closed the window that says it."""
    told = say("Nothing was requested yet. What you put in is kept: /costcodes request opens it.")
    return message(told, [*_problems(problems), plain_section(told)])


def _channel(channel: str | None) -> str:
    if channel is None:
        return say("the approvals channel")
    return SLACK.data(channel) if channel.startswith("#") else f"<#{channel}>"


def unread(lines: Sequence[str]) -> str:
    """Which lines of a message were not taken over; empty when all were."""
    if not lines:
        return ""
    shown = [f"• {words.one_line(line, _PROBLEM)}" for line in lines[:_UNREAD_SHOWN]]
    if len(lines) > _UNREAD_SHOWN:
        shown.append(say("… and {more:,} more", more=len(lines) - _UNREAD_SHOWN))
    head = say("These lines of the message name something that is not on the standard cost code list:")
    return "\n".join([head, *shown])


def _problems(problems: Sequence[str]) -> Iterator[Json]:
    if not problems:
        return
    yield section(
        plural(
            "❌ *Nothing was requested yet: {n:,} problem to mend.*",
            "❌ *Nothing was requested yet: {n:,} problems to mend.*",
            len(problems),
        )
    )
    shown = [f"• {words.one_line(problem, _PROBLEM)}" for problem in problems[:_PROBLEMS_SHOWN]]
    if len(problems) > _PROBLEMS_SHOWN:
        shown.append(say("… and {more:,} more", more=len(problems) - _PROBLEMS_SHOWN))
    yield plain_section("\n".join(shown))


def _kept(facts: RequestFacts, *, is_shown_first: bool) -> Iterator[Json]:
    if facts.lines_in_file:
        name = SLACK.data(facts.file_name)
        yield context(
            say(
                "📎 {name}: {lines}. Another file takes its place.",
                name=name,
                lines=plural("{n:,} line", "{n:,} lines", facts.lines_in_file),
            )
        )
    if facts.begun_at and is_shown_first:
        date = SLACK.date(facts.begun_at)
        yield context(
            say("You began this {begun_at}. The cost codes of the message were added to it.", begun_at=date)
            if facts.is_added_to
            else say("You began this {begun_at}; it is as you left it.", begun_at=date)
        )
        start_over = button(say("Start over"), Action.START_OVER, DraftMark(token=facts.token))
        yield actions([start_over])


def _boxes(row: GridRow, categories: Mapping[str, str]) -> InputInteractiveElement:
    """Boxes as long as Slack has room for one a category, else a menu to type into."""
    ticked = [_category(code, categories) for code in row.ticked if code in categories] or None
    if 0 < len(categories) <= _BOXES:
        return CheckboxesElement(
            action_id="tick",
            options=[_category(code, categories) for code in categories],
            initial_options=ticked,
        )
    return ExternalDataMultiSelectElement(
        action_id=Typed.CATEGORIES.value,
        placeholder=plain(say("Type a category"), limits.PLACEHOLDER),
        initial_options=ticked,
        min_query_length=0,
    )


def _category(code: str, categories: Mapping[str, str]) -> Option:
    name = categories[code]
    return option(code if name == code else f"{code} {name}", code)


def _preview_head(preview: Preview) -> Iterator[Json]:
    new = preview.new
    codes = plural("{n:,} cost code", "{n:,} cost codes", len({line.assignment.code_key for line in new}))
    about = say(
        "{assignments} of {codes} to request",
        assignments=plural("{n:,} assignment", "{n:,} assignments", len(new)),
        codes=codes,
    )
    nothing = say("Nothing new to request")
    yield section(f"*{SLACK.data(preview.title)}*\n{about if new else nothing}")
    joins = preview.joins
    if joins and joins.state is State.FAILED:
        yield context(
            say(
                "Sage refused lines of {requested_by}'s request: they go out with this.",
                requested_by=SLACK.data(joins.requested_by),
            )
        )
    elif joins:
        yield context(
            say(
                "Joins what is Ready to Update already. {request}.",
                request=words.request_words(joins),
            )
        )
    if preview.read_back_at:
        yield context(say("As Sage was read {read_back_at}.", read_back_at=SLACK.date(preview.read_back_at)))
    else:
        yield context(say("Sage has not been read for this job yet, so everything counts as new."))


def _groups(preview: Preview) -> Iterator[Json]:
    for standing, title in _GROUPS.items():
        yield from _group(say(title), [line for line in preview.new if line.standing is standing])
    yield from _group(say("🟡 Waits for an approver already"), [x for x in preview.lines if x.waits_already])


def _group(title: str, lines: Sequence[PreviewLine]) -> Iterator[Json]:
    if not lines:
        return
    by_code: dict[str, list[str]] = {}
    for line in lines:
        label = words.one_line(f"{line.assignment.code} {line.description}", _LABEL)
        by_code.setdefault(label, []).append(line.assignment.category)
    listed = [
        f"• {SLACK.data(label)}: {SLACK.data(', '.join(categories))}"
        for label, categories in list(by_code.items())[:_CODES_SHOWN]
    ]
    if len(by_code) > _CODES_SHOWN:
        listed.append(say("… and {more:,} more", more=len(by_code) - _CODES_SHOWN))
    count = plural("{n:,} assignment", "{n:,} assignments", len(lines))
    yield section("\n".join([f"*{title}*: {count}", *listed]))


def _found(preview: Preview) -> Iterator[Json]:
    found = words.told_of(preview.found)
    if not found:
        return
    listed = [words.full_finding_words(finding) for finding in found[:_FINDINGS_SHOWN]]
    if len(found) > _FINDINGS_SHOWN:
        listed.append(say("… and {more:,} more", more=len(found) - _FINDINGS_SHOWN))
    yield section("\n".join([say("*What Sage would say*"), *listed]))
    if any(finding.severity is Severity.REFUSE for finding in found):
        yield context(
            say("You may request this all the same: an approver cannot Update it before it is mended.")
        )
