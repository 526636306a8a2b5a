"""Ask again: the lines of a rejected or expired requested update, requested anew from its card."""

from datetime import datetime

from sqlalchemy.orm import Session

from bot.payloads import JobButton
from bot.visit import Visit
from workflow import requests
from workflow.columns import Unfit
from workflow.language import say
from workflow.privileges import Actor, Refused
from workflow.requests import NothingNew, Requested
from workflow.vocabulary import Refusal

_PROBLEMS_SAID = 3


def ask_again(visit: Visit) -> None:
    """Request the same lines as they were."""
    button = visit.interaction.read(JobButton)

    def ask(session: Session, by: Actor, at: datetime) -> Requested | NothingNew | Unfit | Refused:
        return requests.ask_again(
            session,
            requested_update_id=button.requested_update_id,
            by=by,
            at=at,
            rules=visit.rules,
            limits=visit.services.limits,
        )

    result = visit.act(ask)
    if isinstance(result, Refused) and result.reason is not Refusal.NOT_TURNED_DOWN:
        visit.deny(result)
    else:
        visit.answer(asked_again_words(result))


def asked_again_words(result: Requested | NothingNew | Unfit | Refused) -> str:
    """What came of asking again; plain text."""
    match result:
        case Requested():
            return say("It was asked for again, and is Ready to Update. The approvers hear of it.")
        case NothingNew():
            return say("All of it waits for an approver already, so nothing was changed.")
        case Unfit(problems=problems):
            why = "; ".join(problem.reason for problem in problems[:_PROBLEMS_SAID])
            return say("It cannot be asked for as it was: {why}.", why=why)
        case Refused(words=words):
            return words
