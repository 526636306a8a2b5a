"""Asking for the privilege from a refusal, and the administrators' answer to it."""

from typing import Any

from slack_bolt import Ack, App

from bot.answering import result_window
from bot.blocks.privilege import COMMENT_BLOCK, REASON_BLOCK, TITLE, ask_window, decline_window
from bot.blocks.updates_window import message_view
from bot.interaction import interaction_of
from bot.listeners.opening import loading
from bot.payloads import PrivilegeButton, PrivilegeRequestMark, Window
from bot.visit import Services, Visit, lazily
from workflow import privilege_requests
from workflow.language import say
from workflow.privilege_requests import Answered, AnsweredBefore, Decision
from workflow.privileges import Refused


def register(app: App, services: Services) -> None:
    """Listen to the two windows; the buttons are registered with all others in `bot.listeners.actions`."""
    app.view(Window.ASK_FOR_PRIVILEGE.value)(lazily(services, ask, acknowledge=_check_reason))
    app.view(Window.DECLINE_PRIVILEGE.value)(lazily(services, decline, acknowledge=_check_comment))
    app.action("privilege:how")(lambda ack: ack())


def open_ask(visit: Visit) -> None:
    """Ask the person why they need it."""
    visit.show(ask_window(visit.interaction.read(PrivilegeButton)))


def ask(visit: Visit) -> None:
    """Ask the administrators for what the person lacks."""
    reason = visit.interaction.inputs.get(REASON_BLOCK, "").strip()
    if not reason:
        return None  # the window said so and is still open
    asked = visit.act(
        lambda session, by, at: privilege_requests.ask(
            session, reason=reason, by=by, at=at, rules=visit.rules
        )
    )
    return visit.answer(asked.words)


def grant(visit: Visit) -> None:
    """Grant it, or say that it is done; the message itself is drawn anew by delivery."""
    mark = visit.interaction.read(PrivilegeRequestMark)
    _answer(
        visit,
        visit.act(
            lambda session, by, at: privilege_requests.grant(
                session, privilege_request_id=mark.privilege_request_id, by=by, at=at, rules=visit.rules
            )
        ),
    )


def open_decline(visit: Visit) -> None:
    """Ask the administrator for the comment."""
    mark = visit.interaction.read(PrivilegeRequestMark)
    visit.open(loading(say("Decline")))
    with visit.reading() as session:
        request = privilege_requests.find(session, mark.privilege_request_id)
        window = decline_window(request, mark) if request and request.answer is None else None
    if window is None:
        return visit.answer(say("This was answered already."))
    return visit.show(window)


def decline(visit: Visit) -> None:
    """Say no, with the comment."""
    mark = visit.interaction.read(PrivilegeRequestMark)
    comment = visit.interaction.inputs.get(COMMENT_BLOCK, "").strip()
    if not comment:
        return None  # as above
    return _answer(
        visit,
        visit.act(
            lambda session, by, at: privilege_requests.decline(
                session,
                privilege_request_id=mark.privilege_request_id,
                comment=comment,
                by=by,
                at=at,
                rules=visit.rules,
            )
        ),
    )


def _answer(visit: Visit, decision: Decision) -> None:
    match decision:
        case Answered(words=words) | AnsweredBefore(words=words):
            visit.answer(words)
        case Refused(words=words):
            visit.answer(f"🔒 {words}")


def _check_reason(ack: Ack, body: dict[str, Any]) -> None:
    _check(ack, body, REASON_BLOCK, TITLE, say("Asking…"))


def _check_comment(ack: Ack, body: dict[str, Any]) -> None:
    _check(ack, body, COMMENT_BLOCK, say("Decline"), say("Declining…"))


def _check(ack: Ack, body: dict[str, Any], block_id: str, title: str, doing: str) -> None:
    """Keep the window open for words that say nothing; else show that it is under way."""
    act = interaction_of(body)
    if act.inputs.get(block_id, "").strip():
        ack(response_action="update", view=result_window(act, message_view(title, doing)))
    else:
        ack(response_action="errors", errors={block_id: say("Say why.")})
