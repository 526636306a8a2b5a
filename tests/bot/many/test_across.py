"""Strictly apart: every listener is fired from Boreal's workspace with all that names Kestrel's things.

The attempts are made from the same lists that the listeners are; a listener that no attempt reaches fails a
test. The same attempts from Kestrel's own workspace do show and change Kestrel's things, so they can fail.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from slack_bolt import App, BoltRequest, BoltResponse

from bot import pace
from bot.blocks.notify_window import NOTIFY_BLOCK
from bot.blocks.request_window import CODES_BLOCK, JOB_BLOCK, LINES_BLOCK
from bot.blocks.updates_window import COMMENT_BLOCK
from bot.listeners import commands
from bot.middleware import HEARD_EVENTS
from bot.payloads import Action, Shortcut, Typed, Window
from tests.bot.many.town import BOREAL, KESTREL, SECRETS, STRANGER, Member, Town, town
from workflow.tables import PrivilegeRequest, RequestDraft, RequestedUpdate
from workflow.vocabulary import StepKind

Json = dict[str, Any]
MEMBER = "U0DANA"
THEIR_CHANNEL, THEIR_MESSAGE = "C0ZIRCON", "1700000000.000100"
ACTIONS = [*(action.value for action in Action), "privilege:how", "of_another_age"]
WINDOWS = [*(window.value for window in Window), "of_another_age"]
MENUS = [*(menu.value for menu in Typed), "of_another_age"]
SHORTCUTS = [*(shortcut.value for shortcut in Shortcut), "of_another_age"]
TYPED = {
    "jobs": "jobs all Zirc",
    "show": "show 77-777",
    "diff": "diff 77-777",
    "update": "update 77-777",
    "request": "request 77-777",
    "history": "history 77-777",
    "away": "away 2027-01-04..2027-01-05 to quillon@kestrel.example",
}
"""Commands that take something take Kestrel's; the others are typed as they are."""
ATTEMPTS = [
    *(f"click {action} on a message" for action in ACTIONS),
    *(f"click {action} in a window" for action in ACTIONS),
    *(f"submit {window}" for window in WINDOWS),
    *(f"close {window}" for window in WINDOWS),
    *(f"type in {menu}" for menu in MENUS),
    *(f"pick {shortcut}" for shortcut in SHORTCUTS),
    *(f"pick {shortcut} on a message" for shortcut in SHORTCUTS),
    *(f"command {TYPED.get(verb, verb)}" for verb in commands.HANDLERS),
    "command of_another_age",
    "event app_home_opened",
    *(f"run {step}" for step in (*StepKind, "a_step_of_another_age")),
    # these take the app out of the workspace that they come from, so they are last
    *(f"event {event}" for event in HEARD_EVENTS if event != "app_home_opened"),
]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Town]:
    """One town for all attempts, in which answers need not keep Slack's pace."""
    with (
        pytest.MonkeyPatch.context() as patch,
        town(tmp_path_factory.mktemp("town"), sqlite_template) as found,
    ):
        patch.setattr(pace, "SECONDS_A_MESSAGE", 0.0)
        yield found


def kestrels(member: Member) -> str:
    """Everything that a button or a window of Kestrel's newest job carries, in one value for all models."""
    with member.database.reading() as session:
        newest = session.query(RequestedUpdate).order_by(RequestedUpdate.id.desc()).first()
        asked = session.query(PrivilegeRequest).one()
        draft = session.query(RequestDraft).one()
    assert newest is not None
    return json.dumps(
        {
            "job_id": newest.job_id,
            "requested_update_id": newest.id,
            "revision": newest.revision,
            "page": 0,
            "ticked": [f"{newest.id}.{newest.revision}"],
            "privilege_request_id": asked.id,
            "token": draft.token,
            "reason": "privilege_missing",
            "filter": "ready",
            "tick": True,
            "channel_id": THEIR_CHANNEL,
        }
    )


