"""Asking for the privilege: the window with the reason, the administrator's message, and declining it.

Pure functions of facts. The administrator's message shows what the request is now, with buttons while it
waits.
"""

from collections.abc import Iterator

from slack_sdk.models.blocks import LinkButtonElement, PlainTextInputElement

from bot.blocks import limits, words
from bot.blocks.pieces import (
    Json,
    Message,
    actions,
    button,
    confirm,
    context,
    input_block,
    message,
    modal,
    plain,
    plain_section,
    section,
)
from bot.blocks.words import ALOUD, SLACK, Form
from bot.payloads import Action, PrivilegeButton, PrivilegeRequestMark, Window
from workflow.language import later, say
from workflow.tables import PrivilegeRequest
from workflow.vocabulary import PrivilegeAnswer

TITLE = later("Ask for the privilege")
REASON_BLOCK, COMMENT_BLOCK = "reason", "comment"
HOW_IN_PROCORE = (
    "https://v2.support.procore.com/product-manuals/erp-integrations-company/tutorials/"
    "grant-accounting-approver-privileges"
)
"""Procore, 'Grant Accounting Approver Privileges'."""
_LENGTH = 500
_ANSWERS = {
    PrivilegeAnswer.GRANTED: later("✅ {who} granted it {when}. {asker} is an accounting approver."),
    PrivilegeAnswer.DONE: later("✅ {who} did it {when}. {asker} may update once the directory says so."),
    PrivilegeAnswer.DECLINED: later("⛔ {who} declined it {when}: “{comment}”"),
}


def ask_window(mark: PrivilegeButton) -> Json:
    """Asks why the person needs it."""
    reason = PlainTextInputElement(
        action_id="reason", multiline=True, min_length=1, max_length=_LENGTH, focus_on_load=True
    )
    return modal(
        TITLE,
        [
            plain_section(
                say(
                    "To Update you need Standard or Admin on ERP Integrations and Can Push to Accounting. "
                    "What stands in the way: {lacks}.",
                    lacks=say(words.REFUSAL_WORDS[mark.reason]),
                )
            ),
            input_block(
                REASON_BLOCK, say("Why do you need it?"), reason, hint=say("The administrator reads this.")
            ),
        ],
        submit=plain(say("Ask"), limits.VIEW_TITLE),
        close=plain(say("Cancel"), limits.VIEW_TITLE),
        callback_id=Window.ASK_FOR_PRIVILEGE.value,
        private_metadata=mark.text(),
    )


def decline_window(request: PrivilegeRequest, mark: PrivilegeRequestMark) -> Json:
    """Asks for the comment that goes to whoever asked."""
    comment = PlainTextInputElement(
        action_id="comment", multiline=True, min_length=1, max_length=_LENGTH, focus_on_load=True
    )
    asker = words.one_line(request.asker)
    return modal(
        say("Decline"),
        [
            section(_question(request, SLACK)),
            input_block(
                COMMENT_BLOCK, say("Why?"), comment, hint=say("{asker} gets this comment.", asker=asker)
            ),
        ],
        submit=plain(say("Decline"), limits.VIEW_TITLE),
        close=plain(say("Cancel"), limits.VIEW_TITLE),
        callback_id=Window.DECLINE_PRIVILEGE.value,
        private_metadata=mark.text(),
    )


def asked(request: PrivilegeRequest) -> Message:
    """The message in which an administrator answers, or reads what was answered."""
    return message(
        " ".join(filter(None, (_question(request, ALOUD), answer_words(request, ALOUD)))),
        [section(f"🔑 {_question(request, SLACK)}"), *_rest(request)],
    )


def answer_words(request: PrivilegeRequest, form: Form) -> str:
    """What was answered, by whom and when; nothing while it waits."""
    if request.answer is None or request.answered_at is None:
        return ""
    return say(
        _ANSWERS[request.answer],
        who=form.data(request.answered_by.name if request.answered_by else say("Somebody")),
        when=form.date(request.answered_at),
        asker=form.data(request.asker),
        comment=form.data(request.comment or ""),
    )


def _question(request: PrivilegeRequest, form: Form) -> str:
    return say(
        "{asker} asks to become an accounting approver ({asked_at}): {lacks}.\n“{reason}”",
        asker=form.strong(form.data(request.asker)),
        asked_at=form.date(request.asked_at),
        lacks=say(words.REFUSAL_WORDS[request.lacks]),
        reason=form.data(request.reason),
    )


def _rest(request: PrivilegeRequest) -> Iterator[Json]:
    if request.answer is not None:
        yield section(answer_words(request, SLACK))
        return
    mark = PrivilegeRequestMark(privilege_request_id=request.id)
    decline = button(say("Decline"), Action.DECLINE_PRIVILEGE, mark)
    if request.in_procore:
        yield context(
            say(
                "costbot cannot grant it: the directory is Procore's. In Procore open the company's "
                "Directory, edit the person, mark “Can push to accounting” under ERP Permissions, and "
                "save; then press Done."
            )
        )
        how = LinkButtonElement(text=say("How to in Procore"), url=HOW_IN_PROCORE, action_id="privilege:how")
        yield actions([button(say("Done"), Action.GRANT_PRIVILEGE, mark, style="primary"), decline, how])
    elif request.person is None:
        yield context(
            say(
                "costbot cannot grant it: the company directory does not know this person. Add them "
                "with `costbot import people`, then press Done."
            )
        )
        yield actions([button(say("Done"), Action.GRANT_PRIVILEGE, mark, style="primary"), decline])
    else:
        asker = words.one_line(request.asker, limits.BUTTON_TEXT)
        sure = confirm(
            say("Grant?"),
            say(
                "{asker} will be able to Update: Standard on ERP Integrations, and Can Push to Accounting.",
                asker=asker,
            ),
            yes=say("Grant"),
        )
        yield actions(
            [button(say("Grant"), Action.GRANT_PRIVILEGE, mark, style="primary", confirm=sure), decline]
        )
