"""A file that somebody shares in the request window: fetched from Slack and read, or told why not."""

from collections.abc import Mapping

from bot.blocks.request_window import FILE_BYTES
from bot.slack_answers import SlackError, SlackRefused
from bot.visit import Visit
from workflow.asked_lines import Asked, parse_file
from workflow.language import later, say

_TROUBLE = {
    "file_too_large": later("{name} is larger than 1 MB: share it in parts"),
    "file_not_found": later(
        "{name} cannot be fetched: the Slack app needs the scope files:read, ask your administrator"
    ),
}
_NO_ANSWER = later("{name} could not be fetched from Slack: share it again")


def shared_lines(visit: Visit, categories: Mapping[str, str]) -> tuple[str, Asked | None, list[str]]:
    """The name of the file in the window, what it says, and what is wrong with it; no file is nothing.

    A file with anything wrong in it says nothing. Slack is asked, so it is never called in a transaction.
    """
    if not visit.interaction.files:
        return "", None, []
    file = visit.interaction.files[0]
    name = file.name or say("The file")
    try:
        if file.size > FILE_BYTES:
            raise SlackRefused("files", "file_too_large")
        content = visit.services.gateway.download(file.url, at_most=FILE_BYTES)
    except SlackRefused as refused:
        return name, None, [say(_TROUBLE.get(refused.code, _NO_ANSWER), name=name)]
    except SlackError:
        return name, None, [say(_NO_ANSWER, name=name)]
    asked = parse_file(name, content, categories)
    if asked.problems:
        return name, None, [f"{name}, {problem}" for problem in asked.problems]
    return name, asked, []