def attempt(name: str, *, at: Member, who: str, carried: str) -> tuple[str, Json]:
    """What Slack would send from the member's workspace: its kind and the payload."""
    verb, _, what = name.partition(" ")
    job_id = json.loads(carried)["job_id"]
    home = KESTREL.id if who == STRANGER else at.team.id
    trigger = at.workspace.modals.trigger(who)
    body: Json = {
        "user": {"id": who, "username": "x", "team_id": home},
        "team": {"id": at.team.id, "domain": at.team.domain},
        "api_app_id": "A0COSTBOT",
        "enterprise": None,
        "is_enterprise_install": False,
        "trigger_id": trigger,
    }
    what, on_message, _ = what.partition(" on a message")
    what, in_window, _ = what.partition(" in a window")
    message = {"ts": THEIR_MESSAGE, "text": "66-666 L", "blocks": []}
    match verb:
        case "click":
            action = {"type": "button", "action_id": what, "block_id": "b", "value": carried}
            where: Json = {"view": _window(at, who, Window.UPDATES.value, carried)}
            if on_message:
                channel = {"channel": {"id": THEIR_CHANNEL, "name": "theirs"}}
                where = channel | {"message": message, "container": {"message_ts": THEIR_MESSAGE}}
            assert on_message or in_window
            return "interactive", body | where | {"type": "block_actions", "actions": [action]}
        case "submit" | "close":
            kind = {"submit": "view_submission", "close": "view_closed"}[verb]
            view = _window(at, who, what, carried)
            option = {"selected_option": {"value": str(job_id)}}
            inputs = {
                COMMENT_BLOCK: {"value": "why"},
                "reason": {"value": "why"},
                JOB_BLOCK: option,
                CODES_BLOCK: {"selected_options": [{"value": "66-666"}]},
                LINES_BLOCK: {"value": "66-666 L"},
                NOTIFY_BLOCK: {"selected_option": {"value": "daily"}},
            }
            if what not in (Window.SEVERAL, Window.SEVERAL_CONFIRM):  # whose ticks are in what they carry
                view["state"] = {"values": {block: {"x": state} for block, state in inputs.items()}}
            return "interactive", body | {"type": kind, "view": view}
        case "type":
            menu = what.removeprefix("in ")
            asked = {"action_id": menu, "block_id": "b", "value": ""}
            view = _window(at, who, Window.REQUEST.value, carried)
            return "interactive", body | asked | {"type": "block_suggestion", "view": view}
        case "pick":
            kind = "message_action" if on_message else "shortcut"
            where = {"channel": {"id": THEIR_CHANNEL}, "message": message} if on_message else {}
            return "interactive", body | where | {"type": kind, "callback_id": what}
        case "command":
            command, text = ("/of_another_age", "") if what == "of_another_age" else ("/costcodes", what)
            return "slash_commands", {
                "team_id": at.team.id,
                "user_id": who,
                "channel_id": THEIR_CHANNEL,
                "command": command,
                "text": text,
                "trigger_id": trigger,
            }
    event: Json = {"type": what, "user": who, "channel": THEIR_CHANNEL, "tab": "home"}
    if verb == "run":
        event = {
            "type": "function_executed",
            "function": {"callback_id": what},
            "function_execution_id": f"Fx{trigger}",
            "inputs": {"job": "24-017", "lines": "03-300 L", "person": who},
        }
    if what == "tokens_revoked":
        event["tokens"] = {"bot": ["U0COSTBOT"]}
    envelope = {"type": "event_callback", "event_id": trigger, "event_time": 2_000_000_000}
    authorized = {"team_id": at.team.id, "enterprise_id": None, "is_enterprise_install": False}
    return "events_api", envelope | {"team_id": at.team.id, "event": event, "authorizations": [authorized]}


def _window(at: Member, who: str, callback_id: str, carried: str) -> Json:
    """A window that is open in the workspace, with what Kestrel's would carry."""
    view = {
        "type": "modal",
        "callback_id": callback_id,
        "private_metadata": carried,
        "title": {"type": "plain_text", "text": "Open"},
        "blocks": [{"type": "divider"}],
    }
    modals = at.workspace.modals
    return modals.to_slack(modals.open(modals.trigger(who), view))


