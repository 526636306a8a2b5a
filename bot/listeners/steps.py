"""Steps of workflows: costbot's own, run by Slack's Workflow Builder for the person who started the workflow.

A step is answered by delivery, from the outbox: what it did, and what ends it, commit together. Only where
nothing could be kept at all is Slack told from here.
"""

import contextlib
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import structlog
from pydantic import BaseModel, Field, ValidationError
from slack_bolt import App, BoltContext
from sqlalchemy.orm import Session

from bot.blocks import step_words
from bot.listeners.home import acknowledge
from bot.middleware import bind_log
from bot.slack_answers import SlackError
from bot.visit import Services, UnsureError
from workflow import steps
from workflow.language import say, speaking
from workflow.privileges import Actor
from workflow.tables import WorkflowStep
from workflow.vocabulary import PeriodicWork, StepKind

_ANYTHING = re.compile(".*", re.DOTALL)
_log = structlog.get_logger()


class StepRun(BaseModel):
    """Slack's `function_executed`, as far as costbot reads it; inputs by their names in the manifest."""

    function_execution_id: str = Field(pattern="^[!-~]{1,100}$")
    inputs: dict[str, Any] = {}

    def text(self, name: str) -> str:
        """An input, which may be missing where the step leaves it open."""
        value = self.inputs.get(name)
        return value if isinstance(value, str) else ""


_Act = Callable[[Session, StepRun, str, Actor, datetime], WorkflowStep | None]


def register(app: App, services: Services) -> None:
    """Listen to the steps, and to any that this costbot does not know."""

    def ask(session: Session, run: StepRun, team: str, by: Actor, at: datetime) -> WorkflowStep | None:
        return steps.ask(
            session,
            run.function_execution_id,
            team_id=team,
            job=run.text("job"),
            lines=run.text("lines"),
            note=run.text("note"),
            by=by,
            at=at,
            rules=services.settings.rules,
            limits=services.limits,
        )

    def wait(session: Session, run: StepRun, team: str, by: Actor, at: datetime) -> WorkflowStep | None:
        return steps.wait(
            session,
            run.function_execution_id,
            team_id=team,
            job=run.text("job"),
            until=run.text("until"),
            by=by,
            at=at,
            rules=services.settings.rules,
        )

    app.function(StepKind.ASK.value)(ack=acknowledge, lazy=[_lazily(services, ask)])
    app.function(StepKind.WAIT.value)(ack=acknowledge, lazy=[_lazily(services, wait)])
    app.function(_ANYTHING)(ack=acknowledge, lazy=[_lazily(services, None)])


def _lazily(services: Services, act: _Act | None) -> Callable[..., None]:
    """The step as the function that Bolt runs after the ack; without `act` it is one that nobody knows."""

    def run_step(body: dict[str, Any], context: BoltContext) -> None:
        bind_log(context)
        try:
            run = StepRun.model_validate(body["event"])
        except ValidationError:
            _log.warning("a step of a workflow was not understood")
            return
        try:
            language = services.identity.language(run.text("person")) or services.settings.language
            with speaking(language):
                _run(services, run, str(body.get("team_id") or ""), act)
        except Exception as error:  # noqa: BLE001 - the last door: logged, and no workflow waits for ever
            _log.exception("a step of a workflow failed", step=run.function_execution_id)
            unsure = isinstance(error, UnsureError)
            words = say(step_words.MAY_BE_SAVED if unsure else step_words.WENT_WRONG)
            with contextlib.suppress(SlackError):
                services.gateway.fail_step(run.function_execution_id, words)

    return run_step


def _run(services: Services, run: StepRun, team: str, act: _Act | None) -> None:
    who, at = run.text("person"), services.clock()
    # Slack may be asked, so it is found out before the transaction; its own check of the user is current
    by = services.identity.actor(who, None) if act and who else None
    is_done = False
    try:
        with services.database.writing() as session:
            if act and by:
                step = act(session, run, team, by, at)
            else:
                words = say(step_words.NOBODY if act else step_words.NOT_KNOWN)
                step = steps.not_known(session, run.function_execution_id, words, team_id=team, at=at)
            is_done = True
    except Exception as error:
        if is_done:
            raise UnsureError from error
        raise
    if step is None:
        _log.info("delivered twice, handled once", step=run.function_execution_id)
    services.nudge(PeriodicWork.DELIVER)
