"""Acts that make a requested update Ready to Update again: take back, and send again.

Each is one function and one transaction, as in `workflow.approvals`.
"""

from datetime import datetime

from sqlalchemy.orm import Session

from workflow import acting, four_eyes, holds, lines, outbox, telling
from workflow.acting import Decision, Done
from workflow.language import say
from workflow.privileges import Actor, Rules
from workflow.vocabulary import Event, Refusal, State


def take_back(
    session: Session, *, requested_update_id: int, by: Actor, at: datetime, rules: Rules
) -> Decision:
    """Undo an Update that no data sync has picked up yet, or one's own first of two."""
    act = "take back"
    found, refused = acting.enter(session, requested_update_id, act, by=by, at=at, rules=rules)
    requested = found.requested
    if refused:
        return refused
    if requested is None:
        return acting.gone(session, requested_update_id, act, by=by, at=at)
    is_ready = requested.state is State.READY
    first = four_eyes.first_of(session, requested.id, requested.revision) if is_ready else None
    if first is not None and first.approver_id == by.person_id:
        four_eyes.withdraw(session, requested.id)
        outbox.tell(session, acting.record(session, Event.FIRST_TAKEN_BACK, requested, by=by, at=at))
        return Done()
    if first is not None:
        words = say(
            "Only {name} can take back the first of the two Updates; reject it instead.",
            name=first.approver.name,
        )
        return acting.refuse(session, Refusal.NOT_ACCEPTED, words, requested, act, by=by, at=at)
    if requested.state is not State.ACCEPTED:
        standing = acting.standing_words(acting.whole(session, requested))
        words = say("There is nothing to take back: {standing}", standing=standing)
        return acting.refuse(session, Refusal.NOT_ACCEPTED, words, requested, act, by=by, at=at)
    if requested.data_sync_id is not None:
        words = say("It is too late to take this back: the data sync is sending it to Sage now.")
        return acting.refuse(session, Refusal.ALREADY_GOING_OUT, words, requested, act, by=by, at=at)
    reopened = acting.whole(session, requested)
    joined = lines.reopen(session, reopened)
    event = acting.record(session, Event.TAKEN_BACK, reopened, by=by, at=at, joined=joined)
    outbox.tell(session, event, people=acting.others(lines.requesters(session, requested.id), by))
    holds.settle(session, requested.job_id, by=by, at=at)
    return Done()


def send_again(
    session: Session, *, requested_update_id: int, by: Actor, at: datetime, rules: Rules
) -> Decision:
    """Make what Sage refused ready again, after Sage itself was corrected; an approver Updates it anew."""
    act = "send again"
    found, refused = acting.enter(session, requested_update_id, act, by=by, at=at, rules=rules)
    requested = found.requested
    if refused:
        return refused
    if requested is None:
        return acting.gone(session, requested_update_id, act, by=by, at=at)
    if requested.state is not State.FAILED:
        standing = acting.standing_words(acting.whole(session, requested))
        words = say("There is nothing to send again: {standing}", standing=standing)
        return acting.refuse(session, Refusal.NOT_FAILED, words, requested, act, by=by, at=at)
    reopened = acting.whole(session, requested)
    joined = lines.reopen(session, reopened)
    event = acting.record(
        session, Event.SENT_AGAIN, reopened, by=by, at=at, added=0, assignments=[], joined=joined
    )
    outbox.tell(session, event, broadcast=True)
    telling.tell_approvers(session, event, calendar=rules.calendar, but=by.person_id)
    holds.settle(session, requested.job_id, by=by, at=at)
    return Done()