@pytest.mark.parametrize("who", [MEMBER, STRANGER])
@pytest.mark.parametrize("name", ATTEMPTS)
def test_nothing_of_one_company_is_shown_or_changed_from_another(shared: Town, name: str, who: str) -> None:
    kestrel, boreal = shared.members["kestrel"], shared.members["boreal"]
    kind, payload = attempt(name, at=boreal, who=who, carried=kestrels(kestrel))
    rows, _, _ = kestrel.rows(), kestrel.new_calls(), boreal.new_calls()
    answer = shared.post(kind, payload, at=boreal)

    assert answer.status_code == 200
    said = answer.text + json.dumps(boreal.new_calls())
    assert [secret for secret in SECRETS if secret in said] == []
    assert kestrel.rows() == rows
    assert kestrel.new_calls() == []
    assert shared.installations.find(KESTREL.id) is not None
    assert kestrel.nudged == [kestrel.nudged[0]]  # by its own install


@pytest.mark.long
def test_the_same_attempts_in_ones_own_company_show_and_change_its_things(
    here: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "SECONDS_A_MESSAGE", 0.0)
    kestrel = here.members["kestrel"]
    carried, showed, changed = kestrels(kestrel), set(), set()
    # what only looks goes first, for what decides leaves less to look at
    looks = (
        "event app_home",
        "type",
        "command",
        f"submit {Window.SEVERAL.value}",
        f"submit {Window.REQUEST}",
    )
    for name in sorted(ATTEMPTS, key=lambda name: not name.startswith(looks)):
        if name.startswith(("event app_un", "event tokens")):
            continue
        kind, payload = attempt(name, at=kestrel, who=MEMBER, carried=carried)
        rows, _ = kestrel.rows(), kestrel.new_calls()
        answer = here.post(kind, payload, at=kestrel)
        said = answer.text + json.dumps(kestrel.new_calls())
        if any(secret in said for secret in SECRETS):
            showed.add(name)
        if kestrel.rows() != rows:
            changed.add(name)

    assert {
        *(f"click {Action.VIEW.value} {where}" for where in ("on a message", "in a window")),
        f"click {Action.UPDATE_SEVERAL.value} on a message",
        f"click {Action.TURN_COMPARISON.value} in a window",
        f"submit {Window.SEVERAL.value}",
        f"submit {Window.REQUEST.value}",
        *(f"type in {menu.value}" for menu in Typed),
        *(f"command {TYPED[verb]}" for verb in ("jobs", "show", "diff", "update", "request", "history")),
        "event app_home_opened",
    } <= showed
    assert {f"click {Action.UPDATE.value} on a message", f"submit {Window.NOTIFY.value}"} <= changed


def test_no_listener_is_left_out(here: Town, boreal: Member, kestrel: Member) -> None:
    carried = kestrels(kestrel)
    requests = [_as_bolt_has_it(*attempt(name, at=boreal, who=MEMBER, carried=carried)) for name in ATTEMPTS]
    app: App = here.front.by_team[BOREAL.id]
    reached = [
        any(listener.matches(req=request, resp=BoltResponse(status=404)) for request in requests)
        for listener in app._listeners
    ]

    assert len(reached) > 30
    assert all(reached)


def _as_bolt_has_it(kind: str, payload: Json) -> BoltRequest:
    return BoltRequest(body=payload, mode="socket_mode")


def test_a_window_that_was_opened_elsewhere_acts_where_the_app_is_installed_and_knows_outsiders(
    here: Town, boreal: Member, kestrel: Member
) -> None:
    """Slack Connect: the window is Kestrel's, the person who presses is Boreal's."""
    kind, payload = attempt(
        f"submit {Window.UPDATES.value}", at=boreal, who=MEMBER, carried=kestrels(kestrel)
    )
    payload["view"]["app_installed_team_id"] = KESTREL.id
    before = kestrel.rows()
    here.post(kind, payload)
    after = kestrel.rows()

    assert after["requested_updates"] == before["requested_updates"]
    assert any("act:refused" in row and "from_outside" in row for row in after["audit_events"])
    assert len(after["audit_events"]) == len(before["audit_events"]) + 1


def test_a_forged_signature_reaches_nobody(here: Town, kestrel: Member) -> None:
    kind, payload = attempt("command show 77-777", at=kestrel, who=MEMBER, carried=kestrels(kestrel))
    calls = len(kestrel.sandbox.calls())

    assert here.post(kind, payload, secret="another").status_code == 401
    assert len(kestrel.sandbox.calls()) == calls
