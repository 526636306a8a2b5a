"""The approver's acts from Slack, wherever the click was, and what each result is answered with."""

from bot.answering import WindowClosedError, WindowNotOpenedError
from bot.blocks.updates_window import AssignmentKey
from bot.listeners.opening import updates_view
from bot.payloads import JobButton
from bot.visit import Visit
from workflow import approvals
from workflow.approvals import AlreadyDecided, Decision, Done, Stale
from workflow.merge import Assignment
from workflow.privileges import Refused
from workflow.tables import Job
from workflow.vocabulary import Refusal

_OF_THE_STATE = (Refusal.NOT_READY, Refusal.NOT_ACCEPTED, Refusal.NOT_FAILED, Refusal.ALREADY_GOING_OUT)
"""Refusals that are about where the requested update stands, not about the person."""


def update(visit: Visit, button: JobButton) -> None:
    """Accept the revision that the person saw."""
    decision = visit.act(
        lambda session, by, at: approvals.accept(
            session,
            requested_update_id=button.requested_update_id,
            revision=button.revision,
            by=by,
            at=at,
            rules=visit.rules,
        )
    )
    _answer(visit, button, decision, "It is updated, and goes out with the next data sync.")


def reject(visit: Visit, button: JobButton, comment: str) -> None:
    """Turn down the revision that the person saw; `comment` goes to whoever asked."""
    decision = visit.act(
        lambda session, by, at: approvals.reject(
            session,
            requested_update_id=button.requested_update_id,
            revision=button.revision,
            comment=comment,
            by=by,
            at=at,
            rules=visit.rules,
        )
    )
    _answer(visit, button, decision, "It is rejected, and whoever requested it gets your comment.")


def take_back(visit: Visit) -> None:
    """Undo an Update before a data sync takes it."""
    button = visit.interaction.read(JobButton)
    decision = visit.act(
        lambda session, by, at: approvals.take_back(
            session, requested_update_id=button.requested_update_id, by=by, at=at, rules=visit.rules
        )
    )
    _answer(visit, button, decision, "It is taken back, and Ready to Update again.")


def send_again(visit: Visit) -> None:
    """Make what Sage refused ready again."""
    button = visit.interaction.read(JobButton)
    decision = visit.act(
        lambda session, by, at: approvals.send_again(
            session, requested_update_id=button.requested_update_id, by=by, at=at, rules=visit.rules
        )
    )
    _answer(visit, button, decision, "It is Ready to Update again, for an approver to update anew.")


def _answer(visit: Visit, button: JobButton, decision: Decision, done: str) -> None:
    match decision:
        case Done():
            visit.answer(f"{_title(visit, button)}: {done}")
        case AlreadyDecided(words=words):
            visit.answer(f"{_title(visit, button)}: {words}")
        case Stale(new=new, words=words) if new:
            try:
                visit.show(updates_view(visit, button.job_id, new_since=frozenset(map(_key, new))))
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
        return job.title if job else "This job"


def _key(assignment: Assignment) -> AssignmentKey:
    return assignment.extra, assignment.code, assignment.category
