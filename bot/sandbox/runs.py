"""Workflows that people run in the sandbox: the app's steps one after the other, and what each ended with.

Owns what Slack would remember of a run. Sources: docs.slack.dev/reference/events/function_executed,
/reference/methods/functions.completeSuccess and functions.completeError.
"""

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.errors import SlackError

Json = dict[str, Any]
Parameters = Mapping[str, tuple[str, bool]]
"""Type and whether it is required, by name."""


@dataclass(frozen=True)
class Function:
    """A step of the app, as its manifest has it."""

    title: str
    inputs: Parameters
    outputs: Parameters


FUNCTIONS: Mapping[str, Function] = {
    "ask_for_cost_code_update": Function(
        "Ask for a cost code update",
        inputs={
            "job": ("string", True),
            "lines": ("string", True),
            "person": ("slack#/types/user_id", True),
            "note": ("string", False),
        },
        outputs={
            "ok": ("boolean", True),
            "job": ("string", True),
            "link": ("string", True),
            "revision": ("integer", True),
            "assignments": ("integer", True),
            "message": ("string", True),
        },
    ),
    "wait_for_the_update": Function(
        "Wait for the Update",
        inputs={
            "job": ("string", True),
            "until": ("string", False),
            "person": ("slack#/types/user_id", True),
        },
        outputs={
            "outcome": ("string", True),
            "waited": ("boolean", True),
            "who": ("string", True),
            "at": ("slack#/types/timestamp", False),
            "comment": ("string", True),
            "job": ("string", True),
            "link": ("string", True),
            "message": ("string", True),
        },
    ),
}
"""As `bot/manifest.yaml` has them; a test compares."""

_TYPES: Mapping[str, type] = {
    "string": str,
    "boolean": bool,
    "integer": int,
    "slack#/types/user_id": str,
    "slack#/types/timestamp": int,
}


@dataclass
class Step:
    """One run of one step; `state` is running, completed, failed or stopped."""

    id: str
    callback_id: str
    inputs: Json
    state: str = "running"
    outputs: Json = field(default_factory=dict)
    error: str | None = None
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def to_page(self) -> Json:
        return {
            "id": self.id,
            "title": FUNCTIONS[self.callback_id].title,
            "state": self.state,
            "outputs": self.outputs,
            "error": self.error,
        }


@dataclass
class Run:
    """A workflow that a person has started."""

    id: str
    user: str
    steps: list[Step] = field(default_factory=list)

    def begin(self, callback_id: str, inputs: Json) -> Step:
        """Its next step."""
        step = Step(f"Fx{secrets.token_hex(6).upper()}", callback_id, inputs)
        self.steps.append(step)
        return step

    def to_page(self) -> Json:
        return {"id": self.id, "steps": [step.to_page() for step in self.steps]}


class Runs:
    """Every workflow that was run, newest last."""

    def __init__(self) -> None:
        self._runs: list[Run] = []

    def start(self, user_id: str) -> Run:
        run = Run(f"Wx{secrets.token_hex(6).upper()}", user_id)
        self._runs.append(run)
        return run

    def of(self, user_id: str) -> list[Run]:
        return [run for run in self._runs if run.user == user_id]

    def stop(self, run_id: str) -> None:
        """Cancel a workflow, as its owner can in Slack."""
        for step in (step for run in self._runs if run.id == run_id for step in run.steps):
            if step.state == "running":
                step.state = "stopped"
                step.over.set()

    def complete(self, step_id: str, outputs: Any) -> None:
        """The step is done. Raises SlackError as the method is documented to refuse."""
        step = self._running(step_id)
        wrong = _problems(FUNCTIONS[step.callback_id].outputs, outputs)
        if wrong:
            raise SlackError("parameter_validation_failed", wrong)
        step.state, step.outputs = "completed", outputs
        step.over.set()

    def fail(self, step_id: str, error: str) -> None:
        """The step could not be done, which ends the workflow."""
        step = self._running(step_id)
        step.state, step.error = "failed", error
        step.over.set()

    def _running(self, step_id: str) -> Step:
        step = next((one for run in self._runs for one in run.steps if one.id == step_id), None)
        if step is None:
            raise SlackError("function_execution_not_found")
        if step.state != "running":
            raise SlackError("execution_not_in_running_state")
        return step


def _problems(declared: Parameters, given: Any) -> list[str]:
    if not isinstance(given, dict):
        return ["outputs: must be an object"]
    wrong = [f"{name}: is not declared" for name in given if name not in declared]
    for name, (kind, required) in declared.items():
        value = given.get(name)
        if value is None:
            wrong += [f"{name}: is missing"] if required else []
        elif type(value) is not _TYPES[kind]:
            wrong.append(f"{name}: is no {kind}")
    return wrong
