"""A data sync asked for from Slack, by the command or by the button."""

from datetime import datetime

from sqlalchemy.orm import Session

from bot.visit import Visit
from workflow import approvals, slots
from workflow.language import say
from workflow.privileges import Actor, Refused
from workflow.vocabulary import PeriodicWork


def sync_now(visit: Visit) -> None:
    """Ask for a data sync now, as an accounting approver may."""

    def ask(session: Session, by: Actor, at: datetime) -> Refused | None:
        refused = approvals.check(session, "start a data sync", by=by, at=at, rules=visit.rules)
        if refused is None:
            slots.ask_now(session, PeriodicWork.DATA_SYNC, by=by, at=at)
        return refused

    refused = visit.act(ask)
    if refused:
        return visit.deny(refused)
    visit.services.nudge(PeriodicWork.DATA_SYNC)
    return visit.answer(say("A data sync was asked for. The cards tell what Sage makes of it."))
