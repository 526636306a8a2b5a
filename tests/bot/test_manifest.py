"""The Slack app's manifest asks for what the code uses, and gives a reason for it."""

import ast
from pathlib import Path
from typing import Any

import yaml

from bot import gateway
from bot.doctor import METHOD_SCOPES, SCOPES
from bot.listeners.commands import COMMAND
from bot.middleware import HEARD_EVENTS
from bot.payloads import Shortcut
from bot.sandbox.runs import FUNCTIONS
from bot.sandbox.workspace import SHORTCUTS
from workflow.vocabulary import StepKind

MANIFEST = Path(gateway.__file__).with_name("manifest.yaml")


def manifest() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load(MANIFEST.read_text(encoding="utf-8"))
    return read


def methods_called() -> set[str]:
    """Web API methods that the gateway, the only one with a client of the bot's, calls."""
    tree = ast.parse(Path(gateway.__file__).read_text(encoding="utf-8"))
    return {
        node.attr.replace("_", ".", 1)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Attribute)
        and node.value.attr == "_client"
    }


def test_every_method_that_is_called_has_its_scopes_on_record_and_no_other_has() -> None:
    assert methods_called() == set(METHOD_SCOPES)


def test_the_scopes_asked_for_are_exactly_those_that_the_methods_and_the_command_need() -> None:
    assert set(manifest()["oauth_config"]["scopes"]["bot"]) == SCOPES


def test_each_scope_and_event_has_a_reason_beside_it() -> None:
    asked = {*SCOPES, *HEARD_EVENTS}
    beside = {}
    for line in MANIFEST.read_text(encoding="utf-8").splitlines():
        item, _, reason = line.strip().partition("#")
        beside[item.removeprefix("- ").strip()] = reason.strip()
    assert {name for name in asked if len(beside.get(name, "")) < 15} == set()


def test_it_subscribes_to_the_events_and_the_command_that_have_listeners() -> None:
    read = manifest()
    assert tuple(read["settings"]["event_subscriptions"]["bot_events"]) == HEARD_EVENTS
    assert [command["command"] for command in read["features"]["slash_commands"]] == [COMMAND]
    assert [one["callback_id"] for one in read["features"]["shortcuts"]] == list(Shortcut)
    assert [{name: one[name] for name in SHORTCUTS[0]} for one in read["features"]["shortcuts"]] == list(
        SHORTCUTS
    )
    assert read["settings"]["interactivity"]["is_enabled"]
    assert read["features"]["app_home"]["home_tab_enabled"]


def test_the_steps_are_those_that_have_listeners_and_slack_takes_them() -> None:
    read = manifest()
    assert list(read["functions"]) == list(StepKind) == list(FUNCTIONS)
    assert (read["settings"]["function_runtime"], read["settings"]["org_deploy_enabled"]) == ("remote", True)
    for callback_id, step in read["functions"].items():
        known = FUNCTIONS[callback_id]
        assert step["title"] == known.title
        for part, declared in (("input_parameters", known.inputs), ("output_parameters", known.outputs)):
            assert {name: (one["type"], one["is_required"]) for name, one in step[part].items()} == declared
            for name, one in step[part].items():
                assert one["name"] == name
                assert one["title"]
                assert one["description"]


def test_no_step_offers_an_update() -> None:
    assert not any(
        word in callback_id for callback_id in FUNCTIONS for word in ("accept", "approve", "reject")
    )
