"""The few Block Kit pieces that costbot draws with, on slack_sdk's own models.

Owns `Message` and the shapes; every text is cut to Slack's limit here, in one place. Data comes in
as it is stored: a `mrkdwn` piece wants it escaped (`words.SLACK`), `plain_text` and cells do not.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from slack_sdk.models.blocks import (
    ActionsBlock,
    ButtonElement,
    CheckboxesElement,
    ConfirmObject,
    ContextBlock,
    DividerBlock,
    HeaderBlock,
    InputBlock,
    MarkdownTextObject,
    Option,
    PlainTextInputElement,
    PlainTextObject,
    RawTextObject,
    RichTextBlock,
    RichTextElementParts,
    RichTextPreformattedElement,
    SectionBlock,
    StaticSelectElement,
    TableBlock,
    TableBlockColumnSettings,
)
from slack_sdk.models.blocks.basic_components import DispatchActionConfig
from slack_sdk.models.blocks.block_elements import InputInteractiveElement
from slack_sdk.models.views import View

from bot.blocks import limits
from bot.blocks.limits import clamp
from bot.payloads import (
    Action,
    ComparisonButton,
    DraftMark,
    FilterChoice,
    HomePageButton,
    JobButton,
    PrivilegeButton,
    PrivilegeRequestMark,
    SeveralButton,
)
from workflow.language import later, say

Json = dict[str, Any]
_TITLE_AND_CLOSING = 2_000


@dataclass(frozen=True, slots=True)
class Message:
    """A message as Slack takes it; `text` serves notifications and screen readers.

    `fallback_blocks` say the same without a `table` block, for a workspace that refuses it.
    """

    text: str
    blocks: tuple[Json, ...]
    fallback_blocks: tuple[Json, ...] | None = None


def message(text: str, blocks: Iterable[Json], *, fallback: Iterable[Json] | None = None) -> Message:
    """A message with its text cut to the length that Slack advises."""
    return Message(
        clamp(text, limits.MESSAGE_TEXT), tuple(blocks), None if fallback is None else tuple(fallback)
    )


def fitting(blocks: Iterable[Json]) -> list[Json]:
    """The first of these blocks, as many as one message holds beside a title and a closing line."""
    taken: list[Json] = []
    left = limits.MESSAGE_CHARACTERS - _TITLE_AND_CLOSING
    for block in blocks:
        left -= limits.total_characters([block])
        if left < 0 or len(taken) == limits.BLOCKS["message"] - 3:
            break
        taken.append(block)
    return taken


def modal(title: str, blocks: Iterable[Json], **more: Any) -> Json:
    """A window; `more` are the arguments of slack_sdk's `View`, such as `submit` and `callback_id`."""
    view = View(type="modal", title=plain(say(title), limits.VIEW_TITLE), blocks=list(blocks), **more)
    return view.to_dict()


def plain(text: str, limit: int) -> PlainTextObject:
    """Text shown exactly as it is: no mention, no link, no `:emoji:`."""
    return PlainTextObject(text=clamp(text, limit), emoji=False)


def header(text: str) -> Json:
    """A `header` block of plain text."""
    return HeaderBlock(text=plain(text, limits.HEADER_TEXT)).to_dict()


def section(mrkdwn: str, *, accessory: ButtonElement | None = None, block_id: str | None = None) -> Json:
    """A `section` block of `mrkdwn`, with a button beside it where one is given."""
    text = MarkdownTextObject(text=clamp(mrkdwn, limits.SECTION_TEXT))
    return SectionBlock(text=text, accessory=accessory, block_id=block_id).to_dict()


def plain_section(text: str) -> Json:
    """A `section` block that shows data exactly as it is."""
    return SectionBlock(text=plain(text, limits.SECTION_TEXT)).to_dict()


def context(mrkdwn: str) -> Json:
    """A `context` block of `mrkdwn`, in small grey letters."""
    return ContextBlock(elements=[MarkdownTextObject(text=clamp(mrkdwn, limits.SECTION_TEXT))]).to_dict()


def plain_context(text: str) -> Json:
    """A `context` block that shows data exactly as it is."""
    return ContextBlock(elements=[plain(text, limits.SECTION_TEXT)]).to_dict()


