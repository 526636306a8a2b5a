"""`/costcodes`: the jobs and their windows, the data sync, holds and histories, for who prefers to type."""

from collections.abc import Callable, Mapping

from slack_bolt import App
from sqlalchemy.orm import Session

from bot.addresses import job_link
from bot.blocks import notices
from bot.blocks.notices import JOBS_SHOWN, SYNCS_SHOWN
from bot.links import standing_card
from bot.listeners import comparing, reporting, several, standing_in
from bot.listeners.asking import ask
from bot.listeners.notifying import open_choices
from bot.listeners.opening import loading, updates_view
from bot.listeners.syncing import sync_now
from bot.listeners.usage import Command, WrongUsage, parse
from bot.visit import Services, Visit, lazily
from workflow import directory, queries, slots
from workflow.language import later, say
from workflow.privileges import refusal_of
from workflow.report import Period
from workflow.tables import Job, Person

COMMAND = "/costcodes"
_HEADINGS = {
    "ready": later("Ready to Update"),
    "accepted": later("Updated, on their way to Sage"),
    "failed": later("Failed to Export"),
    "synced": later("Synced"),
    "rejected": later("Rejected"),
    "expired": later("Expired"),
    "all": later("Jobs with requested cost codes"),
}
_SUGGESTED = 5


def register(app: App, services: Services) -> None:
    """Listen to the one slash command."""
    app.command(COMMAND)(lazily(services, run))


def run(visit: Visit) -> None:
    """Do what was typed, or say what comes closest to it."""
    command = parse(visit.interaction.text)
    if isinstance(command, WrongUsage):
        visit.meet()
        visit.answer(say(command.words))
    else:
        HANDLERS[command.verb](visit, command)


def jobs(visit: Visit, command: Command) -> None:
    """List jobs by filter and text."""
    states = queries.FILTERS[command.filter]
    with visit.reading() as session:
        rows = queries.list_updates(session, states, text=command.text, limit=JOBS_SHOWN)
        total = queries.count_updates(session, states, text=command.text)
    heading = say(_HEADINGS[command.filter])
    if command.text:
        heading = say("{jobs} with “{text}”", jobs=heading, text=command.text)
    ready = command.filter == "ready"
    visit.tell(notices.jobs_list(rows, total, heading=heading, update_several=ready))


def show(visit: Visit, command: Command) -> None:
    """Open Cost Codes for Update, where an approver can Update."""
    visit.open(loading())
    with visit.reading() as session:
        job = _job(session, command.job)
    if isinstance(job, str):
        visit.answer(job)
    else:
        card = standing_card(visit.services.database, visit.services.gateway, job.id, at=visit.now)
        card = card and (job_link(visit.services.settings, job.number) or card)
        visit.show(updates_view(visit, job.id, card=card))


def diff(visit: Visit, command: Command) -> None:
    """Open what Procore, costbot and Sage have of a job, and where they differ."""
    visit.open(loading(comparing.TITLE))
    with visit.reading() as session:
        job = _job(session, command.job)
    if isinstance(job, str):
        visit.answer(job)
    else:
        comparing.show(visit, job.id)


def update(visit: Visit, command: Command) -> None:
    """Open the window of one job, or of all that are Ready to Update."""
    if command.job:
        show(visit, command)
    else:
        several.open_list(visit)


def request(visit: Visit, command: Command) -> None:
    """Open the window in which one asks for cost codes."""
    ask(visit, command.job)


def sync(visit: Visit, _: Command) -> None:
    """Run a data sync now."""
    sync_now(visit)


def syncs(visit: Visit, _: Command) -> None:
    """List the latest data syncs, and say when the next one is due."""
    next_sync = slots.next_due(visit.services.settings.sync_cron, visit.now)
    with visit.reading() as session:
        latest = queries.data_syncs(session, limit=SYNCS_SHOWN)
    visit.tell(notices.syncs(latest, next_sync=next_sync))


def holds(visit: Visit, _: Command) -> None:
    """List the contracts and change orders that wait, by job."""
    with visit.reading() as session:
        found = queries.list_holds(session, waiting_only=True)
    visit.tell(notices.holds_list(found))


def history(visit: Visit, command: Command) -> None:
    """Tell what happened to a job."""
    with visit.reading() as session:
        job = _job(session, command.job)
        told = None if isinstance(job, str) else notices.history(job.title, queries.history(session, job.id))
    visit.tell(told or notices.answer(str(job)))


def whoami(visit: Visit, _: Command) -> None:
    """Say who the person is to costbot, to outside people too: they learn that they are outside."""
    with visit.services.database.reading() as session:
        person = session.get(Person, visit.actor.person_id) if visit.actor.person_id else None
    visit.tell(notices.whoami(person, refusal_of(visit.actor, person, visit.rules)))


def report(visit: Visit, command: Command) -> None:
    """Send the figures of a week or a month, as a chart and as CSV."""
    reporting.run(visit, Period(command.filter))


def notify(visit: Visit, _: Command) -> None:
    """Open what the person wants to hear of."""
    open_choices(visit)


def away(visit: Visit, command: Command) -> None:
    """Let somebody stand in, show who does, or end it."""
    standing_in.run(visit, command.text)


def help_(visit: Visit, _: Command) -> None:
    """Say what there is."""
    visit.meet()
    visit.tell(notices.help_text())


HANDLERS: Mapping[str, Callable[[Visit, Command], None]] = {
    "jobs": jobs,
    "show": show,
    "diff": diff,
    "update": update,
    "request": request,
    "sync": sync,
    "syncs": syncs,
    "holds": holds,
    "history": history,
    "report": report,
    "notify": notify,
    "away": away,
    "whoami": whoami,
    "help": help_,
}
"""By the word that begins a usage of `notices.COMMANDS`; `ready` reads as `jobs ready`."""


def _job(session: Session, typed: str) -> Job | str:
    """The job with this number, else the only one that contains what was typed; or words that ask which."""
    exact = directory.job_by_number(session, typed)
    if exact:
        return exact
    found = queries.list_updates(session, text=typed, limit=_SUGGESTED)
    if len(found) == 1:
        return session.get_one(Job, found[0].job_id)
    if found:
        return say(
            "Which job is “{typed}”? {jobs}", typed=typed, jobs=", ".join(facts.title for facts in found)
        )
    return say(
        "There is no job “{typed}”. /costcodes jobs all lists every job with requested cost codes.",
        typed=typed,
    )
