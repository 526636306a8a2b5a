"""Steps of workflows in Slack that are over: Slack is told what came of each, and the workflow goes on."""

import structlog

from bot import drawing
from bot.delivery.outcomes import Outcomes
from bot.gateway import Gateway
from bot.links import card_address
from bot.slack_answers import SlackRefused
from workflow.database import Database
from workflow.tables import OutboxNotice

_log = structlog.get_logger()


class Steps:
    """Ends one step after the other."""

    def __init__(self, database: Database, gateway: Gateway, outcomes: Outcomes) -> None:
        self._database = database
        self._gateway = gateway
        self._outcomes = outcomes

    def tell(self, notice: OutboxNotice) -> None:
        """End a step of a workflow in Slack; one that is over there needs no answer any more."""
        step_id = notice.function_execution_id or ""
        try:
            with self._database.reading() as session:
                job_id = drawing.job_of_step(session, step_id)
            # Slack may be asked for it, which is not to be waited for in a transaction
            link = card_address(self._database, self._gateway, job_id) if job_id is not None else None
            with self._database.reading() as session:
                ended = drawing.ended_step(session, step_id, link=link)
            if ended is None:
                self._outcomes.give_up([notice], "the step is not on record")
            elif isinstance(ended, str):
                self._gateway.fail_step(step_id, ended)
                self._outcomes.done([notice])
            else:
                self._gateway.complete_step(step_id, ended)
                self._outcomes.done([notice])
        except SlackRefused as refused:
            if not refused.is_step_over:
                return self._outcomes.failed(refused, [notice])
            _log.info("a step of a workflow was over already", step=step_id, code=refused.code)
            self._outcomes.done([notice])
        except Exception as error:  # noqa: BLE001 - whatever ails one notice, the others go on
            self._outcomes.failed(error, [notice])
