"""What people read of a job in three places: what each has of an assignment, and what to do about it.

One wording for `costbot diff` and its window. Data is put in by the form, as in `bot.blocks.words`.
"""

from bot.blocks.words import SLACK, STATE_WORDS, Form
from workflow.comparison import Judged, Row
from workflow.language import later, plural, say
from workflow.three_places import ThreePlaces
from workflow.vocabulary import State, Verdict

_WHAT_TO_DO = {
    Verdict.WAITS_FOR_APPROVER: later("An accounting approver has to Update or Reject it."),
    Verdict.WAITS_FOR_DATA_SYNC: later("Nothing to do: the next data sync sends it."),
    Verdict.WAITS_FOR_IMPORT: later("It was sent: once it is imported, the next data sync reads it back."),
    Verdict.FAILED: later("Sage refused it: “{words}”. Mend the reason, then Send again."),
    Verdict.WAITS_FOR_READ_BACK: later(
        "Whether it is new shows once Sage is read back: the next data sync does it."
    ),
    Verdict.CANNOT_BE_ASKED_FOR: later(
        "It cannot be asked for: “{words}”. Mend that, or take it out in Procore."
    ),
    Verdict.REJECTED: later(
        "It was rejected: “{words}”. Take it out in Procore, or ask again on the job's card."
    ),
    Verdict.EXPIRED: later(
        "Nobody updated it in time: ask again on the job's card, or take it out in Procore."
    ),
    Verdict.NOT_ASKED_FOR: later(
        "Nobody has asked for it, and Sage no longer has it: /costcodes request does."
    ),
    Verdict.MISSING_IN_SAGE: later(
        "Sage had it and no longer does: see who removed it, or ask for it again."
    ),
    Verdict.REMOVED_IN_PROCORE: later(
        "It was removed in Procore after it went to Sage, which keeps it: costbot deletes nothing there."
    ),
    Verdict.NOT_IN_PROCORE: later("It was made in Sage: Procore gets it by its own Refresh Cost Codes."),
    Verdict.OTHER_DESCRIPTION: later("Sage keeps its own description: change it in Sage if it is wrong."),
    Verdict.PROCORE_REFUSED: later(
        "Procore did not take that Sage has it: “{words}”. It is told again soon."
    ),
    Verdict.PROCORE_NOT_TOLD: later("Procore hears that Sage has it when costbot next looks there."),
    Verdict.NO_ERP_ID: later("Procore does not know yet that Sage has it: your ERP connector tells it."),
}
_REMOVED = {
    State.ACCEPTED: later(
        "It was removed in Procore after the Update and still goes to Sage. Take back stops it until the "
        "data sync runs."
    ),
    State.FAILED: later("It was removed in Procore, so it need not be sent again."),
}
_FAILED_BUT_THERE = later("Sage has it by now: Send again lets the next data sync see it.")


def what_to_do(row: Row, form: Form = SLACK) -> list[str]:
    """A sentence for each difference of a row."""
    return [_said(row, one, form) for one in row.judged]


def procore_words(row: Row, known: ThreePlaces, form: Form = SLACK) -> str:
    """What Procore has of an assignment."""
    if known.procore is None or known.procore.read_at is None:
        return say("not read yet")
    if row.procore is None:
        return say("not there")
    if row.procore.removed_at is not None:
        return say("removed, seen {at}", at=form.date(row.procore.removed_at))
    return say("there, with an ERP id") if row.procore.has_erp_id else say("there, without an ERP id")


def costbot_words(row: Row) -> str:
    """What became of it in costbot."""
    return say(STATE_WORDS[row.asked.state]) if row.asked else say("never asked for")


def sage_words(row: Row, known: ThreePlaces, form: Form = SLACK) -> str:
    """What Sage has of it."""
    if known.sage_read_at is None:
        return say("not read yet")
    if row.sage is None:
        return say("not there")
    there = say("there") if row.sage.has_category else say("there, without this category")
    if any(one.verdict is Verdict.OTHER_DESCRIPTION for one in row.judged):
        return say("{there}, as {description}", there=there, description=form.data(row.sage.description))
    return there


def ages_words(known: ThreePlaces, form: Form = SLACK) -> list[str]:
    """How old what is known of Procore and of Sage is."""
    said = []
    if known.procore is None:
        said.append(say("costbot works with files here, so there is no column for Procore"))
    elif known.procore.read_at is None:
        said.append(say("Procore: this project was not read yet"))
    elif known.procore.archived:
        said.append(say("Procore: read {at}, and archived since", at=form.date(known.procore.read_at)))
    elif known.procore.changed_since:
        said.append(say("Procore: read {at}, and changed since", at=form.date(known.procore.read_at)))
    else:
        said.append(say("Procore: read {at}", at=form.date(known.procore.read_at)))
    if known.sage_read_at is None:
        said.append(say("Sage: not read yet"))
    elif known.known_in_sage:
        said.append(say("Sage: read back {at}", at=form.date(known.sage_read_at)))
    else:
        said.append(say("Sage: read back {at}, and does not know this job", at=form.date(known.sage_read_at)))
    return said


def counts_words(known: ThreePlaces) -> str:
    """How many assignments differ, and how many do not."""
    differing = len(known.differing)
    same = len(known.rows) - differing
    return "{} {}".format(
        plural("{n:,} assignment differs.", "{n:,} assignments differ.", differing),
        plural("{n:,} is as it should be.", "{n:,} are as they should be.", same),
    )


def _said(row: Row, one: Judged, form: Form) -> str:
    template = _WHAT_TO_DO[one.verdict]
    if one.verdict is Verdict.REMOVED_IN_PROCORE and row.asked:
        template = _REMOVED.get(row.asked.state, template)
    elif one.verdict is Verdict.FAILED and row.sage and row.sage.has_category:
        template = _FAILED_BUT_THERE
    return say(template, words=form.data(say(one.words or "")).rstrip("."))
