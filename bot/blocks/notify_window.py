"""The window behind `/costcodes notify`: how often a person hears of what waits, and their quiet hours.

A pure function of the present choices, and the way back: what was picked, read as choices.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import time

from slack_sdk.models.blocks import InputBlock, Option, RadioButtonsElement, StaticSelectElement

from bot.blocks import limits
from bot.blocks.pieces import Json, modal, plain, plain_context
from bot.payloads import Window
from workflow.language import later, say
from workflow.preferences import Choices, QuietHours
from workflow.vocabulary import Notify

TITLE = later("Messages to you")
NOTIFY_BLOCK = "notify"
FROM_BLOCK = "quiet_from"
UNTIL_BLOCK = "quiet_until"
_NEVER = "never"
_OPTIONS: Mapping[Notify, tuple[str, str]] = {
    Notify.EVERY_REQUEST: (
        later("Every request"),
        later("A message as soon as a job is Ready to Update, and reminders."),
    ),
    Notify.HOURLY: (later("Hourly digest"), later("In working hours, one message with all that waits.")),
    Notify.DAILY: (later("Daily digest"), later("Each working morning, one message with all that waits.")),
    Notify.MENTIONS: (
        later("Mentions only"),
        later("Reminders of jobs that wait for long, and what concerns you."),
    ),
    Notify.DO_NOT_PING: (
        later("I can update, do not ping me"),
        later("Nothing as an approver; what concerns you comes."),
    ),
}


@dataclass(frozen=True, slots=True)
class Wrong:
    """What was picked does not go together: the block, and why."""

    block_id: str
    why: str


def notify_window(choices: Choices, *, time_zone: str, is_approver: bool) -> Json:
    """The window with the present choices; who is no accounting approver is asked for quiet hours alone."""
    return modal(
        TITLE,
        list(_blocks(choices, time_zone, is_approver)),
        submit=plain(say("Save"), limits.VIEW_TITLE),
        close=plain(say("Cancel"), limits.VIEW_TITLE),
        callback_id=Window.NOTIFY.value,
    )


def choices_picked(picked: Mapping[str, str], before: Choices = Choices()) -> Choices | Wrong:  # noqa: B008 - frozen
    """What was picked, by block id; without a choice of messages the one before stays."""
    notify = Notify(picked[NOTIFY_BLOCK]) if picked.get(NOTIFY_BLOCK) else before.notify
    since, until = (picked.get(block, _NEVER) or _NEVER for block in (FROM_BLOCK, UNTIL_BLOCK))
    if since == until == _NEVER:
        return Choices(notify)
    if _NEVER in (since, until):
        block = FROM_BLOCK if since == _NEVER else UNTIL_BLOCK
        return Wrong(block, say("Choose both hours, or none."))
    if since == until:
        return Wrong(UNTIL_BLOCK, say("Choose another hour than the one they begin at."))
    return Choices(notify, QuietHours(time.fromisoformat(since), time.fromisoformat(until)))


def _blocks(choices: Choices, time_zone: str, is_approver: bool) -> Iterator[Json]:
    if is_approver:
        options = {
            notify: Option(value=notify.value, label=say(label), description=say(meaning))
            for notify, (label, meaning) in _OPTIONS.items()
        }
        yield InputBlock(
            block_id=NOTIFY_BLOCK,
            label=plain(say("What do you want to hear of?"), limits.INPUT_LABEL),
            element=RadioButtonsElement(
                action_id=NOTIFY_BLOCK,
                options=list(options.values()),
                initial_option=options[choices.notify],
            ),
        ).to_dict()
    quiet = choices.quiet
    yield _hours(FROM_BLOCK, say("Quiet hours from"), quiet.since if quiet else None)
    yield _hours(UNTIL_BLOCK, say("Quiet hours until"), quiet.until if quiet else None)
    yield plain_context(
        say(
            "In quiet hours nothing comes; it waits until they are over. Hours are yours: {time_zone}.",
            time_zone=time_zone,
        )
    )


def _hours(block_id: str, label: str, chosen: time | None) -> Json:
    clock = [time(hour, minute) for hour in range(24) for minute in (0, 30)]
    if chosen is not None and chosen not in clock:
        clock = sorted([*clock, chosen])  # the command line takes any minute
    never = Option(value=_NEVER, label=say("No quiet hours"))
    hours = {at: Option(value=f"{at:%H:%M}", label=f"{at:%H:%M}") for at in clock}
    return InputBlock(
        block_id=block_id,
        label=plain(label, limits.INPUT_LABEL),
        element=StaticSelectElement(
            action_id=block_id,
            options=[never, *hours.values()],
            initial_option=never if chosen is None else hours[chosen],
        ),
    ).to_dict()
