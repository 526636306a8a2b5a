"""What `/costcodes` understands: the words after the command, read into one shape. Pure."""

from dataclasses import dataclass
from difflib import get_close_matches

from bot.blocks.notices import COMMANDS
from workflow.language import later
from workflow.queries import FILTERS
from workflow.report import Period

VERBS = {usage.split()[0]: usage for usage in COMMANDS}
"""Usage by the word that begins it."""

_ABOUT_A_JOB = frozenset(verb for verb, usage in VERBS.items() if usage.endswith(" JOB"))
_MAY_NAME_A_JOB = frozenset(verb for verb, usage in VERBS.items() if usage.endswith(" [JOB]"))
_SLACKS_ESCAPES = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))


@dataclass(frozen=True, slots=True)
class Command:
    """A command as it was meant; `job` is what was typed for one, `text` what narrows a list.

    `filter` is a list's, or the period of a report.
    """

    verb: str
    job: str = ""
    filter: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class WrongUsage:
    """The words do not fit any usage; says which one comes closest."""

    words: str


def parse(typed: str) -> Command | WrongUsage:
    """Read what was typed after `/costcodes`; nothing at all asks for help."""
    for escaped, character in _SLACKS_ESCAPES:
        typed = typed.replace(escaped, character)
    first, _, rest = " ".join(typed.split()).partition(" ")
    verb = first.lower() or "help"
    if verb not in VERBS:
        return _unknown(verb)
    if verb in ("jobs", "ready"):
        return _list(verb, rest)
    if verb in _MAY_NAME_A_JOB:
        return Command(verb, job=rest)
    if verb in _ABOUT_A_JOB:
        if rest:
            return Command(verb, job=rest)
        return WrongUsage(
            later(
                "Which job? Try /costcodes {usage}, such as /costcodes {verb} 24-017.",
                usage=VERBS[verb],
                verb=verb,
            )
        )
    if verb == "report":
        return _report(rest)
    if verb == "away":
        return Command(verb, text=rest)
    if rest:
        return WrongUsage(
            later("/costcodes {verb} takes nothing after it, and you wrote “{rest}”.", verb=verb, rest=rest)
        )
    return Command(verb)


def _list(verb: str, rest: str) -> Command:
    if verb == "ready":
        return Command("jobs", filter="ready", text=rest)
    first, _, text = rest.partition(" ")
    if first.lower() in FILTERS:
        return Command("jobs", filter=first.lower(), text=text)
    # without a filter, a text is looked for among all jobs
    return Command("jobs", filter="all" if rest else "ready", text=rest)


def _report(rest: str) -> Command | WrongUsage:
    if rest.lower() in ("", *Period):
        return Command("report", filter=rest.lower() or Period.WEEK)
    return WrongUsage(later("A report is of a week or a month, and you wrote “{rest}”.", rest=rest))


def _unknown(verb: str) -> WrongUsage:
    closest = get_close_matches(verb, VERBS, n=1)
    if closest:
        return WrongUsage(
            later(
                "There is no “{verb}”. Did you mean /costcodes {usage}?", verb=verb, usage=VERBS[closest[0]]
            )
        )
    return WrongUsage(later("There is no “{verb}”. /costcodes help lists what there is.", verb=verb))