def divider() -> Json:
    """A line across."""
    return DividerBlock().to_dict()


def actions(buttons: Sequence[ButtonElement | StaticSelectElement], *, block_id: str | None = None) -> Json:
    """An `actions` block: buttons and menus side by side."""
    return ActionsBlock(elements=list(buttons), block_id=block_id).to_dict()


def menu(
    placeholder: str, action: Action, options: Mapping[FilterChoice, str], chosen: FilterChoice
) -> StaticSelectElement:
    """A menu of options, each with its words; the chosen one is among them."""
    offered = {
        value: Option(value=value.text(), text=plain(text, limits.OPTION_TEXT))
        for value, text in options.items()
    }
    return StaticSelectElement(
        placeholder=plain(placeholder, limits.PLACEHOLDER),
        action_id=action.value,
        options=list(offered.values()),
        initial_option=offered[chosen],
    )


def search_box(label: str, action: Action, typed: str, *, most: int, block_id: str) -> Json:
    """A line to type into, which acts on Enter without any button."""
    return InputBlock(
        block_id=block_id,
        label=plain(label, limits.INPUT_LABEL),
        dispatch_action=True,
        element=PlainTextInputElement(
            action_id=action.value,
            initial_value=typed or None,
            max_length=most,
            dispatch_action_config=DispatchActionConfig(trigger_actions_on=["on_enter_pressed"]),
        ),
    ).to_dict()


def input_block(
    block_id: str,
    label: str,
    element: InputInteractiveElement,
    *,
    hint: str | None = None,
    optional: bool = False,
) -> Json:
    """An `input` block; `label` and `hint` are plain."""
    return InputBlock(
        block_id=block_id,
        label=plain(label, limits.INPUT_LABEL),
        hint=plain(hint, limits.INPUT_LABEL) if hint else None,
        element=element,
        optional=optional,
    ).to_dict()


def option(text: str, value: str) -> Option:
    """One choice of a menu or a row of boxes; `text` is plain."""
    return Option(text=plain(text, limits.OPTION_TEXT), value=value)


def button(
    text: str,
    action: Action,
    value: JobButton
    | PrivilegeButton
    | DraftMark
    | PrivilegeRequestMark
    | SeveralButton
    | FilterChoice
    | HomePageButton
    | ComparisonButton
    | None = None,
    *,
    style: str | None = None,
    confirm: ConfirmObject | None = None,
) -> ButtonElement:
    """A button that carries `value`, to be read back by its `action`."""
    return ButtonElement(
        text=plain(text, limits.BUTTON_TEXT),
        action_id=action.value,
        value=value.text() if value else None,
        style=style,
        confirm=confirm,
    )


def box(text: str, action: Action, value: str, *, ticked: bool, block_id: str) -> Json:
    """One box to tick, in a block of its own; it says for itself what it ticks."""
    option = Option(value=value, text=plain(text, limits.OPTION_TEXT))
    element = CheckboxesElement(
        action_id=action.value, options=[option], initial_options=[option] if ticked else None
    )
    return ActionsBlock(elements=[element], block_id=block_id).to_dict()


def confirm(title: str, text: str, *, yes: str, no: str = later("Cancel")) -> ConfirmObject:
    """The question Slack asks after a click; `text` is plain."""
    return ConfirmObject(
        title=plain(title, limits.CONFIRM_TITLE),
        text=plain(text, limits.CONFIRM_TEXT),
        confirm=plain(yes, limits.CONFIRM_BUTTON),
        deny=plain(say(no), limits.CONFIRM_BUTTON),
    )


def table(rows: Sequence[Sequence[str]]) -> Json:
    """A `table` block of plain cells, the first row its head; `—` for empty, which Slack may refuse."""
    return TableBlock(
        rows=[[RawTextObject(text=cell or "—") for cell in row] for row in rows],
        column_settings=[TableBlockColumnSettings(is_wrapped=True) for _ in rows[0]],
    ).to_dict()


def text_table(rows: Sequence[Sequence[str]]) -> Json:
    """The same rows as preformatted text, for wherever a `table` block is refused."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
    text = RichTextElementParts.Text(text="\n".join(lines))
    return RichTextBlock(elements=[RichTextPreformattedElement(elements=[text])]).to_dict()
