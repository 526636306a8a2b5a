"""The approver's acts from Slack, wherever the click was, and what each result is answered with."""

from collections.abc import Callable

from bot.answering import WindowClosedError, WindowNotOpenedError
from bot.listeners.opening import updates_view
from bot.payloads import JobButton
from bot.visit import Visit
from workflow import approvals, reopening
from workflow.acting import AlreadyDecided, Decision, Done, FirstOfTwo, Stale
from workflow.language import later, say
from workflow.privileges import Refused
from workflow.tables import Job
from workflow.vocabulary import Refusal

FIRST_OF_TWO = later(
    "1 of 2: your Update is on record. A second approver must Update before it goes to Sage."
)
_OF_THE_STATE = (
    Refusal.NOT_READY,
    Refusal.NOT_ACCEPTED,
    Refusal.NOT_FAILED,
    Refusal.ALREADY_GOING_OUT,
    Refusal.SECOND_APPROVER_NEEDED,
)
"""Refusals that are about where the requested update stands, not about the person."""


def update(visit: Visit, button: JobButton) -> None:
    """Accept the revision that the person saw."""
    done = say("It is updated, and goes out with the next data sync.")
    _decide(visit, button, approvals.accept, done, revision=button.revision)


def reject(visit: Visit, button: JobButton, comment: str) -> None:
    """Turn down the revision that the person saw; `comment` goes to whoever asked."""
    done = say("It is rejected, and whoever requested it gets your comment.")
    _decide(visit, button, approvals.reject, done, revision=button.revision, comment=comment)


def take_back(visit: Visit) -> None:
    """Undo an Update before a data sync takes it."""
    button = visit.interaction.read(JobButton)
    _decide(visit, button, reopening.take_back, say("It is taken back, and Ready to Update again."))


def send_again(visit: Visit) -> None:
    """Make what Sage refused ready again."""
    button = visit.interaction.read(JobButton)
    done = say("It is Ready to Update again, for an approver to update anew.")
    _decide(visit, button, reopening.send_again, done)


def _decide(
    visit: Visit, button: JobButton, act: Callable[..., Decision], done: str, **seen: int | str
) -> None:
    """Carry out an act of `workflow.approvals` on what the button carries, and answer with its result."""
    visit.know_anew()
    decision = visit.act(
        lambda session, by, at: act(
            session,
            requested_update_id=button.requested_update_id,
            by=by,
            at=at,
            rules=visit.rules,
            **seen,
        )
    )
    _answer(visit, button, decision, done)


def _answer(visit: Visit, button: JobButton, decision: Decision, done: str) -> None:
    match decision:
        case FirstOfTwo():
            visit.answer(f"{_title(visit, button)}: {say(FIRST_OF_TWO)}")
        case Done():
            visit.answer(f"{_title(visit, button)}: {done}")
        case AlreadyDecided(words=words):
            visit.answer(f"{_title(visit, button)}: {words}")
        case Stale(words=words) if decision.new:
            try:
                visit.show(updates_view(visit, button.job_id, seen=button))
            except (WindowClosedError, WindowNotOpenedError):
                visit.answer(f"{_title(visit, button)}: {words}")
        case Stale(words=words):
            visit.answer(f"{_title(visit, button)}: {words}")
        case Refused(reason=reason, words=words) if reason in _OF_THE_STATE:
            visit.answer(f"{_title(visit, button)}: {words}")
        case Refused():
            visit.deny(decision)


def _title(visit: Visit, button: JobButton) -> str:
    with visit.reading() as session:
        job = session.get(Job, button.job_id)
        return job.title if job else say("This job")
