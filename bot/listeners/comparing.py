"""`/costcodes diff JOB`: the window of what Procore, costbot and Sage have of a job, and its pages."""

from bot.blocks.comparison_window import TITLE, comparison_window
from bot.blocks.updates_window import message_view
from bot.payloads import ComparisonButton
from bot.visit import Visit
from workflow.language import say
from workflow.settings import Source
from workflow.tables import Job
from workflow.three_places import three_places

__all__ = ["TITLE", "show", "turn_page"]


def show(visit: Visit, job_id: int, *, page: int = 0, read_back: bool = True) -> None:
    """Show a page; Sage is asked first what it holds now, as far as it can be asked."""
    services = visit.services
    if read_back:
        services.read_back(job_id)
    with visit.reading() as session:
        job = session.get(Job, job_id)
        known = job and three_places(
            session,
            job,
            with_procore=services.settings.source is Source.PROCORE,
            tells_procore=services.settings.writes_back,
            limits=services.limits,
        )
    gone = say("There is no such job any more.")
    visit.show(comparison_window(known, page=page) if known else message_view(TITLE, gone))


def turn_page(visit: Visit) -> None:
    """Show another page of the open window, of Sage as it was read when that opened."""
    button = visit.interaction.read(ComparisonButton)
    show(visit, button.job_id, page=button.page, read_back=False)
