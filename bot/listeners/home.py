"""App Home: drawn anew whenever a person opens it."""

from slack_bolt import Ack, App

from bot.blocks.home_tab import JOBS_ON_HOME, home_tab
from bot.blocks.pieces import Json
from bot.visit import Services, Visit, lazily
from workflow import queries, slots
from workflow.privileges import explain, refusal_of
from workflow.tables import Person
from workflow.vocabulary import PeriodicWork, State


def register(app: App, services: Services) -> None:
    """Listen to App Home being opened."""
    app.event("app_home_opened")(ack=acknowledge, lazy=[lazily(services, publish)])


def acknowledge(ack: Ack) -> None:
    """Tell Slack that the event arrived."""
    ack()


def publish(visit: Visit) -> None:
    """Show the person their page; outside people see only why they may not look."""
    visit.services.gateway.publish_home(visit.interaction.user_id, _page(visit))


def _page(visit: Visit) -> Json:
    next_sync = slots.next_due(visit.services.settings.sync_cron, visit.now)
    actor = visit.actor
    if actor.refusal is not None:
        words = explain(actor.refusal, actor.name, visit.rules)
        return home_tab(
            [], 0, last_run=None, last_sync=None, next_sync=next_sync, may_update=False, why_not=words
        )
    with visit.reading() as session:
        person = session.get(Person, actor.person_id) if actor.person_id else None
        refused = refusal_of(actor, person, visit.rules)
        syncs = queries.data_syncs(session, limit=1)
        return home_tab(
            queries.list_updates(session, [State.READY], limit=JOBS_ON_HOME),
            queries.count_updates(session, [State.READY]),
            last_run=slots.last_done(session, PeriodicWork.DATA_SYNC),
            last_sync=syncs[0] if syncs else None,
            next_sync=next_sync,
            may_update=refused is None,
            why_not=refused.words if refused else None,
        )
