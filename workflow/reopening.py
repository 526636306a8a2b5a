"""Acts that make a requested update Ready to Update again: take back, and send again.

Each is one function and one transaction, as in `workflow.approvals`.
"""

from datetime import datetime

from sqlalchemy.orm import Session

from workflow import acting, four_eyes, holds, lines, outbox, telling
from workflow.acting import Act, Decision, Done
from workflow.audit import Recorded
from workflow.language import say
from workflow.privileges import Actor, Rules
from workflow.vocabulary import Event, Refusal, State


def take_back(
    session: Session, *, requested_update_id: int, by: Actor, at: datetime, rules: Rules
) -> Decision:
    """Undo an Update that no data sync has picked up yet, or one's own first of two."""
    act = acting.begin(session, requested_update_id, "take back", by=by, at=at, rules=rules)
    if not isinstance(act, Act):
        return act
    requested = act.requested
    is_ready = requested.state is State.READY
    first = four_eyes.first_of(session, requested.id, requested.revision) if is_ready else None
    if first is not None and first.approver_id == by.person_id:
        four_eyes.withdraw(session, requested.id)
        outbox.tell(session, act.record(Event.FIRST_TAKEN_BACK))
        return Done()
    if first is not None:
        words = say(
            "Only {name} can take back the first of the two Updates; reject it instead.",
            name=first.approver.name,
        )
        return act.refuse(Refusal.NOT_ACCEPTED, words)
    if requested.state is not State.ACCEPTED:
        words = say("There is nothing to take back: {standing}", standing=act.standing())
        return act.refuse(Refusal.NOT_ACCEPTED, words)
    if requested.data_sync_id is not None:
        words = say("It is too late to take this back: the data sync is sending it to Sage now.")
        return act.refuse(Refusal.ALREADY_GOING_OUT, words)
    event = _reopen(act, Event.TAKEN_BACK)
    outbox.tell(session, event, people=act.others(lines.requesters(session, requested.id)))
    holds.settle(session, requested.job_id, by=by, at=at)
    return Done()


def send_again(
    session: Session, *, requested_update_id: int, by: Actor, at: datetime, rules: Rules
) -> Decision:
    """Make what Sage refused ready again, after Sage itself was corrected; an approver Updates it anew."""
    act = acting.begin(session, requested_update_id, "send again", by=by, at=at, rules=rules)
    if not isinstance(act, Act):
        return act
    if act.requested.state is not State.FAILED:
        words = say("There is nothing to send again: {standing}", standing=act.standing())
        return act.refuse(Refusal.NOT_FAILED, words)
    event = _reopen(act, Event.SENT_AGAIN, added=0, assignments=[])
    outbox.tell(session, event, broadcast=True)
    telling.tell_approvers(session, event, calendar=rules.calendar, but=by.person_id)
    holds.settle(session, act.requested.job_id, by=by, at=at)
    return Done()


def _reopen(act: Act, event_name: Event, **facts: object) -> Recorded:
    """Make it Ready to Update again, with what is open of its job, on record."""
    requested = act.whole()
    joined = lines.reopen(act.session, requested)
    return act.record(event_name, revision=requested.revision, **facts, joined=joined)
